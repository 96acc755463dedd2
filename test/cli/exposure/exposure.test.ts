/** The command, as a person runs it: findings in a folder or a stack's table, log files in a folder or in the buckets of trails (moto). */
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { CloudTrailClient, CreateTrailCommand, type EventSelector, PutEventSelectorsCommand, StartLoggingCommand } from '@aws-sdk/client-cloudtrail';
import { CreateBucketCommand, DeleteBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sqliteLedger } from '../../../cli/state/sqlite-ledger.ts';
import type { Finding, TriggerSummary } from '../../../engine/model.ts';
import { testClock } from '../../support/ledger-model.ts';
import { entryOf, findingOf, keyOf } from '../../support/ledger-samples.ts';
import { describeOnMoto, type Moto, startMoto } from '../../support/moto.ts';
import { type Desk, openDesk, type Result } from '../run.ts';
import { home, smallStack, stackName } from '../small-stack.ts';

const account = '123456789012';
const call = (eventName: string, time: string): TriggerSummary => ({ eventId: eventName, source: 'cloudtrail', time, eventName, opens: true });
const ended = (begin: string, end: string, more: Partial<Finding> = {}): Finding =>
  findingOf({
    control: 's3-bucket-policy-not-public',
    openedAt: begin,
    lastSeenAt: begin,
    openedBy: call('PutBucketPolicy', begin),
    state: 'resolved',
    evaluation: { complianceType: 'COMPLIANT', annotation: 'Good.' },
    resolvedAt: end,
    outcome: { status: 'REMEDIATED', reason: 'Fixed.', at: end },
    changes: [],
    ...more,
  });

let serial = 0;
const read = (eventTime: string, given: Record<string, unknown> = {}) => {
  serial += 1;
  return {
    eventVersion: '1.11',
    eventSource: 's3.amazonaws.com',
    eventName: 'GetObject',
    eventTime,
    eventID: `read-${serial}`,
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.7',
    userIdentity: { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' },
    requestParameters: { bucketName: 'records', key: 'patients/jane-roe.pdf', Host: 'records.s3.amazonaws.com' },
    additionalEventData: { bytesTransferredOut: 2048 },
    responseElements: null,
    readOnly: true,
    managementEvent: false,
    eventCategory: 'Data',
    recipientAccountId: account,
    ...given,
  };
};
const byUs = { userIdentity: { type: 'AssumedRole', accountId: account, arn: `arn:aws:sts::${account}:assumed-role/App/web` }, sourceIPAddress: '10.0.0.1' };
const log = (...Records: object[]) => gzipSync(JSON.stringify({ Records }));
// biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests look at.
const json = ({ out }: Result): any => JSON.parse(out);
const open = async (desk: Desk, ...findings: Finding[]) => {
  const ledger = sqliteLedger({ directory: desk.path('.phidelity'), clock: testClock() });
  for (const finding of findings) await ledger.open(finding, entryOf(finding));
  ledger.close();
};

describe('from files', () => {
  const [begin, end] = ['2026-03-01T12:00:00.000Z', '2026-03-01T12:04:00.000Z'];
  const finding = ended(begin, end);
  const named = (type: string, id: string) => ({ resource: { accountId: account, region: 'us-east-1', type, id } });
  const group = ended(begin, end, {
    control: 'security-group-no-world-ssh-rdp',
    ...named('AWS::EC2::SecurityGroup', 'arn:aws:ec2:us-east-1:123456789012:security-group/sg-1'),
  });
  const image = ended(begin, end, { control: 'ami-not-public', ...named('AWS::EC2::Image', 'arn:aws:ec2:us-east-1::image/ami-1') });
  const swept = ended(begin, end, { ...keyOf({ id: 'arn:aws:s3:::swept' }), openedBy: { eventId: 's', source: 'sweep', time: begin } });
  const event = findingOf({ ...keyOf({ control: 'account-root-activity', fold: 'ConsoleLogin' }), fold: 'ConsoleLogin' });
  let desk: Desk;
  beforeAll(async () => {
    desk = openDesk();
    await open(desk, finding, group, image, swept, event);
    writeFileSync(desk.path('outside.json.gz'), log(read('2026-03-01T12:01:00Z'), read('2026-03-01T12:02:00Z', byUs), read('2026-03-01T13:00:00Z')));
    writeFileSync(desk.path('own.json'), JSON.stringify({ Records: [read('2026-03-01T12:02:00Z', byUs)] }));
    writeFileSync(desk.path('refused.ndjson'), `${JSON.stringify(read('2026-03-01T12:02:00Z', { errorCode: 'AccessDenied' }))}\n`);
    writeFileSync(
      desk.path('unrelated.json'),
      JSON.stringify({ Records: [read('2026-03-01T12:02:00Z', { requestParameters: { bucketName: 'other', key: 'x' } })] }),
    );
    writeFileSync(desk.path('early.json'), JSON.stringify({ Records: [read('2026-03-01T11:00:00Z', byUs)] }));
    writeFileSync(
      desk.path('swept.json'),
      JSON.stringify({ Records: [read('2026-03-01T12:02:00Z', { ...byUs, requestParameters: { bucketName: 'swept', key: 'x' } })] }),
    );
    writeFileSync(desk.path('no-log.json'), '{"hello":"world"}');
    writeFileSync(desk.path('torn.json.gz'), log(read(begin)).subarray(0, 40));
    writeFileSync(desk.path('text.txt'), 'not json');
  });
  afterAll(() => desk.clear());
  const exposure = (id: string, ...args: string[]) => desk.run({ args: ['exposure', id, ...args] });

  test('somebody from outside read it: 1, counted, without the keys', async () => {
    const result = await exposure(finding.id, '--logs', 'outside.json.gz');
    expect([result.code, result.err]).toEqual([1, '']);
    expect(result.out).toContain('for 4 min, since 2026-03-01T12:00:00.000Z (PutBucketPolicy); ended by the fix, verified at 2026-03-01T12:04:00.000Z');
    expect(result.out).toContain('  anonymous from 198.51.100.7: 1 call (GetObject) on 1 object, 2048 bytes sent, at 2026-03-01T12:01:00.000Z\n');
    expect(result.out).toContain(`  arn:aws:sts::${account}:assumed-role/App/web from 10.0.0.1: 1 call`);
    expect(result.out).toContain('45 CFR 164.402');
    expect(result.out).not.toMatch(/jane-roe|What cannot be told/);
  });

  test('--json says the same in one document; --raw has the keys', async () => {
    const [plain, raw] = [
      await exposure(finding.id, '--logs', 'outside.json.gz', '--json'),
      await exposure(finding.id, '--logs', 'outside.json.gz', '--json', '--raw'),
    ];
    expect(json(plain)).toMatchObject({
      findingId: finding.id,
      exposure: { driftedAt: begin, endedAt: end, seconds: 240 },
      window: { from: begin, to: end },
      outside: true,
      readers: [{ kind: 'anonymous', count: 1, objects: 1, bytes: 2048 }, { kind: 'own account' }],
      untold: [],
      records: 3,
    });
    expect(plain.out).not.toContain('jane-roe');
    expect(json(raw).readers[0].keys).toEqual(['patients/jane-roe.pdf']);
    expect((await exposure(finding.id, '--logs', 'outside.json.gz', '--raw')).out).toContain('\n      patients/jane-roe.pdf\n');
  });

  const cases: Readonly<Record<string, readonly [id: string, args: readonly string[], code: number, says: RegExp]>> = {
    'only the account itself: 0': [finding.id, ['--logs', 'own.json'], 0, /App\/web from 10\.0\.0\.1/],
    'refused calls are no reads: 0': [finding.id, ['--logs', 'refused.ndjson'], 0, /nobody\n {2}1 more calls were refused/],
    'nothing shows that reads are recorded: 2': [finding.id, ['--logs', 'unrelated.json'], 2, /none that is known[\s\S]*no data event of the resource/],
    'nothing of the window: 2': [finding.id, ['--logs', 'early.json'], 2, /no event of the window/],
    'several files: 1': [finding.id, ['--logs', 'own.json', 'outside.json.gz'], 1, /in 2 files/],
    'nothing shows when it began: 2': [swept.id, ['--logs', 'swept.json'], 2, /say --from TIME/],
    'a beginning that is given: 0': [swept.id, ['--logs', 'swept.json', '--from', '2026-03-01T00:00:00Z'], 0, /from 2026-03-01T00:00:00\.000Z to/],
    'no reads of a security group are logged: 2': [group.id, ['--logs', 'own.json'], 2, /VPC flow logs/],
    'launches by other accounts are not in the trail: 2': [image.id, ['--logs', 'own.json'], 2, /lastLaunchedTime/],
  };
  test.each(Object.entries(cases))('%s', async (_, [id, args, code, says]) => {
    const result = await exposure(id, ...args);
    expect([result.code, result.err]).toEqual([code, '']);
    expect(result.out).toMatch(says);
  });

  const refused: Readonly<Record<string, readonly [id: string, args: readonly string[], message: RegExp]>> = {
    'a finding that is not there': ['f-nothere', ['--logs', 'own.json'], /^there is no finding f-nothere in \.phidelity; `findings` lists those there are\n$/],
    'a single event': [event.id, ['--logs', 'own.json'], /has no window: it is about a single event/],
    'a file that is not there': [finding.id, ['--logs', 'absent.json'], /^absent\.json: no such file\n$/],
    'a file that is no log': [finding.id, ['--logs', 'no-log.json'], /^no-log\.json: is no CloudTrail event/],
    'a file that is no JSON': [finding.id, ['--logs', 'text.txt'], /^text\.txt: not JSON/],
    'a file that is cut off': [finding.id, ['--logs', 'torn.json.gz'], /^torn\.json\.gz: the gzip file is cut off\n$/],
    'a time that is none': [finding.id, ['--logs', 'own.json', '--from', 'yesterday'], /a time is written like/],
    'a beginning after the end': [finding.id, ['--logs', 'own.json', '--from', '2027-01-01'], /is after the end of the window/],
  };
  test.each(Object.entries(refused))('refused, 2: %s', async (_, [id, args, message]) => {
    const result = await exposure(id, ...args);
    expect([result.code, result.out]).toEqual([2, '']);
    expect(result.err).toMatch(message);
  });

  test('standard input', async () => {
    const result = await desk.run({ args: ['exposure', finding.id, '--logs', '-'], stdin: JSON.stringify(read('2026-03-01T12:01:00Z')) });
    expect([result.code, result.err]).toEqual([1, '']);
  });
});

describeOnMoto(
  'from the trails of the account (on moto; a trail started by a test starts now, so that the window lies in the future and the clock is moved)',
  () => {
    let moto: Moto;
    let desk: Desk;
    let s3: S3Client;
    let cloudtrail: CloudTrailClient;
    let begin: string;
    let end: string;
    let finding: Finding;

    const inMinutes = (minutes: number) => new Date(Math.ceil(Date.now() / 1_000) * 1_000 + minutes * 60_000).toISOString();
    const plus = (time: string, minutes: number) => new Date(Date.parse(time) + minutes * 60_000).toISOString();
    const clock = (minutes: number) => writeFileSync(desk.path('clock'), String(minutes * 60_000));
    const put = (made: string, body: Buffer, root = `AWSLogs/${account}`) => {
      const stamp = made.replace(/[-:]/g, '').replace(/\d\d\.\d+Z$/, 'Z');
      const Key = `${root}/CloudTrail/us-east-1/${made.slice(0, 10).replaceAll('-', '/')}/${account}_CloudTrail_us-east-1_${stamp}_${stamp}${body.length}.json.gz`;
      return s3.send(new PutObjectCommand({ Bucket: 'trail-logs', Key, Body: body })).then(() => Key);
    };
    const trail = async (selector?: EventSelector, more: { IsOrganizationTrail?: boolean; S3KeyPrefix?: string } = {}) => {
      await s3.send(new CreateBucketCommand({ Bucket: 'trail-logs' }));
      await cloudtrail.send(new CreateTrailCommand({ Name: 'audit', S3BucketName: 'trail-logs', IsMultiRegionTrail: true, ...more }));
      await cloudtrail.send(new StartLoggingCommand({ Name: 'audit' }));
      if (selector) await cloudtrail.send(new PutEventSelectorsCommand({ TrailName: 'audit', EventSelectors: [selector] }));
    };
    const reads = (...Values: string[]): EventSelector => ({
      ReadWriteType: 'All',
      IncludeManagementEvents: true,
      DataResources: [{ Type: 'AWS::S3::Object', Values }],
    });
    const exposure = (...args: string[]) => desk.run({ args: ['exposure', finding.id, ...args] });

    beforeAll(async () => {
      moto = await startMoto();
      const settings = { endpoint: moto.endpoint, region: 'us-east-1', credentials: { accessKeyId: 'testing', secretAccessKey: 'testing' } };
      s3 = new S3Client({ ...settings, forcePathStyle: true });
      cloudtrail = new CloudTrailClient(settings);
    });
    beforeEach(async () => {
      await moto.reset();
      desk?.clear();
      desk = openDesk({ AWS_ENDPOINT_URL: moto.endpoint, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'testing', AWS_SECRET_ACCESS_KEY: 'testing' });
      Object.assign(desk, {
        run: (
          (run) => (given: Parameters<Desk['run']>[0]) =>
            run({ ...given, env: { PHIDELITY_CLOCK_FILE: desk.path('clock'), ...given.env } })
        )(desk.run),
      });
      clock(120);
      [begin, end] = [inMinutes(5), inMinutes(10)];
      finding = ended(begin, end);
      await open(desk, finding);
    });
    afterAll(async () => {
      s3?.destroy();
      cloudtrail?.destroy();
      await moto?.stop();
      desk?.clear();
    });

    test('somebody from outside: 1; only files that can hold the window are read', async () => {
      await trail(reads('arn:aws:s3:::records/'));
      await put(plus(end, 5), log(read(plus(begin, 1)), read(plus(begin, 2), byUs), read(plus(end, 1))));
      await put(plus(end, 20), log(read(plus(begin, 3), { sourceIPAddress: '203.0.113.9' })));
      await put(plus(end, 31), log(read(plus(begin, 3), { sourceIPAddress: '192.0.2.99' })));
      const result = await exposure('--json');
      expect([result.code, result.err]).toEqual([1, '']);
      expect(json(result)).toMatchObject({
        outside: true,
        files: 2,
        records: 4,
        untold: [],
        at: [`arn:aws:cloudtrail:us-east-1:${account}:trail/audit`],
        readers: [{ sourceIp: '198.51.100.7' }, { sourceIp: '203.0.113.9' }, { kind: 'own account' }],
      });
    });

    test('nobody from outside: 0', async () => {
      await trail(reads('arn:aws:s3'));
      await put(plus(end, 5), log(read(plus(begin, 2), byUs)));
      const result = await exposure();
      expect([result.code, result.err]).toEqual([0, `Reading 1 log file of arn:aws:cloudtrail:us-east-1:${account}:trail/audit\n`]);
    });

    test("an organization's trail, under a prefix", async () => {
      await trail(reads('arn:aws:s3'), { IsOrganizationTrail: true, S3KeyPrefix: 'org' });
      await put(plus(end, 5), log(read(plus(begin, 2))), `org/AWSLogs/o-abcde12345/${account}`);
      expect(await exposure('--json')).toMatchObject({ code: 1, err: '' });
    });

    test('a finding of a deployed stack', async () => {
      await trail(reads('arn:aws:s3'));
      await put(plus(end, 5), log(read(plus(begin, 2))));
      const stack = await smallStack(moto, [home]);
      const there = ended(begin, end, { control: 's3-bucket-acl-not-public' });
      await stack.ledger.open(there, entryOf(there));
      stack.destroy();
      const result = await desk.run({ args: ['exposure', there.id, '--stack', stackName, '--json'] });
      expect([result.code, json(result).control]).toEqual([1, 's3-bucket-acl-not-public']);
      expect(await desk.run({ args: ['exposure', 'f-nothere', '--stack', stackName] })).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^there is no finding f-nothere in stack/),
      });
    });

    const untold: Readonly<Record<string, readonly [arrange: () => Promise<unknown>, says: RegExp]>> = {
      'there is no trail': [
        async () => {},
        /no trail records data events of it, so nobody can tell from CloudTrail who read it\. From now on .*put-event-selectors.*arn:aws:s3:::records\//,
      ],
      'the trail records management events only': [() => trail(), /no trail records data events/],
      'the trail records another bucket': [() => trail(reads('arn:aws:s3:::other/')), /no trail records data events/],
      'the trail records a part': [
        async () => {
          await trail(reads('arn:aws:s3:::records/2026/'));
          await put(plus(end, 5), log(read(plus(begin, 2), byUs)));
        },
        /records only some of the reads/,
      ],
      'the bucket of the trail is gone': [
        async () => {
          await trail(reads('arn:aws:s3'));
          await s3.send(new DeleteBucketCommand({ Bucket: 'trail-logs' }));
        },
        /the bucket trail-logs cannot be read/,
      ],
      'a file is no log': [
        async () => {
          await trail(reads('arn:aws:s3'));
          await put(plus(end, 5), Buffer.from('garbage'));
        },
        /cannot be read: s3:\/\/trail-logs\/.*: not JSON/,
      ],
      'there is no file': [() => trail(reads('arn:aws:s3')), /holds no log file of the window/],
      'the trail was started within the window': [
        async () => {
          await trail(reads('arn:aws:s3'));
          await put(plus(end, 5), log(read(plus(begin, 2), byUs)));
          const early = ended(inMinutes(-10), end, keyOf({ id: 'arn:aws:s3:::records' }));
          await open(desk, early);
          finding = early;
        },
        /was last started at .*, after the window began/,
      ],
      'files are still to come': [
        async () => {
          await trail(reads('arn:aws:s3'));
          await put(plus(end, 5), log(read(plus(begin, 2), byUs)));
          clock(15);
        },
        /not all log files of the window are there yet: look again after/,
      ],
    };
    test.each(Object.entries(untold))('cannot be told, 2: %s', async (_, [arrange, says]) => {
      await arrange();
      const result = await exposure('--json');
      expect(result.err).toBe('');
      expect(json(result).untold.join('\n')).toMatch(says);
      expect([result.code, json(result).outside]).toEqual([2, false]);
    });

    test('an account that is not that of the credentials is refused', async () => {
      const foreign = ended(begin, end, { resource: { accountId: '999988887777', region: 'us-east-1', type: 'AWS::S3::Bucket', id: 'arn:aws:s3:::foreign' } });
      await open(desk, foreign);
      expect(await desk.run({ args: ['exposure', foreign.id] })).toMatchObject({
        code: 2,
        out: '',
        err: expect.stringMatching(/the resource is in account 999988887777/),
      });
    });
  },
);
