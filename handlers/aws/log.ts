/** The Log port on Powertools: JSON lines and embedded metrics, both read by CloudWatch. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Log } from '../../engine/ports.ts';

export interface LambdaLog extends Log {
  /** Writes the counters; call once an invocation. */
  flush(): void;
}

export function lambdaLog(service: string): LambdaLog {
  const logger = new Logger({ serviceName: service });
  const metrics = new Metrics({ namespace: 'phidelity', serviceName: service });
  return {
    info: (message, keys = {}) => logger.info(message, keys),
    warn: (message, keys = {}) => logger.warn(message, keys),
    error: (message, keys = {}) => logger.error(message, keys),
    count(name, dimensions) {
      const target = dimensions ? metrics.singleMetric() : metrics;
      if (dimensions) target.addDimensions({ ...dimensions });
      target.addMetric(name, MetricUnit.Count, 1);
    },
    flush: () => metrics.publishStoredMetrics(),
  };
}
