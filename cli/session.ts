/** The engine's ports on a person's machine: state in a folder, alerts on standard error, fixes in this process with the caller's own rights. */
import { setTimeout as delay } from 'node:timers/promises';
import { act } from '../engine/act.ts';
import { textOf } from '../engine/alerts/lines.ts';
import type { Detection } from '../engine/detect.ts';
import type { Place } from '../engine/model.ts';
import type { CompiledPolicy } from '../engine/policy/model.ts';
import type { Ledger, Log, Ports } from '../engine/ports.ts';
import { routerOf } from '../engine/route.ts';
import { type Caller, catalogue, existingState, access as openAccess, say } from './context.ts';
import { sqliteLedger } from './state/sqlite-ledger.ts';

export interface Session {
  readonly detection: Detection;
  /** Sweeps that events asked for because they do not name their resource. */
  readonly wanted: { readonly control: string; readonly place: Place }[];
  close(): void;
}

/** `apply` false: reads and judges, writes nothing, tells nobody. */
export function openSession(options: { readonly state: string; readonly policy: CompiledPolicy; readonly caller: Caller; readonly apply: boolean }): Session {
  const { state, policy, caller, apply } = options;
  const clock = { now: () => new Date(), sleep: (milliseconds: number) => delay(milliseconds) };
  const stored = sqliteLedger({ directory: apply ? state : existingState(state), clock });
  // The policy of this run is the file it was given, not one that an earlier run left.
  const ledger: Ledger = { ...stored, policy: async () => policy };
  const access = openAccess();
  const wanted: Session['wanted'] = [];
  const ports: Ports = {
    ledger,
    clock,
    log: quiet,
    aws: access,
    async tags(resource) {
      const { tagsOf } = await import('../handlers/aws/tags.ts');
      return tagsOf(resource, access);
    },
    async stackStatus(stackId) {
      const { stackStatusOf } = await import('../handlers/aws/stack-status.ts');
      return stackStatusOf(stackId, access);
    },
    async alert(alert) {
      say(`\n${alert.subject}\n${textOf(alert)}\n`);
    },
    // Nobody is reminded by a process that ends.
    async attendAlerts() {},
    async dispatch({ id }, calls) {
      // What must wait (a fix not due yet, a setting AWS shows late) is taken up by the next run.
      await act(id, { ports, catalogue, roleArn: caller.arn, leaseSeconds: 120, calls });
    },
    // A process of this kind is asked for an undo by a person, who is there to ask again.
    async resumeUndo() {},
    // Executions run in this process, and have ended when it asks.
    async stopExecution() {},
    async requestSweeps(sweeps) {
      for (const { control, accountId, region } of sweeps)
        if (!wanted.some((known) => known.control === control && known.place.region === region)) wanted.push({ control, place: { accountId, region } });
    },
    // The SDK's credentials are the proof: whoever runs the command acts with their own rights.
    prove: async ({ kind }) => (kind === 'caller' ? { arn: caller.arn, accountId: caller.accountId } : undefined),
    seal: async (words) => words,
    isSealed: async (words, seal) => words === seal,
    // The person who runs the command is the switch.
    killSwitch: async () => false,
  };
  const own = { accountId: caller.accountId, roleArns: [caller.arn, roleOf(caller.arn)], self: caller.arn };
  return { detection: { ports, router: routerOf(catalogue), policy, own, dryRun: !apply, queued: false }, wanted, close: () => stored.close() };
}

/** The role behind an assumed-role session ARN; any other ARN as it is. */
const roleOf = (arn: string): string => arn.replace(/^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\/.*$/, 'arn:$1:iam::$2:role/$3');

const quiet: Log = { info() {}, warn() {}, error() {}, count() {} };
