/** What CloudWatch would hold of a local stack, read from its real state as its clock moves, and the deployed alarms judged on it. */
import { type Dimension, type MetricAlarm, paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import { ListRulesCommand } from '@aws-sdk/client-eventbridge';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import type { LocalStack } from '../../cli/local-stack/index.ts';

export interface CloudWatch {
  /** For the stack's `onLog`: functions write metrics into their logs. */
  readonly onLog: (line: { readonly line: string }) => void;
  /** Time passes, five minutes at a step; after each the stack comes to rest and its metrics are read. */
  pass(minutes: number): Promise<void>;
  /** Names of the alarms that are in alarm now, without the name of the stack. */
  ringing(): Promise<string[]>;
}

interface Datum {
  /** Milliseconds of the stack's clock. */
  readonly at: number;
  /** Namespace, metric and dimensions. */
  readonly key: string;
  readonly value: number;
}

const stepSeconds = 300;

const keyOf = (namespace: string, metric: string, dimensions: Readonly<Record<string, string>>) =>
  JSON.stringify([namespace, metric, Object.entries(dimensions).sort()]);
const ofAlarm = (dimensions: readonly Dimension[] = []) => Object.fromEntries(dimensions.map(({ Name, Value }) => [Name!, Value!]));

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
interface Embedded {
  readonly _aws?: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly string[][];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
  readonly [name: string]: unknown;
}

function embeddedIn(line: string): { readonly key: string; readonly value: number }[] {
  if (!line.includes('"CloudWatchMetrics"')) return [];
  const record = JSON.parse(line) as Embedded;
  return record._aws!.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) =>
      Metrics.map(({ Name }) => ({
        key: keyOf(Namespace, Name, Object.fromEntries(names.map((name) => [name, String(record[name])]))),
        value: Number([record[Name]].flat()[0]),
      })),
    ),
  );
}

const breaks = (alarm: MetricAlarm, value: number): boolean => {
  switch (alarm.ComparisonOperator) {
    case 'GreaterThanThreshold':
      return value > alarm.Threshold!;
    case 'LessThanThreshold':
      return value < alarm.Threshold!;
    default:
      throw new Error(`${alarm.AlarmName} compares in a way that is not known here: ${alarm.ComparisonOperator}`);
  }
};

/** @param stackOf the stack, once it is there */
export function cloudWatch(stackOf: () => LocalStack): CloudWatch {
  const data: Datum[] = [];
  const written: { readonly key: string; readonly value: number }[] = [];
  const before = new Map<string, number>();
  const waitingSince = new Map<string, number>();

  const put = (namespace: string, metric: string, dimensions: Readonly<Record<string, string>>, value: number) =>
    data.push({ at: stackOf().clock.now().getTime(), key: keyOf(namespace, metric, dimensions), value });

  /** Counters are published as what was added, and not at all when that is nothing. */
  const putAdded = (namespace: string, metric: string, dimensions: Readonly<Record<string, string>>, total: number) => {
    const key = keyOf(namespace, metric, dimensions);
    const added = total - (before.get(key) ?? 0);
    before.set(key, total);
    if (added > 0) put(namespace, metric, dimensions, added);
  };

  const readQueues = async ({ clients, clock, report }: LocalStack) => {
    for (const [output, QueueUrl] of Object.entries(report.outputs)) {
      if (!/(Queue|Dlq)Url$/.test(output)) continue;
      const { Attributes } = await clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }));
      const waiting = Number(Attributes?.ApproximateNumberOfMessages);
      const since = waiting === 0 ? undefined : (waitingSince.get(QueueUrl) ?? clock.now().getTime());
      if (since === undefined) waitingSince.delete(QueueUrl);
      else waitingSince.set(QueueUrl, since);
      const dimensions = { QueueName: QueueUrl.split('/').at(-1)! };
      put('AWS/SQS', 'ApproximateNumberOfMessagesVisible', dimensions, waiting);
      put('AWS/SQS', 'ApproximateAgeOfOldestMessage', dimensions, since === undefined ? 0 : (clock.now().getTime() - since) / 1000);
    }
  };

  const readFunctions = ({ lambda, report }: LocalStack) => {
    for (const FunctionName of report.functions) {
      for (const [metric, total] of Object.entries(lambda.admission.counts(FunctionName))) putAdded('AWS/Lambda', metric, { FunctionName }, total);
      const ended = (status: string) => lambda.executions().filter((each) => each.functionName === FunctionName && each.status === status).length;
      putAdded('AWS/Lambda', 'DurableExecutionFailed', { FunctionName }, ended('FAILED'));
      putAdded('AWS/Lambda', 'DurableExecutionTimedOut', { FunctionName }, ended('TIMED_OUT'));
    }
  };

  const readRules = async ({ clients, failedInvocations }: LocalStack) => {
    const { Rules = [] } = await clients.eventBridge.send(new ListRulesCommand({}));
    for (const { Name, Arn } of Rules) putAdded('AWS/Events', 'FailedInvocations', { RuleName: Name! }, failedInvocations(Arn!));
  };

  const read = async () => {
    const stack = stackOf();
    await readQueues(stack);
    readFunctions(stack);
    await readRules(stack);
    const at = stack.clock.now().getTime();
    for (const { key, value } of written.splice(0)) data.push({ at, key, value });
  };

  const valuesOf = (key: string, from: number, to: number) =>
    data.filter((datum) => datum.key === key && datum.at > from && datum.at <= to).map(({ value }) => value);

  /** One period of an alarm; undefined = missing. */
  const pointOf = (alarm: MetricAlarm, from: number, to: number): number | undefined => {
    const { Namespace, MetricName, Dimensions, Statistic, Metrics = [] } = alarm;
    const keys = MetricName
      ? [keyOf(Namespace!, MetricName, ofAlarm(Dimensions))]
      : Metrics.flatMap(({ MetricStat }) =>
          MetricStat ? [keyOf(MetricStat.Metric!.Namespace!, MetricStat.Metric!.MetricName!, ofAlarm(MetricStat.Metric!.Dimensions))] : [],
        );
    const values = keys.flatMap((key) => valuesOf(key, from, to));
    if (values.length === 0) return undefined;
    return Statistic === 'Maximum' ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0);
  };

  /** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html: every period of the range breaks the threshold. */
  const rings = (alarm: MetricAlarm): boolean => {
    const period = (alarm.Period ?? alarm.Metrics?.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period ?? stepSeconds) * 1000;
    const now = stackOf().clock.now().getTime();
    return Array.from({ length: alarm.EvaluationPeriods! }, (_, index) => pointOf(alarm, now - (index + 1) * period, now - index * period)).every((point) =>
      point === undefined ? alarm.TreatMissingData === 'breaching' : breaks(alarm, point),
    );
  };

  return {
    onLog: ({ line }) => void written.push(...embeddedIn(line)),
    async pass(minutes) {
      for (let passed = 0; passed < minutes * 60; passed += stepSeconds) {
        stackOf().clock.advance(stepSeconds);
        await stackOf().drain();
        await read();
      }
    },
    async ringing() {
      const names: string[] = [];
      for await (const { MetricAlarms = [] } of paginateDescribeAlarms({ client: stackOf().clients.cloudWatch }, {}))
        names.push(...MetricAlarms.filter(rings).map(({ AlarmName }) => AlarmName!.replace('phidelity-dev-', '')));
      return names.sort();
    },
  };
}
