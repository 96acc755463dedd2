/** Whether Lambda would run a function now, and what it counts of each. */
import { GetFunctionConcurrencyCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Keys } from './keys.ts';
import { RefusedError } from './refusals.ts';

/** As Lambda's metrics of the same names: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html */
export interface Counts {
  Invocations: number;
  Errors: number;
  Throttles: number;
}

export interface Admission {
  /** The refusal that Invoke would answer with; undefined when the function may run. A throttle is counted. */
  refusal(functionName: string): Promise<RefusedError | undefined>;
  /** The emulator forgets KMSKeyArn, so the stack says which key each function's environment is encrypted with. */
  setKeys(keyArns: ReadonlyMap<string, string>): void;
  counts(functionName: string): Counts;
}

export function admission(lambda: LambdaClient, region: string, keys: Keys): Admission {
  const all = new Map<string, Counts>();
  let keyArns: ReadonlyMap<string, string> = new Map();
  const counts = (functionName: string) => {
    const known = all.get(functionName) ?? { Invocations: 0, Errors: 0, Throttles: 0 };
    all.set(functionName, known);
    return known;
  };
  return {
    counts,
    setKeys(given) {
      keyArns = given;
    },
    async refusal(functionName) {
      const { ReservedConcurrentExecutions } = await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName: functionName }));
      if (ReservedConcurrentExecutions === 0) {
        counts(functionName).Throttles += 1;
        return new RefusedError(429, 'TooManyRequestsException', `The reserved concurrency of ${functionName} is 0.`);
      }
      if (await keys.usable(region, keyArns.get(functionName))) return undefined;
      return new RefusedError(502, 'KMSDisabledException', `The key of the environment of ${functionName} is not enabled.`);
    },
  };
}
