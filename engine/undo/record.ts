import type { AnyStateControl } from '../control.ts';
import { type Attempt, tellOnce } from '../ending.ts';
import { madeExceptions, unexcept } from '../exceptions.ts';
import { step } from '../finding.ts';
import type { EntryKind, Finding } from '../model.ts';
import type { Ports } from '../ports.ts';

/** It does not come about: what the bot wrote stands, as far as it stood. */
export async function withdraw(
  finding: Finding,
  control: AnyStateControl,
  kind: Extract<EntryKind, 'DENIED' | 'EXPIRED' | 'UNDO_FAILED'>,
  reason: string,
  ports: Ports,
): Promise<Attempt> {
  const { state: was, until } = finding.undo!;
  if (was === 'asked') await takeBackException(finding, ports);
  const state = kind === 'UNDO_FAILED' ? 'failed' : 'withdrawn';
  // It may be written in part, so nothing is fixed into it either, until a person has looked.
  const why = was === 'intended' ? `${reason} Its exception stands until ${until}: npx phidelity exceptions end ${finding.id}` : reason;
  const next = await save(
    finding,
    { undo: { ...finding.undo!, state, why, at: ports.clock.now().toISOString() }, question: undefined },
    kind,
    `The undo did not come about: ${why}`,
    ports,
  );
  return tellOnce(next, control, ports);
}

/** An attempt that died right after it made the exception has written nothing else: nothing is to be excepted. */
async function takeBackException({ id, undo }: Finding, ports: Ports): Promise<void> {
  const { by, reason, until } = undo!;
  const made = (await madeExceptions(ports.ledger)).find((one) => one.findingId === id && one.expires === until && one.reason === reason);
  if (made?.approvedBy === by) await unexcept(id, ports);
}

export async function save(finding: Finding, changes: Partial<Finding>, kind: EntryKind, note: string, { ledger, clock }: Ports): Promise<Finding> {
  const next = step(finding, changes, { kind, by: 'remediate', at: clock.now().toISOString(), note });
  await ledger.save(next.finding, next.entry);
  return next.finding;
}
