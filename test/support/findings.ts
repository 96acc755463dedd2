/** Findings of a control that keeps lamps off, for tests of what is told. */
import { type Actor, change, type Finding, nonCompliant, type RecordedChange } from '../../engine/model.ts';

export const control = {
  title: 'Lamps are off',
  impact: 'It gets dark.',
  hipaa: [
    { section: '164.312(a)(1)', specification: 'standard' as const, rationale: 'Test.' },
    { section: '164.312(e)(2)(ii)', specification: 'addressable' as const, rationale: 'Test.' },
  ],
};
export const at = '2026-11-01T03:00:00.000Z';
export const dana: Actor = {
  arn: 'arn:aws:sts::123456789012:assumed-role/Admin/dana',
  type: 'AssumedRole',
  sourceIp: '192.0.2.1',
  userAgent: 'aws-cli/2.15.30',
};
export const done: RecordedChange = {
  change: change({ action: 'lamp:Switch', summary: 'Switch the lamp off', before: { on: true }, after: { on: false } }),
  intendedAt: at,
  doneAt: at,
};

export const finding = (changes: Partial<Finding> = {}): Finding => ({
  id: 'f-abcdefghijklmnopqrstuvwxyz',
  control: 'lamp-off',
  resource: { accountId: '123456789012', region: 'us-east-1', type: 'AWS::Lamp::Lamp', id: 'arn:aws:lamp:us-east-1:123456789012:lamp/hall' },
  episode: 1,
  version: 1,
  state: 'open',
  severity: 'HIGH',
  openedAt: at,
  openedBy: { eventId: 'e', source: 'cloudtrail', time: at, eventName: 'SwitchOn', actor: dana },
  lastTrigger: { eventId: 'e', source: 'cloudtrail', time: at, eventName: 'SwitchOn', actor: dana },
  actor: dana,
  lastSeenAt: at,
  seen: 1,
  drives: 0,
  evaluation: nonCompliant('The lamp is on.'),
  wrong: 'The lamp is on.',
  decision: { action: 'fix', reason: 'The policy says so.' },
  proposal: 'Switch the lamp off',
  changes: [],
  chain: '',
  ...changes,
});
