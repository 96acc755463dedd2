/** What docs/evidence.md says to do by hand, done, with the tools that it names. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { bucketOf, chainOf, digestsOf, headOf, publicKey } from '../../support/chains.ts';

const tools = ['jq', 'openssl', 'sha256sum'];
const there = tools.every((tool) => spawnSync(tool, ['--version']).error === undefined);
if (!there && process.env.CI === 'true') throw new Error(`one of ${tools.join(', ')} is not on the PATH`);
const testWithTools = there ? test : test.skip;

const chain = chainOf('records', 3);
const finding = chain[0]!.findingId;
const section = readFileSync('docs/evidence.md', 'utf8').split('## By hand')[1]!;
const script = /```sh\n([\s\S]*?)```/.exec(section)![1]!.replaceAll('FINDING', finding);

let folder: string;
const stored = () => bucketOf(chain, digestsOf([[headOf(chain.slice(0, 2))], [headOf(chain, 2)]]));
const write = (bucket: ReadonlyMap<string, string>) => {
  for (const [key, text] of bucket) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), text);
  }
};
const said = () =>
  execFileSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0]!);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'by-hand-'));
  writeFileSync(join(folder, 'key.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
});
afterEach(() => rmSync(folder, { recursive: true }));

testWithTools('hashes, links and signature come out as they are told', () => {
  write(stored());
  const [hash, told, prev, before, previous, digest, verdict] = said();
  expect([hash, prev, previous]).toEqual([told, before, digest]);
  expect(verdict).toBe('Verified');
});

testWithTools('and otherwise when something was changed', () => {
  write(stored());
  const [entry, digest] = [`entries/${finding}/000000002.json`, 'digests/000000002.json'].map((key) => join(folder, key)) as [string, string];
  writeFileSync(entry, readFileSync(entry, 'utf8').replace('Still on.', 'Still off.'));
  writeFileSync(digest, readFileSync(digest, 'utf8').replace('"number":2', '"number":3'));
  const run = spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' });
  const [hash, told] = run.stdout.split('\n').map((line) => line.split(' ')[0]);
  expect(hash).not.toBe(told);
  expect(run.stdout).toContain('Verification failure');
});
