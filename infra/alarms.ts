/** Alarms that watch the bot from outside: none of them needs its code to run. */
import { getAtt, logicalId, type Resources, ref, stack, sub } from './intrinsics.ts';
import type { Rule } from './rules.ts';

interface Watch {
  readonly says: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, object>>;
  readonly statistic: 'Sum' | 'Maximum';
  readonly seconds: number;
  readonly above?: number;
  readonly below?: number;
  /** Periods in a row. */
  readonly periods?: number;
}

const base = (name: string, says: string) => ({
  AlarmName: sub(`${stack}-${name}`),
  AlarmDescription: `phidelity: ${says}`,
  AlarmActions: [ref('OwnHealth')],
  OKActions: [ref('OwnHealth')],
});

const alarm = (name: string, { says, namespace, metric, dimensions, statistic, seconds, above, below, periods = 1 }: Watch): [string, Resources[string]] => [
  `Alarm${logicalId(name)}`,
  {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      ...base(name, says),
      Namespace: namespace,
      MetricName: metric,
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      Statistic: statistic,
      Period: seconds,
      EvaluationPeriods: periods,
      ...(below === undefined
        ? { ComparisonOperator: 'GreaterThanThreshold', Threshold: above, TreatMissingData: 'notBreaching' }
        : { ComparisonOperator: 'LessThanThreshold', Threshold: below, TreatMissingData: 'breaching' }),
    },
  },
];

const queueDepth = (queue: string, name: string, says: string) =>
  alarm(name, {
    says,
    namespace: 'AWS/SQS',
    metric: 'ApproximateNumberOfMessagesVisible',
    dimensions: { QueueName: getAtt(queue, 'QueueName') },
    statistic: 'Maximum',
    seconds: 300,
    above: 0,
  });

const lambda = (name: string, metric: 'Errors' | 'Throttles', says: string) =>
  alarm(`${name}-${metric.toLowerCase()}`, {
    says,
    namespace: 'AWS/Lambda',
    metric,
    dimensions: { FunctionName: sub(`${stack}-${name}`) },
    statistic: 'Sum',
    seconds: 300,
    above: 0,
  });

const mostMetrics = 10;

/** Not delivered and not in the DLQ either: EventBridge counts a failed invocation only then. One alarm sums up to ten rules. */
const lostEvents = (rules: readonly Rule[]): [string, Resources[string]][] =>
  Array.from({ length: Math.ceil(rules.length / mostMetrics) }, (_, index) => {
    const name = `events-lost-${index + 1}`;
    const metrics = rules.slice(index * mostMetrics, (index + 1) * mostMetrics).map((rule, place) => ({
      Id: `rule${place}`,
      ReturnData: false,
      MetricStat: {
        Metric: { Namespace: 'AWS/Events', MetricName: 'FailedInvocations', Dimensions: [{ Name: 'RuleName', Value: sub(`${stack}-${rule.name}`) }] },
        Period: 300,
        Stat: 'Sum',
      },
    }));
    return [
      `Alarm${logicalId(name)}`,
      {
        Type: 'AWS::CloudWatch::Alarm',
        Properties: {
          ...base(
            name,
            'EventBridge lost an event for good: neither the intake queue nor the dead-letter queue took it. Look at the queue policy and the key.',
          ),
          Metrics: [{ Id: 'lost', Expression: 'SUM(METRICS())', Label: 'events lost', ReturnData: true }, ...metrics],
          EvaluationPeriods: 1,
          ComparisonOperator: 'GreaterThanThreshold',
          Threshold: 0,
          TreatMissingData: 'notBreaching',
        },
      },
    ];
  });

export const alarms = (rules: readonly Rule[]): Resources =>
  Object.fromEntries([
    alarm('intake-age', {
      says: 'an event has waited in the intake queue for more than half an hour. Look at the errors of the function detect.',
      namespace: 'AWS/SQS',
      metric: 'ApproximateAgeOfOldestMessage',
      dimensions: { QueueName: getAtt('IntakeQueue', 'QueueName') },
      statistic: 'Maximum',
      seconds: 300,
      above: 1_800,
      periods: 2,
    }),
    queueDepth('IntakeDlq', 'intake-dlq', 'detect failed five times on an event. Mend the cause, then send the queue back to the intake queue.'),
    queueDepth('TargetDlq', 'target-dlq', 'EventBridge could not put an event into the intake queue. The message carries the rule and the error.'),
    lambda('detect', 'Errors', 'the function detect fails. Look at its log.'),
    lambda('detect', 'Throttles', 'the function detect is throttled. Look at the concurrency limit of the account.'),
    lambda('remediate', 'Errors', 'the function remediate fails. Look at its log.'),
    lambda('remediate', 'Throttles', 'the function remediate is throttled. Look at the concurrency limit of the account.'),
    alarm('detect-silent', {
      says: 'no event has reached the bot for a day. Look whether a trail logs, and whether the rules are enabled.',
      namespace: 'AWS/Lambda',
      metric: 'Invocations',
      dimensions: { FunctionName: sub(`${stack}-detect`) },
      statistic: 'Sum',
      seconds: 86_400,
      below: 1,
    }),
    ...lostEvents(rules),
  ]);
