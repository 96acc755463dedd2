/** Findings about the bot itself. They have no control in the catalogue, but the same ledger, evidence and alerts as any other. */
import { randomUUID } from 'node:crypto';
import type { Told } from './alerts/finding.ts';
import { ConflictError } from './errors.ts';
import { opened, resolved, step } from './finding.ts';
import {
  type Decision,
  type Evaluation,
  type Finding,
  type OutcomeStatus,
  type Place,
  type ResourceRef,
  type Severity,
  severities,
  type Trigger,
} from './model.ts';
import type { Ports } from './ports.ts';
import { endTold, tell } from './tell.ts';

export interface OwnControl extends Told {
  readonly id: string;
  readonly severity: Severity;
}

const activityReview = {
  section: '164.308(a)(1)(ii)(D)',
  specification: 'required',
  rationale: 'What the bot cannot see, nobody reviews.',
} as const;

export const botPermissions: OwnControl = {
  id: 'bot-permissions',
  title: 'The bot may read what its controls judge',
  severity: 'HIGH',
  hipaa: [activityReview],
  impact: 'Until the permission is back, the resources behind it are not watched.',
};

export const botBrakes: OwnControl = {
  id: 'bot-brakes',
  title: 'The bot fixes no more than its guards allow',
  severity: 'HIGH',
  hipaa: [{ section: '164.308(a)(6)(ii)', specification: 'required', rationale: 'A storm of drift is an incident that a person must look at.' }],
  impact: 'Further drift waits for a person.',
};

const ownControls = [botPermissions, botBrakes];
export const ownControl = (id: string): OwnControl | undefined => ownControls.find((own) => own.id === id);

/** What an alert needs of a control that is no longer, or not yet, in the catalogue. */
export const unknownControl = (id: string): OwnControl => ({ id, title: id, severity: severities[0]!, hipaa: [], impact: '' });

interface Raised {
  readonly resource: ResourceRef;
  readonly fold: string;
  readonly evaluation: Evaluation;
  readonly decision: Decision;
  /** What is kept of an earlier raising together with this one; undefined = nothing changes. */
  more(open: Finding | undefined): Partial<Finding> | undefined;
}

type Telling = Pick<Ports, 'ledger' | 'clock' | 'alert'>;
const attempts = 20;

/** Opens the finding and tells of it; while it is open, only what is new is noted. Safe to repeat. */
export async function raise(
  own: OwnControl,
  { resource, fold, evaluation, decision, more }: Raised,
  by: 'detect' | 'remediate',
  ports: Telling,
): Promise<Finding> {
  const { ledger, clock } = ports;
  const key = { control: own.id, resource, fold };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const at = clock.now().toISOString();
      const [standing] = await ledger.lookup([{ ...key, eventId: 'own' }]);
      const { last } = standing!;
      if (last?.state === 'open') {
        const changes = more(last);
        if (!changes) return await told(last);
        const next = step(last, { ...changes, lastSeenAt: at, seen: last.seen + 1 }, { kind: 'SEEN', by, at, note: evaluation.annotation });
        await ledger.save(next.finding, next.entry);
        return await told(next.finding);
      }
      const first = opened(key, own, { actor: undefined, evaluation, decision, proposal: undefined, fixNotBefore: undefined }, noticed(resource, at), last, at);
      const finding = { ...first.finding, ...more(undefined) };
      await ledger.open(finding, { ...first.entry, by });
      return await told(finding);
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === attempts) throw error;
      await clock.sleep(Math.random() * 50 * attempt);
    }
  }

  /** While another process tells of it, it is as good as told: it will not be done before its event is. */
  async function told(finding: Finding): Promise<Finding> {
    return (await tell(finding, own, by, ports)) ?? finding;
  }
}

/** Ends it and tells those who heard of it. */
export async function lift(finding: Finding, reason: string, ports: Telling, status: OutcomeStatus = 'COMPLIANT'): Promise<void> {
  const at = ports.clock.now().toISOString();
  const ended = resolved(finding, status === 'COMPLIANT' ? { complianceType: 'COMPLIANT', annotation: reason } : undefined, { status, reason, at }, 'detect');
  try {
    await endTold(ended, ownControl(finding.control) ?? unknownControl(finding.control), ports);
  } catch (error) {
    if (error instanceof ConflictError) await tellAnew(finding.id, ports);
    throw error;
  }
}

/** It has come up again while its end was told: whoever comes by tells that it is there. */
async function tellAnew(findingId: string, { ledger, clock }: Telling): Promise<void> {
  const open = await ledger.get(findingId);
  if (open?.state !== 'open') return;
  const at = clock.now().toISOString();
  const next = step(open, { alerted: undefined }, { kind: 'SEEN', by: 'detect', at, note: 'It was told as ended, and has come up again.' });
  await ledger.save(next.finding, next.entry);
}

const noticed = ({ accountId, region }: Place, time: string): Trigger => ({ source: 'tick', eventId: randomUUID(), time, accountId, region });
