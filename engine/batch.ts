/** One batch of work: units of a control on a resource are read, judged and settled, each on its own, a service not waiting for another. */
import { type Listed, standingsOf, type Unit, Units } from './coalesce.ts';
import { isEventControl } from './control.ts';
import { RetryLaterError } from './errors.ts';
import { resourceKey } from './finding.ts';
import type { Change, Decision, Evaluation, Finding, OutcomeStatus, ResourceRef } from './model.ts';
import type { DropReason } from './normalise.ts';
import type { CompiledPolicy } from './policy/model.ts';
import type { Calls, Ports, Standing } from './ports.ts';
import { drifts } from './record.ts';
import type { Router, WorkItem } from './route.ts';
import { idle, judgeEvent, judgeEvents, judgeState } from './verdict.ts';

export interface Detection {
  readonly ports: Ports;
  readonly router: Router;
  readonly policy: CompiledPolicy;
  /** `self` = ARN of the role, or user, that the calls of this process are made under. */
  readonly own: { readonly accountId: string; readonly roleArns: readonly string[]; readonly self: string };
  /** Read and judge; write nothing, tell nobody. */
  readonly dryRun: boolean;
  /** No work is begun after this; what is left is reported as such. */
  readonly deadline?: Date;
  /** Aborted: what has not been answered by now is given up, lest it take along what has. */
  readonly signal?: AbortSignal;
  /** What need not be done now goes to the sweep queue; false: everything is done in this process. */
  readonly queued: boolean;
}

/** One work item's way through the line. */
export interface Line {
  readonly eventId: string;
  readonly eventName: string | null;
  readonly control: string;
  readonly resource: ResourceRef;
  readonly evaluation: Evaluation | null;
  readonly decision: Decision;
  readonly outcome: { readonly status: OutcomeStatus; readonly reason: string };
  readonly change: Change | null;
  readonly findingId: string | null;
  readonly calls: Readonly<Calls>;
}

export interface Report {
  /** Why the event, or a part of it, gave no work. */
  readonly dropped: (DropReason | 'no control')[];
  readonly lines: Line[];
  /** Work items the event was part of; one that a copy of the event in the same batch answers has its line there. */
  work: number;
  /** Sweeps asked for because the event does not name its resource. */
  sweeps: number;
  /** Back to the queue: what went wrong, or that time ran out. */
  readonly errors: unknown[];
  /** What could not be judged, one for each error of a unit. */
  readonly failed: ResourceRef[];
  /** When the message was first received; undefined = now. */
  readonly since?: Date;
}

export const emptyReport = (since?: Date): Report => ({ dropped: [], lines: [], work: 0, sweeps: 0, errors: [], failed: [], since });

/** Groups of one service that are read at a time. */
const parallel = 5;

/** Collects the work of events, then does it; each report gets the lines and errors of its event. */
export class Batch {
  readonly #units = new Units();
  readonly #reports: readonly Report[];
  readonly #detection: Detection;
  readonly #givenUp: Promise<never>;

  constructor(reports: readonly Report[], detection: Detection) {
    this.#reports = reports;
    this.#detection = detection;
    this.#givenUp = new Promise((_, reject) => {
      detection.signal?.addEventListener('abort', () => reject(new Error('AWS has not answered in time')));
    });
    // Heard by those who wait; there may be none.
    this.#givenUp.catch(() => {});
  }

  add(item: WorkItem, index: number, listed?: Listed): void {
    const { trigger, control, resource } = item;
    const report = this.#reports[index]!;
    report.work += 1;
    if (isEventControl(control) && !control.counts) {
      const judged = judgeEvent(control, trigger, this.#detection.policy, 0);
      // Most events of an account need nothing: they cost no look at the ledger.
      if (!drifts(judged.decision)) return void report.lines.push(idle(control, trigger, resource, judged));
    }
    this.#units.add(item, index, listed);
  }

  /** Done once: throttling of one service, or a resource that is slow to answer, keeps no other service waiting. */
  async work(): Promise<void> {
    const all = this.#units.all();
    const standings = await standingsOf(all, this.#detection.ports.ledger);
    const known = all.map((unit, at) => ({ unit, standing: standings[at]! }));
    const services = Map.groupBy(Map.groupBy(known, ({ unit }) => resourceKey(unit.resource)).values(), ([first]) => serviceOf(first!.unit));
    await Promise.all([...services.values()].flatMap((groups) => Array.from({ length: Math.min(parallel, groups.length) }, () => this.#worker(groups))));
  }

  async #worker(waiting: (readonly { unit: Unit; standing: Standing }[])[]): Promise<void> {
    const { ports } = this.#detection;
    for (let group = waiting.shift(); group; group = waiting.shift()) {
      const calls: Calls = { read: 0, write: 0 };
      const aws = ports.aws(group[0]!.unit.resource, { share: true, calls });
      const detection = { ...this.#detection, ports: { ...ports, dispatch: (finding: Finding) => ports.dispatch(finding, calls) } };
      for (const { unit, standing } of group) await this.#settle(unit, standing, detection, aws, calls);
    }
  }

  async #settle(unit: Unit, standing: Standing, detection: Detection, aws: ReturnType<Ports['aws']>, calls: Calls): Promise<void> {
    const fail = (error: unknown) => {
      for (const { index } of unit.work) {
        this.#reports[index]!.errors.push(error);
        this.#reports[index]!.failed.push(unit.resource);
      }
    };
    if (detection.deadline && detection.ports.clock.now() >= detection.deadline) return fail(new RetryLaterError('no time left in this batch', 1));
    try {
      const before = { ...calls };
      const since = new Date(Math.min(...unit.work.map(({ index }) => (this.#reports[index]!.since ?? detection.ports.clock.now()).getTime())));
      const judged = isEventControl(unit.of) ? judgeEvents(unit, standing, detection) : judgeState(unit, standing, since, detection, aws);
      const lines = await Promise.race([judged, this.#givenUp]);
      const spent = { read: calls.read - before.read, write: calls.write - before.write };
      for (const [nth, { index, ...line }] of lines.entries()) this.#reports[index]!.lines.push({ ...line, calls: nth === 0 ? spent : { read: 0, write: 0 } });
    } catch (error) {
      fail(error);
    }
  }
}

/** `S3` of `AWS::S3::Bucket`, in one region: what shares a rate limit. */
const serviceOf = ({ resource }: Unit): string => `${resource.type.split('::')[1]} ${resource.region}`;
