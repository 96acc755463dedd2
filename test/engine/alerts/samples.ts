/** Alerts, channels and findings for the tests of what is told when. */
import type { Alert, AlertFinding } from '../../../engine/alerts/alert.ts';
import { opened, step } from '../../../engine/finding.ts';
import type { Finding, Severity, Trigger } from '../../../engine/model.ts';
import type { CompiledChannel, CompiledPolicy } from '../../../engine/policy/model.ts';
import type { Ledger } from '../../../engine/ports.ts';
import { accountId, lampArn, policyOf, region } from '../../support/world.ts';

export const sns = (parts: Partial<CompiledChannel> = {}): CompiledChannel =>
  ({ sns: true, pages: false, minSeverity: 'INFORMATIONAL', timezone: 'UTC', ...parts }) as CompiledChannel;

/** The same, by another way out. */
export const by = (way: object, parts: Partial<CompiledChannel> = {}): CompiledChannel => {
  const { sns: _, ...rest } = sns(parts) as CompiledChannel & { sns: true };
  return { ...rest, ...way } as CompiledChannel;
};
export const slack = (parts: Partial<CompiledChannel> = {}) => by({ slackApp: { token: 'ssm:/t', signingSecret: 'ssm:/s', channel: 'C012' } }, parts);
export const pagerDuty = (parts: Partial<CompiledChannel> = {}) => by({ pagerDuty: 'ssm:/p' }, parts);
export const hub = (parts: Partial<CompiledChannel> = {}) => by({ securityHub: true }, parts);

export const withChannels = (channels: CompiledPolicy['channels']): CompiledPolicy => ({
  ...policyOf({ 'lamp-off': {}, 'root-call': { mode: 'page' } }),
  channels,
});

interface AlertParts extends Partial<Omit<Alert, 'finding'>> {
  readonly name?: string;
  readonly version?: number;
  readonly tags?: Record<string, string>;
  readonly finding?: undefined;
}

/** A notification of a drift of severity HIGH. */
export function alert({ name = 'hall', version = 1, tags = {}, ...parts }: AlertParts = {}): Alert {
  const id = `f-${name}`;
  const finding: AlertFinding = {
    id,
    version,
    state: 'open',
    episode: 1,
    resource: { id: lampArn(name), name, type: 'AWS::Lamp::Lamp', region },
    complianceType: 'NON_COMPLIANT',
    verified: false,
    confirmed: false,
    openedAt: '2026-11-01T03:00:00.000Z',
    at: '2026-11-01T03:00:00.000Z',
    differences: [],
    answers: [],
    tags,
  };
  return {
    id: `${id}:${version}`,
    urgency: 'notify',
    severity: 'HIGH',
    control: 'lamp-off',
    accountId,
    status: 'NOTIFIED',
    title: 'Lamps are off',
    headline: 'Drift',
    subject: `[HIGH] Drift: lamp-off on ${name}`,
    lines: [],
    hipaa: ['164.312(a)(1)'],
    finding,
    ...parts,
  };
}

/** About many: no finding, no control. */
export const about = (parts: Partial<Alert> = {}): Alert => {
  const { finding: _, control: __, ...rest } = alert();
  return { ...rest, id: 'about-many', ...parts };
};

interface FindingParts extends Partial<Finding> {
  readonly name?: string;
  readonly toldAt?: string;
}

/** Opens it in the ledger, and notes at `toldAt` that the channels know of it. */
export async function given(ledger: Ledger, { name = 'hall', control = 'lamp-off', severity = 'CRITICAL', toldAt, ...parts }: FindingParts): Promise<Finding> {
  const resource = { accountId, region, type: 'AWS::Lamp::Lamp', id: lampArn(name) };
  const at = parts.openedAt ?? '2026-11-01T03:00:00.000Z';
  const trigger: Trigger = { source: 'sweep', control, began: at, eventId: `e-${name}`, time: at, accountId, region };
  const verdict = {
    actor: undefined,
    evaluation: { complianceType: 'NON_COMPLIANT' as const, annotation: 'The lamp is on.' },
    decision: { action: 'notify' as const, reason: 'The policy says notify.' },
    proposal: undefined,
    fixNotBefore: undefined,
  };
  const first = opened({ control, resource }, { severity: severity as Severity }, verdict, trigger, undefined, at);
  await ledger.open(first.finding, first.entry);
  const next = step(
    first.finding,
    { ...(toldAt && { alerted: 'told' }), ...parts },
    { kind: toldAt ? 'ALERTED' : 'SEEN', by: 'detect', at: toldAt ?? at, note: '' },
  );
  await ledger.save(next.finding, next.entry);
  return next.finding;
}

export async function changed(
  ledger: Ledger,
  { id }: Pick<Finding, 'id'>,
  changes: Partial<Finding>,
  at: string,
  kind: 'SEEN' | 'ALERTED' = 'SEEN',
): Promise<void> {
  const next = step((await ledger.get(id))!, changes, { kind, by: 'detect', at, note: '' });
  await ledger.save(next.finding, next.entry);
}
