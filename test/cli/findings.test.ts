import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sqliteLedger } from '../../cli/state/sqlite-ledger.ts';
import type { Finding } from '../../engine/model.ts';
import { testClock } from '../support/ledger-model.ts';
import { entryOf, findingOf, keyOf } from '../support/ledger-samples.ts';
import { type Desk, openDesk, type Result } from './run.ts';

const steering = '\x1b]0;mine\x07\r';
const open = { complianceType: 'NON_COMPLIANT', annotation: 'The bucket is open.' } as const;
const held = { by: 'hour', until: '2026-03-01T13:00:00.000Z' };
const place = { accountId: '123456789012', region: 'us-east-1', control: 's3-bucket-tls-only' };

/** Each is a finding of its own, found again by its name. */
const findings: Record<string, readonly [given: Partial<Finding>, told: RegExp, untold?: RegExp]> = {
  'one that is as it began': [
    { ...keyOf({ id: 'arn:aws:s3:::began' }), wrong: open.annotation, evaluation: open },
    /^notify +HIGH +s3-bucket-public-access-block +began\n +The bucket is open\. since 2026-03-01T12:00:00\.000Z\n +Exposed for at least .+, since 2026-03-01T.+; it stands, at .+\n +f-[0-9a-f]{26}$/,
  ],
  'one that has changed': [
    { ...keyOf({ id: 'arn:aws:s3:::changed' }), wrong: 'Everybody could read.', evaluation: open },
    /\n +Everybody could read\. since .*\n +Now: The bucket is open\.\n/,
  ],
  'one that was there before the bot': [
    { ...keyOf({ id: 'arn:aws:s3:::backlog' }), backlog: true },
    /\n +It was there before the bot: told, not changed\. `npx phidelity sweep --apply --stack NAME` treats it like new drift\.\n/,
  ],
  'one that a guard holds': [
    { ...keyOf({ id: 'arn:aws:s3:::held' }), held, decision: { action: 'approve', reason: '50 fixes within an hour: the policy allows no more.' } },
    /\n +A guard holds until 2026-03-01T13:00:00\.000Z: 50 fixes within an hour: the policy allows no more\.\n/,
  ],
  'one that waits for its stack': [
    {
      ...keyOf({ id: 'arn:aws:s3:::waits' }),
      decision: { action: 'fix', reason: 'The policy says fix.' },
      owner: { stack: { name: 'portal', id: 'arn:aws:cloudformation:us-east-1:123456789012:stack/portal/1' } },
      heldOff: { since: '2026-03-01T12:00:00.000Z', until: '2026-03-01T14:00:00.000Z', stack: 'portal' },
    },
    /\n +The fix waits for CloudFormation stack portal, until 2026-03-01T14:00:00\.000Z at most\.\n +Defined in: CloudFormation stack portal: mend the template too/,
  ],
  'one about the bot itself': [
    {
      ...keyOf({ control: 'bot-permissions', id: 'arn:aws:iam::123456789012:role/blind-role' }),
      fold: 's3:GetBucketPolicy',
      blind: [
        { ...place, resource: 'arn:aws:s3:::hidden-a' },
        { ...place, resource: 'arn:aws:s3:::hidden-b' },
      ],
    },
    /bot-permissions +blind-role\n[\s\S]*This is about the bot itself, not about a resource of yours\.\n +Not seen because of it: 2 resources of s3-bucket-tls-only\.\n/,
    /hidden/,
  ],
  'one on the account': [
    { ...keyOf({ id: 'arn:aws:iam::123456789012:root' }), resource: { ...keyOf().resource, type: 'AWS::::Account', id: 'arn:aws:iam::123456789012:root' } },
    /s3-bucket-public-access-block +account 123456789012, us-east-1\n/,
    /\broot\b/,
  ],
  'one on a setting of the account': [
    {
      ...keyOf({ control: 's3-account-public-access-block', id: 'arn:aws:iam::123456789012:root' }),
      resource: { ...keyOf().resource, type: 'AWS::S3::AccountPublicAccessBlock', id: 'arn:aws:iam::123456789012:root' },
    },
    /s3-account-public-access-block +account 123456789012, us-east-1\n/,
    /\broot\b/,
  ],
  'one on a queue of that name': [{ ...keyOf({ id: 'arn:aws:sqs:us-east-1:123456789012:root' }) }, /s3-bucket-public-access-block +root\n/],
  'one whose names would steer the terminal': [
    {
      ...keyOf({ id: `arn:aws:s3:::steer${steering}` }),
      actor: { arn: `arn:aws:sts::123456789012:assumed-role/dev/a${steering}`, type: 'AssumedRole' },
      wrong: `It was open.${steering}`,
      evaluation: { ...open, annotation: `The bucket is open.${steering}` },
    },
    /steer .*\n +It was open\. .*by arn:aws:sts.*\n +Now: The bucket is open\./,
  ],
};

describe('findings for people', () => {
  let desk: Desk;
  let result: Result;
  let told: string[];
  beforeAll(async () => {
    desk = openDesk();
    const ledger = sqliteLedger({ directory: desk.path('.phidelity'), clock: testClock() });
    for (const [given] of Object.values(findings)) {
      const finding = findingOf(given);
      await ledger.open(finding, entryOf(finding));
    }
    ledger.close();
    result = await desk.run({ args: ['findings'] });
    told = result.out.trimEnd().split(/(?<=f-[0-9a-f]{26})\n/);
  });
  afterAll(() => desk.clear());

  test('open ones: exit code 1, and how many', () => {
    expect([result.code, result.err]).toEqual([1, `${Object.keys(findings).length} findings, ${Object.keys(findings).length} open\n`]);
  });

  test.each(Object.entries(findings))('%s', (_, [, wanted, unwanted = /(?!)/]) => {
    const found = told.filter((text) => wanted.test(text));
    expect(found).toHaveLength(1);
    expect(found[0]).not.toMatch(unwanted);
  });

  test('names and sentences cannot steer the terminal', () => {
    expect(result.out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});
