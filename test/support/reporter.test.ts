import { describe, expect, test } from '@jest/globals';
import { wantsEmulator } from './left-out.ts';
import { leftOut } from './reporter.ts';

const one = (status: string, ...titles: string[]) => ({ status, fullName: titles.join(' '), ancestorTitles: titles.slice(0, -1), title: titles.at(-1)! });
const results = (...testResults: ReturnType<typeof one>[]) => ({ testResults: [{ testFilePath: '/project/test/a.test.ts', testResults }] });
const stack = `the stack${wantsEmulator}`;
const all = results(
  one('passed', 'pure', 'runs'),
  one('pending', stack, 'deploys'),
  one('pending', stack, 'removal', 'removes'),
  one('pending', 'the template', 'is linted'),
);

describe('what is told to have been left out', () => {
  test('nothing, when everything ran or failed', () => {
    expect(leftOut(results(one('passed', 'a'), one('failed', 'b')), { rootDir: '/project' }, undefined)).toBeUndefined();
  });

  test('each suite by name, with how many tests and why', () => {
    const text = leftOut(all, { rootDir: '/project' }, 'no Python here')!;
    expect(text).toContain('NOT EVERYTHING RAN: 3 tests were left out.');
    expect(text).toContain('  the stack (test/a.test.ts): no AWS emulator, 2 tests\n');
    expect(text).toContain('  the template is linted (test/a.test.ts): skipped by a condition in the file, 1 tests\n');
    expect(text).toContain('Why: no Python here\n');
  });

  test('with -t, only tests that were asked for', () => {
    const text = leftOut(all, { rootDir: '/project', testNamePattern: 'REMOVES' }, 'no Python here')!;
    expect(text).toContain('1 tests were left out');
    expect(text).not.toContain('is linted');
    expect(leftOut(all, { rootDir: '/project', testNamePattern: 'runs' }, 'no Python here')).toBeUndefined();
  });
});
