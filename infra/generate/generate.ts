/** `npm run generate`: writes what can be derived from the controls. With `--check` it writes nothing and names the files that differ. */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyControl, Catalogue } from '../../engine/control.ts';
import { baseline } from './baseline.ts';
import { catalogueIndex, entryOf } from './catalogue-index.ts';
import { controlPage, controlsList } from './control-page.ts';
import { hipaaMatrix } from './hipaa-matrix.ts';
import { policyJsonSchema } from './policy-schema.ts';
import { controlSources, type Source } from './sources.ts';

/** Every generated file by its path in the project. */
export function generated(sources: readonly Source[]): Map<string, string> {
  const catalogue: Catalogue = sources.map((source) => ({ ...entryOf(source), load: async (): Promise<AnyControl> => source.control }));
  return new Map([
    ['remediations/index.ts', catalogueIndex(sources)],
    ['docs/controls/README.md', controlsList(sources)],
    ...sources.map((source): [string, string] => [`docs/controls/${source.control.id}.md`, controlPage(source)]),
    ['docs/hipaa.md', hipaaMatrix(sources)],
    ['policies/hipaa.yaml', baseline(catalogue)],
    ['policies/policy.schema.json', `${JSON.stringify(policyJsonSchema(catalogue), null, 2)}\n`],
  ]);
}

/** Pages of controls that are no more. */
const leftOver = (root: string, files: ReadonlyMap<string, string>): string[] =>
  globSync('docs/controls/*.md', { cwd: root })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !files.has(file));

const differing = (root: string, files: ReadonlyMap<string, string>): string[] =>
  [...files].filter(([file, text]) => !existsSync(join(root, file)) || readFileSync(join(root, file), 'utf8') !== text).map(([file]) => file);

if (import.meta.main) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const files = generated(await controlSources(root));
  const changed = differing(root, files);
  const spare = leftOver(root, files);
  if (process.argv.includes('--check')) {
    for (const file of [...changed, ...spare]) console.error(`${file} is not what \`npm run generate\` makes`);
    process.exitCode = changed.length + spare.length > 0 ? 1 : 0;
  } else {
    for (const file of spare) rmSync(join(root, file));
    for (const file of changed) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), files.get(file)!);
    }
    console.log(`${files.size} files, ${changed.length} written, ${spare.length} removed`);
  }
}
