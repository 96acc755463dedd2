/**
 * What every control owes, run from one table of named cases. On moto with IAM enforced under a role that holds
 * exactly the declared actions, or on a shaped fake where moto lacks the calls; the first line of the output says which.
 */
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { output, ZodType } from 'zod';
import { withMotoNames } from '../../cli/local-stack/moto-actions.ts';
import { arnFrom } from '../../engine/arn.ts';
import type { Control } from '../../engine/control.ts';
import { isDenied } from '../../engine/errors.ts';
import type { Again, Change, CloudTrailDetail, Evaluation, IamAction, ResourceRef, Task } from '../../engine/model.ts';
import type { Aws, ClientClass } from '../../engine/ports.ts';
import { resourcesOf, unnamed } from '../../engine/route.ts';
import { awsAccess } from '../../handlers/aws/access.ts';
import { iamActionsOf } from './iam-actions.ts';
import { describeOnMoto, type Moto, startMoto } from './moto.ts';

/** moto's default account, also used by the fakes and the event fixtures. */
export const accountId = '123456789012';
export const region = 'us-east-1';
/** The finding that every fix and undo of a case works for. */
export const task: Task = { findingId: 'f-abcdefghijklmnopqrstuvwxyz' };

/** Builds the world of a case with an administrator's rights and names the resource: its ARN, or the `{id}` of it. */
export type Arrange = (admin: Aws) => Promise<string>;

interface Expected<Params> {
  readonly given: Arrange;
  /** A function is asked after `given`: AWS makes up some ids. */
  readonly params?: Params | (() => Params);
  /** When it is judged; default: now. */
  readonly at?: Date;
  /** Part of the annotation. */
  readonly annotation?: string | RegExp;
}

export interface Remediated<Setting, Params> extends Expected<Params> {
  /** Part of the planned change, e.g. `{ before, after }`. */
  readonly change?: Partial<Change<Setting>>;
  /** What else must be so after the fix, read with an administrator's rights. */
  readonly then?: (admin: Aws, id: string) => Promise<void>;
}

export type EventCase =
  | { readonly detail: Record<string, unknown>; readonly ids: readonly string[]; readonly sweep?: never }
  | { readonly detail: Record<string, unknown>; readonly sweep: true; readonly ids?: never };

export interface ControlCases<Setting, Params> {
  /** Where moto lacks the calls: installs a stateful fake and gives its removal. */
  readonly fake?: () => { restore(): void };
  /** Params of every case that names none; the control's defaults otherwise. */
  readonly params?: Params | (() => Params);
  readonly compliant: Readonly<Record<string, Arrange | Expected<Params>>>;
  readonly notApplicable?: Readonly<Record<string, Arrange | Expected<Params>>>;
  readonly remediated?: Readonly<Record<string, Remediated<Setting, Params>>>;
  readonly blocked?: Readonly<Record<string, Expected<Params> & { readonly reason: string | RegExp }>>;
  /** Drift of a control without a fix. */
  readonly nonCompliant?: Readonly<Record<string, Arrange | Expected<Params>>>;
  /** The ARN or id of a resource that is not there; `isDrift` where the params say that it should be. */
  readonly gone?: string | Arrange | { readonly isDrift: Arrange };
  readonly events: Readonly<Record<string, EventCase>>;
}

type Phase = 'inspect' | 'remediate' | 'undo';
export interface Sent {
  readonly client: string;
  readonly operation: string;
}

export const adminKeys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI' };

export function testControl<State, Setting, Params extends ZodType>(
  control: Control<State, Setting, Params>,
  cases: ControlCases<Setting, Partial<output<Params>>>,
): void {
  const on = cases.fake ? describe : describeOnMoto;
  on(`${control.id} (on ${cases.fake ? 'a shaped fake' : 'moto, IAM enforced'})`, () => {
    let moto: Moto | undefined;
    let installed: { restore(): void } | undefined;
    const called: Record<Phase, Set<string>> = { inspect: new Set(), remediate: new Set(), undo: new Set() };

    beforeAll(async () => {
      if (!cases.fake) moto = await startMoto();
    });
    afterAll(() => moto?.stop());
    beforeEach(async () => {
      installed = cases.fake?.();
      await moto?.enforceIam(false);
      await moto?.reset();
    });
    afterEach(() => installed?.restore());

    const access = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
      awsAccess({ credentials, maxAttempts: 1, ...(moto && { endpoint: moto.endpoint, forcePathStyle: true }) })({ accountId, region }, { share: false });

    const admin = () => access(adminKeys);

    /** A session of a role with exactly these actions; only those calls are allowed until `asAdmin` comes back. */
    const asRole = async (actions: readonly IamAction[]): Promise<Aws> => {
      if (!moto) return admin();
      await moto.enforceIam(false);
      const iam = admin().client(IAMClient);
      const name = `role-${Math.random().toString(36).slice(2)}`;
      await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: '{"Version":"2012-10-17","Statement":[]}' }));
      const statement = { Effect: 'Allow', Action: withMotoNames(actions), Resource: '*' };
      if (actions.length > 0) {
        await iam.send(
          new PutRolePolicyCommand({
            RoleName: name,
            PolicyName: 'declared',
            PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
          }),
        );
      }
      const { Credentials } = await admin()
        .client(STSClient)
        .send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${accountId}:role/${name}`, RoleSessionName: 'test' }));
      await moto.enforceIam(true);
      return access({ accessKeyId: Credentials!.AccessKeyId!, secretAccessKey: Credentials!.SecretAccessKey!, sessionToken: Credentials!.SessionToken! });
    };

    const asAdmin = async () => {
      await moto?.enforceIam(false);
      return admin();
    };

    const refOf = (id: string): ResourceRef => ({
      accountId,
      region: control.scope === 'global' ? 'us-east-1' : region,
      type: control.resourceType,
      id: id.startsWith('arn:') ? id : arnFrom(control.arn, { accountId, region }, id),
    });

    const paramsOf = (given: Expected<Partial<output<Params>>>['params'] = cases.params): output<Params> =>
      control.params.parse(typeof given === 'function' ? given() : (given ?? {}));

    const run = async <Result>(phase: Phase, actions: readonly IamAction[], work: (aws: Aws) => Promise<Result>) => {
      const sent: Sent[] = [];
      try {
        return { result: await work(watched(await asRole(actions), sent)), sent };
      } finally {
        for (const { client, operation } of sent) for (const action of await iamActionsOf(client, operation)) called[phase].add(action);
        await asAdmin();
      }
    };

    const { permissions } = control;
    const inspect = async (ref: ResourceRef) => {
      const { result, sent } = await run('inspect', permissions.inspect, (aws) => control.inspect(ref, aws));
      return { state: frozen(result), sent };
    };

    const judge = (state: State | undefined, params: output<Params>, now = new Date()): Evaluation => {
      if (state === undefined) throw new Error('inspect found nothing');
      const first = control.evaluate(state, params, now);
      expect(control.evaluate(state, params, now)).toEqual(first);
      expect(first.annotation).toMatch(/\S.*\.$/s);
      return first;
    };

    const expectVerdict = async (complianceType: string, expected: Arrange | Expected<Partial<output<Params>>>) => {
      const { given, params, annotation, at }: Expected<Partial<output<Params>>> = typeof expected === 'function' ? { given: expected } : expected;
      const ref = refOf(await given(await asAdmin()));
      const { state, sent } = await inspect(ref);
      const evaluation = judge(state, paramsOf(params), at);
      expect(evaluation).toMatchObject({ complianceType });
      if (annotation) expect(evaluation.annotation).toMatch(annotation);
      return { ref, state: state as State, sent, params: paramsOf(params) };
    };

    describe('compliant', () => {
      for (const [name, expected] of Object.entries(cases.compliant)) {
        test(name, async () => {
          await expectVerdict('COMPLIANT', expected);
        });
      }

      test('one inspect sends as many requests as declared', async () => {
        const { sent } = await expectVerdict('COMPLIANT', Object.values(cases.compliant)[0]!);
        expect(sent).toHaveLength(control.reads);
      });

      test('a denied read is an error, whichever it is, never a verdict', async () => {
        const expected = Object.values(cases.compliant)[0]!;
        const ref = refOf(await (typeof expected === 'function' ? expected : expected.given)(await asAdmin()));
        for (let nth = 0; nth < control.reads; nth += 1) {
          const outcome = await control.inspect(ref, denying(admin(), nth)).then(() => 'a verdict', isDenied);
          expect(outcome).toBe(true);
        }
      });
    });

    for (const [name, expected] of Object.entries(cases.notApplicable ?? {})) {
      test(`not applicable: ${name}`, async () => {
        await expectVerdict('NOT_APPLICABLE', expected);
      });
    }

    for (const [name, expected] of Object.entries(cases.nonCompliant ?? {})) {
      test(`non-compliant: ${name}`, async () => {
        await expectVerdict('NON_COMPLIANT', expected);
      });
    }

    for (const [name, expected] of Object.entries(cases.blocked ?? {})) {
      test(`blocked: ${name}`, async () => {
        const { state, params } = await expectVerdict('NON_COMPLIANT', expected);
        expect(control.plan!(state, params)).toEqual({ kind: 'blocked', reason: expect.stringMatching(expected.reason) });
      });
    }

    for (const [name, expected] of Object.entries(cases.remediated ?? {})) {
      test(`remediated: ${name}`, async () => {
        const { ref, state, params } = await expectVerdict('NON_COMPLIANT', expected);
        const planned = control.plan!(state, params);
        if (planned.kind === 'blocked') throw new Error(`blocked: ${planned.reason}`);
        expect(control.plan!(state, params)).toEqual(planned);
        expect(permissions.remediate).toContain(planned.action);
        if (expected.change) expect(planned).toMatchObject(expected.change);
        const change = JSON.parse(JSON.stringify(planned)) as Change<Setting>;
        expect(change).toEqual(planned);
        const original = control.setting!(state);

        const fix = (aws: Aws) => untilDone(() => control.remediate!(ref, change, aws, task));
        await run('remediate', [...permissions.inspect, ...permissions.remediate], fix);
        const fixed = await inspect(ref);
        expect(judge(fixed.state, params)).toMatchObject({ complianceType: 'COMPLIANT' });
        await expected.then?.(await asAdmin(), ref.id);

        await run('remediate', [...permissions.inspect, ...permissions.remediate], fix);
        const again = await inspect(ref);
        expect(control.setting!(again.state!)).toEqual(control.setting!(fixed.state!));

        if (!control.undo) return;
        for (const round of ['undo', 'undo again']) {
          await run('undo', [...permissions.inspect, ...permissions.undo], (aws) => untilDone(() => control.undo!(ref, change, aws, task)));
          const undone = await inspect(ref);
          expect({ round, setting: control.setting!(undone.state!) }).toEqual({ round, setting: original });
        }
      });
    }

    const { gone } = cases;
    if (typeof gone === 'object') {
      test('gone: drift, for it should be there', async () => {
        await expectVerdict('NON_COMPLIANT', gone.isDrift);
      });
    } else if (gone !== undefined) {
      test('gone: no state', async () => {
        const ref = refOf(typeof gone === 'string' ? gone : await gone(await asAdmin()));
        expect((await inspect(ref)).state).toBeUndefined();
      });
    }

    test('list gives each resource with the verdict that inspect gives', async () => {
      const cause = [...Object.values(cases.remediated ?? {}), ...Object.values(cases.nonCompliant ?? {}), ...Object.values(cases.blocked ?? {})][0]!;
      const { given, params } = typeof cause === 'function' ? { given: cause, params: undefined } : cause;
      const ref = refOf(await given(await asAdmin()));
      const { result } = await run('inspect', permissions.inspect, async (aws) => {
        const found: (readonly [ResourceRef, State?])[] = [];
        const pages = await Array.fromAsync(control.list(aws, { params: paramsOf(params) }));
        for (const { resources } of pages) found.push(...resources);
        // A sweep that was interrupted goes on with the token of the last page it finished.
        const from = pages[0]?.next;
        if (from) {
          const rest = await Array.fromAsync(control.list(aws, { params: paramsOf(params), from }));
          expect(rest.flatMap(({ resources }) => resources)).toEqual(pages.slice(1).flatMap(({ resources }) => resources));
        }
        return found;
      });
      const listed = result.find(([{ id }]) => id === ref.id);
      expect(listed?.[0]).toEqual(ref);
      const state = listed?.length === 2 ? listed[1] : (await inspect(ref)).state;
      expect(judge(frozen(state), paramsOf(params))).toEqual(judge((await inspect(ref)).state, paramsOf(params)));
    });

    describe('events', () => {
      for (const [name, { detail, ids, sweep }] of Object.entries(cases.events)) {
        test(name, () => {
          const full = { awsRegion: region, recipientAccountId: accountId, eventName: name.split(' ')[0], ...detail } as CloudTrailDetail;
          const trigger = control.triggers.find(
            (candidate) => candidate.source === 'cloudtrail' && candidate.eventSource === full.eventSource && candidate.eventNames.includes(full.eventName),
          );
          expect(trigger).toBeDefined();
          const found = resourcesOf(control, full);
          expect(found === unnamed ? 'sweep' : found.map(({ id }) => id)).toEqual(sweep ? 'sweep' : ids!.map((id) => refOf(id).id));
        });
      }
      test('every trigger has an event', () => {
        const named = Object.entries(cases.events).map(([name, { detail }]) => `${detail.eventSource}:${detail.eventName ?? name.split(' ')[0]}`);
        const declared = control.triggers.flatMap((trigger) =>
          trigger.source === 'cloudtrail' ? trigger.eventNames.map((name) => `${trigger.eventSource}:${name}`) : [],
        );
        expect(declared.filter((name) => !named.includes(name))).toEqual([]);
      });
    });

    test('has a case of each kind it owes', () => {
      if (control.remediate) expect(Object.keys(cases.remediated ?? {})).not.toHaveLength(0);
      else expect(Object.keys(cases.nonCompliant ?? {})).not.toHaveLength(0);
      if (control.arn.includes('{id}')) expect(cases.gone).toBeDefined();
      expect(Boolean(control.undo)).toBe(Boolean(control.remediate && !control.noUndo));
      expect(Boolean(control.plan)).toBe(!control.noFix);
    });

    // Last: it judges what the tests above have called.
    test('the IAM actions called in each phase are the declared ones, none missing, none spare', () => {
      const sorted = (actions: Iterable<string>) => [...actions].sort();
      const passRole = permissions.remediate.filter((action) => action === 'iam:PassRole');
      expect({ inspect: sorted(called.inspect), remediate: sorted([...called.remediate, ...passRole]), undo: sorted(called.undo) }).toEqual({
        inspect: sorted(permissions.inspect),
        remediate: sorted(permissions.remediate),
        undo: sorted(permissions.undo),
      });
    });
  });
}

export async function untilDone(move: () => Promise<Again | void>): Promise<void> {
  for (let round = 0; round < 50; round += 1) if (!(await move())) return;
  throw new Error('still not done after 50 moves');
}

/** States are data: a control that changes one while judging it fails here. */
function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value) && !(value instanceof Date) && !ArrayBuffer.isView(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

type Sendable = { send(command: object, ...rest: unknown[]): Promise<unknown> };

/** The same place, each call noted by client class and operation. */
export function watched(aws: Aws, sent: Sent[], before?: () => void): Aws {
  return {
    ...aws,
    client<Client extends object>(type: ClientClass<Client>) {
      const client = aws.client(type) as Client & Sendable;
      return Object.assign(Object.create(client), {
        send(command: object, ...rest: unknown[]) {
          sent.push({ client: type.name, operation: command.constructor.name.replace(/Command$/, '') });
          before?.();
          return client.send(command, ...rest);
        },
      });
    },
    in: (elsewhere) => watched(aws.in(elsewhere), sent, before),
  };
}

/** The same place, the nth call refused as AWS refuses it. */
function denying(aws: Aws, nth: number): Aws {
  const sent: Sent[] = [];
  return watched(aws, sent, () => {
    if (sent.length - 1 === nth) throw Object.assign(new Error('not authorized'), { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
  });
}
