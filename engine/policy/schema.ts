/** The policy file as it is in force now. Also the source of the JSON Schema that editors use, hence a description on every field. */
import * as z from 'zod';
import { modes, ownerKinds, severities } from '../model.ts';
import { channelSchema } from './channels.ts';
import { duration, glob, seconds, tag, text } from './forms.ts';

const mode = z.enum(modes);
const region = z
  .string()
  .regex(/^[a-z]+(-[a-z]+)+-\d+$/, { error: ({ input }) => `${JSON.stringify(input)} is not the name of a region` })
  .describe('A region, such as us-east-1');

const isMap = ({ value }: { value: unknown }) => typeof value === 'object' && value !== null && !Array.isArray(value);

const exception = z
  .strictObject({
    resource: glob('the ARN of the resource'),
    account: glob('the account id (in quotes: ids may begin with 0)'),
    region: glob('the region'),
    tag: tag.optional().describe('A tag the resource must carry: key=value, or a map with key and value'),
    tagSetBy: glob('the ARN of who may set the tag. Without it a tag only lowers fix to approve'),
    reason: text.describe('Why the control need not hold here'),
    approvedBy: text.describe('The person who approved it'),
    expires: z.iso
      .date({ error: ({ input }) => (input === undefined ? undefined : `${JSON.stringify(input)} is not a date of the form YYYY-MM-DD`) })
      .describe('Last day the exception holds, YYYY-MM-DD, UTC'),
  })
  .refine((given) => ['resource', 'account', 'region', 'tag'].some((matcher) => matcher in given), {
    error: 'an exception must match on at least one of resource, account, region, tag',
    when: isMap,
  })
  .refine((given) => !('tagSetBy' in given) || 'tag' in given, { error: 'tagSetBy means nothing without tag', when: isMap });

const when = z
  .strictObject({
    actor: text.optional().describe('Glob over the ARN of who made the change, or of the role behind the session'),
    owner: z
      .enum([...ownerKinds, 'any'])
      .optional()
      .describe('Who defines the resource: cloudformation (its tags name a stack, or the change came through it), terraform or pulumi (the change did), any'),
    mode: mode.describe('Mode for these changes'),
  })
  .refine((given) => 'actor' in given || 'owner' in given, { error: 'a when rule must name an actor, an owner or both', when: isMap });

const name = (what: string) =>
  z.string().regex(/^[A-Za-z][A-Za-z0-9._@-]{0,63}$/, {
    error: `the name of a ${what} is 1 to 64 letters, digits, dots, hyphens, _ and @ and begins with a letter`,
  });

export const settingsSchema = z.strictObject({
  mode: mode.optional().describe('What the bot may do about a violation: off, notify, page, approve (ask first) or fix'),
  params: z.record(z.string(), z.unknown()).optional().describe("The control's own parameters; see its page in docs/controls"),
  fixAfter: duration.optional().describe('Time between telling and fixing: 30m, 1h, 2d; at most 30d'),
  exceptions: z.array(exception).optional().describe('Where the control need not hold, why, who approved it and until when'),
  when: z.array(when).optional().describe('Other modes for changes made by certain actors, or to what certain tools define; the first that matches wins'),
  approvers: z
    .array(name('person or group'))
    .min(1, { error: 'must name at least one person or group' })
    .optional()
    .describe('Who decides about it: people, or groups of people. Default: everybody under people'),
});
export type Settings = z.output<typeof settingsSchema>;

const control = z
  .union([mode, settingsSchema])
  .meta({ id: 'control', description: 'A mode, or a map with mode, params, fixAfter, exceptions, when and approvers' });

const principal = text.regex(/^arn:[a-z*?-]+:(iam|sts)::[\d*?]+:\S+$/, {
  error: ({ input }) => `${JSON.stringify(input)} is not the ARN of a user or of a session, such as arn:aws:sts::*:assumed-role/SecOps/dana`,
});

const person = z
  .strictObject({
    arns: z
      .array(principal)
      .min(1, { error: 'must name at least one ARN' })
      .describe('Globs over the ARNs of the person, as aws sts get-caller-identity prints them. An account that is only * is the account of the bot'),
    slack: z
      .string()
      .regex(/^[UW][A-Z0-9]{2,}$/, { error: ({ input }) => `${JSON.stringify(input)} is not a Slack member id such as U012AB3CD` })
      .optional()
      .describe('Member id in Slack'),
    groups: z.array(name('group')).optional().describe('Groups by names of your choice, for the approvers of controls'),
    approver: z.boolean().optional().describe('May approve alone where it is not known who made the change. Default: false'),
  })
  .describe('A person who may approve, deny and undo');

const approvals = z
  .strictObject({
    expires: duration
      .refine((given) => seconds(given) > 0, { error: 'must be longer than nothing' })
      .optional()
      .describe('Time to answer; a question that nobody has answered by then counts as denied. Default: 72h'),
    secondPerson: z.enum(severities).optional().describe('From this severity on, two persons must approve. Default: one is enough'),
  })
  .describe('How fixes that wait for a person are approved');

const count = (most: number) =>
  z
    .int()
    .min(1, { error: 'must be at least 1; to stop fixing, use the modes or the kill switch' })
    .max(most, { error: `must be at most ${most}` })
    .optional();

const guards = z
  .strictObject({
    fixesPerHour: count(1_000).describe('Fixes of all controls together in any 60 minutes. Default: 50'),
    fixesPerControlPerHour: count(1_000).describe('Fixes of one control in any 60 minutes. Default: 20'),
    repeat: z
      .strictObject({
        limit: count(100).describe('So many fixes of one control on one resource; past it somebody keeps changing it back, and the bot pages. Default: 3'),
        within: duration
          .refine((given) => seconds(given) > 0, { error: 'must be longer than nothing' })
          .optional()
          .describe('The time they are counted over: 30m, 1h, 2d; at most 30d. Default: 24h'),
      })
      .optional()
      .describe('When the same control fails on the same resource again and again'),
    ramp: z
      .strictObject({
        fixes: count(1_000).describe('Fixes of a control while it is new. Default: 25'),
        hours: count(720).describe('Hours from the first deploy that set the control to fix. Default: 24'),
      })
      .optional()
      .describe('How a control that was set to fix begins'),
  })
  .describe('How much the bot fixes by itself; past it, it asks');
export type GuardsOfFile = z.output<typeof guards>;

export const policySchema = z
  .strictObject({
    version: z.literal(1).describe('Version of this format'),
    extends: text.optional().describe('The policy this one changes: hipaa (the baseline), or a path relative to this file'),
    regions: z.array(region).min(1, { error: 'must name at least one region' }).optional().describe('Where workloads may run'),
    watch: z
      .union([z.literal('all'), z.array(region).min(1, { error: 'must name at least one region' })], { error: 'expected all or a list of regions' })
      .optional()
      .describe('Where the bot looks: all, or a list of regions. Default: all'),
    people: z.record(name('person'), person).optional().describe('Who may approve, deny and undo, by a name of your choice'),
    approvals: approvals.optional(),
    accounts: z
      .record(z.string().regex(/^\d{12}$/, { error: 'must be an account id of 12 digits, in quotes' }), text)
      .optional()
      .describe('Names of accounts, for alerts: "111122223333": clinic-prod'),
    channels: z
      .record(
        z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,31}$/, { error: 'the name of a channel is 1 to 32 letters, digits and hyphens and begins with a letter' }),
        channelSchema,
      )
      .optional()
      .describe('Where alerts go, by a name of your choice'),
    guards: guards.optional(),
    backlog: z
      .enum(['tell', 'fix'])
      .optional()
      .describe('What is done about drift that was there before the bot: tell of it, or fix it like any other, within the guards. Default: tell'),
    evidence: z
      .strictObject({
        lock: z
          .enum(['governance', 'compliance', 'none'])
          .optional()
          .describe(
            'How evidence is kept from being deleted: governance (whom IAM lets bypass it may), compliance (nobody may, not even root, until the years are over), none. Default: governance',
          ),
        years: z
          .int()
          .min(1, { error: 'must be at least 1; without a lock, set lock to none' })
          .max(100, { error: 'must be at most 100' })
          .optional()
          .describe('Years that each entry is locked for; 45 CFR 164.316(b)(2)(i) asks for six. Default: 6'),
      })
      .optional()
      .describe('How the bucket of evidence is locked'),
    iam: z
      .strictObject({
        path: z
          .string()
          .regex(/^\/([!-~]{1,510}\/)?$/, { error: 'must begin and end with /' })
          .optional()
          .describe('IAM path of the roles of the bot. Default: /'),
        permissionsBoundary: z
          .string()
          .regex(/^arn:[a-z-]+:iam::(\d{12}|aws):policy\/\S+$/, { error: 'must be the ARN of an IAM policy' })
          .optional()
          .describe('ARN of the permissions boundary of the roles of the bot'),
      })
      .optional()
      .describe('How the IAM roles of the bot are made'),
    controls: z.record(z.string(), control).optional().describe('By id (s3-bucket-tls-only) or pattern (rds-*): a mode, or a map of settings'),
  })
  .describe('phidelity policy');
export type PolicyFile = z.output<typeof policySchema>;
