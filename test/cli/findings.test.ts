import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sqliteLedger } from '../../cli/state/sqlite-ledger.ts';
import { testClock } from '../support/ledger-model.ts';
import { entryOf, findingOf, keyOf } from '../support/ledger-samples.ts';
import { type Desk, openDesk, type Result } from './run.ts';

describe('findings for people', () => {
  const steering = '\x1b]0;mine\x07\r';
  let desk: Desk;
  let result: Result;
  beforeAll(async () => {
    desk = openDesk();
    const ledger = sqliteLedger({ directory: desk.path('.phidelity'), clock: testClock() });
    const finding = findingOf({
      ...keyOf({ id: `arn:aws:s3:::records${steering}` }),
      actor: { arn: `arn:aws:sts::123456789012:assumed-role/dev/a${steering}`, type: 'AssumedRole' },
      evaluation: { complianceType: 'NON_COMPLIANT', annotation: `The bucket is open.${steering}` },
    });
    await ledger.open(finding, entryOf(finding));
    ledger.close();
    result = await desk.run({ args: ['findings'] });
  });
  afterAll(() => desk.clear());

  test('one is open: exit code 1, and a sentence', () => {
    expect([result.code, result.err]).toEqual([1, '1 findings, 1 open\n']);
    expect(result.out).toMatch(/notify +HIGH +s3-bucket-public-access-block +records.*\n +The bucket is open\..*by arn:aws:sts.*\n +f-[0-9a-f]{26}\n$/);
  });

  test('names and sentences cannot steer the terminal', () => {
    expect(result.out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});
