import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { alone } from '../../../cli/local-stack/lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'phidelity-lock-'));
const link = `${folder}-link`;
symlinkSync(folder, link);

/** Names of the works in the order in which they began and ended. */
async function overlapping(one: string, other: string): Promise<string[]> {
  const seen: string[] = [];
  const work = (name: string) => async () => {
    seen.push(`${name} begins`);
    await pause(50);
    seen.push(`${name} ends`);
  };
  await Promise.all([alone(one, work('one')), alone(other, work('other'))]);
  return seen;
}

test.each([
  ['the same name', folder],
  ['a slash at its end', `${folder}/`],
  ['a relative name', relative(process.cwd(), folder)],
  ['a symbolic link', link],
])('one directory is locked for all who work in it: %s', async (_, other) => {
  const seen = await overlapping(folder, other);
  expect(seen.slice().sort()).toEqual(['one begins', 'one ends', 'other begins', 'other ends']);
  const [first] = seen[0]!.split(' ');
  expect(seen[1]).toBe(`${first} ends`);
});

test('other directories do not wait for each other', async () => {
  expect((await overlapping(folder, mkdtempSync(join(tmpdir(), 'phidelity-lock-')))).slice(0, 2)).toEqual(['one begins', 'other begins']);
});
