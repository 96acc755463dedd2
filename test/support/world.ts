/** A small account in memory for the engine's tests: lamps that must be off, an embedded ledger, a clock that tests move. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { sqliteLedger } from '../../cli/state/sqlite-ledger.ts';
import { type Action, act } from '../../engine/act.ts';
import type { Alert } from '../../engine/alerts/alert.ts';
import { textOf } from '../../engine/alerts/lines.ts';
import { slackPrincipal } from '../../engine/answers/slack.ts';
import type { CatalogueEntry, Control, EventControl } from '../../engine/control.ts';
import { type Detection, detect, type Report } from '../../engine/detect.ts';
import { DeniedError } from '../../engine/errors.ts';
import { change, compliant, type Finding, nonCompliant, type Principal, type SweepOf } from '../../engine/model.ts';
import type { CompiledControl, CompiledPolicy } from '../../engine/policy/model.ts';
import type { Aws, Ports, SweepRequest } from '../../engine/ports.ts';
import { routerOf } from '../../engine/route.ts';
import { slackSecret } from './slack-signer.ts';

export const accountId = '123456789012';
export const region = 'us-east-1';
export const botRole = `arn:aws:iam::${accountId}:role/bot-remediate`;
export const detectRole = `arn:aws:iam::${accountId}:role/bot-detect`;
export const terraform = `arn:aws:sts::${accountId}:assumed-role/terraform/run-1`;

type Lamp = { on: boolean };

/** What stands in for AWS: lamps by name, and faults to be met on the way. */
export class House {
  readonly lamps = new Map<string, Lamp>();
  writes: string[] = [];
  reads = 0;
  /** A listing gives no states. */
  listsNamesOnly = false;
  /** Called before each call with its name; throw to make the call fail before it is done. */
  before: (call: string) => void | Promise<void> = () => {};
  /** Called after each call; throw to lose the answer of a call that was done. */
  after: (call: string) => void | Promise<void> = () => {};

  async read(name: string): Promise<Lamp | undefined> {
    await this.before('read');
    this.reads += 1;
    const lamp = this.lamps.get(name);
    await this.after('read');
    return lamp && { ...lamp };
  }

  async write(name: string, on: boolean): Promise<void> {
    await this.before('write');
    this.lamps.set(name, { on });
    this.writes.push(`${name}=${on}`);
    await this.after('write');
  }
}

export const denied = (call: string): never => {
  throw new DeniedError(`lamp:${call}`, { cause: new Error('AccessDenied') });
};

const arn = 'arn:{partition}:lamp:{region}:{account}:lamp/{id}';
export const lampArn = (name: string): string => `arn:aws:lamp:${region}:${accountId}:lamp/${name}`;
const nameOf = (id: string) => id.slice(id.lastIndexOf('/') + 1);

export const lampOff = (house: House): Control<Lamp, Lamp> => ({
  id: 'lamp-off',
  title: 'Lamps are off',
  rationale: 'Light shows.',
  severity: 'HIGH',
  resourceType: 'AWS::Lamp::Lamp',
  arn,
  scope: 'regional',
  hipaa: [{ section: '164.312(a)(1)', specification: 'standard', rationale: 'Test.' }],
  related: { securityHub: ['Lamp.1'], configRule: ['lamp-off-check'] },
  triggers: [
    {
      source: 'cloudtrail',
      eventSource: 'lamp.amazonaws.com',
      eventNames: ['SwitchOn', 'SwitchOff'],
      resourceIds: (detail) => [(detail.requestParameters as { name?: string } | null)?.name],
      breaks: ['SwitchOn'],
    },
    { source: 'config', resourceType: 'AWS::Lamp::Lamp' },
  ],
  params: z.strictObject({}),
  reads: 1,
  writes: ['lamp:switch'],
  permissions: { inspect: ['lamp:Get'], remediate: ['lamp:Switch'], undo: ['lamp:Switch'] },
  impact: 'It gets dark.',
  defaultMode: 'fix',
  // Two lamps a page; the token is the number of lamps before it.
  async *list(aws, { from }) {
    await house.before('list');
    const lamps = [...house.lamps];
    for (let at = Number(from ?? 0); at === 0 || at < lamps.length; at += 2) {
      const resources = lamps.slice(at, at + 2).map(([name, lamp]) => {
        const resource = { accountId, region: aws.region, type: 'AWS::Lamp::Lamp', id: lampArn(name) };
        return house.listsNamesOnly ? ([resource] as const) : ([resource, { ...lamp }] as const);
      });
      if (at > 0) await house.before('list page');
      yield { resources, ...(at + 2 < lamps.length && { next: String(at + 2) }) };
    }
  },
  inspect: async ({ id }) => house.read(nameOf(id)),
  evaluate: ({ on }) => (on ? nonCompliant('The lamp is on.') : compliant('The lamp is off.')),
  plan: ({ on }) => change({ action: 'lamp:Switch', summary: 'Switch the lamp off', before: { on }, after: { on: false } }),
  setting: (lamp) => lamp,
  remediate: async ({ id }, { after }) => house.write(nameOf(id), after.on),
  undo: async ({ id }, { before }) => house.write(nameOf(id), before.on),
});

/** Every call of the account by root. */
export const rootCall: EventControl = {
  id: 'root-call',
  title: 'Root does not call',
  rationale: 'Test.',
  severity: 'CRITICAL',
  resourceType: 'AWS::::Account',
  arn: 'arn:{partition}:iam::{account}:root',
  scope: 'global',
  hipaa: [{ section: '164.312(a)(1)', specification: 'standard', rationale: 'Test.' }],
  related: {},
  params: z.strictObject({}),
  impact: 'None.',
  defaultMode: 'page',
  noFix: 'What root did cannot be undone by a program.',
  counts: true,
  triggers: [{ source: 'cloudtrail', kinds: ['api', 'signin'], eventSource: '*', eventNames: ['*'], resourceIds: () => [''] }],
  fold: (detail) => detail.eventName,
  evaluate: (detail, _params, { count }) =>
    (detail.userIdentity as { type?: string } | undefined)?.type === 'Root'
      ? nonCompliant(`Root called ${detail.eventName}, ${count} times before.`)
      : compliant('Not root.'),
};

export const entryOf = (control: Control<Lamp, Lamp> | EventControl): CatalogueEntry => ({
  id: control.id,
  service: 'lamp',
  kind: 'fold' in control ? 'event' : 'state',
  title: control.title,
  severity: control.severity,
  resourceType: control.resourceType,
  arn: control.arn,
  scope: control.scope,
  hipaa: [],
  related: control.related,
  defaultMode: control.defaultMode,
  fix: 'remediate' in control,
  undo: 'undo' in control,
  triggers: control.triggers.map((trigger) =>
    trigger.source === 'config' ? trigger : { source: 'cloudtrail', eventSource: trigger.eventSource, eventNames: trigger.eventNames },
  ),
  writes: [],
  permissions: { inspect: [], remediate: [], undo: [] },
  load: async () => control,
});

export const policyOf = (controls: Record<string, Partial<CompiledControl>>, id = 'p1'): CompiledPolicy => ({
  version: 1,
  id,
  regions: [region],
  watch: 'all',
  people: {},
  approvals: { expires: 259_200 },
  accounts: {},
  channels: { security: { sns: true, pages: true, minSeverity: 'INFORMATIONAL', timezone: 'UTC' } },
  guards: { fixesPerHour: 1_000, fixesPerControlPerHour: 1_000, repeat: { limit: 1_000, within: 86_400 }, ramp: { fixes: 1_000, hours: 24 } },
  backlog: 'tell',
  evidence: { lock: 'governance', years: 6 },
  iam: { path: '/' },
  controls: Object.fromEntries(
    Object.entries(controls).map(([name, control]) => [name, { mode: 'fix', params: {}, fixAfter: 0, when: [], exceptions: [], ...control }]),
  ),
});

export class World {
  readonly house = new House();
  /** With what a reader of plain text is told. */
  readonly alerts: (Alert & { readonly text: string })[] = [];
  readonly dispatched: string[] = [];
  /** Undos that somebody is to go on with: finding and how often. */
  readonly resumed: string[] = [];
  readonly #started = new Set<string>();
  readonly sweeps: SweepRequest[] = [];
  readonly stopped: string[] = [];
  /** Who signed what, by the `authorization` header of a proof. */
  readonly principals = new Map<string, Principal>();
  /** `on`, `off`, or an error when it is read. */
  killSwitch: 'on' | 'off' | Error = 'off';
  readonly directory = mkdtempSync(join(tmpdir(), 'world-'));
  readonly tags = new Map<string, Record<string, string>>();
  /** Status of each CloudFormation stack by its ARN, or an error when it is read. */
  readonly stacks = new Map<string, string | Error>();
  #now = Date.parse('2026-11-01T03:00:00Z');
  readonly clock = { now: () => new Date(this.#now), sleep: async (milliseconds: number) => this.advance(milliseconds / 1_000) };
  readonly ledger = sqliteLedger({ directory: this.directory, clock: this.clock });
  readonly catalogue = [entryOf(lampOff(this.house)), entryOf(rootCall)];
  policy = policyOf({ 'lamp-off': {}, 'root-call': { mode: 'page' } });
  /** Called before each call to a port other than the house. */
  before: (call: string) => void = () => {};

  readonly ports: Ports = {
    ledger: this.#watchedLedger(),
    clock: this.clock,
    log: { info() {}, warn() {}, error() {}, count() {} },
    aws: (place): Aws => ({
      ...place,
      partition: 'aws',
      client: () => {
        throw new Error('no client');
      },
      in: () => {
        throw new Error('nowhere else');
      },
    }),
    tags: async ({ id }) => {
      this.before('tags');
      return this.tags.get(id) ?? {};
    },
    stackStatus: async (stackId) => {
      this.before('stackStatus');
      const status = this.stacks.get(stackId);
      if (status instanceof Error) throw status;
      return status;
    },
    attendAlerts: async () => {},
    alert: async (alert) => {
      this.before('alert');
      this.alerts.push({ ...alert, text: textOf(alert) });
    },
    dispatch: async (finding) => {
      this.before('dispatch');
      const name = finding.drives > 1 ? `${finding.id}-${finding.drives}` : finding.id;
      // As on AWS: a name starts once, and is used up when its execution has ended.
      if (this.#started.has(name)) return;
      this.#started.add(name);
      this.dispatched.push(name);
    },
    resumeUndo: async ({ id, undo }) => {
      this.before('resumeUndo');
      const name = `${id} ${undo!.resumed}`;
      if (!this.resumed.includes(name)) this.resumed.push(name);
    },
    stopExecution: async ({ id, drives }) => {
      this.stopped.push(id);
      const waiting = this.dispatched.indexOf(drives > 1 ? `${id}-${drives}` : id);
      if (waiting >= 0) this.dispatched.splice(waiting, 1);
    },
    requestSweeps: async (sweeps) => {
      this.before('requestSweeps');
      this.sweeps.push(...sweeps);
    },
    prove: async (proof) =>
      proof.kind === 'sts' ? this.principals.get(proof.headers.authorization ?? '') : proof.kind === 'slack' ? slackPrincipal(slackSecret, proof) : undefined,
    seal: async (words) => `sealed ${words}`,
    isSealed: async (words, seal) => seal === `sealed ${words}`,
    killSwitch: async () => {
      if (this.killSwitch instanceof Error) throw this.killSwitch;
      return this.killSwitch === 'on';
    },
  };

  readonly action: Action = { ports: this.ports, catalogue: this.catalogue, roleArn: botRole, leaseSeconds: 120 };

  #watchedLedger() {
    const watch = <Method extends (...given: never[]) => unknown>(name: string, method: Method) =>
      ((...given: Parameters<Method>) => {
        this.before(`ledger.${name}`);
        return method(...given);
      }) as Method;
    const { ledger } = this;
    return {
      ...ledger,
      open: watch('open', ledger.open),
      save: watch('save', ledger.save),
      markDone: watch('markDone', ledger.markDone),
      policy: async () => this.policy,
    };
  }

  advance(seconds: number): void {
    this.#now += seconds * 1_000;
  }

  detection(dryRun = false): Detection {
    return {
      ports: this.ports,
      router: routerOf(this.catalogue),
      policy: this.policy,
      own: { accountId, roleArns: [botRole], self: detectRole },
      dryRun,
      queued: true,
    };
  }

  async detect(...events: unknown[]): Promise<Report[]> {
    return detect(events, this.detection());
  }

  /** A tick, and the sweeps it asks for. */
  async tick(): Promise<void> {
    await this.detect(tickAt(this.clock.now()));
    for (let sweep = this.sweeps.shift(); sweep; sweep = this.sweeps.shift()) await this.detect(sweepFor(sweep));
  }

  /** Runs what was dispatched, as durable executions would: again after waits, until each has ended. */
  async runDispatched(rounds = 40): Promise<string[]> {
    const ended: string[] = [];
    for (const name of this.dispatched.splice(0)) {
      for (let round = 0; round < rounds; round += 1) {
        const attempt = await act(name.slice(0, 28), this.action);
        if ('ended' in attempt) {
          ended.push(attempt.ended);
          break;
        }
        // Nobody answers.
        if ('knock' in attempt && attempt.knock && (await this.isAsked(name))) {
          ended.push('AWAITING_APPROVAL');
          break;
        }
        this.advance(attempt.again);
      }
    }
    return ended;
  }

  private async isAsked(name: string): Promise<boolean> {
    return (await this.ledger.get(name.slice(0, 28)))?.outcome?.status === 'AWAITING_APPROVAL';
  }

  async findings(): Promise<Finding[]> {
    const found: Finding[] = [];
    for await (const finding of this.ledger.findings({})) found.push(finding);
    return found;
  }

  close(): void {
    this.ledger.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

let serial = 0;
const next = (): number => {
  serial += 1;
  return serial;
};
/** A CloudTrail event as EventBridge delivers it. */
export function call(eventName: string, name: string | null, detail: Record<string, unknown> = {}): Record<string, unknown> {
  const number = next();
  const eventID = (detail.eventID as string | undefined) ?? `event-${number}`;
  return {
    version: '0',
    id: `envelope-${number}`,
    'detail-type': 'AWS API Call via CloudTrail',
    source: 'aws.lamp',
    account: accountId,
    region,
    time: '2026-11-01T03:00:00Z',
    resources: [],
    detail: {
      eventSource: 'lamp.amazonaws.com',
      eventName,
      awsRegion: region,
      recipientAccountId: accountId,
      eventTime: '2026-11-01T03:00:00Z',
      userIdentity: { type: 'AssumedRole', arn: `arn:aws:sts::${accountId}:assumed-role/Admin/dana`, accountId },
      sourceIPAddress: '192.0.2.1',
      userAgent: 'aws-cli/2.15',
      requestParameters: name === null ? null : { name },
      ...detail,
      eventID,
    },
  };
}

export const by = (arn: string, issuer?: string) => ({
  userIdentity: { type: 'AssumedRole', arn, accountId, ...(issuer && { sessionContext: { sessionIssuer: { arn: issuer } } }) },
});

export const configItem = (name: string): Record<string, unknown> => ({
  id: `config-${next()}`,
  'detail-type': 'Config Configuration Item Change',
  source: 'aws.config',
  account: accountId,
  region,
  time: '2026-11-01T03:05:00Z',
  detail: {
    messageType: 'ConfigurationItemChangeNotification',
    configurationItem: { resourceType: 'AWS::Lamp::Lamp', resourceId: name, ARN: lampArn(name), awsRegion: region, awsAccountId: accountId },
  },
});

const ownMessage = (type: string, detail: object, time: string): Record<string, unknown> => ({
  id: `own-${next()}`,
  'detail-type': type,
  source: 'phidelity',
  account: accountId,
  region,
  time,
  detail,
});

let swept = 0;
/** Each call is a sweep of its own. */
export const sweepOf = (control: string, more: Partial<SweepOf> = {}): Record<string, unknown> => {
  swept += 1;
  const began = new Date(Date.parse('2026-11-01T03:10:00Z') + swept).toISOString();
  return ownMessage('Sweep', { control, began, ...more }, '2026-11-01T03:10:00Z');
};

export const sweepFor = ({ accountId: account, region: where, delay, ...detail }: SweepRequest): Record<string, unknown> => ({
  ...ownMessage('Sweep', detail, detail.began),
  account,
  region: where,
});

export const tickAt = (time: Date): Record<string, unknown> => ownMessage('Tick', {}, time.toISOString());
