/** Alarms that watch the bot from outside: none of them needs its code to run. */
import { getAtt, logicalId, type Resources, ref, type Sub, stack, sub } from './intrinsics.ts';
import { tickMinutes } from './sweeps.ts';

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

/** Whom an alarm tells by itself, at its beginning and at its end. */
interface Told {
  readonly AlarmActions?: readonly object[];
  readonly OKActions?: readonly object[];
}

const ownHealth: Told = { AlarmActions: [ref('OwnHealth')], OKActions: [ref('OwnHealth')] };

const base = (name: string, says: string, told: Told) => ({ AlarmName: sub(`${stack}-${name}`), AlarmDescription: `phidelity: ${says}`, ...told });

const alarm = (
  name: string,
  { says, namespace, metric, dimensions, statistic, seconds, above, below, periods = 1 }: Watch,
  told = ownHealth,
): [string, Resources[string]] => [
  `Alarm${logicalId(name)}`,
  {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      ...base(name, says, told),
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

export const queueDepth = (queue: string, name: string, says: string, told = ownHealth) =>
  alarm(
    name,
    {
      says,
      namespace: 'AWS/SQS',
      metric: 'ApproximateNumberOfMessagesVisible',
      dimensions: { QueueName: getAtt(queue, 'QueueName') },
      statistic: 'Maximum',
      seconds: 300,
      above: 0,
    },
    told,
  );

const waitsTooLong = (queue: string, name: string, above: number, says: string) =>
  alarm(name, {
    says,
    namespace: 'AWS/SQS',
    metric: 'ApproximateAgeOfOldestMessage',
    dimensions: { QueueName: getAtt(queue, 'QueueName') },
    statistic: 'Maximum',
    seconds: 300,
    above,
    periods: 2,
  });

// https://docs.aws.amazon.com/lambda/latest/dg/durable-monitoring.html
type LambdaMetric = 'Errors' | 'Throttles' | 'DurableExecutionFailed' | 'DurableExecutionTimedOut';

const lambda = (name: string, metric: LambdaMetric, says: string) =>
  alarm(`${name}-${metric.replace('DurableExecution', '').toLowerCase()}`, {
    says,
    namespace: 'AWS/Lambda',
    metric,
    dimensions: { FunctionName: sub(`${stack}-${name}`) },
    statistic: 'Sum',
    seconds: 300,
    above: 0,
  });

const mostMetrics = 10;

/**
 * What EventBridge has given up, in the DLQ or not: its pages leave open whether one that the DLQ took counts too. The metric of the DLQ
 * alone would be exact, but they spell its name in two ways, and an alarm on a name that nobody writes never rings. One alarm sums up to
 * ten rules. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html and eb-rule-dlq.html
 */
const lostEvents = (ruleNames: readonly (string | Sub)[]): [string, Resources[string]][] =>
  Array.from({ length: Math.ceil(ruleNames.length / mostMetrics) }, (_, index) => {
    const name = `events-lost-${index + 1}`;
    const metrics = ruleNames.slice(index * mostMetrics, (index + 1) * mostMetrics).map((ruleName, place) => ({
      Id: `rule${place}`,
      ReturnData: false,
      MetricStat: {
        Metric: { Namespace: 'AWS/Events', MetricName: 'FailedInvocations', Dimensions: [{ Name: 'RuleName', Value: ruleName }] },
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
            'EventBridge gave up an event. If it is not in the dead-letter queue of the rules it is lost for good: Look at the policies and keys of that queue and of the targets.',
            ownHealth,
          ),
          Metrics: [{ Id: 'lost', Expression: 'SUM(METRICS())', Label: 'events given up', ReturnData: true }, ...metrics],
          EvaluationPeriods: 1,
          ComparisonOperator: 'GreaterThanThreshold',
          Threshold: 0,
          TreatMissingData: 'notBreaching',
        },
      },
    ];
  });

/** @param rules names of the stack's rules, without the name of the stack */
export const alarms = (rules: readonly string[]): Resources =>
  Object.fromEntries([
    // Detect counts each tick it has dealt with: schedule, role, queue, key, function and table all had a part in it.
    alarm('heartbeat', {
      says: `the bot has not dealt with a tick for ${3 * tickMinutes} minutes: it may be blind. Look at its other alarms, then at the reserved concurrency of the function detect, at the data key and at the schedule (are they enabled?).`,
      namespace: 'phidelity',
      metric: 'Ticks',
      dimensions: { service: sub(`${stack}-detect`) },
      statistic: 'Sum',
      seconds: tickMinutes * 60,
      below: 1,
      periods: 3,
    }),
    waitsTooLong(
      'IntakeQueue',
      'intake-age',
      1_800,
      'an event has waited in the intake queue for more than half an hour. Look at the errors and the reserved concurrency of the function detect.',
    ),
    waitsTooLong(
      'SweepQueue',
      'sweep-age',
      3_600,
      'a tick or a sweep has waited in the sweep queue for more than an hour. Look at the errors and the reserved concurrency of the function detect.',
    ),
    queueDepth(
      'IntakeDlq',
      'intake-dlq',
      'detect failed five times on an event. Mend the cause, then send them back: npx phidelity dlq redrive --all --stack NAME.',
    ),
    queueDepth(
      'SweepDlq',
      'sweep-dlq',
      'detect failed five times on a tick or a sweep: part of the account was not looked at. Mend the cause, then send them back: npx phidelity dlq redrive --all --stack NAME.',
    ),
    queueDepth(
      'TargetDlq',
      'target-dlq',
      'EventBridge could not put an event or a tick into its queue. The message carries the rule or target and the error. Mend the cause, then send them back: npx phidelity dlq redrive --all --stack NAME.',
    ),
    waitsTooLong(
      'AlertQueue',
      'alert-age',
      3_600,
      'an alert has waited for its channel for more than an hour. Look at the log of the function deliver: it names the channel that does not take it, and why.',
    ),
    queueDepth(
      'AlertDlq',
      'alert-dlq',
      'a channel did not take an alert in all its attempts. Mend the channel, then send it what has waited: npx phidelity dlq redrive --all --stack NAME.',
    ),
    lambda('deliver', 'Errors', 'the function deliver fails: nobody may be told of anything. Look at its log.'),
    lambda('deliver', 'Throttles', 'the function deliver is throttled. Look at its reserved concurrency and at the concurrency limit of the account.'),
    queueDepth(
      'EvidenceDlq',
      'evidence-dlq',
      'entries of evidence could not be put into the bucket, or a digest could not be asked for. Look at the log of the function evidence. Mend the cause, then have it done: npx phidelity evidence mend --stack NAME.',
    ),
    alarm('evidence-age', {
      says: 'entries of evidence have waited for the bucket for more than an hour. Look at the errors and the reserved concurrency of the function evidence, at the bucket and at the data key.',
      namespace: 'AWS/Lambda',
      metric: 'IteratorAge',
      dimensions: { FunctionName: sub(`${stack}-evidence`) },
      statistic: 'Maximum',
      seconds: 300,
      above: 3_600_000,
    }),
    alarm('evidence-digest', {
      says: 'no digest of evidence has been signed for two hours. Look at the log of the function evidence, at the signing key and at the schedule (are they enabled?).',
      namespace: 'phidelity',
      metric: 'Digests',
      dimensions: { service: sub(`${stack}-evidence`) },
      statistic: 'Sum',
      seconds: 3_600,
      below: 1,
      periods: 2,
    }),
    lambda('evidence', 'Errors', 'the function evidence fails. Look at its log.'),
    lambda('evidence', 'Throttles', 'the function evidence is throttled. Look at its reserved concurrency and at the concurrency limit of the account.'),
    lambda('detect', 'Errors', 'the function detect fails. Look at its log.'),
    lambda('detect', 'Throttles', 'the function detect is throttled. Look at its reserved concurrency and at the concurrency limit of the account.'),
    lambda('remediate', 'Errors', 'the function remediate fails. Look at its log.'),
    lambda('remediate', 'Throttles', 'the function remediate is throttled. Look at its reserved concurrency and at the concurrency limit of the account.'),
    lambda(
      'remediate',
      'DurableExecutionFailed',
      'an execution of remediate ended in an error: its finding may be neither fixed nor told. Look at its log, then at the open findings.',
    ),
    lambda(
      'remediate',
      'DurableExecutionTimedOut',
      'an execution of remediate was given up after its longest time: its finding may be neither fixed nor told. Look at the open findings.',
    ),
    alarm('detect-silent', {
      says: 'the function detect has not run for a day. Look whether the schedule and the rules are enabled, and whether a trail logs.',
      namespace: 'AWS/Lambda',
      metric: 'Invocations',
      dimensions: { FunctionName: sub(`${stack}-detect`) },
      statistic: 'Sum',
      seconds: 86_400,
      below: 1,
    }),
    ...lostEvents(rules.map((name) => sub(`${stack}-${name}`))),
  ]);
