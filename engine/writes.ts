/** Who wrote a setting of a resource, in order: what was written last must be undone first. */
import { resourceKey } from './finding.ts';
import { type Change, change, type Finding, type ResourceRef } from './model.ts';
import type { Lease, Ledger, MemoKey } from './ports.ts';

/** Ids of findings whose fix wrote the setting, the earliest first. An index: what they wrote, and whether it stands, the findings tell. */
interface Document {
  readonly findings: readonly string[];
}

/** More than these a document cannot hold; the oldest are forgotten. */
const most = 200;

const keyOf = (resource: ResourceRef, setting: string): MemoKey => `writes|${resourceKey(resource)}|${setting}`;

/** To be called under the lease of the setting, before the write is intended. */
export async function noteWriter({ id, resource }: Pick<Finding, 'id' | 'resource'>, settings: readonly string[], lease: Lease, ledger: Ledger): Promise<void> {
  for (const setting of settings) {
    const key = keyOf(resource, setting);
    const { findings } = (await ledger.recall<Document>(key)) ?? { findings: [] };
    if (findings.at(-1) !== id)
      await ledger.remember(key, { findings: [...findings.filter((other) => other !== id), id].slice(-most) } satisfies Document, lease);
  }
}

/** What the bot wrote for a finding, the latest first, and has not taken back. */
export const standing = ({ changes, intended }: Finding) =>
  [...changes, ...(intended ? [intended] : [])].filter(({ refused, undoneAt }) => !refused && !undoneAt).toReversed();

/** Findings whose fixes wrote the same settings of the same resource later, and still stand; the latest first. */
export async function laterWriters({ id, resource }: Pick<Finding, 'id' | 'resource'>, settings: readonly string[], ledger: Ledger): Promise<Finding[]> {
  const later = new Set<string>();
  for (const setting of settings) {
    const { findings } = (await ledger.recall<Document>(keyOf(resource, setting))) ?? { findings: [] };
    const at = findings.indexOf(id);
    for (const other of findings.slice(at + 1)) if (other !== id) later.add(other);
  }
  const found = await Promise.all([...later].reverse().map((other) => ledger.get(other)));
  return found.filter((finding) => finding !== undefined && standing(finding).length > 0) as Finding[];
}

/** What all writes of a finding together come to, taken back. */
export function undoOf(finding: Finding): Change | undefined {
  const writes = standing(finding);
  const [last] = writes;
  const first = writes.at(-1);
  if (!last || !first) return undefined;
  return change({ action: last.change.action, summary: `Take back: ${last.change.summary}`, before: last.change.after, after: first.change.before });
}
