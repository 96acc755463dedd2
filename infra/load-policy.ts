/** The policy file that a command of this project names, compiled. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nearest } from '../cli/nearest.ts';
import { type LoadedPolicy, loadPolicy } from '../engine/policy/load.ts';
import { catalogue } from '../remediations/index.ts';

export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * @param file relative to the project, or absolute
 * @throws PolicyError with every fault
 */
export const loadProjectPolicy = (file: string, now: Date): Promise<LoadedPolicy> =>
  loadPolicy({
    file: relative(projectRoot, resolve(projectRoot, file)),
    read: (path) => {
      const full = resolve(projectRoot, path);
      return existsSync(full) ? readFileSync(full, 'utf8') : undefined;
    },
    catalogue,
    today: now.toISOString().slice(0, 10),
    baseline: join('policies', 'hipaa.yaml'),
    nearest,
  });
