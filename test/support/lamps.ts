/** Alerts about the lamp, as the channels are told them. */
import type { Alert } from '../../engine/alerts/alert.ts';
import type { Context } from '../../engine/alerts/delivery.ts';
import { alertOf, type Told } from '../../engine/alerts/finding.ts';
import type { Finding } from '../../engine/model.ts';
import { control, finding, type Life, lives, named } from './findings.ts';

export const context: Context = { stack: 'phidelity-prod', region: 'us-east-1', accountName: 'clinic' };

export const told = (changes: Partial<Finding>, more: Partial<Told> = {}): Alert => alertOf(finding(changes), { ...control, undo: true, ...more });
export const alertIn = (life: Life, changes: Partial<Finding> = {}): Alert => told({ ...lives[life], ...changes });
/** The same life, where strangers have written the name. */
export const alertNamed = (life: Life, name: string): Alert => told(named(name, lives[life]));

/** About no finding: a digest. */
export const digest = (lines = 3): Alert => ({
  id: 'digest:2026-11-01:👩‍👩‍👧 and more',
  urgency: 'notify',
  severity: 'LOW',
  accountId: '123456789012',
  status: 'DIGEST',
  title: 'What stands',
  headline: 'Daily digest',
  subject: '[LOW] Daily digest',
  lines: Array.from({ length: lines }, (_, nth) => ({ label: 'Open', value: `${nth}: ${'x'.repeat(400)}` })),
  hipaa: [],
});
