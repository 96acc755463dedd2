/** The control files of remediations/, loaded. */
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type AnyControl, isEventControl } from '../../engine/control.ts';

/** How a control was shown to work. */
export type Proof = 'emulator' | 'shaped fake' | 'from the event';

export interface Source {
  /** Folder under remediations/. */
  readonly service: string;
  /** Relative to the project, with `/`. */
  readonly file: string;
  readonly control: AnyControl;
  readonly proof: Proof;
}

export const testOf = (file: string): string => `test/${file.replace(/\.ts$/, '.test.ts')}`;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Every file of a service folder whose default export is a control, by id. Other files there are shared reads. */
export async function controlSources(root: string): Promise<Source[]> {
  const files = globSync('remediations/*/*.ts', { cwd: root }).map((file) => file.replaceAll('\\', '/'));
  const loaded = await Promise.all(
    files.map(async (file) => {
      const { default: control } = (await import(pathToFileURL(join(root, file)).href)) as { default?: AnyControl };
      return control && { service: basename(dirname(file)), file, control, proof: proofOf(control, readIfThere(join(root, testOf(file)))) };
    }),
  );
  return loaded.filter((source) => source !== undefined).sort((a, b) => byText(a.control.id, b.control.id));
}

const proofOf = (control: AnyControl, test: string): Proof => {
  if (isEventControl(control)) return 'from the event';
  return /^\s*fake(?:[:,]|\(\) \{)/m.test(test) ? 'shaped fake' : 'emulator';
};

const readIfThere = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
};
