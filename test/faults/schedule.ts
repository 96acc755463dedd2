/** A seed gives a schedule: what drifts, how it is told, and what goes wrong at which call. Nothing here runs anything. */
import fc from 'fast-check';
import { type FaultKind, faultKinds, kills } from '../../cli/local-stack/faults.ts';
import { scenarios } from './drifts/index.ts';

export type FunctionName = 'detect' | 'remediate';
export type Mode = 'fix' | 'page' | 'approve';

/** Strikes one call of one invocation, counted from 1 within the schedule (of remediate: within the work on one finding), and those that follow it. */
export interface Fault {
  readonly of: FunctionName;
  /** Of remediate: which finding of the schedule, modulo their number. */
  readonly finding: number;
  readonly invocation: number;
  readonly call: number;
  readonly kind: FaultKind;
  /** So many calls in a row; of a fault that kills: the same call of so many invocations in a row. */
  readonly times: number;
  /** Seconds of Retry-After, or how many times 100 ms a late call is late. */
  readonly amount: number;
}

export interface PlannedDrift {
  readonly scenario: number;
  /** What the policy wants for the one who made the change. */
  readonly mode: Mode;
  /** Rounds in which a copy of the event is delivered; 0 = at once. */
  readonly copies: readonly number[];
  /** Somebody makes it drift again just after the bot has written so many times; 0 = nobody. */
  readonly againAfter: number;
}

export interface Schedule {
  readonly seed: number;
  readonly drifts: readonly PlannedDrift[];
  readonly faults: readonly Fault[];
  /** Sorts what is delivered in one round. */
  readonly order: readonly number[];
  /** Whether the bot's heartbeat goes on meanwhile, with its sweeps; else it comes only when all that events can do is done. */
  readonly ticks: boolean;
}

/** Rounds in which events come and faults strike. */
export const rounds = 4;

const weighted = <T>(...choices: readonly (readonly [number, fc.Arbitrary<T>])[]) => fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));

const drift: fc.Arbitrary<PlannedDrift> = fc.record({
  // Of what there is one of, no two schedules can have it at a time: it comes half as often.
  scenario: weighted(...scenarios.map(({ alone }, index) => [alone ? 1 : 2, fc.constant(index)] as const)),
  mode: weighted<Mode>([5, fc.constant('fix')], [1, fc.constant('page')], [1, fc.constant('approve')]),
  copies: fc
    .tuple(weighted([4, fc.constant(0)], [1, fc.constant(1)]), fc.array(fc.nat(rounds - 1), { maxLength: 2 }))
    .map(([first, others]) => [first, ...others]),
  againAfter: weighted([9, fc.constant(0)], [1, fc.integer({ min: 1, max: 2 })]),
});

const deadly = faultKinds.filter(kills);
const gentle = faultKinds.filter((kind) => !kills(kind));

/** How many calls an invocation makes at least, when there is something to do. */
const surely: Readonly<Record<FunctionName, number>> = { detect: 4, remediate: 10 };
const mostly: Readonly<Record<FunctionName, number>> = { detect: 8, remediate: 16 };

const strikes = (of: FunctionName, kinds: readonly FaultKind[], sure: boolean): fc.Arbitrary<Fault> =>
  fc.record({
    of: fc.constant(of),
    finding: of === 'detect' ? fc.constant(0) : fc.nat(3),
    invocation: sure ? fc.constant(1) : weighted([3, fc.constant(1)], [1, fc.integer({ min: 2, max: 3 })]),
    call: fc.integer({ min: 1, max: (sure ? surely : mostly)[of] }),
    kind: fc.constantFrom(...kinds),
    times: weighted([12, fc.constant(1)], [2, fc.integer({ min: 2, max: 4 })], [1, fc.integer({ min: 5, max: 6 })]),
    amount: fc.integer({ min: 0, max: 3 }),
  });

const either = (kinds: readonly FaultKind[], sure: boolean) => weighted([2, strikes('detect', kinds, sure)], [3, strikes('remediate', kinds, sure)]);

/** The first is one that is met, and most often kills; where nothing is to be fixed, remediate is not run. */
const faultsFor = (drifts: readonly PlannedDrift[]): fc.Arbitrary<Fault[]> => {
  const fixes = drifts.every(({ mode, scenario }) => mode === 'fix' && scenarios[scenario]!.fixes);
  const first = (kinds: readonly FaultKind[]) => (fixes ? either(kinds, true) : strikes('detect', kinds, true));
  const others = fc.array(weighted([1, either(deadly, false)], [3, either(gentle, false)]), { maxLength: 3 });
  return fc.tuple(weighted([9, first(deadly)], [1, first(gentle)]), others).map(([one, more]) => [one, ...more]);
};

const body: fc.Arbitrary<Omit<Schedule, 'seed'>> = weighted([6, fc.constant(1)], [3, fc.constant(2)], [1, fc.constant(3)])
  .chain((length) => fc.uniqueArray(drift, { minLength: length, maxLength: length, selector: ({ scenario }) => scenario }))
  .chain((drifts) =>
    fc.record({
      drifts: fc.constant(drifts),
      faults: faultsFor(drifts),
      order: fc.array(fc.nat(999), { minLength: 12, maxLength: 12 }),
      ticks: fc.boolean(),
    }),
  );

export const scheduleOf = (seed: number): Schedule => ({ seed, ...fc.sample(fc.noBias(body), { seed, numRuns: 1 })[0]! });

const faultInWords = ({ of, finding, invocation, call, kind, times }: Fault) =>
  `${kind}${times > 1 ? ` x${times}` : ''} at call ${call} of ${of} ${invocation}${of === 'remediate' ? ` for finding ${finding}` : ''}`;

/** One line for a person. */
export const inWords = ({ seed, drifts, faults, ticks }: Schedule): string =>
  [
    `seed ${seed}${ticks ? ', with its heartbeat' : ''}`,
    drifts
      .map(
        ({ scenario, mode, copies, againAfter }) =>
          `${scenarios[scenario]!.name} (${mode}, told in rounds ${copies.join(' ')}${againAfter ? `, again after write ${againAfter}` : ''})`,
      )
      .join('; '),
    faults.map(faultInWords).join('; '),
  ].join(' | ');
