/** The leases of everything that a control writes on a resource: who holds them is alone at it. */
import { randomUUID } from 'node:crypto';
import type { AnyStateControl } from './control.ts';
import { resourceKey } from './finding.ts';
import type { Finding } from './model.ts';
import type { Lease, Ports } from './ports.ts';

/** Undefined: somebody else holds one of them. */
export async function withLeases<Result>(
  control: AnyStateControl,
  finding: Finding,
  { ports, leaseSeconds }: { readonly ports: Pick<Ports, 'ledger'>; readonly leaseSeconds: number },
  work: (leases: readonly [Lease, ...Lease[]]) => Promise<Result>,
): Promise<Result | undefined> {
  const owner = `${finding.id}:${randomUUID()}`;
  const held: Lease[] = [];
  try {
    // In one order for everybody, so that two fixes never hold what the other waits for.
    for (const setting of [...control.writes].sort()) {
      const lease = await ports.ledger.lease(`${resourceKey(finding.resource)}|${setting}`, owner, leaseSeconds);
      if (!lease) return undefined;
      held.push(lease);
    }
    return await work(held as unknown as readonly [Lease, ...Lease[]]);
  } finally {
    await Promise.all(held.map((lease) => ports.ledger.release(lease)));
  }
}
