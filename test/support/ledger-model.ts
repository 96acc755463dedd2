/** What a ledger does, in memory and at its plainest: the measure for random operations on the real ones. */
import fc from 'fast-check';
import { ConflictError } from '../../engine/errors.ts';
import { isUndoing } from '../../engine/finding.ts';
import type { Entry, Finding } from '../../engine/model.ts';
import type { Brake, FindingKey, Lease, Ledger, MemoKey, SaveOptions, Standing } from '../../engine/ports.ts';
import { control, entryOf, findingOf, keyOf } from './ledger-samples.ts';

/** A clock that stands still until it is moved. */
export const testClock = (start = '2026-03-01T12:00:00.000Z') => {
  let now = Date.parse(start);
  return {
    now: () => new Date(now),
    pass(seconds: number) {
      now += seconds * 1000;
    },
  };
};

export type TestClock = ReturnType<typeof testClock>;

/** Everything that can be asked of a ledger in these sequences. */
type Operation =
  | { do: 'lookup'; series: number; event: number }
  | { do: 'open' | 'save'; series: number; episode: number; version: number; resolved: boolean; event?: number; lease?: number }
  | { do: 'markDone'; series: number; event: number }
  | { do: 'list'; open: boolean; control: string | undefined }
  | { do: 'entries'; series: number; episode: number }
  | { do: 'lease'; key: number; owner: number; seconds: number }
  | { do: 'release'; lease: number }
  | { do: 'recent'; fold: number; event: number }
  | { do: 'takeSlots'; holder: number; limits: readonly (number | undefined)[] }
  | { do: 'remember' | 'recall'; key: number }
  | { do: 'pass'; seconds: number };

const upTo = (max: number) => fc.integer({ min: 0, max });
const seconds = fc.constantFrom(10, 60, 3_600, 80_000, 90_000, 2_000_000);
const written = {
  series: upTo(1),
  episode: fc.integer({ min: 1, max: 3 }),
  event: fc.option(upTo(2), { nil: undefined }),
  lease: fc.option(upTo(2), { nil: undefined }),
};

/** Of each brake that is asked for; a brake's limit may be another one each time, its span stays. */
const limits = fc.array(fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }), { minLength: 2, maxLength: 2 });
const spans = [60, 3_600];

export const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ do: fc.constant('lookup' as const), series: upTo(1), event: upTo(2) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('open' as const), ...written, version: fc.constant(1), resolved: fc.boolean() }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('save' as const), ...written, version: fc.integer({ min: 2, max: 4 }), resolved: fc.boolean() }) },
    fc.record({ do: fc.constant('markDone' as const), series: upTo(1), event: upTo(2) }),
    fc.record({ do: fc.constant('list' as const), open: fc.boolean(), control: fc.constantFrom(undefined, control, 'other-control') }),
    fc.record({ do: fc.constant('entries' as const), series: upTo(1), episode: fc.integer({ min: 1, max: 3 }) }),
    { weight: 3, arbitrary: fc.record({ do: fc.constant('lease' as const), key: upTo(1), owner: upTo(1), seconds }) },
    fc.record({ do: fc.constant('release' as const), lease: upTo(2) }),
    fc.record({ do: fc.constant('recent' as const), fold: upTo(1), event: upTo(3) }),
    { weight: 4, arbitrary: fc.record({ do: fc.constant('takeSlots' as const), holder: upTo(4), limits }) },
    fc.record({ do: fc.constantFrom('remember' as const, 'recall' as const), key: upTo(1) }),
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), seconds }) },
  ),
  { minLength: 10, maxLength: 40 },
);

/** What each operation showed; leases taken earlier in the sequence are the ones saved with and released. */
export async function observe(ledger: Ledger, clock: TestClock, sequence: readonly Operation[]): Promise<unknown[]> {
  const leases: Lease[] = [];
  const seen: unknown[] = [];
  const key = (series: number) => keyOf({ fold: `series-${series}` });
  const run = async (step: Operation): Promise<unknown> => {
    switch (step.do) {
      case 'lookup':
        return ledger.lookup([{ ...key(step.series), eventId: `event-${step.event}` }]);
      case 'open':
      case 'save': {
        const finding = findingOf({ ...key(step.series), episode: step.episode, version: step.version, state: step.resolved ? 'resolved' : 'open' });
        const lease = step.lease === undefined ? undefined : leases.at(-1 - step.lease);
        return ledger[step.do](finding, entryOf(finding), { ...(step.event !== undefined && { doneEventId: `event-${step.event}` }), ...(lease && { lease }) });
      }
      case 'markDone':
        return ledger.markDone(`event-${step.event}`, key(step.series));
      case 'list':
        return (await Array.fromAsync(ledger.findings({ open: step.open, ...(step.control && { control: step.control }) })))
          .map(({ id, version }) => `${id} ${version}`)
          .sort();
      case 'entries':
        return ledger.entries(findingOf({ ...key(step.series), episode: step.episode }).id);
      case 'lease': {
        const lease = await ledger.lease(`setting-${step.key}`, `owner-${step.owner}`, step.seconds);
        if (lease) leases.push(lease);
        return lease;
      }
      case 'release': {
        const lease = leases.at(-1 - step.lease);
        return lease && ledger.release(lease);
      }
      case 'recent':
        return ledger.recent(control, `fold-${step.fold}`, `event-${step.event}`, clock.now().toISOString());
      case 'takeSlots': {
        const brakes = step.limits.flatMap((limit, index) => (limit ? [{ scope: `brake-${index}`, limit, seconds: spans[index]! }] : []));
        return ledger.takeSlots(`holder-${step.holder}`, brakes);
      }
      case 'remember':
        return ledger.remember(`sweep|${step.key}`, { at: clock.now().toISOString() });
      case 'recall':
        return ledger.recall(`sweep|${step.key}`);
      case 'pass':
        return clock.pass(step.seconds);
    }
  };
  for (const step of sequence) {
    seen.push(
      await run(step).catch((error: unknown) => {
        if (error instanceof ConflictError) return 'conflict';
        throw error;
      }),
    );
  }
  return seen;
}

export const memoryLedger = (clock: TestClock): Ledger => {
  const now = () => clock.now().getTime();
  const findings: Finding[] = [];
  const entries: Entry[] = [];
  const done = new Map<string, number>();
  const leases = new Map<string, { owner: string; fence: number; until: number }>();
  const counted = new Map<string, { series: string; time: number; until: number }>();
  const slots: { scope: string; holder: string; taken: number }[] = [];
  const memos = new Map<MemoKey, object>();
  const same = (a: FindingKey, b: FindingKey) => a.control === b.control && a.fold === b.fold && a.resource.id === b.resource.id;
  const refuse = (when: boolean) => {
    if (when) throw new ConflictError('refused');
  };
  const write = (finding: Finding, entry: Entry, { doneEventId, lease }: SaveOptions) => {
    const holder = lease && leases.get(lease.key);
    refuse(lease !== undefined && (holder?.owner !== lease.owner || holder.fence !== lease.fence));
    const at = findings.findIndex(({ id }) => id === finding.id);
    findings.splice(at < 0 ? findings.length : at, 1, finding);
    entries.push(entry);
    if (doneEventId) done.set(`${finding.fold} ${doneEventId}`, now() + 21 * 86_400_000);
  };
  return {
    lookup: async (keys) =>
      keys.map((key): Standing => {
        const last = findings.filter((finding) => same(finding, key)).sort((a, b) => b.episode - a.episode)[0];
        return { done: (done.get(`${key.fold} ${key.eventId}`) ?? 0) > now(), ...(last && { last }) };
      }),
    get: async (findingId) => findings.find(({ id }) => id === findingId),
    async open(finding, entry, options = {}) {
      refuse(findings.some((other) => same(other, finding) && (other.state === 'open' || other.episode >= finding.episode)));
      write(finding, entry, options);
    },
    async save(finding, entry, options = {}) {
      const stored = findings.find(({ id }) => id === finding.id);
      refuse(stored?.version !== finding.version - 1 || (stored.state === 'resolved' && finding.state === 'open'));
      write(finding, entry, options);
    },
    markDone: async (eventId, key) => void done.set(`${key.fold} ${eventId}`, now() + 21 * 86_400_000),
    async *findings({ open, undoing, control: only }) {
      yield* findings.filter(
        (finding) =>
          (!open || finding.state === 'open') &&
          (!undoing || (finding.state === 'resolved' && isUndoing(finding))) &&
          (only === undefined || finding.control === only),
      );
    },
    entries: async (findingId) => entries.filter((entry) => entry.findingId === findingId).sort((a, b) => a.seq - b.seq),
    async lease(key, owner, seconds) {
      const holder = leases.get(key) ?? { owner, fence: 0, until: 0 };
      const free = holder.until <= now();
      if (!free && holder.owner !== owner) return undefined;
      const fence = holder.fence + (free ? 1 : 0);
      leases.set(key, { owner, fence, until: now() + seconds * 1000 });
      return { key, owner, fence };
    },
    async release({ key, owner, fence }) {
      const holder = leases.get(key);
      if (holder?.owner === owner && holder.fence === fence) holder.until = 0;
    },
    async recent(name, fold, eventId, time) {
      const series = `${name} ${fold}`;
      const at = Date.parse(time);
      counted.set(`${series} ${eventId}`, { series, time: at, until: now() + 25 * 3_600_000 });
      return [...counted].filter(
        ([row, { series: other, time: then, until }]) =>
          other === series && row !== `${series} ${eventId}` && until > now() && Math.abs(then - at) < 86_400_000,
      ).length;
    },
    async takeSlots(holder, brakes) {
      const live = (brake: Brake) => slots.filter(({ scope, taken }) => scope === brake.scope && taken + brake.seconds * 1000 > now());
      const missing = brakes.filter((brake) => live(brake).every((slot) => slot.holder !== holder));
      const full = missing.find((brake) => live(brake).length >= brake.limit);
      if (full) return { full };
      slots.push(...missing.map(({ scope }) => ({ scope, holder, taken: now() })));
      return {};
    },
    recall: async <Document>(key: MemoKey) => memos.get(key) as Document | undefined,
    async remember(key, document, lease) {
      const holder = lease && leases.get(lease.key);
      refuse(lease !== undefined && (holder?.owner !== lease.owner || holder.fence !== lease.fence));
      memos.set(key, document);
    },
    answer: async () => {},
    answers: async () => [],
    policy: async () => undefined,
    storePolicy: async () => {},
  };
};
