/** Where alerts go, as a policy file says it, and as it is in force. */
import * as z from 'zod';
import { severities } from '../model.ts';
import { duration, seconds, tag, tagOf, text } from './forms.ts';
import { type CompiledChannel, channelKinds, type SecretRef, withDefaults } from './ways.ts';

export type { ChannelKind, CompiledChannel, SecretRef, Way } from './ways.ts';

const secretForm = /^(ssm:\/[A-Za-z0-9_.\-/]{1,1010}|secretsmanager:[A-Za-z0-9/_+=.@-]{1,512})$/;

// The value is not shown: it may be the secret itself.
const secret = (what: string) =>
  z
    .string()
    .regex(secretForm, { error: 'must be a reference, ssm:/PATH or secretsmanager:NAME: secrets do not belong in a policy' })
    .transform((given) => given as SecretRef)
    .describe(`${what}, as ssm:/PATH of a SecureString parameter or secretsmanager:NAME`);

const slackApp = z
  .strictObject({
    token: secret('Bot token of the Slack app (xoxb-)'),
    signingSecret: secret('Signing secret of the Slack app'),
    channel: z
      .string()
      .regex(/^[CGD][A-Z0-9]{2,}$/, { error: ({ input }) => `${JSON.stringify(input)} is not the id of a Slack channel such as C012AB3CD` })
      .describe('Id of the Slack channel'),
  })
  .describe('A Slack app: messages with buttons, updated as things go on');

const webhook = z
  .strictObject({
    url: z
      .string()
      .refine((given) => secretForm.test(given) || URL.parse(given)?.protocol === 'https:', {
        error: 'must be an https address, or a reference to one: ssm:/PATH or secretsmanager:NAME',
      })
      .describe('Address that is posted to: https://, or a reference to one'),
    secret: secret('Key that each message is signed with'),
  })
  .describe('Any HTTPS endpoint; the body is signed with HMAC-SHA256');

const integrationKey = secret('Integration key of a PagerDuty service (Events API v2)');
const pagerDuty = z
  .union([integrationKey, z.strictObject({ key: integrationKey, region: z.enum(['us', 'eu']).describe('Service region of the PagerDuty account') })])
  .describe('Integration key of a PagerDuty service (Events API v2), as a reference; or a map of key and region (us, eu). Default region: us');

const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: ({ input }) => `${JSON.stringify(input)} is not a time of day such as 08:00` });

const isTimezone = (name: string): boolean => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
};

const isMap = ({ value }: { value: unknown }) => typeof value === 'object' && value !== null && !Array.isArray(value);

const positive = (given: string) => seconds(given) > 0;

const longer = { error: 'must be longer than nothing' };

export const channelSchema = z
  .strictObject({
    sns: z.literal(true).optional().describe('An SNS topic of the stack'),
    slackApp: slackApp.optional(),
    slackWebhook: secret('Address of an incoming webhook of Slack').optional(),
    pagerDuty: pagerDuty.optional(),
    teams: secret('Address of a Microsoft Teams webhook (Workflows)').optional(),
    webhook: webhook.optional(),
    securityHub: z.literal(true).optional().describe('AWS Security Hub of the account, in the home region of the bot'),
    pages: z.boolean().optional().describe('Takes pages. At least one channel must when a control can page. Default: false'),
    minSeverity: z.enum(severities).optional().describe('Notifications below this severity are not sent here. Default: INFORMATIONAL'),
    only: z
      .strictObject({
        controls: z.array(text).min(1, { error: 'must name at least one control' }).optional().describe('Ids of controls, or patterns such as s3-*'),
        accounts: z
          .array(text)
          .min(1, { error: 'must name at least one account' })
          .optional()
          .describe('Account ids, or patterns (in quotes: ids may begin with 0)'),
        tags: z.array(tag).min(1, { error: 'must name at least one tag' }).optional().describe('Tags of the resource, key=value; one of them is enough'),
      })
      .optional()
      .describe('Only what matches all of these is sent here.'),
    remindEvery: duration
      .refine(positive, longer)
      .optional()
      .describe('Open CRITICAL findings are told again so often, until they are snoozed or end. Default: 4h where pages are true, else never'),
    escalateAfter: duration.refine(positive, longer).optional().describe('Only CRITICAL findings are sent here, once they have been open so long'),
    digest: time.optional().describe('Time of day at which everything is summed up here once a day, such as 08:00'),
    quietHours: z
      .strictObject({ from: time.describe('Beginning, such as 22:00'), to: time.describe('End, such as 07:00') })
      .refine(({ from, to }) => from !== to, { error: 'must end at another time than it begins' })
      .optional()
      .describe('Notifications below CRITICAL wait for the end of these. Pages never do'),
    timezone: z
      .string()
      .refine(isTimezone, { error: ({ input }) => `${JSON.stringify(input)} is not a time zone such as America/New_York` })
      .optional()
      .describe('Time zone of digest and quietHours. Default: UTC'),
  })
  .check((context) => {
    if (!isMap(context)) return;
    const kinds = channelKinds.filter((kind) => context.value[kind] !== undefined);
    if (kinds.length === 1) return;
    const message = kinds.length === 0 ? `names no way out: one of ${channelKinds.join(', ')}` : `is both ${kinds.join(' and ')}: make a channel of each`;
    context.issues.push({ code: 'custom', message, input: context.value });
  })
  .describe('Where alerts go');
export type ChannelOfFile = z.output<typeof channelSchema>;

/** What a file says of a channel replaces, one by one, what the file it extends says; another way out replaces the way out. */
export function compileChannel(given: ChannelOfFile, below: CompiledChannel | undefined): CompiledChannel {
  const { only, remindEvery, escalateAfter, ...rest } = given;
  const kept = Object.fromEntries(Object.entries(below ?? {}).filter(([key]) => !(channelKinds as readonly string[]).includes(key)));
  const channel = {
    pages: false,
    minSeverity: 'INFORMATIONAL',
    ...kept,
    ...rest,
    ...(only && { only: { ...only, ...(only.tags && { tags: only.tags.map(tagOf) }) } }),
    ...(remindEvery && { remindEvery: seconds(remindEvery) }),
    ...(escalateAfter && { escalateAfter: seconds(escalateAfter) }),
  } as CompiledChannel;
  return withDefaults(channel);
}

/** What is wrong with the channels together. */
export function channelFaults(channels: Readonly<Record<string, CompiledChannel>>): string[] {
  const ways = Object.entries(channels);
  const outside = ways.filter(([, channel]) => !('sns' in channel || 'securityHub' in channel)).map(([name]) => name);
  const faults: string[] = [];
  if (outside.length > 0 && !ways.some(([, channel]) => 'sns' in channel))
    faults.push(`no channel is sns: true, which ${outside.join(', ')} would fall back to when it cannot be reached`);
  const restricted = ways.filter(([, { pages }]) => pages);
  if (restricted.length > 0 && restricted.every(([, channel]) => 'securityHub' in channel))
    faults.push('only Security Hub has pages: true, and it wakes nobody: a channel that reaches people must');
  if (restricted.length > 0 && restricted.every(([, { only, escalateAfter }]) => only || escalateAfter))
    faults.push('every channel with pages: true takes only some of them ("only", "escalateAfter"): one must take all');
  const apps = new Set(ways.flatMap(([, channel]) => ('slackApp' in channel ? [channel.slackApp.signingSecret] : [])));
  if (apps.size > 1) faults.push('the channels belong to more than one Slack app: answers come to one address, and one signing secret guards it');
  return faults;
}
