/** After all tests: what did not run, and why. A green run that left half of it out must not look like a whole one. */
import { relative } from 'node:path';
import { noEmulator, wantsEmulator } from './left-out.ts';

/** What is read of jest's AggregatedResult. https://jestjs.io/docs/configuration#custom-reporters */
interface Results {
  readonly testResults: readonly {
    readonly testFilePath: string;
    readonly testResults: readonly { readonly status: string; readonly fullName: string; readonly ancestorTitles: readonly string[]; readonly title: string }[];
  }[];
}

interface Asked {
  readonly rootDir: string;
  /** Of `-t`: who asks for some tests has not left out the others. */
  readonly testNamePattern?: string;
}

const rule = '='.repeat(100);

export default class LeftOutReporter {
  readonly #asked: Asked;

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  onRunComplete(_contexts: unknown, results: Results): void {
    const text = leftOut(results, this.#asked, process.env[noEmulator]);
    // Jest prints its own summary after every other reporter.
    if (text) process.once('exit', () => process.stderr.write(text));
  }
}

export function leftOut({ testResults }: Results, { rootDir, testNamePattern }: Asked, why: string | undefined): string | undefined {
  const asked = new RegExp(testNamePattern ?? '', 'i');
  const skipped = testResults.flatMap(({ testFilePath, testResults: tests }) =>
    tests.filter(({ status, fullName }) => status === 'pending' && asked.test(fullName)).map((test) => ({ file: relative(rootDir, testFilePath), ...test })),
  );
  if (skipped.length === 0) return undefined;
  const forEmulator = ({ ancestorTitles }: (typeof skipped)[number]) => ancestorTitles.some((title) => title.endsWith(wantsEmulator));
  const suites = Map.groupBy(skipped, (test) => {
    const name = forEmulator(test) ? test.ancestorTitles[0]!.replace(wantsEmulator, '') : test.fullName;
    return `${name} (${test.file}): ${forEmulator(test) ? 'no AWS emulator' : 'skipped by a condition in the file'}`;
  });
  return [
    '',
    rule,
    `NOT EVERYTHING RAN: ${skipped.length} tests were left out.`,
    ...[...suites].map(([suite, tests]) => `  ${suite}, ${tests.length} tests`),
    ...(why && skipped.some(forEmulator) ? [`Why: ${why}`] : []),
    rule,
    '',
  ].join('\n');
}
