/** The deployed artifacts on the emulator, IAM enforced under the generated roles: what reaches the bot, and what comes of it. */
import { DeleteRolePolicyCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { DeleteBucketCommand, PutBucketPolicyCommand, PutPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDesk } from '../cli/run.ts';
import { describeOnMoto } from '../support/moto.ts';
import { roleSession } from './role-session.ts';
import { closed, type Deployed, deployed, open, policyFile } from './world.ts';

const fixing = 's3-bucket-public-access-block: fix\ns3-bucket-policy-not-public: page\naccount-root-activity: page\naccount-allowed-regions-only: page';

describeOnMoto('the deployed bot (on moto, IAM enforced)', () => {
  let bot: Deployed;
  beforeAll(async () => {
    bot = await deployed(policyFile(fixing), { warm: true });
  }, 240_000);
  afterAll(() => bot?.stack.stop());

  const of = async (bucket: string, control = 's3-bucket-public-access-block') =>
    (await bot.findings(control)).filter(({ resource }) => resource.id.endsWith(bucket));

  /** The fourth notification of one control within ten minutes would be folded into a digest. */
  const afterTheBurst = () => bot.stack.clock.advance(601);

  test('drift is fixed, read back, told to a subscriber; the own event confirms it', async () => {
    const bucket = await bot.bucket(open);
    await bot.settle(bot.opened(bucket));
    expect(await bot.blockOf(bucket)).toEqual(closed);
    const [finding] = await of(bucket);
    expect(finding).toMatchObject({
      state: 'resolved',
      outcome: { status: 'REMEDIATED' },
      actor: { sourceIp: '192.0.2.7' },
      changes: [{ change: { before: open, after: closed }, observed: closed }],
    });
    const alert = await bot.alerts.next();
    expect(alert.subject).toBe(`[HIGH] Fixed: s3-bucket-public-access-block on ${bucket}`);
    expect(alert.message).toContain('Developers/dana');
    expect(alert.attributes).toMatchObject({ severity: 'HIGH', control: 's3-bucket-public-access-block', status: 'REMEDIATED', urgency: 'notify' });

    const role = await roleOf('remediate');
    await bot.settle(bot.opened(bucket, { userIdentity: { type: 'AssumedRole', arn: `${role}/x`, sessionContext: { sessionIssuer: { arn: role } } } }));
    expect((await of(bucket))[0]!.confirmedBy).toEqual(expect.any(String));
    expect(await bot.alerts.read()).toEqual([]);
    const kinds = (await bot.ledger.entries(finding!.id)).map(({ kind }) => kind);
    expect(kinds).toEqual(['OPENED', 'DISPATCHED', 'INTENDED', 'REMEDIATED', 'ALERTED', 'CONFIRMED'].filter((kind) => kinds.includes(kind as never)));
    expect(kinds).toEqual(expect.arrayContaining(['OPENED', 'INTENDED', 'REMEDIATED', 'ALERTED', 'CONFIRMED']));
  });

  const roleOf = async (name: string) =>
    (await bot.stack.clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: `phidelity-dev-${name}` }))).Role!;

  test('fifty copies at once: one finding, one write', async () => {
    const bucket = await bot.bucket(open);
    const event = bot.opened(bucket);
    await bot.settle(...Array.from({ length: 50 }, () => event));
    const findings = await of(bucket);
    expect(findings).toMatchObject([{ outcome: { status: 'REMEDIATED' } }]);
    expect((await bot.ledger.entries(findings[0]!.id)).filter(({ kind }) => kind === 'INTENDED')).toHaveLength(1);
    expect(await bot.alerts.read()).toHaveLength(1);
  });

  test('one PutBucketPolicy by root goes through three rules: one finding for each control, one page each', async () => {
    const bucket = await bot.bucket({ ...closed, RestrictPublicBuckets: false, BlockPublicPolicy: false });
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` }],
    });
    await bot.stack.clients.s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    await bot.settle(
      bot.event('s3', 'PutBucketPolicy', {
        requestParameters: { bucketName: bucket, bucketPolicy: JSON.parse(Policy) },
        userIdentity: { type: 'Root', arn: 'arn:aws:iam::123456789012:root', accountId: '123456789012' },
      }),
    );
    expect(await of(bucket, 's3-bucket-policy-not-public')).toMatchObject([{ state: 'open', seen: 1 }]);
    expect(await bot.findings('account-root-activity')).toMatchObject([{ state: 'open', seen: 1 }]);
    expect(await bot.findings('account-allowed-regions-only')).toEqual([]);
    const told = (await bot.alerts.read()).map(({ attributes }) => attributes.control).sort();
    expect(told).toEqual(['account-root-activity', 's3-bucket-policy-not-public']);
  });

  test('doubled and reordered events of two buckets through one warm process: each is fixed once, told with its own name', async () => {
    afterTheBurst();
    const [one, two] = [await bot.bucket(open), await bot.bucket({ ...open, BlockPublicAcls: false })];
    const events = [bot.opened(one), bot.opened(two), bot.event('s3', 'CreateBucket', { requestParameters: { bucketName: one } })];
    await bot.settle(...events.toReversed(), ...events);
    for (const [bucket, before] of [
      [one, open],
      [two, { ...open, BlockPublicAcls: false }],
    ] as const) {
      expect(await of(bucket)).toMatchObject([{ outcome: { status: 'REMEDIATED' }, changes: [{ change: { before, after: closed } }] }]);
    }
    const alerts = await bot.alerts.read();
    expect(alerts).toHaveLength(2);
    for (const bucket of [one, two]) expect(alerts.filter(({ message }) => message.includes(bucket))).toHaveLength(1);
  });

  test('a bucket deleted before the event came: nothing to do, nothing told', async () => {
    const bucket = await bot.bucket(open);
    await bot.stack.clients.s3.send(new DeleteBucketCommand({ Bucket: bucket }));
    await bot.settle(bot.opened(bucket));
    expect(await of(bucket)).toEqual([]);
    expect(await bot.alerts.read()).toEqual([]);
  });

  test('a failed call, a forged source and another account reach nobody', async () => {
    const bucket = await bot.bucket(open);
    await bot.settle(
      bot.opened(bucket, { errorCode: 'AccessDenied' }),
      { ...bot.opened(bucket), source: 'my.app' },
      bot.opened(bucket, { recipientAccountId: '999999999999' }),
    );
    expect(await of(bucket)).toEqual([]);
  });

  test('a denied read of two buckets: one finding for role and action, one page, the buckets untouched; closed and made good when it works again', async () => {
    afterTheBurst();
    const [bucket, other] = [await bot.bucket(open), await bot.bucket(open)];
    const role = { RoleName: (await roleOf('detect')).split('/').at(-1)!, PolicyName: 'blind' };
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Action: ['s3:GetPublicAccessBlock', 's3:GetBucketPublicAccessBlock', 's3:ListBucket'], Resource: '*' }],
    });
    await bot.stack.clients.iam.send(new PutRolePolicyCommand({ ...role, PolicyDocument }));
    try {
      await bot.settle(bot.opened(bucket), bot.opened(other));
    } finally {
      await bot.stack.clients.iam.send(new DeleteRolePolicyCommand(role));
    }
    const denied = await bot.findings('bot-permissions');
    expect(denied).toMatchObject([{ state: 'open', evaluation: { complianceType: 'INSUFFICIENT_DATA' }, decision: { action: 'page' } }]);
    expect(denied[0]!.resource.id).toContain('DetectRole');
    expect([await of(bucket), await of(other)]).toEqual([[], []]);
    expect(await bot.blockOf(bucket)).toEqual(open);
    const told = await bot.alerts.read();
    expect(told.map(({ subject }) => subject)).toEqual([expect.stringContaining('CANNOT SEE')]);
    expect(told[0]!.message).toContain('Not allowed');

    await bot.stack.tick();
    await bot.settle();
    expect(await bot.findings('bot-permissions')).toMatchObject([{ state: 'resolved' }]);
    // What was not seen is looked at half a minute after.
    bot.stack.clock.advance(31);
    await bot.settle();
    expect([await bot.blockOf(bucket), await bot.blockOf(other)]).toEqual([closed, closed]);
    const subjects = (await bot.alerts.read()).map(({ subject }) => subject!);
    expect(subjects.filter((subject) => subject.includes('Resolved: bot-permissions'))).toHaveLength(1);
    expect(subjects.filter((subject) => subject.includes('Fixed'))).toHaveLength(2);
  });

  describe('later deploys', () => {
    /** What the channel has been told of a bucket, by itself or, should sweeps have told of others meanwhile, in a list with them. */
    const toldOf = async (bucket: string): Promise<string[]> => {
      afterTheBurst();
      await bot.stack.tick();
      await bot.settle();
      return (await bot.alerts.read()).map(({ subject, message }) => `${subject}\n${message}`).filter((text) => text.includes(bucket));
    };

    test('a wait that wakes after the policy turned to notify: no write', async () => {
      await bot.deploy(policyFile('s3-bucket-public-access-block: { mode: fix, fixAfter: 1h }'));
      const bucket = await bot.bucket(open);
      await bot.settle(bot.opened(bucket));
      expect(await toldOf(bucket)).toEqual([expect.stringContaining('Fix planned')]);
      await bot.deploy(policyFile('s3-bucket-public-access-block: notify'));
      bot.stack.clock.advance(3_601);
      await bot.settle();
      expect(await bot.blockOf(bucket)).toEqual(open);
      expect(await of(bucket)).toMatchObject([{ state: 'open', outcome: { status: 'NOTIFIED' } }]);
    }, 300_000);

    test('a control switched off: its open findings close as OFF, a waiting execution is stopped, those who were told hear of it', async () => {
      await bot.deploy(policyFile('s3-bucket-public-access-block: { mode: fix, fixAfter: 1h }'));
      const bucket = await bot.bucket(open);
      await bot.settle(bot.opened(bucket));
      await toldOf(bucket);
      const [waiting] = await of(bucket);
      const told = (await bot.deploy(policyFile('s3-bucket-policy-not-public: page'))).map(({ subject, message }) => `${subject}\n${message}`);
      const later = await toldOf(bucket);
      expect(await of(bucket)).toMatchObject([{ id: waiting!.id, state: 'resolved', outcome: { status: 'OFF' } }]);
      expect([...told.filter((text) => text.includes(bucket)), ...later]).toEqual([expect.stringContaining('Closed, control off')]);
      expect(bot.stack.lambda.executions().find(({ name }) => name === waiting!.id)).toMatchObject({ status: 'STOPPED' });
      expect((await bot.ledger.entries(waiting!.id)).map(({ kind }) => kind)).toContain('RESOLVED');
      bot.stack.clock.advance(3_601);
      await bot.settle();
      expect(await bot.blockOf(bucket)).toEqual(open);
    }, 300_000);

    test('a role of a notify-only bot cannot write, even if it tried', async () => {
      const bucket = await bot.bucket(open);
      const s3 = await roleSession(bot.stack, 'remediate');
      await expect(s3.send(new PutPublicAccessBlockCommand({ Bucket: bucket, PublicAccessBlockConfiguration: closed }))).rejects.toMatchObject({
        name: 'AccessDenied',
      });
    });

    test('what was there before the control was switched on is told, and changed when an operator asks the bot for it', async () => {
      const bucket = await bot.bucket(open);
      const told = await bot.deploy(policyFile('s3-bucket-public-access-block: fix'));
      expect(told.map(({ subject }) => subject)).toContainEqual(expect.stringContaining('Was there before'));
      expect(await of(bucket)).toMatchObject([{ state: 'open', backlog: true, decision: { action: 'notify' } }]);
      expect(await bot.blockOf(bucket)).toEqual(open);
      const desk = openDesk(bot.stack.environment);
      const { code, out } = await desk.run({ args: ['sweep', '--apply', '--stack', 'phidelity-dev', '--json', '--control', 's3-bucket-public-access-block'] });
      desk.clear();
      expect({ code, asked: JSON.parse(out) }).toEqual({ code: 0, asked: { asked: [{ control: 's3-bucket-public-access-block', region: 'us-east-1' }] } });
      await bot.settle();
      expect(await bot.blockOf(bucket)).toEqual(closed);
    }, 300_000);

    test('a policy with mistakes: every one at its line, and nothing is deployed', async () => {
      const before = await bot.ledger.policy();
      const refused = await bot.stack.deploy(policyFile('s3-bucket-tls-onyl: fix\ncloudtrail-logging-on: fxi')).then(() => 'deployed', String);
      expect(refused).toMatch(/\.yaml:7:\d+ .*s3-bucket-tls-only/);
      expect(refused).toMatch(/\.yaml:8:\d+ /);
      expect((await bot.ledger.policy())!.id).toBe(before!.id);
    }, 120_000);

    test('remove leaves the table and the keys, and says so', async () => {
      const said = await bot.stack.remove();
      expect(said).toContain(bot.stack.report.outputs.LedgerTableName!);
      expect((await bot.findings()).length).toBeGreaterThan(0);
    }, 120_000);
  });
});
