/** `exceptions list` as a person runs it, on an embedded ledger. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sqliteLedger } from '../../cli/state/sqlite-ledger.ts';
import { except } from '../../engine/exceptions.ts';
import { type Desk, openDesk } from './run.ts';

const id = 'arn:aws:s3:::scans-of-123-45-6789';
let desk: Desk;

beforeAll(async () => {
  desk = openDesk();
  const clock = { now: () => new Date(), sleep: async () => {} };
  const ledger = sqliteLedger({ directory: desk.path('.phidelity'), clock });
  const resource = { accountId: '111122223333', region: 'us-east-1', type: 'AWS::S3::Bucket', id };
  const expires = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const made = {
    control: 's3-bucket-tls-only',
    resource,
    reason: 'ssn 123-45-6789',
    approvedBy: 'lee',
    expires,
    findingId: 'f-1',
    at: new Date().toISOString(),
  };
  await except([made], { ledger, clock });
  ledger.close();
});
afterAll(() => desk.clear());

test.each([
  ['a line for people', [], false],
  ['one JSON array', ['--json'], false],
  ['raw, a line for people', ['--raw'], true],
  ['raw, one JSON array', ['--raw', '--json'], true],
])('%s', async (_, args, raw) => {
  const { code, out } = await desk.run({ args: ['exceptions', 'list', ...args] });
  expect(code).toBe(0);
  expect(out).toContain('s3-bucket-tls-only');
  expect(out.includes('123-45-6789')).toBe(raw);
});
