import { expect, test } from '@jest/globals';
import { covers, holds } from '../../engine/settings.ts';

test.each<[string, unknown, unknown, boolean]>([
  ['the same list', [{ a: 1 }, { b: 2 }], [{ b: 2 }, { a: 1 }], true],
  ['what is left of a list', [{ a: 1 }, { b: 2 }], [{ b: 2 }], true],
  ['nothing left', [{ a: 1 }], [], true],
  ['an entry that came later', [{ a: 1 }], [{ a: 1 }, { c: 3 }], false],
  ['lists in a map', { in: [1, 2], out: [3] }, { in: [2], out: [] }, true],
  ['another entry in a list of a map', { in: [1], out: [] }, { in: [], out: [4] }, false],
  ['half of a block', { x: false, y: false }, { x: true, y: false }, true],
  ['an absolute value', 'off', 'half', true],
])('a begun change covers the plan: %s', (_, begun, plan, is) => expect(covers(begun, plan)).toBe(is));

test.each<[string, unknown, unknown, boolean]>([
  ['the same', { on: true }, { on: true }, true],
  ['another value', { on: false }, { on: true }, false],
  ['more entries', [1, 2, 3], [2], true],
  ['an entry missing', [1], [1, 2], false],
])('a setting holds what was: %s', (_, setting, was, is) => expect(holds(setting, was)).toBe(is));
