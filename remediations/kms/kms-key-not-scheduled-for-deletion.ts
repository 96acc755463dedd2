import { CancelKeyDeletionCommand, EnableKeyCommand, KMSClient, paginateListResourceTags, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import * as z from 'zod';
import { type Aws, change, compliant, defineControl, leafOf, nonCompliant, notApplicable, onCalls, type ResourceRef, required } from '../define.ts';
import { keyNamed, keyOf, keys, keysOf } from './kms.ts';

interface Pending {
  /** Days that a new schedule would have to wait to end with this one; AWS takes 7 to 30. */
  readonly windowInDays: number;
  /** Absent while the replicas of a multi-Region primary key are there: its own clock has not started. */
  readonly deletionDate?: Date;
  readonly tags: Readonly<Record<string, string>>;
}

interface State {
  /** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
  readonly keyState: string;
  readonly pending?: Pending;
}

interface Setting {
  readonly enabled: boolean;
  readonly deletionWindowInDays: number | null;
}

const isPending = (state: string | undefined) => state === 'PendingDeletion' || state === 'PendingReplicaDeletion';

const dayInMs = 24 * 60 * 60 * 1000;
// AWS keeps the date, takes a number of days, and the date alone would never be the same again after an undo.
const windowUntil = (date: Date) => Math.min(30, Math.max(7, Math.ceil((date.getTime() - Date.now()) / dayInMs)));

async function inspect(resource: ResourceRef, aws: Aws): Promise<State | undefined> {
  const key = await keyOf(aws, resource);
  if (!key) return undefined;
  const { KeyState, DeletionDate: deletionDate, PendingDeletionWindowInDays } = key;
  const keyState = required(KeyState, 'KeyState');
  if (!isPending(keyState)) return { keyState };
  const windowInDays = PendingDeletionWindowInDays ?? (deletionDate ? windowUntil(deletionDate) : 30);
  return { keyState, pending: { windowInDays, ...(deletionDate && { deletionDate }), tags: await tagsOf(aws, resource) } };
}

async function tagsOf(aws: Aws, { id }: ResourceRef): Promise<Record<string, string>> {
  const tags: Record<string, string> = {};
  for await (const { Tags } of paginateListResourceTags({ client: aws.client(KMSClient) }, { KeyId: id })) {
    for (const { TagKey, TagValue } of required(Tags, 'Tags')) tags[TagKey!] = TagValue!;
  }
  return tags;
}

export default defineControl({
  id: 'kms-key-not-scheduled-for-deletion',
  title: 'No KMS key is waiting for deletion',
  rationale: 'With the key, everything encrypted under it is gone for good: databases, objects and every backup of them.',
  severity: 'CRITICAL',
  ...keys,
  scope: 'regional',
  hipaa: [
    { section: '164.312(c)(1)', specification: 'standard', rationale: 'Guards ePHI against destruction that nobody has approved.' },
    { section: '164.308(a)(7)(ii)(A)', specification: 'required', rationale: 'A backup whose key is gone is not a retrievable copy.' },
    { section: '164.308(a)(1)(ii)(B)', specification: 'required', rationale: 'Stops a loss while it can still be stopped.' },
  ],
  related: { securityHub: ['KMS.3'], configRule: ['kms-cmk-not-scheduled-for-deletion'], prowler: ['kms_cmk_not_deleted_unintentionally'] },
  triggers: [
    onCalls('kms.amazonaws.com', ['CancelKeyDeletion', 'EnableKey', 'ScheduleKeyDeletion'], keyNamed, { breaks: ['ScheduleKeyDeletion'] }),
    { source: 'config', resourceType: keys.resourceType },
  ],
  params: z.strictObject({
    allowTag: z
      .string()
      .max(128)
      .default('')
      .describe('Key of a tag whose value "true" lets a key be deleted; empty = none does. Whoever may tag keys may then delete them'),
  }),
  reads: 1,
  writes: ['kms:key-deletion'],
  permissions: {
    inspect: ['kms:DescribeKey', 'kms:ListKeys', 'kms:ListResourceTags'],
    remediate: ['kms:CancelKeyDeletion', 'kms:DescribeKey', 'kms:EnableKey'],
    undo: ['kms:DescribeKey', 'kms:ScheduleKeyDeletion'],
  },
  impact:
    'The key works again and is charged for. A key that was disabled on purpose before it was scheduled for deletion is enabled too. Undo starts the waiting time anew, at least 7 days.',
  defaultMode: 'fix',

  list: keysOf,
  inspect,

  evaluate({ keyState, pending }, { allowTag }) {
    if (!pending) return compliant('The key is not waiting for deletion.');
    if (allowTag !== '' && pending.tags[allowTag] === 'true') return notApplicable(`The tag ${allowTag} lets the key be deleted.`);
    if (pending.deletionDate)
      return nonCompliant(`KMS deletes the key on ${pending.deletionDate.toISOString().slice(0, 10)}, and nobody can read what it has encrypted then.`);
    return nonCompliant(`The key is ${keyState}: KMS deletes it ${pending.windowInDays} days after its last replica.`);
  },

  // The event does not tell whether the key was enabled before. Stores whose key stays disabled fail, so enabled is assumed.
  plan: (state) =>
    change<Setting>({
      action: 'kms:CancelKeyDeletion',
      summary: 'Cancel the deletion of the key and enable it',
      before: settingOf(state),
      after: { enabled: true, deletionWindowInDays: null },
    }),

  setting: (state) => settingOf(state),
  // Between the two calls of the fix the key is saved and disabled: what it has encrypted cannot be read.
  unfinished: ({ keyState }) => keyState === 'Disabled',

  async remediate(resource, _change, aws) {
    const client = aws.client(KMSClient);
    if (isPending((await keyOf(aws, resource))?.KeyState)) await client.send(new CancelKeyDeletionCommand({ KeyId: leafOf(resource) }));
    // Cancelling leaves the key disabled; one whose imported material has expired is PendingImport and cannot be enabled.
    if ((await keyOf(aws, resource))?.KeyState === 'Disabled') await client.send(new EnableKeyCommand({ KeyId: leafOf(resource) }));
  },

  async undo(resource, { before }, aws) {
    if (before.deletionWindowInDays === null || isPending((await keyOf(aws, resource))?.KeyState)) return;
    await aws.client(KMSClient).send(new ScheduleKeyDeletionCommand({ KeyId: leafOf(resource), PendingWindowInDays: before.deletionWindowInDays }));
  },
});

const settingOf = ({ keyState, pending }: State): Setting => ({ enabled: keyState === 'Enabled', deletionWindowInDays: pending?.windowInDays ?? null });
