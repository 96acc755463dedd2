/** What brings evidence to the bucket, in memory: with deaths at every call, doubles, and another process in between. */
import { sign } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digestObject, entryObject } from '../../../engine/evidence/form.ts';
import { unchained } from '../../../engine/evidence/seal.ts';
import { type EvidencePorts, type Mark, signEvidence, storeEntries } from '../../../engine/evidence/store.ts';
import { verifyEvidence } from '../../../engine/evidence/verify.ts';
import type { Entry } from '../../../engine/model.ts';
import { type Bucket, chainOf, keyArn, materialOf, privateKey } from '../../support/chains.ts';
import { memoryLedger, testClock } from '../../support/ledger-model.ts';

class Death extends Error {}

interface World {
  readonly bucket: Bucket;
  readonly marks: Map<string, Mark>;
  readonly ports: EvidencePorts;
  readonly clock: ReturnType<typeof testClock>;
  /** Dies after so many writes from now on, the last one done or not. */
  dieAt(calls: number, done: boolean): void;
}

const world = (): World => {
  const bucket: Bucket = new Map();
  const marks = new Map<string, Mark>();
  const clock = testClock();
  const ledger = memoryLedger(clock);
  let left = Number.POSITIVE_INFINITY;
  let halfWay = false;
  const write = <Result>(work: () => Result): Result => {
    left -= 1;
    if (left > 0) return work();
    left = Number.POSITIVE_INFINITY;
    if (halfWay) work();
    throw new Death();
  };
  return {
    bucket,
    marks,
    clock,
    dieAt(calls, done) {
      [left, halfWay] = [calls, done];
    },
    ports: {
      clock,
      store: {
        add: async (key, text) =>
          write(() => {
            if (bucket.has(key)) return false;
            bucket.set(key, text);
            return true;
          }),
        read: async (key) => bucket.get(key),
      },
      marks: {
        note: async (mark) =>
          write(() => {
            const known = marks.get(mark.id);
            if (!known || known.length < mark.length) marks.set(mark.id, { ...mark, after: known?.after ?? mark.after, oldest: known?.oldest ?? mark.oldest });
          }),
        async *pending() {
          yield* [...marks.values()];
        },
        signed: async ({ id, length }) =>
          write(() => {
            const known = marks.get(id);
            if (known && known.length <= length) marks.delete(id);
            else if (known && known.after < length) marks.set(id, { ...known, after: length });
          }),
      },
      signer: { keyArn, sign: async (text) => sign('sha256', Buffer.from(text), privateKey).toString('base64') },
      ledger: { ...ledger, remember: (key, document) => write(() => ledger.remember(key, document)) },
    },
  };
};

const verify = ({ bucket }: World) => verifyEvidence(materialOf(bucket));
const [one, two] = [chainOf('records', 6), chainOf('archive', 4)];
const id = one[0]!.findingId;

describe('entries', () => {
  test('lie under their finding and number; what is there already stays', async () => {
    const { ports, bucket, marks } = world();
    await storeEntries(one.slice(0, 3), ports);
    expect([...bucket.keys()]).toEqual([1, 2, 3].map((seq) => entryObject(id, seq)));
    expect(bucket.get(entryObject(id, 1))).not.toContain('salt');
    const before = new Map(bucket);
    await storeEntries([{ ...one[1]!, note: 'Nothing happened.' }], ports);
    expect(bucket).toEqual(before);
    expect([...marks.values()]).toEqual([{ id, length: 3, hash: one[2]!.hash, after: 0, oldest: one[0]!.at }]);
  });

  test('older than the chain are left where they are', async () => {
    const { ports, bucket } = world();
    await storeEntries([{ ...one[0]!, prev: unchained, hash: unchained }], ports);
    expect(bucket.size).toBe(0);
  });
});

describe('digests', () => {
  test('each signs what has come since the last one; an empty hour is signed too', async () => {
    const at = world();
    await storeEntries(one.slice(0, 2), at.ports);
    await storeEntries(two, at.ports);
    expect(await signEvidence(at.ports)).toMatchObject({
      number: 1,
      previous: null,
      oldest: one[0]!.at,
      findings: [{ length: 4 }, { length: 2 }].toReversed(),
    });
    at.clock.pass(3_600);
    await storeEntries(one.slice(2), at.ports);
    expect(await signEvidence(at.ports)).toMatchObject({ number: 2, findings: [{ id, after: 2, length: 6, hash: one[5]!.hash }] });
    at.clock.pass(3_600);
    expect(await signEvidence(at.ports)).toMatchObject({ number: 3, oldest: null, findings: [] });
    expect(await verify(at)).toMatchObject({ sound: true, tail: { entries: 0 }, digests: { first: 1, last: 3 } });
  });

  test('what comes while one is being signed is for the next', async () => {
    const at = world();
    await storeEntries(one.slice(0, 2), at.ports);
    const signer = {
      keyArn,
      sign: async (text: string) => {
        await storeEntries(one.slice(2, 4), at.ports);
        return at.ports.signer.sign(text);
      },
    };
    expect(await signEvidence({ ...at.ports, signer })).toMatchObject({ findings: [{ length: 2 }] });
    expect([...at.marks.values()]).toMatchObject([{ after: 2, length: 4 }]);
    expect(await signEvidence(at.ports)).toMatchObject({ findings: [{ after: 2, length: 4 }] });
    expect(await verify(at)).toMatchObject({ sound: true, tail: { entries: 0 } });
  });

  test('two at once: one waits for another time', async () => {
    const at = world();
    const results = await Promise.allSettled([signEvidence(at.ports), signEvidence(at.ports)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(at.bucket.has(digestObject(2))).toBe(false);
  });

  test('one who has lost the lease stores nothing over the other’s', async () => {
    const at = world();
    const late = {
      keyArn,
      sign: async (text: string) => {
        at.clock.pass(200);
        await signEvidence(at.ports);
        return at.ports.signer.sign(text);
      },
    };
    await expect(signEvidence({ ...at.ports, signer: late })).rejects.toThrow('somebody else has stored digest 1');
    expect(await signEvidence(at.ports)).toMatchObject({ number: 2 });
    expect(await verify(at)).toMatchObject({ sound: true });
  });
});

type Act = { readonly entries: readonly Entry[] } | 'sign';

test('whatever dies, and is done again, ends sound and signed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.boolean(), fc.integer({ min: 1, max: 5 }), async (calls, done, cut) => {
      const at = world();
      const acts: Act[] = [{ entries: one.slice(0, cut) }, 'sign', { entries: two }, 'sign', { entries: one.slice(cut) }, 'sign', 'sign'];
      at.dieAt(calls, done);
      for (const act of acts) {
        const run = () => (act === 'sign' ? signEvidence(at.ports) : storeEntries(act.entries, at.ports));
        await run().catch(async (error: unknown) => {
          if (!(error instanceof Death)) throw error;
          // Longer than the lease of who has died.
          at.clock.pass(200);
          await run();
        });
      }
      expect(await verify(at)).toMatchObject({ sound: true, entries: 10, tail: { entries: 0 } });
    }),
    { numRuns: 200 },
  );
});
