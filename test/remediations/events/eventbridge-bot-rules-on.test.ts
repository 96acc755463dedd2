import {
  CreateEventBusCommand,
  DisableRuleCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  type RuleState,
  type Target,
} from '@aws-sdk/client-eventbridge';
import { describe, expect, test } from '@jest/globals';
import { fingerprint } from '../../../engine/canonical.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import control from '../../../remediations/events/eventbridge-bot-rules-on.ts';
import { type Arrange, accountId, region, testControl } from '../../support/control-tester.ts';

const name = 'phidelity-dev-s3-api';
const arn = `arn:aws:events:us-east-1:123456789012:rule/${name}`;
const queue = 'arn:aws:sqs:us-east-1:123456789012:phidelity-dev-IntakeQueue-1A2B3C';
const topic = 'arn:aws:sns:us-east-1:123456789012:phidelity-dev-OwnHealth-1A2B3C';
const pattern = {
  source: ['aws.s3'],
  'detail-type': ['AWS API Call via CloudTrail'],
  detail: { eventName: ['PutBucketPolicy', 'DeleteBucketPolicy'], errorCode: [{ exists: false }] },
};
const deployed = (...targets: string[]) => ({ rules: [{ arn, pattern: fingerprint(pattern), targets }] });
const params = deployed(queue);

interface Written {
  readonly EventPattern?: object;
  readonly State?: RuleState;
  readonly Targets?: readonly Target[];
  readonly Name?: string;
}

const rule =
  ({ EventPattern = pattern, State = 'ENABLED', Targets = [{ Id: 'intake', Arn: queue }], Name = name }: Written = {}): Arrange =>
  async (admin) => {
    const events = admin.client(EventBridgeClient);
    await events.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify(EventPattern), State }));
    if (Targets.length > 0) await events.send(new PutTargetsCommand({ Rule: Name, Targets: [...Targets] }));
    return Name;
  };

const called = (requestParameters: unknown, more: object = {}) => ({
  eventSource: 'events.amazonaws.com',
  requestParameters,
  responseElements: null,
  ...more,
});

testControl(control, {
  params,
  compliant: {
    'enabled, as deployed': rule(),
    'the same pattern with its members in another order': rule({
      EventPattern: {
        detail: { errorCode: [{ exists: false }], eventName: pattern.detail.eventName },
        source: ['aws.s3'],
        'detail-type': pattern['detail-type'],
      },
    }),
    'read-only events reach it too': rule({ State: 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS' }),
    'somebody added a target': rule({
      Targets: [
        { Id: 'intake', Arn: queue },
        { Id: 'other', Arn: topic },
      ],
    }),
    'a message of its own for people': {
      given: rule({ Targets: [{ Id: 'own-health', Arn: topic, InputTransformer: { InputTemplate: '"An alarm."' } }] }),
      params: deployed(topic),
    },
  },
  notApplicable: {
    'a rule of somebody else': { given: rule({ Name: 'nightly-export', State: 'DISABLED' }), annotation: 'does not feed the bot' },
    'a rule of another bus with the same name': {
      async given(admin) {
        await admin.client(EventBridgeClient).send(new CreateEventBusCommand({ Name: 'orders' }));
        await admin.client(EventBridgeClient).send(new PutRuleCommand({ Name: name, EventBusName: 'orders', EventPattern: '{"source":["orders"]}' }));
        return `orders/${name}`;
      },
      annotation: 'does not feed the bot',
    },
    'no stack is deployed': { given: rule({ State: 'DISABLED' }), params: {}, annotation: 'No stack' },
  },
  remediated: {
    disabled: {
      given: async (admin) => {
        await rule()(admin);
        await admin.client(EventBridgeClient).send(new DisableRuleCommand({ Name: name }));
        return name;
      },
      annotation: 'is disabled: its events do not reach the bot',
      change: { action: 'events:EnableRule', before: 'DISABLED', after: 'ENABLED' },
    },
  },
  blocked: {
    'matches fewer events': {
      given: rule({ EventPattern: { ...pattern, detail: { eventName: ['PutBucketPolicy'] } } }),
      annotation: 'matches other events',
      reason: /matches other events.*REVERT_DRIFT/,
    },
    'the same names in another order: as good to EventBridge, but not what was deployed': {
      given: rule({ EventPattern: { ...pattern, detail: { ...pattern.detail, eventName: ['DeleteBucketPolicy', 'PutBucketPolicy'] } } }),
      reason: 'matches other events',
    },
    'disabled and changed: to enable it alone would look like a cure': {
      given: rule({ State: 'DISABLED', EventPattern: { source: ['aws.s3'] } }),
      annotation: 'is disabled and matches other events',
      reason: 'is disabled and matches other events',
    },
    'has lost its target': {
      given: async (admin) => {
        await rule()(admin);
        await admin.client(EventBridgeClient).send(new RemoveTargetsCommand({ Rule: name, Ids: ['intake'] }));
        return name;
      },
      reason: `has lost its target ${queue}`,
    },
    'sends somewhere else': { given: rule({ Targets: [{ Id: 'intake', Arn: `${queue}x` }] }), reason: 'has lost its target' },
    'one of two targets is there': { given: rule(), params: deployed(queue, topic), reason: `has lost its target ${topic}` },
    'the queue gets a constant in place of the event': {
      given: rule({ Targets: [{ Id: 'intake', Arn: queue, Input: '{}' }] }),
      reason: 'no longer hands whole events',
    },
    'the queue gets a part of the event': {
      given: rule({ Targets: [{ Id: 'intake', Arn: queue, InputPath: '$.detail.userAgent' }] }),
      reason: 'no longer hands whole events',
    },
    deleted: { given: async () => name, annotation: 'The rule is gone', reason: /is gone.*REVERT_DRIFT/ },
  },
  gone: { isDrift: async () => name },
  events: {
    DisableRule: { detail: called({ name, eventBusName: 'default' }), ids: [arn] },
    'DisableRule without a bus': { detail: called({ name }, { eventName: 'DisableRule' }), ids: [arn] },
    'DisableRule on the default bus by ARN': {
      detail: called({ name, eventBusName: 'arn:aws:events:us-east-1:123456789012:event-bus/default' }, { eventName: 'DisableRule' }),
      ids: [arn],
    },
    'DisableRule with null blocks': { detail: called(null, { eventName: 'DisableRule' }), sweep: true },
    DeleteRule: { detail: called({ name, force: false }), ids: [arn] },
    EnableRule: { detail: called({ name }), ids: [arn] },
    PutRule: { detail: called({ name, eventPattern: '{"source":["aws.s3"]}', state: 'ENABLED' }, { responseElements: { ruleArn: arn } }), ids: [arn] },
    PutTargets: {
      detail: called({ rule: name, targets: [{ id: 'intake', arn: queue }] }, { responseElements: { failedEntryCount: 0, failedEntries: [] } }),
      ids: [arn],
    },
    RemoveTargets: { detail: called({ rule: name, ids: ['intake'] }), ids: [arn] },
  },
});

describe('another bus', () => {
  test.each(['orders', 'arn:aws:events:us-east-1:123456789012:event-bus/orders'])('%s: calls on it do not concern the bot', (eventBusName) => {
    for (const trigger of control.triggers) {
      if (trigger.source !== 'cloudtrail') continue;
      expect(
        trigger.concerns?.({ eventSource: trigger.eventSource, eventName: 'DisableRule', awsRegion: region, requestParameters: { name, eventBusName } }),
      ).toBe(false);
    }
  });
});

test('a sweep names the rules of its own region and account, there or not', async () => {
  const elsewhere = arn.replace('us-east-1', 'eu-west-1');
  const foreign = arn.replace('123456789012', '210987654321');
  const rules = [arn, elsewhere, foreign].map((one) => ({ arn: one, pattern: fingerprint(pattern), targets: [queue] }));
  const list = async (place: string) =>
    (await Array.fromAsync(control.list(awsAccess()({ accountId, region: place }, { share: false }), { params: { rules } }))).flatMap(
      ({ resources }) => resources,
    );
  expect(await list('us-east-1')).toEqual([[{ accountId, region: 'us-east-1', type: 'AWS::Events::Rule', id: arn }]]);
  expect(await list('eu-west-1')).toEqual([[{ accountId, region: 'eu-west-1', type: 'AWS::Events::Rule', id: elsewhere }]]);
  expect(await list('sa-east-1')).toEqual([]);
});
