/** From another region to the bot: the forwarder's template is free of findings, and each hop is allowed, to nobody else. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployed, resolve, type Template } from '../../cli/local-stack/template.ts';
import { matchesPattern } from '../../engine/pattern.ts';
import { forwarderOf } from '../../infra/forwarders.ts';
import { planOf, writers } from '../../infra/plan.ts';
import { resourcesOf } from '../../infra/resources.ts';
import { catalogue } from '../../remediations/index.ts';
import { account, filledIn, region as homeRegion, propertiesOf, stackName } from '../support/packaged.ts';
import { policyOf } from '../support/policy-of.ts';
import { from, inOther, verdict } from '../support/verdict.ts';

const away = 'us-west-2';
const homeBus = `arn:aws:events:${homeRegion}:${account}:event-bus/default`;

let home: Deployed;
let forwarder: Deployed;
beforeAll(async () => {
  const policy = await policyOf('controls: { "*": page }');
  const plan = planOf(policy, catalogue, await writers(policy, catalogue));
  home = filledIn(resourcesOf(policy, plan) as unknown as Template);
  const template = forwarderOf(plan.rules, { stackName, region: homeRegion, forwarderRoleArn: roleArn() }) as unknown as Template;
  const physicalIds = new Map(
    Object.keys(template.Resources).map((id) => [id, `https://sqs.${away}.amazonaws.com/${account}/${stackName}-forwarder-${id}-1A2B`]),
  );
  forwarder = { template, stackName: `${stackName}-forwarder`, stackId: 'arn:aws:cloudformation:::stack/1', region: away, accountId: account, physicalIds };
});

const arnOf = (deployed: Deployed, logicalId: string) => resolve({ 'Fn::GetAtt': [logicalId, 'Arn'] }, deployed) as string;
const refOf = (deployed: Deployed, logicalId: string) => resolve({ Ref: logicalId }, deployed) as string;
const idsOf = (deployed: Deployed, type: string) => Object.entries(deployed.template.Resources).flatMap(([id, { Type }]) => (Type === type ? [id] : []));
const roleArn = () => arnOf(home, 'ForwarderRole');
const rulesAway = () =>
  idsOf(forwarder, 'AWS::Events::Rule').map(
    (id) =>
      propertiesOf(forwarder, id) as { Name: string; EventPattern: unknown; Targets: { Arn: string; RoleArn: string; DeadLetterConfig: { Arn: string } }[] },
  );
const ruleArn = (region: string, name: string) => `arn:aws:events:${region}:${account}:rule/${name}`;

describe('the template', () => {
  const cfnLint = spawnSync('cfn-lint', ['--version']).status === 0;
  if (!cfnLint && process.env.CI === 'true') throw new Error('cfn-lint is not on the PATH');

  (cfnLint ? test : test.skip)('is free of cfn-lint findings', () => {
    const folder = mkdtempSync(join(tmpdir(), 'phidelity-forwarder-'));
    try {
      const file = join(folder, 'forwarder.json');
      writeFileSync(file, JSON.stringify(forwarder.template));
      const { stdout, status } = spawnSync('cfn-lint', ['--regions', away, '--', file], { encoding: 'utf8' });
      expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('names no partition but in the role that it was given', () => {
    expect(JSON.stringify(forwarder.template).replaceAll(roleArn(), '')).not.toContain('arn:aws:');
  });

  test('every rule sends to the home bus as the forwarder role, and what is not sent to its own queue', () => {
    expect(rulesAway().length).toBeGreaterThan(10);
    for (const { Targets } of rulesAway()) {
      expect(Targets).toEqual([expect.objectContaining({ Arn: homeBus, RoleArn: roleArn(), DeadLetterConfig: { Arn: arnOf(forwarder, 'TargetDlq') } })]);
    }
  });
});

describe('rule to home bus', () => {
  const trust = () => ({
    action: 'sts:AssumeRole',
    resource: roleArn(),
    resourcePolicy: propertiesOf(home, 'ForwarderRole').AssumeRolePolicyDocument,
  });
  const rule = ruleArn(away, `${stackName}-s3-api`);

  test('EventBridge takes the role, for this account alone', async () => {
    expect(await verdict({ ...trust(), principal: 'events.amazonaws.com', context: from(rule) })).toBe('Allowed');
    expect(await verdict({ ...trust(), principal: 'events.amazonaws.com', context: from(inOther(rule)) })).not.toBe('Allowed');
  });

  test.each(['lambda.amazonaws.com', 'scheduler.amazonaws.com', `arn:aws:iam::${account}:role/anybody`, 'arn:aws:iam::999999999999:role/anybody'])(
    '%s does not',
    async (principal) => {
      expect(await verdict({ ...trust(), principal, context: from(rule) })).not.toBe('Allowed');
    },
  );

  test('the role puts events on the home bus and on no other', async () => {
    const identityPolicies = [propertiesOf(home, 'ForwarderPolicy').PolicyDocument];
    const ask = { principal: roleArn(), action: 'events:PutEvents', identityPolicies };
    expect(await verdict({ ...ask, resource: homeBus })).toBe('Allowed');
    expect(await verdict({ ...ask, resource: homeBus, principal: inOther(roleArn()) })).not.toBe('Allowed');
    expect(await verdict({ ...ask, resource: homeBus.replace('default', 'orders') })).not.toBe('Allowed');
    expect(await verdict({ ...ask, resource: homeBus.replace(homeRegion, away) })).not.toBe('Allowed');
    expect(propertiesOf(home, 'ForwarderRole').ManagedPolicyArns).toEqual([refOf(home, 'ForwarderPolicy')]);
  });
});

describe('rule to dead-letter queue', () => {
  const send = (sourceArn: string, more: Record<string, string> = {}) =>
    verdict({
      principal: 'events.amazonaws.com',
      action: 'sqs:SendMessage',
      resource: arnOf(forwarder, 'TargetDlq'),
      resourcePolicy: propertiesOf(forwarder, 'TargetDlqPolicy').PolicyDocument,
      context: { ...from(sourceArn), ...more },
    });

  test('every rule of the forwarder may send', async () => {
    expect(propertiesOf(forwarder, 'TargetDlqPolicy').Queues).toEqual([refOf(forwarder, 'TargetDlq')]);
    for (const { Name } of rulesAway()) {
      expect(await send(ruleArn(away, Name))).toBe('Allowed');
      expect(await send(inOther(ruleArn(away, Name)))).not.toBe('Allowed');
    }
  });

  test('other rules, other regions and plain HTTP may not', async () => {
    expect(await send(ruleArn(away, 'somebody-elses'))).not.toBe('Allowed');
    expect(await send(ruleArn(homeRegion, `${stackName}-s3-api`))).not.toBe('Allowed');
    expect(await send(ruleArn(away, `${stackName}-s3-api`), { 'aws:SecureTransport': 'false' })).toBe('ExplicitlyDenied');
  });

  test('SQS encrypts it without a key of its own, so that no key stands in the way', () => {
    expect(propertiesOf(forwarder, 'TargetDlq')).toMatchObject({ SqsManagedSseEnabled: true });
    expect(Object.keys(propertiesOf(forwarder, 'TargetDlq'))).not.toContain('KmsMasterKeyId');
  });
});

describe('alarm to own-health topic', () => {
  const forwardedRule = () => propertiesOf(home, 'RuleForwardedAlarms') as { Name: string; EventPattern: unknown; Targets: { Arn: string }[] };
  const stateChange = (alarmName: string, value: string, previous: string) => ({
    source: 'aws.cloudwatch',
    'detail-type': 'CloudWatch Alarm State Change',
    account,
    region: away,
    detail: { alarmName, state: { value }, previousState: { value: previous } },
  });
  const leaves = (event: unknown) => rulesAway().filter(({ EventPattern }) => matchesPattern(EventPattern, event)).length;
  const arrives = (event: unknown) => matchesPattern(forwardedRule().EventPattern, event);

  test('the beginning and the end of every alarm of the forwarder leave the region once, and are taken at home', () => {
    const names = idsOf(forwarder, 'AWS::CloudWatch::Alarm').map((id) => String(propertiesOf(forwarder, id).AlarmName));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      for (const event of [stateChange(name, 'ALARM', 'OK'), stateChange(name, 'ALARM', 'INSUFFICIENT_DATA'), stateChange(name, 'OK', 'ALARM')]) {
        expect({ name, leaves: leaves(event), arrives: arrives(event) }).toEqual({ name, leaves: 1, arrives: true });
      }
    }
  });

  test('the first OK of a new alarm and the alarms of others stay where they are', () => {
    expect(leaves(stateChange(`${stackName}-forwarder-target-dlq`, 'OK', 'INSUFFICIENT_DATA'))).toBe(0);
    expect(leaves(stateChange('billing', 'ALARM', 'OK'))).toBe(0);
  });

  test('alarms of home, which reach the topic by themselves, are not put there twice', () => {
    const names = idsOf(home, 'AWS::CloudWatch::Alarm').map((id) => String(propertiesOf(home, id).AlarmName));
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect({ name, arrives: arrives({ ...stateChange(name, 'ALARM', 'OK'), region: homeRegion }) }).toEqual({ name, arrives: false });
  });

  test('the home rule publishes as the forwarder role, with the key of the topic; the role can do nothing else', async () => {
    const topic = refOf(home, 'OwnHealth');
    const document = propertiesOf(home, 'ForwarderPolicy').PolicyDocument as { Statement: { Action: string[]; Resource: string[] }[] };
    expect(forwardedRule().Targets).toEqual([expect.objectContaining({ Arn: topic, RoleArn: roleArn(), DeadLetterConfig: { Arn: arnOf(home, 'TargetDlq') } })]);
    const ask = (action: string, resource: string, resourcePolicy: unknown) => ({
      principal: roleArn(),
      action,
      resource,
      resourcePolicy,
      identityPolicies: [document],
    });
    const publish = ask('sns:Publish', topic, propertiesOf(home, 'OwnHealthPolicy').PolicyDocument);
    const key = arnOf(home, 'AlarmKey');
    expect(propertiesOf(home, 'OwnHealth').KmsMasterKeyId).toBe(key);
    const asked = [publish, ...['kms:Decrypt', 'kms:GenerateDataKey'].map((action) => ask(action, key, propertiesOf(home, 'AlarmKey').KeyPolicy))];
    for (const one of asked) {
      expect({ action: one.action, verdict: await verdict(one) }).toEqual({ action: one.action, verdict: 'Allowed' });
      expect(await verdict({ ...one, principal: inOther(roleArn()) })).not.toBe('Allowed');
    }
    expect(await verdict({ ...publish, resource: refOf(home, 'ChannelSecurity'), resourcePolicy: undefined })).not.toBe('Allowed');
    expect(document.Statement.flatMap(({ Action, Resource }) => Action.map((action) => [action, Resource]))).toEqual([
      ['events:PutEvents', [homeBus]],
      ['sns:Publish', [topic]],
      ['kms:Decrypt', [key]],
      ['kms:GenerateDataKey', [key]],
    ]);
  });

  // AWS takes no condition on the source there, https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html: everybody's rule could publish.
  test('topic and key let no rule in by themselves', async () => {
    const own = ruleArn(homeRegion, forwardedRule().Name);
    const asks = [
      { action: 'sns:Publish', resource: refOf(home, 'OwnHealth'), resourcePolicy: propertiesOf(home, 'OwnHealthPolicy').PolicyDocument },
      { action: 'kms:Decrypt', resource: arnOf(home, 'AlarmKey'), resourcePolicy: propertiesOf(home, 'AlarmKey').KeyPolicy },
    ];
    for (const ask of asks) expect(await verdict({ ...ask, principal: 'events.amazonaws.com', context: from(own) })).not.toBe('Allowed');
  });
});
