import * as z from 'zod';
import { compliant, defineControl, listKnown, nonCompliant, notApplicable, onCalls } from '../define.ts';
import { keyNamed, keyOf, keys } from './kms.ts';

interface State {
  readonly arn: string;
  /** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html; absent: there is no such key. */
  readonly keyState?: string;
}

/** What a person can do about it. */
const wayBack = ({ arn, keyState }: State): string => {
  const place = `--key-id ${arn} --region ${arn.split(':')[3]}`;
  const enable = `aws kms enable-key ${place}`;
  if (keyState === 'Disabled') return `, until somebody runs ${enable}`;
  if (keyState === 'PendingDeletion') return `, until somebody runs aws kms cancel-key-deletion ${place} and then ${enable}`;
  return '';
};

export default defineControl({
  id: 'bot-keys-usable',
  title: 'The keys of the bot are enabled',
  rationale: 'Without its keys the bot can neither read its queues and findings nor tell of anything; once they are deleted, its evidence is lost.',
  severity: 'CRITICAL',
  ...keys,
  scope: 'regional',
  hipaa: [
    { section: '164.308(a)(1)(ii)(D)', specification: 'required', rationale: 'Keeps the review of system activity running.' },
    { section: '164.308(a)(6)(ii)', specification: 'required', rationale: 'What has been found can be read and told to those who respond.' },
    { section: '164.312(b)', specification: 'standard', rationale: 'The record of what was found and done stays readable.' },
  ],
  related: {},
  triggers: [
    onCalls('kms.amazonaws.com', ['CancelKeyDeletion', 'DisableKey', 'EnableKey', 'PutKeyPolicy', 'ScheduleKeyDeletion'], keyNamed, {
      breaks: ['DisableKey', 'ScheduleKeyDeletion'],
    }),
    { source: 'config', resourceType: keys.resourceType },
  ],
  params: z.strictObject({
    keys: z.array(z.string()).default([]).describe('ARNs of the keys of the deployed stack; filled in by the deploy'),
  }),
  reads: 1,
  writes: [],
  permissions: { inspect: ['kms:DescribeKey'], remediate: [], undo: [] },
  impact: 'Nothing is changed. Until the key is enabled, events wait in the queues, and they are kept for 14 days.',
  defaultMode: 'page',
  noFix: 'The roles of the bot are denied every write to its own keys: whoever took over the bot could use it to destroy the evidence.',
  sweptOften: true,
  deployed: (stack) => ({ keys: [...stack.keys] }),

  list: (aws, { params }) => listKnown(keys.resourceType, params.keys, aws),

  async inspect(resource, aws): Promise<State | undefined> {
    const key = await keyOf(aws, resource);
    return { arn: resource.id, ...(key && { keyState: key.KeyState ?? 'Unavailable' }) };
  },

  evaluate(state, { keys: own }) {
    if (own.length === 0) return notApplicable('No stack is deployed.');
    if (!own.includes(state.arn)) return notApplicable('The bot does not use the key.');
    if (state.keyState === 'Enabled') return compliant('The key is enabled.');
    if (state.keyState === undefined) return nonCompliant('The key is gone: what the bot had encrypted with it is lost.');
    return nonCompliant(`The key is ${state.keyState}: the bot cannot use what it encrypts${wayBack(state)}.`);
  },
});
