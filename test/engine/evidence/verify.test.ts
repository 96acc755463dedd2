import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonical } from '../../../engine/canonical.ts';
import { type Digest, digestObject, entryObject, publicOf, textHash } from '../../../engine/evidence/form.ts';
import type { Report } from '../../../engine/evidence/report.ts';
import { hashOf, unchained } from '../../../engine/evidence/seal.ts';
import { type Material, verifyEvidence } from '../../../engine/evidence/verify.ts';
import type { Entry } from '../../../engine/model.ts';
import { after, type Bucket, began, bucketOf, chainOf, digestsOf, headOf, materialOf, pieces, signed } from '../../support/chains.ts';

const [one, two, three] = ['records', 'archive', 'images'].map((name) => chainOf(name, 6)) as [Entry[], Entry[], Entry[]];
const [first, second] = [one[0]!.findingId, two[0]!.findingId];
/** Of `one` four entries are signed first, then all; of `two` all; `three` has begun since. An hour in between was empty. */
const digests = digestsOf([[headOf(one.slice(0, 4))], [], [headOf(one, 4), headOf(two)]]);
const good = (): Bucket => bucketOf([...one, ...two, ...three.slice(0, 2)], digests);

const verify = (bucket: Bucket, more: Partial<Material> = {}): Promise<Report> => verifyEvidence(materialOf(bucket, more));
const entryAt = (bucket: Bucket, id: string, seq: number): Entry => JSON.parse(bucket.get(entryObject(id, seq))!);
const putEntry = (bucket: Bucket, entry: Omit<Entry, 'raw'>) => bucket.set(entryObject(entry.findingId, entry.seq), canonical(entry));
const putDigest = (bucket: Bucket, digest: Digest) => bucket.set(digestObject(digest.number), canonical(digest));
const sealedAgain = (entry: Entry): Entry => ({ ...entry, hash: hashOf(entry) });

/** From `seq` on everything is made anew with another note, as who may write the bucket could. */
const rehash = (bucket: Bucket, id: string, seq: number, to: number) => {
  let prev = entryAt(bucket, id, seq).prev;
  for (let at = seq; at <= to; at += 1) {
    const entry = sealedAgain({ ...entryAt(bucket, id, at), note: 'Nothing happened.', prev });
    putEntry(bucket, entry);
    prev = entry.hash;
  }
};

describe('evidence as it was stored', () => {
  test('is sound; the unsigned tail and its age are told', async () => {
    expect(await verify(good())).toEqual({
      sound: true,
      faults: [],
      entries: 14,
      findings: 3,
      digests: { first: 1, last: 3, at: after(3 * 3_600) },
      tail: { entries: 2, oldest: after(0) },
      midway: [],
      unchained: [],
      lag: 0,
    });
  });

  test('nothing at all is sound, and signed by nothing', async () => {
    expect(await verify(new Map())).toMatchObject({ sound: true, entries: 0, findings: 0 });
    expect((await verify(new Map())).digests).toBeUndefined();
  });

  test('10,000 entries of 500 findings', async () => {
    const chains = Array.from({ length: 500 }, (_, index) => chainOf(`bucket-${index}`, 20));
    const bucket = bucketOf(chains.flat(), digestsOf([chains.map((chain) => headOf(chain))]));
    expect(await verify(bucket)).toMatchObject({ sound: true, entries: 10_000, findings: 500, tail: { entries: 0, oldest: null } });
  });

  test('a chain that began before evidence was chained is named, and no fault', async () => {
    const [begun, ...rest] = one.slice(2) as [Entry, ...Entry[]];
    const chain = [sealedAgain({ ...begun, prev: unchained })];
    for (const entry of rest) chain.push(sealedAgain({ ...entry, prev: chain.at(-1)!.hash }));
    expect(await verify(bucketOf(chain, digestsOf([[headOf(chain, 2)]])))).toMatchObject({ sound: true, unchained: [first], midway: [] });
  });
});

test('nobody can say of a chain that it is older than it was signed', async () => {
  const bucket = bucketOf(one, digestsOf([[headOf(one.slice(0, 2))]]));
  for (const seq of [1, 2]) bucket.delete(entryObject(first, seq));
  let prev: string = unchained;
  for (const entry of one.slice(2)) {
    const made = sealedAgain({ ...entry, prev });
    putEntry(bucket, made);
    prev = made.hash;
  }
  expect(await verify(bucket)).toMatchObject({ sound: false, faults: [{ kind: 'dropped', finding: first, seq: 1 }], unchained: [] });
});

const sole = (kind: string, where: object) => ({ sound: false, faults: [{ kind, ...where }] });
const forger = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const tampered: Record<string, { do(bucket: Bucket): void; found: object; more?: Partial<Material> }> = {
  'a byte of a word changed': {
    do: (bucket) => bucket.set(entryObject(first, 3), bucket.get(entryObject(first, 3))!.replace('Still on.', 'Still On.')),
    found: sole('changed', { finding: first, seq: 3 }),
  },
  'a byte added between two members': {
    do: (bucket) => bucket.set(entryObject(first, 3), bucket.get(entryObject(first, 3))!.replace(',"', ', "')),
    found: sole('changed', { finding: first, seq: 3 }),
  },
  'a member said twice': {
    do: (bucket) => bucket.set(entryObject(first, 3), bucket.get(entryObject(first, 3))!.replace('{', '{"note":"Nothing happened.",')),
    found: sole('changed', { finding: first, seq: 3 }),
  },
  'an entry that is no JSON any more': { do: (bucket) => bucket.set(entryObject(first, 3), 'gone'), found: sole('changed', { finding: first, seq: 3 }) },
  'an entry dropped': { do: (bucket) => bucket.delete(entryObject(first, 3)), found: sole('dropped', { finding: first, seq: 3 }) },
  'two entries dropped': {
    do: (bucket) => [2, 3].forEach((seq) => void bucket.delete(entryObject(first, seq))),
    found: sole('dropped', { finding: first, seq: 2, says: 'entries 2 to 3 are missing' }),
  },
  'the first entry dropped': { do: (bucket) => bucket.delete(entryObject(first, 1)), found: sole('dropped', { finding: first, seq: 1 }) },
  'two entries in each other’s place': {
    do: (bucket) => {
      const [a, b] = [entryObject(first, 2), entryObject(first, 3)].map((key) => [key, bucket.get(key)!] as const);
      bucket.set(a![0], b![1]).set(b![0], a![1]);
    },
    found: sole('reordered', { finding: first, seq: 2 }),
  },
  'an entry in the place of another finding’s': {
    do: (bucket) => bucket.set(entryObject(first, 2), bucket.get(entryObject(second, 2))!),
    found: sole('reordered', { finding: first, seq: 2 }),
  },
  'the end of a chain cut off': { do: (bucket) => bucket.delete(entryObject(first, 6)), found: sole('cut', { finding: first, seq: 6 }) },
  'a whole finding removed': {
    do: (bucket) => [1, 2, 3, 4, 5, 6].forEach((seq) => void bucket.delete(entryObject(second, seq))),
    found: sole('removed', { finding: second }),
  },
  'an entry changed and given its right hash': {
    do: (bucket) => putEntry(bucket, sealedAgain({ ...entryAt(bucket, first, 2), note: 'Nothing happened.' })),
    found: sole('changed', { finding: first, seq: 2 }),
  },
  'a chain made anew from an entry on, under the old digests': {
    do: (bucket) => rehash(bucket, first, 3, 6),
    found: sole('rewritten', { finding: first, seq: 4 }),
  },
  'the last entry made anew': { do: (bucket) => rehash(bucket, first, 6, 6), found: sole('rewritten', { finding: first, seq: 6 }) },
  'an entry of the unsigned tail changed': {
    do: (bucket) => bucket.set(entryObject(three[0]!.findingId, 1), bucket.get(entryObject(three[0]!.findingId, 1))!.replace('HIGH', 'LOW')),
    found: sole('changed', { finding: three[0]!.findingId, seq: 1 }),
  },
  'the empty hour’s digest missing': { do: (bucket) => bucket.delete(digestObject(2)), found: sole('digest-missing', { digest: 2 }) },
  'the first digest missing': { do: (bucket) => bucket.delete(digestObject(1)), found: sole('digest-missing', { digest: 1 }) },
  'a digest changed': {
    do: (bucket) => putDigest(bucket, { ...digests[2]!, findings: [headOf(two)] }),
    found: sole('digest-changed', { digest: 3, says: 'digest 3 has a signature that is not of its key' }),
  },
  'a digest signed by another key': {
    do: (bucket) => putDigest(bucket, signed({ ...digests[2]!, findings: [headOf(two)] })),
    more: { keyOf: () => forger.publicKey },
    found: { sound: false, faults: [{ kind: 'digest-changed', digest: 1 }, { digest: 2 }, { digest: 3 }] },
  },
  'a digest of a key that nobody knows': {
    do: (bucket) => putDigest(bucket, signed({ ...digests[2]!, keyArn: 'arn:aws:kms:us-east-1:123456789012:key/other' })),
    found: sole('digest-changed', { digest: 3, says: expect.stringContaining('key/other, whose public key is not known') }),
  },
  'a digest that was signed, but follows another one': {
    do: (bucket) => putDigest(bucket, signed({ ...digests[2]!, previous: textHash('another') })),
    found: sole('digest-changed', { digest: 3, says: expect.stringContaining('does not follow') }),
  },
  'a digest in the place of another': {
    do: (bucket) => bucket.set(digestObject(2), bucket.get(digestObject(1))!),
    found: sole('digest-changed', { digest: 2, says: 'digest 2 holds digest 1' }),
  },
  'several things at once, the first of each finding': {
    do(bucket) {
      bucket.delete(entryObject(first, 2));
      bucket.delete(entryObject(first, 5));
      bucket.delete(entryObject(second, 6));
      bucket.delete(digestObject(2));
    },
    found: {
      sound: false,
      faults: expect.arrayContaining([
        expect.objectContaining({ kind: 'digest-missing', digest: 2 }),
        expect.objectContaining({ kind: 'dropped', finding: first, seq: 2 }),
        expect.objectContaining({ kind: 'cut', finding: second, seq: 6 }),
      ]),
    },
  },
};

describe('what was tampered with is found and named', () => {
  test.each(Object.entries(tampered))('%s', async (_, { do: tamper, found, more }) => {
    const bucket = good();
    tamper(bucket);
    const report = await verify(bucket, more);
    expect(report).toMatchObject(found);
    if (Array.isArray((found as Report).faults)) expect(report.faults).toHaveLength((found as Report).faults.length);
  });

  test('any byte of any object, changed to any other', async () => {
    const keys = [...good().keys()];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...keys), fc.nat(), fc.integer({ min: 32, max: 126 }), async (key, at, code) => {
        const bucket = good();
        const text = bucket.get(key)!;
        const place = at % text.length;
        fc.pre(text.charCodeAt(place) !== code);
        bucket.set(key, text.slice(0, place) + String.fromCharCode(code) + text.slice(place + 1));
        expect((await verify(bucket)).sound).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test('any signed object removed', async () => {
    const kept = good();
    for (const key of kept.keys()) {
      // Nothing speaks for the last of the tail and the last digest but the table.
      if (key === entryObject(three[0]!.findingId, 2) || key === digestObject(3)) continue;
      const bucket = new Map([...kept].filter(([other]) => other !== key));
      expect([key, (await verify(bucket)).sound]).toEqual([key, false]);
    }
  });
});

describe('lines of a file', () => {
  const lines = (entries: readonly Entry[]) => pieces(entries.map((entry) => ({ text: canonical(publicOf(entry)) })));

  test('in another order', async () => {
    const [a, b, c, ...rest] = one as [Entry, Entry, Entry, ...Entry[]];
    expect(await verify(bucketOf([], digests.slice(0, 2)), { entries: lines([a, c, b, ...rest]) })).toMatchObject(
      sole('reordered', { finding: first, seq: 2 }),
    );
  });

  test('one of them twice', async () => {
    const [a, b, ...rest] = one as [Entry, Entry, ...Entry[]];
    expect(await verify(bucketOf([], digests.slice(0, 2)), { entries: lines([a, b, b, ...rest]) })).toMatchObject(
      sole('reordered', { finding: first, seq: 2 }),
    );
  });

  const part = (entries: readonly Entry[], of = digests.slice(1)) => verify(bucketOf([], of), { entries: lines(entries), partial: true });

  test('a part is sound: a chain that begins later is told of, and signed by a digest that knows it', async () => {
    expect(await part([...one.slice(4), ...two])).toMatchObject({
      sound: true,
      midway: [{ finding: first, seq: 5, signed: true }],
      digests: { first: 2, last: 3 },
      tail: { entries: 0 },
    });
  });

  test('a part that begins later than its digests say lacks something', async () => {
    expect(await part([...one.slice(5), ...two])).toMatchObject(sole('dropped', { finding: first, seq: 5 }));
  });

  test('a part of the tail that begins later is told of as unsigned', async () => {
    expect(await part([...one.slice(4), ...two, ...three.slice(1)])).toMatchObject({
      sound: true,
      midway: [{ finding: first }, { finding: three[0]!.findingId, seq: 2, signed: false }],
    });
  });

  test('a part with a digest missing in it', async () => {
    const more = digestsOf([[headOf(one.slice(0, 4))], [], [], [headOf(one, 4)]]);
    expect(await part(one.slice(4), [more[1]!, more[3]!])).toMatchObject(sole('digest-missing', { digest: 3 }));
  });
});

describe('beside the table', () => {
  const row = (entries: readonly Entry[], parts: object = {}) => ({
    id: entries[0]!.findingId,
    version: entries.length,
    chain: entries.at(-1)!.hash,
    ...parts,
  });
  const rows = [row(one), row(two), row(three.slice(0, 2))];
  const beside = (table: readonly object[], more: Partial<Material> = {}) =>
    verify(good(), { table: pieces(table as readonly (typeof rows)[number][]), ...more });

  test('the same ends', async () => {
    expect(await beside(rows)).toMatchObject({ sound: true, lag: 0 });
  });

  test('entries on their way are the lag of the stream, until an hour is over', async () => {
    const more = [row(one), row(two), row(three)];
    const at = Date.parse(three[2]!.at);
    const madeAt = async (_: string, seq: number) => three[seq - 1]!.at;
    expect(await beside(more, { madeAt, now: new Date(at + 3_600_000) })).toMatchObject({ sound: true, lag: 4 });
    expect(await beside(more, { madeAt, now: new Date(at + 3_600_001) })).toMatchObject({ ...sole('late', { finding: three[0]!.findingId, seq: 3 }), lag: 4 });
  });

  test('a finding of which nothing has arrived', async () => {
    const fresh = chainOf('fresh', 1);
    expect(await beside([...rows, row(fresh)], { now: new Date(began), madeAt: async () => after(0) })).toMatchObject({ sound: true, lag: 1 });
  });

  test('the end of the unsigned tail cut off, and its entry gone from the table too, ends the chain otherwise', async () => {
    expect(await beside([row(one), row(two), row(three.slice(0, 2), { version: 1 })])).toMatchObject(sole('table', { finding: three[0]!.findingId }));
  });

  test('the last digest missing, or another one', async () => {
    const hash = textHash(canonical(digests[2]));
    expect(await beside(rows, { lastDigest: { number: 3, hash } })).toMatchObject({ sound: true });
    expect(await beside(rows, { lastDigest: { number: 5, hash } })).toMatchObject(
      sole('digest-missing', { digest: 4, says: 'digests 4 to 5 are missing at the end' }),
    );
    expect(await beside(rows, { lastDigest: { number: 3, hash: textHash('another') } })).toMatchObject(sole('digest-changed', { digest: 3 }));
  });

  test('a finding that the table lacks', async () => {
    expect(await beside(rows.slice(1))).toMatchObject(sole('table', { finding: first }));
  });

  test('another end', async () => {
    expect(await beside([row(one, { chain: 'f'.repeat(64) }), ...rows.slice(1)])).toMatchObject(sole('table', { finding: first, seq: 6 }));
  });

  test('one from before evidence was chained, in which nothing has happened since', async () => {
    expect(await beside([...rows, row(chainOf('old', 1), { chain: unchained })])).toMatchObject({ sound: true, unchained: [chainOf('old', 1)[0]!.findingId] });
  });

  test('the raw part of an entry changed', async () => {
    const raws = one.map((entry) => ({ text: canonical(publicOf(entry)), raw: { ...entry.raw, ...(entry.seq === 3 && { note: 'Nothing happened.' }) } }));
    expect(await verify(bucketOf([], digests.slice(0, 2)), { entries: pieces(raws) })).toMatchObject(sole('raw-changed', { finding: first, seq: 3 }));
  });
});
