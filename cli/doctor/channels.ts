/** Who is told: each topic of the stack, that of the bot's own health included. */
import { paginateListSubscriptionsByTopic, SNSClient, type Subscription } from '@aws-sdk/client-sns';
import type { Stack } from '../stack.ts';
import { type Check, hint, look, ok, plural, wrong } from './check.ts';
import type { StackGroup } from './scene.ts';

export const channels: StackGroup = async ({ stack, aws }) => {
  const check = 'channels';
  const topics = Object.entries(stack.outputs).filter(([output]) => output.endsWith('Topic'));
  const lines = await Promise.all(
    topics.map(([output, TopicArn]) =>
      look(check, async () => {
        const found: Subscription[] = [];
        for await (const { Subscriptions = [] } of paginateListSubscriptionsByTopic({ client: aws.client(SNSClient) }, { TopicArn }))
          found.push(...Subscriptions);
        return judged(check, output.replace(/Topic$/, ''), TopicArn, found, stack);
      }),
    ),
  );
  return lines.flat();
};

const isPending = ({ SubscriptionArn = '' }: Subscription): boolean => SubscriptionArn === 'PendingConfirmation';
const isConfirmed = ({ SubscriptionArn = '' }: Subscription): boolean => SubscriptionArn.startsWith('arn:');

function judged(check: string, name: string, topic: string, found: readonly Subscription[], { region }: Stack): Check {
  const confirmed = found.filter(isConfirmed);
  const waiting = found.filter(isPending);
  const subscribe = (protocol = 'email', endpoint = 'you@example.com') =>
    `aws sns subscribe --topic-arn ${topic} --protocol ${protocol} --notification-endpoint ${endpoint} --region ${region}`;
  const named = waiting.map(({ Protocol, Endpoint }) => `${Protocol} ${Endpoint}`).join(', ');
  const again = waiting[0] && subscribe(waiting[0].Protocol, waiting[0].Endpoint);
  if (confirmed.length === 0 && again)
    return wrong(check, `${name}: nobody has confirmed; ${named} must follow the link that AWS sent, which this sends again`, again);
  if (confirmed.length === 0) return wrong(check, `${name}: nobody has subscribed, nobody is told`, subscribe());
  const told = `${name}: ${plural(confirmed.length, 'subscriber')}`;
  return again ? hint(check, `${told}; not confirmed: ${named}`, again) : ok(check, told);
}
