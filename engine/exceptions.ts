/** Exceptions that people make while the bot runs: dated, with reason and person, beside those of the policy file. */
import { randomUUID } from 'node:crypto';
import { RetryLaterError } from './errors.ts';
import { findingKey } from './finding.ts';
import type { ResourceRef } from './model.ts';
import type { CompiledException } from './policy/model.ts';
import type { Ledger, Ports } from './ports.ts';

/** For one control on one resource. */
export interface MadeException {
  readonly control: string;
  readonly resource: ResourceRef;
  readonly reason: string;
  /** Name in the policy's `people`. */
  readonly approvedBy: string;
  /** Last day it holds, `YYYY-MM-DD`, UTC. */
  readonly expires: string;
  /** The finding that it came from. */
  readonly findingId: string;
  /** ISO 8601. */
  readonly at: string;
}

/** One document: there are few of them, and one read must tell. */
interface Document {
  readonly exceptions: readonly MadeException[];
}

/** Days that one may last. */
export const longestException = 90;

/** Kept so long after they have ended, so that reports can name them. Milliseconds. */
const keptMs = 400 * 86_400_000;

export const madeExceptions = async (ledger: Pick<Ledger, 'recall'>): Promise<readonly MadeException[]> =>
  (await ledger.recall<Document>('exceptions'))?.exceptions ?? [];

const sameKey = (one: Pick<MadeException, 'control' | 'resource'>, other: Pick<MadeException, 'control' | 'resource'>): boolean =>
  findingKey(one) === findingKey(other);

/** The exception that holds for this control on this resource today. */
export async function madeFor(
  control: string,
  resource: ResourceRef,
  { ledger, clock }: { readonly ledger: Pick<Ledger, 'recall'>; readonly clock: Pick<Ports['clock'], 'now'> },
): Promise<CompiledException | undefined> {
  const today = clock.now().toISOString().slice(0, 10);
  const found = (await madeExceptions(ledger)).find((made) => made.expires >= today && sameKey(made, { control, resource }));
  return found && { resource: resource.id, reason: found.reason, approvedBy: found.approvedBy, expires: found.expires };
}

/** Keeps them; one that holds for the same control and resource is replaced. */
export const except = (made: readonly MadeException[], ports: Pick<Ports, 'ledger' | 'clock'>): Promise<void> =>
  changeAll(ports, (all) => [...all.filter((other) => !made.some((one) => sameKey(other, one))), ...made]);

/** Takes back what came with a finding. */
export const unexcept = (findingId: string, ports: Pick<Ports, 'ledger' | 'clock'>): Promise<void> =>
  changeAll(ports, (all) => all.filter((other) => other.findingId !== findingId));

/** Several undos at a time wait for each other: each holds the document for a moment. Milliseconds. */
const pauses = [50, 100, 250, 500, 1_000, 1_000, 2_000];

async function changeAll(
  { ledger, clock }: Pick<Ports, 'ledger' | 'clock'>,
  change: (all: readonly MadeException[]) => readonly MadeException[],
): Promise<void> {
  const owner = randomUUID();
  let lease = await ledger.lease('exceptions', owner, 30);
  for (const pause of pauses) {
    if (lease) break;
    await clock.sleep(pause * (1 + Math.random()));
    lease = await ledger.lease('exceptions', owner, 30);
  }
  if (!lease) throw new RetryLaterError('the exceptions are being written by another process', 5);
  try {
    const oldest = new Date(clock.now().getTime() - keptMs).toISOString().slice(0, 10);
    const exceptions = change(await madeExceptions(ledger)).filter(({ expires }) => expires >= oldest);
    await ledger.remember('exceptions', { exceptions } satisfies Document, lease);
  } finally {
    await ledger.release(lease);
  }
}
