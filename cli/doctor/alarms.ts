/** The alarms that watch the bot from outside, in each region it covers. */
import { CloudWatchClient, type MetricAlarm, paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import type { Stack } from '../stack.ts';
import { type Check, look, lookIn, plural, wrong } from './check.ts';
import { coveredBy, lost, type StackGroup, type StackScene } from './scene.ts';

const check = 'alarms';

export const alarms: StackGroup = (scene) =>
  look(check, async () => {
    const covered = await coveredBy(scene);
    return lookIn(check, covered, `none rings in ${plural(covered.length, 'region')}`, (region) => inRegion(region, scene));
  });

async function inRegion(region: string, { stack, aws, parts }: StackScene): Promise<Check[]> {
  const found: MetricAlarm[] = [];
  for await (const { MetricAlarms = [] } of paginateDescribeAlarms({ client: aws.in(region).client(CloudWatchClient) }, { AlarmNamePrefix: `${stack.name}-` }))
    found.push(...MetricAlarms);
  const names = new Set(found.map(({ AlarmName }) => AlarmName));
  const expected = region === stack.region ? (await parts()).filter(({ type }) => type === 'AWS::CloudWatch::Alarm') : [];
  const gone = expected.map(({ id }) => id).filter((name) => !names.has(name));
  return [
    ...found
      .filter(({ StateValue }) => StateValue === 'ALARM')
      .map((one) =>
        wrong(
          check,
          `${one.AlarmName} rings since ${one.StateTransitionedTimestamp?.toISOString() ?? one.StateUpdatedTimestamp?.toISOString()}: ${one.AlarmDescription}`,
          mendOf(one, region, stack),
        ),
      ),
    ...found
      .filter(({ ActionsEnabled }) => ActionsEnabled === false)
      .map(({ AlarmName }) =>
        wrong(check, `${AlarmName} tells nobody: its actions are off`, `aws cloudwatch enable-alarm-actions --alarm-names ${AlarmName} --region ${region}`),
      ),
    ...(gone.length > 0 ? [lost(check, gone, stack)] : []),
  ];
}

/** What to do about what the alarm measures. */
function mendOf({ AlarmName, MetricName, Dimensions = [] }: MetricAlarm, region: string, { name, region: home }: Stack): string {
  if (MetricName === 'ApproximateNumberOfMessagesVisible') return `npx phidelity dlq redrive --all --stack ${name} --region ${home}`;
  const functionName = Dimensions.find((dimension) => dimension.Name === 'FunctionName')?.Value ?? `${name}-detect`;
  if (MetricName === 'Throttles') return `aws lambda get-account-settings --region ${region}`;
  if (MetricName === 'Errors' || MetricName === 'ApproximateAgeOfOldestMessage')
    return `aws logs tail /aws/lambda/${functionName} --since 2h --filter-pattern ERROR --region ${region}`;
  return `aws cloudwatch describe-alarm-history --alarm-name ${AlarmName} --max-items 5 --region ${region}`;
}
