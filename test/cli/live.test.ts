import { existsSync, writeFileSync } from 'node:fs';
import { CreateBucketCommand, DeletePublicAccessBlockCommand, GetPublicAccessBlockCommand, PutPublicAccessBlockCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { everythingBlocked } from '../../remediations/s3/s3.ts';
import { describeOnMoto, type Moto, startMoto } from '../support/moto.ts';
import { delivered, openBucket, stopLogging } from './events.ts';
import { type Desk, ndjson, openDesk, type Result } from './run.ts';

// The account that moto gives everybody who has no role.
const motoAccount = '123456789012';
const control = 's3-bucket-public-access-block';
const only = (mode: string) => `version: 1\nextends: hipaa\ncontrols:\n  "*": off\n  ${control}: ${mode}\n`;

describeOnMoto('replay and sweep on live state', () => {
  let moto: Moto;
  let desk: Desk;
  let s3: S3Client;

  const blockOf = (Bucket: string) =>
    s3.send(new GetPublicAccessBlockCommand({ Bucket })).then(
      ({ PublicAccessBlockConfiguration }) => PublicAccessBlockConfiguration,
      ({ name }) => name,
    );
  const bucket = async (Bucket: string, closed: boolean) => {
    await s3.send(new CreateBucketCommand({ Bucket }));
    if (closed) await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: everythingBlocked }));
    else await s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
  };
  const event = (name: string, id: string) => JSON.stringify(delivered({ ...openBucket(name), eventID: id, recipientAccountId: motoAccount }));
  /** Lines of the one control that the policies have on; those of the others say OFF. */
  const ours = (result: Result) => ndjson(result).lines.filter((line) => line.control === control);
  const phidelity = (...args: string[]) => desk.run({ args });
  const replay = (file: string, policy: string, ...more: string[]) => phidelity('replay', file, '--policy', policy, '--json', ...more);

  beforeAll(async () => {
    moto = await startMoto();
    s3 = new S3Client({
      endpoint: moto.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'testing', secretAccessKey: 'testing' },
    });
  });
  beforeEach(async () => {
    await moto.reset();
    desk?.clear();
    desk = openDesk({ AWS_ENDPOINT_URL: moto.endpoint, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'testing', AWS_SECRET_ACCESS_KEY: 'testing' });
    for (const mode of ['notify', 'page', 'approve', 'fix']) writeFileSync(desk.path(`${mode}.yaml`), only(mode));
    writeFileSync(desk.path('open.json'), event('records', 'e-1'));
  });
  afterAll(async () => {
    s3?.destroy();
    await moto?.stop();
    desk?.clear();
  });

  test.each([[[]], [['--json']]])('names that may be those of persons are redacted, unless --raw is given: sweep %j', async (form) => {
    for (const name of ['mrn-00123456', 'claims-123-45-6789']) await bucket(name, false);
    const sweep = (...more: string[]) => phidelity('sweep', '--control', control, '--policy', 'notify.yaml', ...form, ...more);
    const [shown, raw] = [await sweep(), await sweep('--raw')];
    expect([shown.code, raw.code]).toEqual([1, 1]);
    expect(shown.out).toMatch(/mrn-\[mrn\][\s\S]*claims-\[ssn\]|claims-\[ssn\][\s\S]*mrn-\[mrn\]/);
    expect(shown.out + shown.err).not.toMatch(/00123456|6789[^0]/);
    expect(raw.out).toContain('mrn-00123456');
    expect(raw.out).toContain('claims-123-45-6789');
  });

  test('a drift: looked at, fixed, recorded, and left alone the second time', async () => {
    await bucket('records', false);

    const dry = await replay('open.json', 'fix.yaml');
    expect(dry).toMatchObject({ code: 1, err: '' });
    const [would] = ours(dry);
    expect(ours(dry)).toHaveLength(1);
    expect(would).toMatchObject({
      eventId: 'e-1',
      control,
      resource: { accountId: motoAccount, type: 'AWS::S3::Bucket', id: 'arn:aws:s3:::records' },
      evaluation: { complianceType: 'NON_COMPLIANT' },
      decision: { action: 'fix' },
      outcome: { status: 'DRY_RUN' },
      change: { action: 's3:PutBucketPublicAccessBlock', before: null, after: everythingBlocked },
      calls: { read: 1, write: 0 },
    });
    expect(await blockOf('records')).toBe('NoSuchPublicAccessBlockConfiguration');
    expect(existsSync(desk.path('.phidelity'))).toBe(false);

    const applied = await replay('open.json', 'fix.yaml', '--apply');
    expect(applied.code).toBe(0);
    const { summary } = ndjson(applied);
    expect(ours(applied)).toEqual([
      { ...would, outcome: { status: 'REMEDIATED', reason: expect.stringContaining('verified'), at: expect.any(String) }, calls: { read: 3, write: 1 } },
    ]);
    expect(summary).toMatchObject({ events: 1, routed: 1, dropped: 0, failed: 0, byStatus: { REMEDIATED: 1 } });
    expect(await blockOf('records')).toEqual(everythingBlocked);
    expect(applied.err).toContain('records');

    const listed = await phidelity('findings', '--json');
    expect(listed.code).toBe(0);
    expect(JSON.parse(listed.out)).toMatchObject([{ id: would.findingId, control, state: 'resolved', episode: 1, outcome: { status: 'REMEDIATED' } }]);

    const again = await replay('open.json', 'fix.yaml', '--apply');
    expect(again).toMatchObject({ code: 0, err: '' });
    expect(ours(again)).toMatchObject([{ calls: { write: 0 }, change: null }]);
    expect(JSON.parse((await phidelity('findings', '--json')).out)).toHaveLength(1);
  });

  test('mode page calls a person, once, and leaves the bucket as it is', async () => {
    await bucket('records', false);
    const paged = await replay('open.json', 'page.yaml', '--apply');
    expect(paged.code).toBe(1);
    expect(paged.err).toMatch(/records/);
    expect(ours(paged)).toMatchObject([{ decision: { action: 'page' }, outcome: { status: 'PAGED' } }]);
    expect(await blockOf('records')).toBe('NoSuchPublicAccessBlockConfiguration');
    const again = await replay('open.json', 'page.yaml', '--apply');
    expect(again).toMatchObject({ code: 1, err: '' });
    const open = await phidelity('findings', '--open', '--json');
    expect(open.code).toBe(1);
    expect(JSON.parse(open.out)).toMatchObject([{ control, state: 'open', decision: { action: 'page' }, changes: [] }]);
  });

  test('what is gone is no drift, what is not ours is refused, what fails is told', async () => {
    writeFileSync(desk.path('mixed.json'), `[${event('gone', 'e-2')},${JSON.stringify(delivered(stopLogging()))}]`);
    const result = await replay('mixed.json', 'fix.yaml', '--apply');
    expect(result.err).toBe(`mixed.json, event 2: another account: the credentials are those of ${motoAccount}\n`);
    expect(result.code).toBe(1);
    const { summary } = ndjson(result);
    expect(ours(result)).toMatchObject([{ outcome: { status: 'DOES_NOT_EXIST' }, change: null }]);
    expect(summary).toMatchObject({ events: 2, routed: 1, dropped: 1, droppedBy: { 'another account': 1 } });
  });

  test('sweep looks at every bucket, and with --apply closes those that are open', async () => {
    await bucket('one', false);
    await bucket('two', true);
    await bucket('three', false);
    const sweep = (...more: string[]) => phidelity('sweep', '--service', 's3', '--policy', 'fix.yaml', '--json', ...more);
    const verdicts = (result: Result) =>
      Object.fromEntries(ours(result).map(({ resource, outcome }) => [resource.id.replace('arn:aws:s3:::', ''), outcome.status]));

    const dry = await sweep();
    expect(dry.code).toBe(1);
    expect(verdicts(dry)).toEqual({ one: 'DRY_RUN', two: 'COMPLIANT', three: 'DRY_RUN' });
    expect(await blockOf('one')).toBe('NoSuchPublicAccessBlockConfiguration');

    const applied = await sweep('--apply');
    expect(verdicts(applied)).toEqual({ one: 'REMEDIATED', two: 'COMPLIANT', three: 'REMEDIATED' });
    expect(applied.code).toBe(0);
    expect(await blockOf('one')).toEqual(everythingBlocked);
    expect(await blockOf('three')).toEqual(everythingBlocked);

    const after = await phidelity('sweep', '--control', control, '--policy', 'fix.yaml');
    expect(after.code).toBe(0);
    expect(after.out.match(/^COMPLIANT /gm)).toHaveLength(3);
  });
});
