/** How long it takes to verify evidence: chains, digests and signatures, from text that is at hand. */
import { verifyEvidence } from '../engine/evidence/verify.ts';
import { bucketOf, chainOf, digestsOf, headOf, materialOf } from '../test/support/chains.ts';

export interface Verified {
  readonly entries: number;
  readonly digests: number;
  readonly megabytes: number;
  /** One a round. */
  readonly seconds: readonly number[];
}

/** Findings of twenty entries each, a tenth of them signed in each hour. */
export async function verifying({ entries, rounds }: { readonly entries: number; readonly rounds: number }): Promise<Verified> {
  const chains = Array.from({ length: entries / 20 }, (_, index) => chainOf(`bucket-${index}`, 20));
  const hours = Array.from({ length: 10 }, (_, hour) => chains.filter((_, index) => index % 10 === hour).map((chain) => headOf(chain)));
  const bucket = bucketOf(chains.flat(), digestsOf(hours));
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    const { sound, entries: found, faults } = await verifyEvidence(materialOf(bucket));
    seconds.push((performance.now() - start) / 1_000);
    if (!sound || found !== entries) throw new Error(`not sound: ${JSON.stringify(faults.slice(0, 3))}`);
  }
  const bytes = [...bucket.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return { entries, digests: hours.length, megabytes: bytes / 1e6, seconds };
}
