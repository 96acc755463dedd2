/** The deployed bot asks people, and takes back what it did: answers come from the real command line, each signed with the credentials of the person. */

import {
  AuthorizeSecurityGroupIngressCommand,
  CreateVpcCommand,
  DescribeSecurityGroupsCommand,
  EC2Client,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
} from '@aws-sdk/client-ec2';
import {
  LambdaClient,
  ListDurableExecutionsByFunctionCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
} from '@aws-sdk/client-lambda';
import { PutPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { keysOf } from '../../cli/demo/people.ts';
import type { Finding } from '../../engine/model.ts';
import { type Desk, openDesk, type Result } from '../cli/run.ts';
import { describeOnMoto } from '../support/moto.ts';
import { closed, type Deployed, deployed, open, policyFile } from './world.ts';

describeOnMoto('answers of people (on moto, IAM enforced)', () => {
  const people = ['dana', 'lee', 'kim'].map((name) => `${name}: { arns: ["arn:aws:sts::*:assumed-role/${name}/*", "arn:aws:sts::*:assumed-role/*/${name}"] }`);
  const controls =
    's3-bucket-public-access-block: approve\ns3-bucket-versioning: { mode: fix, fixAfter: 1h }\nsecurity-group-no-world-ssh-rdp: fix\nvpc-default-security-group-closed: fix';
  const policy = policyFile(controls, undefined, undefined, `{ ${people.join(', ')} }`);
  let bot: Deployed;
  let desk: Desk;
  const keys: Record<string, Readonly<Record<string, string>>> = {};

  beforeAll(async () => {
    bot = await deployed(policy);
    const { environment } = bot.stack;
    desk = openDesk(environment);
    for (const name of ['dana', 'lee', 'kim', 'mallory']) keys[name] = await keysOf(name, bot.stack);
  }, 240_000);
  afterAll(async () => {
    desk?.clear();
    await bot?.stack.stop();
  });

  const says = async (who: string, ...args: string[]): Promise<Result> => {
    const said = desk.run({ args: [...args, '--stack', 'phidelity-dev'], env: keys[who] });
    // The command waits for the bot, which runs as this process drives it.
    let done = false;
    said.finally(() => {
      done = true;
    });
    while (!done) await bot.stack.drain(5);
    return said;
  };
  const findingOf = async (bucket: string, control: string): Promise<Finding> =>
    (await bot.findings(control)).filter(({ resource }) => resource.id.endsWith(bucket)).at(-1)!;
  const headlines = async () => (await bot.alerts.read()).map(({ subject }) => /\] (.*?):/.exec(subject!)?.[1]);
  const asked = async () => {
    const bucket = await bot.bucket(open);
    await bot.settle(bot.opened(bucket));
    return { bucket, finding: await findingOf(bucket, 's3-bucket-public-access-block') };
  };

  test('asked, approved by another person than the one who made it, fixed, undone by two, excepted', async () => {
    const { bucket, finding } = await asked();
    expect(finding).toMatchObject({ outcome: { status: 'AWAITING_APPROVAL' }, actor: { arn: expect.stringMatching(/dana$/) } });
    expect(await headlines()).toEqual(['Approval needed']);

    const own = await says('dana', 'approve', finding.id);
    expect(own).toMatchObject({ code: 1, out: expect.stringContaining('dana may have made the change') });
    expect(await says('mallory', 'approve', finding.id)).toMatchObject({ code: 1, out: expect.stringContaining('none of the people of the policy') });
    expect(await bot.blockOf(bucket)).toEqual(open);

    expect(await says('lee', 'approve', finding.id)).toMatchObject({ code: 0, out: expect.stringContaining('lee (arn:aws:sts::') });
    await bot.settle();
    expect(await bot.blockOf(bucket)).toEqual(closed);
    expect(await findingOf(bucket, finding.control)).toMatchObject({ state: 'resolved', outcome: { status: 'REMEDIATED' } });
    await bot.alerts.read();

    expect(await says('lee', 'undo', finding.id, '--reason', 'a vendor needs it', '--for', '14d')).toMatchObject({ code: 0 });
    expect(await bot.blockOf(bucket)).toEqual(closed);
    expect(await says('lee', 'approve', finding.id)).toMatchObject({ code: 1, out: expect.stringContaining('another person must') });
    expect(await says('kim', 'approve', finding.id)).toMatchObject({ code: 0 });
    await bot.settle();
    expect(await bot.blockOf(bucket)).toEqual(open);
    expect(await headlines()).toEqual(['Undo asked', 'Undone']);

    // The exception holds.
    await bot.settle(bot.opened(bucket));
    expect(await bot.blockOf(bucket)).toEqual(open);
    const listed = await desk.run({ args: ['exceptions', 'list', '--stack', 'phidelity-dev', '--json'] });
    expect(JSON.parse(listed.out).filter(({ from }: { from: string }) => from === 'ledger')).toMatchObject([
      { control: finding.control, approvedBy: 'lee', reason: 'a vendor needs it', from: 'ledger' },
    ]);
  }, 240_000);

  test('the execution of an undo that waits for a second person is dead: the heartbeat ends it when its time has run out, and tells', async () => {
    const { bucket, finding } = await asked();
    expect(await says('lee', 'approve', finding.id)).toMatchObject({ code: 0 });
    await bot.settle();
    expect(await says('lee', 'undo', finding.id, '--reason', 'a vendor needs it', '--for', '14d')).toMatchObject({ code: 0 });
    await bot.settle();
    const { endpoint, region, emulator, clock } = bot.stack;
    const lambda = new LambdaClient({ region, endpoint, credentials: emulator.adminCredentials() });
    const running = { FunctionName: 'phidelity-dev-remediate', Statuses: ['RUNNING' as const] };
    const { DurableExecutions: waiting = [] } = await lambda.send(new ListDurableExecutionsByFunctionCommand(running));
    const its = waiting.filter(({ DurableExecutionName }) => DurableExecutionName!.startsWith(finding.id));
    expect(its).toHaveLength(1);
    await lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn: its[0]!.DurableExecutionArn }));
    lambda.destroy();
    clock.advance(73 * 3_600);
    await bot.stack.tick();
    await bot.settle();
    expect(await bot.ledger.get(finding.id)).toMatchObject({
      undo: { state: 'withdrawn', resumed: 1, why: expect.stringContaining('Nobody has approved the undo') },
    });
    expect(await bot.blockOf(bucket)).toEqual(closed);
    expect((await headlines()).at(-1)).toBe('Not undone');
  }, 120_000);

  test('a knock alone does nothing, and is recorded', async () => {
    const { bucket, finding } = await asked();
    const { callbackId } = (await bot.ledger.recall<{ callbackId: string }>(`knock|${finding.id}`))!;
    const { endpoint, region, emulator } = bot.stack;
    const lambda = new LambdaClient({ region, endpoint, credentials: emulator.adminCredentials() });
    await lambda.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId: callbackId, Result: new TextEncoder().encode('"approved"') }));
    lambda.destroy();
    await bot.settle();
    expect(await bot.blockOf(bucket)).toEqual(open);
    expect((await bot.ledger.entries(finding.id)).at(-1)).toMatchObject({ kind: 'REFUSED', note: expect.stringContaining('Something woke the execution') });
  }, 120_000);

  test('nobody answers for three days: a page, and it stays as it is', async () => {
    const { bucket, finding } = await asked();
    bot.stack.clock.advance(72 * 3_600 + 5);
    await bot.settle();
    expect(await bot.ledger.get(finding.id)).toMatchObject({
      state: 'open',
      outcome: { status: 'PAGED', reason: expect.stringContaining('Nobody has approved it') },
    });
    expect(await bot.blockOf(bucket)).toEqual(open);
  }, 120_000);

  test('a planned fix is denied before it is due; the wait survives a deploy', async () => {
    const bucket = await bot.bucket(closed);
    await bot.settle(bot.event('s3', 'PutBucketVersioning', { requestParameters: { bucketName: bucket } }));
    const finding = await findingOf(bucket, 's3-bucket-versioning');
    expect(await says('lee', 'deny', finding.id, '--reason', 'moved next week')).toMatchObject({
      err: expect.stringMatching(/plan/),
      code: 0,
      out: expect.stringContaining('lee denied it: moved next week'),
    });
    bot.stack.clock.advance(3_700);
    await bot.settle();
    expect(await bot.ledger.get(finding.id)).toMatchObject({ state: 'open', outcome: { status: 'NOTIFIED' }, changes: [] });
  }, 120_000);

  test('two controls of one setting: the one that takes less away fixes it, one alert names both, and its undo puts it back', async () => {
    const { region, endpoint, emulator } = bot.stack;
    const ec2 = new EC2Client({ region, endpoint, credentials: emulator.adminCredentials() });
    try {
      const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.9.0.0/16' }));
      const Filters = [{ Name: 'vpc-id', Values: [Vpc!.VpcId!] }];
      const group = async () => (await ec2.send(new DescribeSecurityGroupsCommand({ Filters }))).SecurityGroups![0]!;
      const { GroupId, IpPermissions, IpPermissionsEgress } = await group();
      if (IpPermissions!.length > 0) await ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
      await ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: IpPermissionsEgress }));
      const world = [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'for the vendor' }] }];
      await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: world }));
      await bot.alerts.read();

      await bot.settle(bot.event('ec2', 'AuthorizeSecurityGroupIngress', { requestParameters: { groupId: GroupId } }));
      // The one that gives way comes back.
      bot.stack.clock.advance(60);
      await bot.settle();
      expect((await group()).IpPermissions).toEqual([]);
      const of = async (control: string) => (await bot.findings(control)).find(({ resource }) => resource.id.endsWith(GroupId!))!;
      const fixed = await of('security-group-no-world-ssh-rdp');
      expect(fixed).toMatchObject({ outcome: { status: 'REMEDIATED' }, also: ['vpc-default-security-group-closed'] });
      expect(await of('vpc-default-security-group-closed')).toMatchObject({ state: 'resolved', outcome: { status: 'COMPLIANT' }, changes: [] });
      const [alert, ...more] = await bot.alerts.read();
      expect(more).toEqual([]);
      expect(alert!.message).toContain('Also:      vpc-default-security-group-closed failed on the same setting');

      await says('lee', 'undo', fixed.id, '--reason', 'the vendor needs it');
      expect(await says('kim', 'approve', fixed.id)).toMatchObject({ code: 0 });
      expect((await group()).IpPermissions).toMatchObject(world);
    } finally {
      ec2.destroy();
    }
  }, 240_000);

  test('wrong inputs: one line each', async () => {
    const { finding } = await asked();
    const lines = [
      await desk.run({ args: ['approve', 'f-nothing', '--stack', 'phidelity-dev'] }),
      await desk.run({ args: ['approve', finding.id, '--plan', 'abcdef', '--stack', 'phidelity-dev'] }),
      await desk.run({ args: ['undo', finding.id, '--reason', 'x', '--stack', 'phidelity-dev'] }),
      await desk.run({ args: ['approve', finding.id, '--stack', 'no-such-stack'] }),
    ];
    expect(lines.map(({ code, err }) => [code, err.trim().split('\n').length])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
      [2, 1],
    ]);
    await bot.stack.clients.s3.send(new PutPublicAccessBlockCommand({ Bucket: finding.resource.id.split(':::')[1]!, PublicAccessBlockConfiguration: closed }));
  }, 120_000);
});
