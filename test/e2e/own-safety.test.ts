/** The deployed bot watches itself: what a deploy stores as its measure, what it does about a disabled rule, and what a deploy does not forgive. */
import {
  DescribeRuleCommand,
  DisableRuleCommand,
  ListTargetsByRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  type Target,
} from '@aws-sdk/client-eventbridge';
import { DeleteFunctionConcurrencyCommand, PutFunctionConcurrencyCommand, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { strToU8, zipSync } from 'fflate';
import type { AnyStateControl } from '../../engine/control.ts';
import { awsAccess } from '../../handlers/aws/access.ts';
import { catalogue } from '../../remediations/index.ts';
import { describeOnMoto } from '../support/moto.ts';
import { type Deployed, deployed, policyFile } from './world.ts';

const own = ['bot-keys-usable', 'bot-lambda-untouched', 'eventbridge-bot-rules-on'] as const;
const elsewhere = 'eu-west-1';
const rule = 'phidelity-dev-events-api';

describeOnMoto('the deployed bot (on moto, IAM enforced) watches itself', () => {
  const policy = policyFile('eventbridge-bot-rules-on: fix\nbot-lambda-untouched: page\nbot-keys-usable: page', ['us-east-1', elsewhere]);
  let bot: Deployed;
  beforeAll(async () => {
    bot = await deployed(policy, { warm: true });
    // What the first sweep finds was there before the bot: told, not fixed.
    await bot.settle();
    bot.stack.clock.advance(900);
    await bot.settle();
  }, 240_000);
  afterAll(() => bot?.stack.stop());

  /** Verdicts of everything that the stored policy knows of the stack: `PLACE ARN -> annotation`, the compliant ones left out. */
  async function wrong(): Promise<string[]> {
    const { accountId, endpoint, emulator } = bot.stack;
    const stored = (await bot.ledger.policy())!;
    const found: string[] = [];
    for (const id of own) {
      const control = (await catalogue.find((entry) => entry.id === id)!.load()) as AnyStateControl;
      const { params } = stored.controls[id]!;
      for (const region of ['us-east-1', elsewhere]) {
        const aws = awsAccess({ endpoint, credentials: emulator.adminCredentials() })({ accountId, region }, { share: false });
        for await (const { resources } of control.list(aws, { params })) {
          for (const [resource] of resources) {
            const evaluation = control.evaluate(await control.inspect(resource, aws), params, new Date());
            if (evaluation.complianceType !== 'COMPLIANT') found.push(`${resource.id}: ${evaluation.annotation}`);
          }
        }
      }
    }
    return found;
  }

  const events = (region = 'us-east-1') => bot.stack.clients.in(region).eventBridge;

  test('what a deploy stores is what is there: rules of both regions, functions, keys', async () => {
    const { controls } = (await bot.ledger.policy())!;
    expect(controls['bot-keys-usable']!.params).toEqual({
      keys: ['DataKeyArn', 'AlarmKeyArn', 'SigningKeyArn'].map((output) => bot.stack.report.outputs[output]),
    });
    const { functions } = controls['bot-lambda-untouched']!.params as { functions: { arn: string; sources: string[] }[] };
    expect(functions.map(({ arn, sources }) => [arn.split(':').at(-1), sources.map((source) => source.split('-').at(-2))])).toEqual([
      ['phidelity-dev-detect', ['IntakeQueue', 'SweepQueue']],
      ['phidelity-dev-remediate', []],
      ['phidelity-dev-evidence', []],
      ['phidelity-dev-deliver', ['AlertQueue']],
    ]);
    const { rules } = controls['eventbridge-bot-rules-on']!.params as { rules: { arn: string }[] };
    const arns = rules.map(({ arn }) => arn);
    for (const region of ['us-east-1', elsewhere]) expect(arns).toContain(`arn:aws:events:${region}:${bot.stack.accountId}:rule/${rule}`);
    expect(await wrong()).toEqual([]);
  });

  const stateOf = async (name: string, region: string) => (await events(region).send(new DescribeRuleCommand({ Name: name }))).State;

  test('a rule that somebody disables is enabled again, in every region', async () => {
    const Name = 'phidelity-dev-kms-api';
    for (const region of ['us-east-1', elsewhere]) {
      await events(region).send(new DisableRuleCommand({ Name }));
      await bot.settle({ ...bot.event('events', 'DisableRule', { requestParameters: { name: Name }, awsRegion: region }), region });
      expect({ region, state: await stateOf(Name, region) }).toEqual({ region, state: 'ENABLED' });
    }
    const found = await bot.findings('eventbridge-bot-rules-on');
    expect(found.map(({ outcome, resource }) => [resource.region, outcome?.status]).sort()).toEqual([
      [elsewhere, 'REMEDIATED'],
      ['us-east-1', 'REMEDIATED'],
    ]);
  });

  test('the rule that would have told of it is disabled: the sweep finds it', async () => {
    await events().send(new DisableRuleCommand({ Name: rule }));
    await bot.settle(bot.event('events', 'DisableRule', { requestParameters: { name: rule } }));
    expect(await stateOf(rule, 'us-east-1')).toBe('DISABLED');
    await bot.stack.tick();
    await bot.settle();
    bot.stack.clock.advance(900);
    await bot.settle();
    expect(await stateOf(rule, 'us-east-1')).toBe('ENABLED');
  });

  test('a function that cannot run is paged for, and told once more when it can', async () => {
    const { lambda } = bot.stack.clients;
    const FunctionName = 'phidelity-dev-remediate';
    await bot.alerts.read();
    const put = bot.event('lambda', 'PutFunctionConcurrency20171031', { requestParameters: { functionName: FunctionName, reservedConcurrentExecutions: 0 } });
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
    await bot.settle(put);
    const [alert] = await bot.alerts.read();
    expect(alert).toMatchObject({
      attributes: { control: 'bot-lambda-untouched', urgency: 'page' },
      message: expect.stringContaining('reserved concurrency is 0'),
    });
    await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
    await bot.settle(bot.event('lambda', 'DeleteFunctionConcurrency20171031', { requestParameters: { functionName: FunctionName } }));
    expect(await bot.findings('bot-lambda-untouched')).toMatchObject([{ state: 'resolved' }]);
  });

  test('a deploy does not make the measure what somebody has changed by hand', async () => {
    const lost = `${elsewhere}:${bot.stack.accountId}:rule/${rule}: The rule has lost its target`;
    const { Targets = [] } = await events(elsewhere).send(new ListTargetsByRuleCommand({ Rule: rule }));
    await events(elsewhere).send(new RemoveTargetsCommand({ Rule: rule, Ids: Targets.map(({ Id }) => Id!) }));
    const { lambda, s3 } = bot.stack.clients;
    await s3.send(new CreateBucketCommand({ Bucket: 'elsewhere' }));
    const Body = zipSync({ 'handlers/remediate.mjs': strToU8('export const handler = () => "not the bot";') });
    await s3.send(new PutObjectCommand({ Bucket: 'elsewhere', Key: 'not-the-bot.zip', Body }));
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'phidelity-dev-remediate', S3Bucket: 'elsewhere', S3Key: 'not-the-bot.zip' }));
    const changed = [expect.stringContaining('phidelity-dev-remediate: The function is not as deployed: its code'), expect.stringContaining(lost)];
    expect(await wrong()).toEqual(changed);
    const before = await bot.ledger.policy();
    await bot.stack.deploy(policy);
    const after = await bot.ledger.policy();
    for (const id of own) expect(after!.controls[id]).toEqual(before!.controls[id]);
    // The framework finds nothing new to send, CloudFormation does not look at what is there.
    expect(await wrong()).toEqual(changed);
    await events(elsewhere).send(new PutTargetsCommand({ Rule: rule, Targets: Targets as Target[] }));
    expect(await wrong()).toEqual(changed.slice(0, 1));
  }, 120_000);
});
