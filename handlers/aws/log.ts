/** The Log port on Powertools: JSON lines and embedded metrics, both read by CloudWatch. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { inOneLine, oneLine } from '../../engine/alerts/lines.ts';
import { codeOf } from '../../engine/errors.ts';
import type { Log } from '../../engine/ports.ts';
import { redact, redactDeep } from '../../engine/redact.ts';

export interface LambdaLog extends Log {
  /** Writes the counters; call once an invocation. */
  flush(): void;
}

export function lambdaLog(service: string): LambdaLog {
  const logger = new Logger({ serviceName: service });
  // The function's name: two stacks of one account must not count for each other's alarms.
  const metrics = new Metrics({ namespace: 'phidelity', serviceName: process.env.AWS_LAMBDA_FUNCTION_NAME ?? service });
  return {
    info: (message, keys = {}) => logger.info(told(message), loggable(keys)),
    warn: (message, keys = {}) => logger.warn(told(message), loggable(keys)),
    error: (message, keys = {}) => logger.error(told(message), loggable(keys)),
    count(name, dimensions) {
      const target = dimensions ? metrics.singleMetric() : metrics;
      if (dimensions) target.addDimensions({ ...dimensions });
      target.addMetric(name, MetricUnit.Count, 1);
    },
    flush() {
      // Nothing is returned: what an error hook of middy returns would be the answer in the error's place.
      metrics.publishStoredMetrics();
    },
  };
}

/** As one line first: a character that is not seen would hide a number. */
const told = (text: string): string => redact(oneLine(text));

const loggable = (keys: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(keys).map(([name, value]) => [told(name), redactDeep(inOneLine(value instanceof Error ? bare(value) : value), {}, name)]));

/** An error without its message: what AWS and others write there names resources, and logs are read by more people than the ledger. */
function bare(error: Error): Record<string, unknown> {
  const { $metadata, cause } = error as { $metadata?: { requestId?: string; httpStatusCode?: number }; cause?: unknown };
  return {
    code: codeOf(error),
    status: $metadata?.httpStatusCode,
    requestId: $metadata?.requestId,
    at: error.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 8)
      .map((line) => line.trim()),
    cause: cause instanceof Error ? bare(cause) : undefined,
  };
}
