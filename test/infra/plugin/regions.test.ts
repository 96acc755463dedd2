import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { CompiledPolicy } from '../../../engine/policy/model.ts';
import { inEach, wantedRegions } from '../../../infra/plugin/regions.ts';

describe('where a forwarder belongs', () => {
  const enabled = ['eu-west-1', 'us-east-1', 'us-east-2'];
  const cases: Record<string, [watch: CompiledPolicy['watch'], forwarders: string[], unreached: string[]]> = {
    'all: every enabled region but home': ['all', ['eu-west-1', 'us-east-1'], []],
    'a list: these alone': [['us-east-1', 'us-east-2'], ['us-east-1'], []],
    'a list without home: home is there anyway': [['us-east-1'], ['us-east-1'], []],
    'home alone': [['us-east-2'], [], []],
    'a region that is switched off is told': [['us-east-1', 'ap-east-1'], ['us-east-1'], ['ap-east-1']],
  };
  test.each(Object.entries(cases))('%s', (_, [watch, forwarders, unreached]) => {
    const wanted = wantedRegions({ watch }, enabled, 'us-east-2');
    expect(wanted.forwarders).toEqual(forwarders);
    expect(Object.keys(wanted.unreached)).toEqual(unreached);
  });
});

describe('in each region', () => {
  test('a refusal is the answer of its region; the rest goes on, in order', async () => {
    const answers = await inEach(['a', 'b', 'c'], async (region) => {
      if (region === 'b') throw new Error('no');
      await pause(region === 'a' ? 20 : 0);
      return region.toUpperCase();
    });
    expect([...answers]).toEqual([
      ['a', 'A'],
      ['b', new Error('no')],
      ['c', 'C'],
    ]);
  });

  test('at most four at once', async () => {
    let now = 0;
    let most = 0;
    await inEach(
      Array.from({ length: 17 }, (_, index) => `region-${index}`),
      async () => {
        now += 1;
        most = Math.max(most, now);
        await pause(5);
        now -= 1;
      },
    );
    expect(most).toBe(4);
  });
});
