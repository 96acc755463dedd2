/** Durable executions as files, one each, so that they outlive the stand-in. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Execution } from './executions.ts';

export interface ExecutionStore {
  all(): Execution[];
  get(functionName: string, name: string): Execution | undefined;
  byArn(arn: string): Execution | undefined;
  save(execution: Execution): void;
}

export function executionStore(directory: string): ExecutionStore {
  mkdirSync(directory, { recursive: true });
  const executions = new Map<string, Execution>();
  const key = (functionName: string, name: string) => `${functionName}.${name}`;
  for (const file of readdirSync(directory)) {
    if (!file.endsWith('.json')) continue;
    const execution = JSON.parse(readFileSync(join(directory, file), 'utf8')) as Execution;
    executions.set(key(execution.functionName, execution.name), execution);
  }
  return {
    all: () => [...executions.values()],
    get: (functionName, name) => executions.get(key(functionName, name)),
    byArn: (arn) => [...executions.values()].find((execution) => execution.arn === arn),
    save(execution) {
      const id = key(execution.functionName, execution.name);
      executions.set(id, execution);
      // Renamed into place: a reader, or a stand-in killed meanwhile, never sees half a file.
      const file = join(directory, `${id}.json`);
      writeFileSync(`${file}.new`, JSON.stringify(execution));
      renameSync(`${file}.new`, file);
    },
  };
}
