import { describe, expect, test } from '@jest/globals';
import { alertOf } from '../../../engine/alerts/finding.ts';
import { concerns, routedTags, takes } from '../../../engine/alerts/routing.ts';
import { findingOf } from '../../support/ledger-samples.ts';
import { call, lampArn, policyOf, World } from '../../support/world.ts';
import { about, alert, hub, pagerDuty, slack, sns, withChannels } from './samples.ts';

describe('who takes what', () => {
  test.each<[string, Parameters<typeof takes>[0], Parameters<typeof takes>[1], boolean]>([
    ['a notification that is severe enough', sns({ minSeverity: 'HIGH' }), alert(), true],
    ['one that is not', sns({ minSeverity: 'CRITICAL' }), alert(), false],
    ['a page, where pages go, however low', sns({ pages: true, minSeverity: 'CRITICAL' }), alert({ urgency: 'page', severity: 'LOW' }), true],
    ['a page, where none go', sns({ pages: false }), alert({ urgency: 'page', severity: 'CRITICAL' }), false],
    ['a notification, where pages go', sns({ pages: true, minSeverity: 'HIGH' }), alert(), true],
    ['a page to Security Hub: it is a record', hub(), alert({ urgency: 'page' }), true],
    ['a page to Security Hub that is not severe enough', hub({ minSeverity: 'CRITICAL' }), alert({ urgency: 'page' }), false],
    ['a control by a pattern', slack({ only: { controls: ['rds-*', 'lamp-*'] } }), alert(), true],
    ['a control that none matches', slack({ only: { controls: ['rds-*', 'lamp-on'] } }), alert(), false],
    ['about many controls, where some are wanted', slack({ only: { controls: ['*'] } }), about(), false],
    ['about many controls, where none is named', slack({ only: { accounts: ['*'] } }), about(), true],
    ['an account', slack({ only: { accounts: ['1234*'] } }), alert(), true],
    ['another account', slack({ only: { accounts: ['9*'] } }), alert(), false],
    ['a tag', slack({ only: { tags: [{ key: 'team', value: 'ehr' }] } }), alert({ tags: { team: 'ehr' } }), true],
    ['one tag of two', slack({ only: { tags: [{ key: 'team', value: 'lab' }, { key: 'env' }] } }), alert({ tags: { env: 'prod' } }), true],
    ['the tag with another value', slack({ only: { tags: [{ key: 'team', value: 'ehr' }] } }), alert({ tags: { team: 'lab' } }), false],
    ['values are no patterns', slack({ only: { tags: [{ key: 'team', value: 'e*' }] } }), alert({ tags: { team: 'ehr' } }), false],
    ['no tags', slack({ only: { tags: [{ key: 'team' }] } }), alert(), false],
    ['a name that objects have anyway', slack({ only: { tags: [{ key: 'constructor' }] } }), alert(), false],
    ['without a finding there are no tags', slack({ only: { tags: [{ key: 'team' }] } }), about({ control: 'lamp-off' }), false],
    ['all that it names must match', slack({ only: { controls: ['lamp-*'], accounts: ['9*'] } }), alert(), false],
    ['a page, but not of this control', sns({ pages: true, only: { controls: ['rds-*'] } }), alert({ urgency: 'page' }), false],
    ['what is escalated goes its own way', pagerDuty({ pages: true, escalateAfter: 3_600 }), alert({ urgency: 'page', severity: 'CRITICAL' }), false],
  ])('%s', (_, channel, told, taken) => {
    expect(takes(channel, told)).toBe(taken);
  });

  test('what no channel restricts concerns it', () => {
    expect(concerns(sns(), { accountId: '1' })).toBe(true);
  });
});

describe('tags', () => {
  test('those that some channel routes by, each once', () => {
    const only = { tags: [{ key: 'team', value: 'ehr' }, { key: 'env' }] };
    expect(routedTags(withChannels({ a: sns(), b: slack({ only }), c: slack({ only: { tags: [{ key: 'team' }] } }) }))).toEqual(['team', 'env']);
  });

  test('drift keeps them and no others, through later events and into what is told', async () => {
    const world = new World();
    try {
      world.house.lamps.set('hall', { on: true });
      world.tags.set(lampArn('hall'), { team: 'ehr', patient: 'Pat' });
      world.policy = { ...policyOf({ 'lamp-off': { mode: 'page' } }), channels: { ehr: sns({ pages: true, only: { tags: [{ key: 'team' }] } }) } };
      await world.detect(call('SwitchOn', 'hall'));
      await world.detect(call('SwitchOn', 'hall'));
      expect((await world.findings()).map(({ owner, seen }) => ({ owner, seen }))).toEqual([{ owner: { tags: { team: 'ehr' } }, seen: 2 }]);
      expect(world.alerts.map((told) => [told.finding?.tags, takes(world.policy.channels.ehr!, told)])).toEqual([[{ team: 'ehr' }, true]]);
    } finally {
      world.close();
    }
  });

  test('what they say of a person is not told; a channel is asked for the marker', () => {
    const told = alertOf(findingOf({ owner: { tags: { team: 'ehr', contact: 'pat@example.com', mrn: '12345678' } } }), { title: '', impact: '', hipaa: [] });
    expect(told.finding?.tags).toEqual({ team: 'ehr', contact: '[email]', mrn: expect.not.stringContaining('12345678') });
    expect(takes(slack({ only: { tags: [{ key: 'contact', value: '[email]' }] } }), told)).toBe(true);
    expect(takes(slack({ only: { tags: [{ key: 'contact', value: 'pat@example.com' }] } }), told)).toBe(false);
  });
});
