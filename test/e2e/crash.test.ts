/** The deployed bot, its processes killed for real at the calls they make: nothing is lost or written twice, and the original setting stays known. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { OnCall } from '../../cli/local-stack/lambda.ts';
import type { Finding } from '../../engine/model.ts';
import { choresOf } from '../faults/chores.ts';
import { alertsIn } from '../support/left-alerts.ts';
import { describeOnMoto } from '../support/moto.ts';
import { closed, type Deployed, deployed, open, policyFile } from './world.ts';

type Name = 'detect' | 'remediate';

/** SIGKILL at the nth call of a function: before it is done, and then it never is, or after, so that nobody hears the answer. */
interface Death {
  readonly of: Name;
  readonly nth: number;
  readonly moment: 'before' | 'after';
  readonly call: string;
}

describeOnMoto('processes killed at their calls (on moto, IAM enforced)', () => {
  let bot: Deployed;
  let death: Death | undefined;
  let made: Record<Name, string[]> = { detect: [], remediate: [] };

  /** Subjects of what was left for the channels: one for a finding, however many of them there are. */
  let left: string[] = [];

  const onCall: OnCall = (call) => {
    const { by, service, target } = call;
    const of = (['detect', 'remediate'] as const).find((name) => by?.functionName.endsWith(`-${name}`));
    // Checkpoints: what they hold is how far the waiting has come, and nothing of the fix.
    if (!of || (of === 'remediate' && service === 'lambda')) return undefined;
    made[of].push(`${service} ${target}`);
    const struck = death?.of === of && death.nth === made[of].length ? death : undefined;
    if (struck?.moment !== 'before') left.push(...new Set(alertsIn(call).map(({ subject }) => subject)));
    if (!struck) return undefined;
    const { moment } = struck;
    death = undefined;
    return { do: 'kill', when: moment };
  };

  const opened = (bucket: string) => bot.opened(bucket);
  const unversioned = (bucket: string) => bot.event('s3', 'PutBucketVersioning', { requestParameters: { bucketName: bucket } });

  /** What each function asks for when nothing goes wrong. */
  const callsOf = async (eventOf: typeof opened) => {
    made = { detect: [], remediate: [] };
    await bot.settle(eventOf(await bot.bucket(open)));
    return made;
  };
  let fixing: typeof made;
  let paging: typeof made;

  beforeAll(async () => {
    // Guards far away: each death asks for a fix of its own.
    const guards = '{ fixesPerHour: 1000, fixesPerControlPerHour: 1000, ramp: { fixes: 1000 } }';
    bot = await deployed(policyFile('s3-bucket-public-access-block: fix\ns3-bucket-versioning: page', undefined, guards), { warm: true, onCall });
    // A sweep that is due while the clock is moved would fix what an event alone is to page.
    await (await choresOf(bot.stack.clients)).setHeartbeat(false);
    fixing = await callsOf(opened);
    paging = await callsOf(unversioned);
  }, 240_000);
  afterAll(() => bot?.stack.stop());

  // A death after a call leaves what a death before the next one leaves, so `after` is kept for what leaves the ledger, and for the end.
  const deathsOf = (of: Name, calls: readonly string[]): Death[] =>
    calls.flatMap((call, index) => {
      const at = { of, nth: index + 1, call };
      const lost = /^(lambda|sqs|s3 PUT) /.test(call) || index === calls.length - 1;
      return [{ ...at, moment: 'before' as const }, ...(lost ? [{ ...at, moment: 'after' as const }] : [])];
    });
  const isInvoke = ({ call }: Death) => call.startsWith('lambda ');

  /** Lets leases and visibility timeouts run out until nothing is under way any more. */
  const recover = async () => {
    for (let round = 0; round < 8; round += 1) {
      const { idle, executions, messagesWaiting } = await bot.stack.drain();
      if (idle && executions.length + messagesWaiting === 0) return;
      bot.stack.clock.advance(messagesWaiting > 0 ? 361 : 121);
    }
    throw new Error('the bot does not recover');
  };

  const findingsOf = async (bucket: string) => (await bot.findings()).filter(({ resource }) => resource.id.endsWith(bucket));
  const isClosed = async (bucket: string) => isDeepStrictEqual(await bot.blockOf(bucket), closed);
  const knows = ({ intended, changes }: Finding) => [intended, ...changes].some((recorded) => recorded?.change.before !== undefined);

  /** The end of it, to be compared with the end without a death. */
  const survived = async (planned: Death, eventOf: typeof opened) => {
    const bucket = await bot.bucket(open);
    made = { detect: [], remediate: [] };
    left = [];
    death = planned;
    await bot.settle(eventOf(bucket));
    const died = death === undefined;
    death = undefined;
    const unrecorded = (await isClosed(bucket)) && !(await findingsOf(bucket)).some(knows);
    await recover();
    const findings = await findingsOf(bucket);
    const entries = (await Promise.all(findings.map(({ id }) => bot.ledger.entries(id)))).flat();
    const told = left.filter((subject) => subject.includes(bucket.slice(0, 20)));
    return {
      killed: `${planned.moment} call ${planned.nth}, ${planned.call}`,
      died,
      /** A write that the ledger did not know of, at the time of the death. */
      unrecorded,
      block: await bot.blockOf(bucket),
      findings: findings.map(({ control, state, decision, outcome, changes }) => ({
        control,
        state,
        status: outcome?.status ?? decision.action,
        changes: changes.map(({ change: { before, after } }) => ({ before, after })),
      })),
      // Not written where the fix was quicker than the one who asked for it.
      story: entries.map(({ kind }) => kind).filter((kind) => kind !== 'DISPATCHED'),
      gapless: entries.every(({ seq }, index) => seq === index + 1),
      told: [...new Set(told.map((subject) => subject.replace(/records-[\w.-]+$/, 'BUCKET')))],
      toldTooOften: told.length > 2,
    };
  };

  const fixed = {
    block: closed,
    findings: [{ control: 's3-bucket-public-access-block', state: 'resolved', status: 'REMEDIATED', changes: [{ before: open, after: closed }] }],
    story: ['OPENED', 'INTENDED', 'REMEDIATED', 'ALERTED'],
    told: ['[HIGH] Fixed: s3-bucket-public-access-block on BUCKET'],
  };
  const paged = {
    block: open,
    findings: [{ control: 's3-bucket-versioning', state: 'open', status: 'page', changes: [] }],
    story: ['OPENED', 'ALERTED'],
    told: ['[MEDIUM] ACTION NEEDED: s3-bucket-versioning on BUCKET'],
  };

  const expectSurvived = async (deaths: readonly Death[], eventOf: typeof opened, end: object) => {
    expect(deaths.length).toBeGreaterThan(0);
    const seen: Awaited<ReturnType<typeof survived>>[] = [];
    for (const planned of deaths) seen.push(await survived(planned, eventOf));
    expect(seen).toEqual(seen.map(({ killed }) => ({ killed, died: true, unrecorded: false, gapless: true, toldTooOften: false, ...end })));
  };

  test('detect, between recording and invoking, and before it hears that it has invoked: fixed once', async () => {
    await expectSurvived(deathsOf('detect', fixing.detect).filter(isInvoke), opened, fixed);
  }, 120_000);

  test('remediate, before each call of act, and after those that leave the ledger: fixed once, with the true original setting', async () => {
    await expectSurvived(deathsOf('remediate', fixing.remediate), opened, fixed);
  }, 600_000);

  test('detect, before each other call for a fix, and after the last: fixed once', async () => {
    await expectSurvived(
      deathsOf('detect', fixing.detect).filter((planned) => !isInvoke(planned)),
      opened,
      fixed,
    );
  }, 600_000);

  test('detect, before each call for a page, after telling, and after the last: one finding, told once or twice', async () => {
    await expectSurvived(deathsOf('detect', paging.detect), unversioned, paged);
  }, 600_000);
});
