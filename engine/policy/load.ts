/** From a policy file to a compiled policy, or to every fault at once. Reads through the function it is given. */
import type { Catalogue } from '../control.ts';
import { PolicyError, type PolicyFault } from '../errors.ts';
import { compile } from './compile.ts';
import type { CompiledPolicy } from './model.ts';
import type { PolicyLayer } from './rules.ts';
import { policySchema } from './schema.ts';
import { parseSource } from './source.ts';
import { usableParts } from './usable.ts';
import { explain, hint, type Nearest } from './words.ts';

export interface LoadOptions {
  readonly file: string;
  /** Text of a file; undefined when there is none. */
  readonly read: (path: string) => string | undefined;
  readonly catalogue: Catalogue;
  /** `YYYY-MM-DD`, UTC. */
  readonly today: string;
  /** Path of the file that `extends: hipaa` names. */
  readonly baseline: string;
  /** The word of a list that was probably meant. Default: none. */
  readonly nearest?: Nearest;
}

export interface LoadedPolicy {
  readonly policy: CompiledPolicy;
  readonly warnings: readonly PolicyFault[];
}

const longestChain = 10;

/** A path relative to the folder of a file, without `.` and needless `..`: one file has one name, so that circles are seen. */
function beside(file: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${file.slice(0, file.lastIndexOf('/') + 1)}${path}`).split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..' && parts.at(-1) !== '') parts.pop();
    else if (part !== '.' && (part !== '' || parts.length === 0)) parts.push(part);
  }
  return parts.join('/');
}

/**
 * @throws PolicyError with every fault, those of `file` first.
 */
export async function loadPolicy({ file, read, catalogue, today, baseline, nearest = () => undefined }: LoadOptions): Promise<LoadedPolicy> {
  const faults: PolicyFault[] = [];
  const warnings: PolicyFault[] = [];
  const fault = (found: PolicyFault) => void faults.push(found);
  const layers: PolicyLayer[] = [];
  const chain = [file];
  let complete = true;

  for (let text = read(file), name = file; ; ) {
    if (text === undefined) fault({ file: name, line: 1, column: 1, message: 'there is no such file' });
    const source = text === undefined ? undefined : parseSource(name, text, fault);
    if (!source) {
      complete = false;
      break;
    }
    const parsed = policySchema.safeParse(source.value);
    if (!parsed.success) {
      for (const { path, at, message } of explain(policySchema, source.value, parsed.error.issues, nearest)) fault(source.fault(path, message, at));
    }
    const usable = usableParts(source.value);
    layers.push({ source, usable });
    if (usable.extends === undefined) {
      complete &&= !('extends' in source.value);
      break;
    }

    name = usable.extends === 'hipaa' ? baseline : beside(name, usable.extends);
    const refuse = (message: string) => fault(source.fault(['extends'], message));
    text = chain.includes(name) || chain.length >= longestChain ? undefined : read(name);
    if (chain.includes(name)) refuse(`these files extend each other in a circle: ${[...chain.slice(chain.indexOf(name)), name].join(' -> ')}`);
    else if (chain.length >= longestChain) refuse(`a chain of more than ${longestChain} files that extend each other`);
    else if (text === undefined) refuse(`there is no file ${name}${hint(usable.extends, ['hipaa'], nearest)}`);
    if (text === undefined) {
      complete = false;
      break;
    }
    chain.push(name);
  }

  const policy = await compile(layers, complete, { catalogue, today, nearest, fault, warn: (warning) => void warnings.push(warning) });
  if (!policy || faults.length > 0) throw new PolicyError(inOrder(faults, chain));
  return { policy, warnings: inOrder(warnings, chain) };
}

/** By file, line and column; each once, though several controls may meet the same fault of a pattern. */
function inOrder(faults: readonly PolicyFault[], chain: readonly string[]): PolicyFault[] {
  const unique = new Map(faults.map((found) => [JSON.stringify(found), found]));
  return [...unique.values()].sort((a, b) => chain.indexOf(a.file) - chain.indexOf(b.file) || a.line - b.line || a.column - b.column);
}
