/** Answers from Slack: what is a proof, and what each refusal says. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { act } from '../../../engine/act.ts';
import { actionId, actionValue, parseAction } from '../../../engine/alerts/render/slack/actions.ts';
import { planHash } from '../../../engine/answers/plan-hash.ts';
import { askedBy, isFresh, isSigned, longestBody, saidBy } from '../../../engine/answers/slack.ts';
import type { Answer, Finding } from '../../../engine/model.ts';
import type { CompiledPolicy } from '../../../engine/policy/model.ts';
import { undo, undoOf } from '../../../engine/undo.ts';
import { give, person } from '../../support/answers.ts';
import { leave, members, people } from '../../support/slack-answers.ts';
import { blockActions, signed, slackSecret, viewSubmission } from '../../support/slack-signer.ts';
import { by, call, policyOf, terraform, World } from '../../support/world.ts';

const id = 'f-xwbinqbqetctjjm4kahh23q2pm';
const other = 'f-aaaaaaaaaaaaaaaaaaaaaaaaaa';
const hash = '0123456789abcdef';

describe('the signature', () => {
  const now = new Date('2026-11-01T03:00:00Z');
  const request = signed(slackSecret, blockActions('U1234', 'phidelity:approve', actionValue(id, hash)), now);

  test('that Slack documents', () => {
    // https://docs.slack.dev/authentication/verifying-requests-from-slack
    const body =
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
    const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
    expect(isSigned(slackSecret, { timestamp: '1531420618', signature, body })).toBe(true);
  });

  const wrong: Readonly<Record<string, Partial<typeof request> & { readonly secret?: string }>> = {
    'another secret': { secret: 'another' },
    'no secret': { secret: '' },
    'another body': { body: `${request.body}&x=1` },
    'another time': { timestamp: String(Number(request.timestamp) + 1) },
    'a time in another form': { timestamp: `${request.timestamp}.0` },
    'no signature': { signature: '' },
    'a signature of another length': { signature: request.signature.slice(0, -2) },
    'upper case': { signature: request.signature.toUpperCase().replace('V', 'v') },
    'another version': { signature: request.signature.replace('v0', 'v1') },
  };
  test.each(Object.entries(wrong))('%s: none', (_, { secret = slackSecret, ...parts }) => {
    expect(isSigned(slackSecret, request)).toBe(true);
    expect(isSigned(secret, { ...request, ...parts })).toBe(false);
  });

  test('an empty key is none, also where it fits', () => {
    expect(isSigned('', signed('', 'payload=%7B%7D', now))).toBe(false);
  });

  test.each<[string, number, boolean]>([
    ['just now', 0, true],
    ['five minutes old', 300, true],
    ['older', 301, false],
    ['five minutes ahead', -300, true],
    ['later', -301, false],
  ])('%s', (_, seconds, fresh) => {
    expect(isFresh(String(now.getTime() / 1_000 - seconds), now)).toBe(fresh);
  });
});

describe('what is said', () => {
  const bodyOf = (payload: object | string) => signed(slackSecret, payload, new Date()).body;
  const value = actionValue(id, hash);

  test.each<[string, object, object]>([
    ['approve', blockActions('U1234', 'phidelity:approve', value), { decision: 'approve', about: 'fix' }],
    ['deny an undo', blockActions('U1234', 'phidelity:deny:undo', value), { decision: 'deny', about: 'undo' }],
    ['snooze', blockActions('W1234', 'phidelity:snooze', value), { user: 'W1234', decision: 'snooze' }],
    ['recheck', blockActions('U1234', 'phidelity:recheck', value), { decision: 'recheck' }],
    [
      'except, with words',
      viewSubmission('U1234', 'phidelity:except', value, { reason: ' why ', until: '2026-12-01' }),
      { decision: 'except', reason: 'why', until: '2026-12-01' },
    ],
    ['undo, with words', viewSubmission('U1234', 'phidelity:undo', value, { reason: 'why', until: '2026-12-01' }), { decision: 'undo', reason: 'why' }],
  ])('%s', (_, payload, said) => {
    expect(saidBy(bodyOf(payload))).toMatchObject({ user: 'U1234', findingId: id, hash, ...said });
  });

  const nothing: Readonly<Record<string, object | string>> = {
    'a click that only opens a form': blockActions('U1234', 'phidelity:except', value),
    'a form that answers yes': viewSubmission('U1234', 'phidelity:approve', value, { reason: 'why', until: '2026-12-01' }),
    'another action': blockActions('U1234', 'phidelity:end', value),
    'a name that objects have by themselves': blockActions('U1234', 'constructor', value),
    'a longer value': blockActions('U1234', 'phidelity:approve', `${value}0`),
    'two buttons at once': blockActions('U1234', 'phidelity:approve', value, {
      actions: [
        { action_id: 'phidelity:approve', value },
        { action_id: 'phidelity:deny', value },
      ],
    }),
    nobody: blockActions('', 'phidelity:approve', value),
    'a bot': blockActions('B1234', 'phidelity:approve', value),
    'somebody of another workspace': blockActions('U1234', 'phidelity:approve', value, { user: { id: 'U1234', team_id: 'T0OTHER' } }),
    'two payloads': `${bodyOf(blockActions('U1234', 'phidelity:approve', value))}&payload=%7B%7D`,
    'JSON without a form': JSON.stringify(blockActions('U1234', 'phidelity:approve', value)),
    'a check of the certificate': 'ssl_check=1&token=x',
  };
  test.each(Object.entries(nothing))('nothing: %s', (_, payload) => {
    expect(saidBy(bodyOf(payload))).toBeUndefined();
  });

  test('a form is asked for', () => {
    expect(askedBy(bodyOf(blockActions('U1234', 'phidelity:undo', value)))).toMatchObject({ user: 'U1234', decision: 'undo', triggerId: expect.any(String) });
    expect(askedBy(bodyOf(blockActions('U1234', 'phidelity:approve', value)))).toBeUndefined();
  });

  test('what nobody would send: nothing is said, and nothing thrown', () => {
    const json = fc.json({ maxDepth: 4 });
    const bodies = fc.oneof(
      fc.string(),
      fc.webQueryParameters(),
      json.map((payload) => new URLSearchParams({ payload }).toString()),
    );
    fc.assert(fc.property(bodies, (body) => saidBy(body) === undefined && askedBy(body) === undefined));
  });

  test('only what is well formed is a decision, whichever part is another', () => {
    const part = fc.oneof(fc.jsonValue(), fc.constantFrom('block_actions', 'view_submission', value, 'phidelity:approve', 'U1234'));
    const places = fc.constantFrom(['type'], ['user'], ['user', 'id'], ['actions'], ['actions', '0', 'action_id'], ['actions', '0', 'value'], ['actions', '0']);
    fc.assert(
      fc.property(places, part, (path, given) => {
        const payload = JSON.parse(JSON.stringify(blockActions('U1234', 'phidelity:approve', value)));
        let inner = payload;
        for (const key of path.slice(0, -1)) inner = inner[key];
        inner[path.at(-1)!] = given;
        const said = saidBy(bodyOf(payload));
        if (!said) return;
        expect(payload.type).toBe('block_actions');
        expect(parseAction(payload.actions[0].action_id, payload.actions[0].value)).toBeDefined();
        expect(payload.user.id).toMatch(/^[UW][A-Z0-9]{2,31}$/);
      }),
    );
  });
});

describe('answers', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.close());

  const asking = (parts: Partial<CompiledPolicy> = {}): CompiledPolicy => ({ ...policyOf({ 'lamp-off': { mode: 'approve' } }), people, ...parts });
  const finding = async (): Promise<Finding> => (await world.findings())[0]!;
  const entries = async () => (await world.ledger.entries((await finding()).id)).map(({ kind, note }) => `${kind}: ${note}`);
  const refusals = async () => (await entries()).filter((entry) => entry.startsWith('REFUSED'));
  const wake = () => finding().then((found) => act(found.id, world.action, true));

  async function asked(policy = asking(), event = call('SwitchOn', 'hall', by(terraform))): Promise<Finding> {
    world.policy = policy;
    world.house.lamps.set('hall', { on: true });
    await world.detect(event);
    expect(await act(world.dispatched[0]!, world.action)).toMatchObject({ knock: true });
    world.advance(60);
    return finding();
  }
  type Decision = Answer['decision'];
  const click = (who: keyof typeof members, decision: Decision, { id: findingId, question }: Finding, given: { hash?: string; about?: 'undo' } = {}) =>
    blockActions(members[who], actionId(decision, given.about), actionValue(findingId, given.hash ?? question!.planHash));

  test('a yes: fixed, and the evidence names the member', async () => {
    const found = await asked();
    await leave(world, click('lee', 'approve', found));
    expect(await wake()).toEqual({ ended: 'REMEDIATED' });
    expect(await entries()).toContainEqual(`APPROVED: lee (slack:${members.lee}) approved plan ${found.question!.planHash.slice(0, 12)}.`);
  });

  test('a no: not fixed', async () => {
    await leave(world, click('lee', 'deny', await asked()));
    expect(await wake()).toEqual({ ended: 'NOTIFIED' });
    expect(await finding()).toMatchObject({ denied: { by: 'lee' } });
  });

  test('one person in Slack, another with credentials: two', async () => {
    const found = await asked(asking({ approvals: { expires: 3_600, secondPerson: 'LOW' } }));
    await leave(world, click('lee', 'approve', found));
    await give(world, found, 'approve', { by: person('lee') });
    expect(await wake()).toMatchObject({ knock: true });
    expect(await refusals()).toEqual([expect.stringMatching(/lee has approved already/)]);
    await give(world, found, 'approve', { by: person('kim') });
    expect(await wake()).toEqual({ ended: 'REMEDIATED' });
  });

  test('whom a later policy gives another member id: the yes of the old one no longer counts', async () => {
    const found = await asked(asking({ approvals: { expires: 3_600, secondPerson: 'LOW' } }));
    await leave(world, click('lee', 'approve', found));
    await wake();
    world.policy = { ...world.policy, people: { ...people, lee: { ...people.lee!, slack: 'U012OTHER' } } };
    await leave(world, click('kim', 'approve', found));
    expect(await wake()).toMatchObject({ knock: true });
    expect(world.house.writes).toEqual([]);
  });

  const minutes = (count: number) => new Date(world.clock.now().getTime() + count * 60_000);
  const refused: Readonly<Record<string, { readonly leave: (to: Finding) => Promise<unknown>; readonly words: RegExp }>> = {
    'another secret': { leave: (to) => leave(world, click('lee', 'approve', to), { secret: 'another' }), words: /not that of the Slack app of the policy/ },
    'a body that was changed': {
      leave: async (to) => {
        const { body } = signed(slackSecret, click('lee', 'approve', to), world.clock.now());
        await leave(world, click('dana', 'approve', to), { proof: { body } });
      },
      words: /not that of the Slack app of the policy/,
    },
    'nobody of the policy': {
      leave: (to) => leave(world, blockActions('U0MALLORY', 'phidelity:approve', actionValue(to.id, to.question!.planHash))),
      words: /slack:U0MALLORY is none of the people of the policy/,
    },
    'another plan': { leave: (to) => leave(world, click('lee', 'approve', to, { hash })), words: /about another plan/ },
    'a row that names another plan than was signed': {
      leave: (to) => leave(world, click('lee', 'approve', to, { hash }), { row: { planHash: to.question!.planHash.slice(0, 16) } }),
      words: /signed for something else \(plan\)/,
    },
    'a row with no digits of a plan': {
      leave: (to) => leave(world, click('lee', 'approve', to, { hash }), { row: { planHash: '' } }),
      words: /about another plan/,
    },
    'a row that turns a no into a yes': {
      leave: (to) => leave(world, click('lee', 'deny', to), { row: { decision: 'approve' } }),
      words: /signed for something else \(decision\)/,
    },
    'a row with words that were not signed': {
      leave: (to) => leave(world, click('lee', 'deny', to), { row: { reason: 'forged' } }),
      words: /signed for something else \(reason\)/,
    },
    'an answer about another finding': {
      leave: (to) => leave(world, blockActions(members.lee, 'phidelity:approve', actionValue(other, to.question!.planHash)), { row: { findingId: to.id } }),
      words: /signed for something else \(finding\)/,
    },
    'a yes to an undo under a question about a fix': {
      leave: (to) => leave(world, click('lee', 'approve', to, { about: 'undo' })),
      words: /another question than the one that is open/,
    },
    'said before this was asked': {
      leave: (to) => leave(world, click('lee', 'approve', to), { signedAt: new Date(Date.parse(to.question!.askedAt) - 1_000) }),
      words: /another question than the one that is open/,
    },
    'said long before the row says that it came': {
      leave: (to) => {
        const signedAt = world.clock.now();
        world.advance(6 * 60);
        return leave(world, click('lee', 'approve', to), { signedAt });
      },
      words: /not left at the time at which Slack signed it/,
    },
    'a copy of a row that was kept back': {
      leave: async (to) => {
        const [signedAt, at] = [world.clock.now(), world.clock.now().toISOString()];
        world.advance(61 * 60);
        await leave(world, click('lee', 'approve', to), { signedAt, row: { at } });
      },
      words: /stale: Slack signed it more than an hour/,
    },
    'a date in the future': {
      leave: (to) => leave(world, click('lee', 'approve', to), { signedAt: minutes(6), row: { at: minutes(6).toISOString() } }),
      words: /dated in the future/,
    },
    'a click that only opens a form, as a proof': {
      leave: (to) =>
        leave(world, blockActions(members.lee, 'phidelity:except', actionValue(to.id, to.question!.planHash)), {
          row: { findingId: to.id, planHash: to.question!.planHash.slice(0, 16) },
        }),
      words: /another question/,
    },
  };
  test.each(Object.entries(refused))('refused: %s', async (_, { leave: left, words }) => {
    await left(await asked());
    expect(await wake()).toMatchObject({ knock: true });
    expect(await refusals()).toEqual([expect.stringMatching(words)]);
    expect(world.house.writes).toEqual([]);
    // It is not heard twice.
    await act((await finding()).id, world.action);
    expect(await refusals()).toHaveLength(1);
  });

  test('refused: after the time to answer', async () => {
    const found = await asked(asking({ approvals: { expires: 600 } }));
    world.advance(541);
    await leave(world, click('lee', 'approve', found));
    await wake();
    expect(await refusals()).toEqual([expect.stringMatching(/came too late/)]);
    expect(world.house.writes).toEqual([]);
  });

  test('refused: whoever made the change', async () => {
    await leave(world, click('dana', 'approve', await asked(asking(), call('SwitchOn', 'hall'))));
    await wake();
    expect(await refusals()).toEqual([expect.stringMatching(/dana may have made the change/)]);
  });

  test('refused: the same body again, signed anew as Slack does when it tries again', async () => {
    const found = await asked(asking({ approvals: { expires: 3_600, secondPerson: 'LOW' } }));
    const payload = click('lee', 'approve', found);
    await leave(world, payload);
    await wake();
    world.advance(10);
    await leave(world, payload, { row: { id: 'again' } });
    await wake();
    expect(await refusals()).toEqual([expect.stringMatching(/proof has been used already/)]);
  });

  test('refused: an old yes when the same plan is asked about anew', async () => {
    const found = await asked();
    const kept = signed(slackSecret, click('lee', 'approve', found), world.clock.now());
    await leave(world, click('kim', 'deny', found));
    await wake();
    await world.detect({ ...call('SwitchOn', 'hall', by(terraform)) });
    world.advance(60);
    await world.ledger.save(
      {
        ...(await finding()),
        version: (await finding()).version + 1,
        denied: undefined,
        question: { ...found.question!, id: 'anew', askedAt: world.clock.now().toISOString() },
      },
      { ...(await world.ledger.entries(found.id)).at(-1)!, seq: (await finding()).version + 1 },
    );
    world.advance(60);
    await leave(world, click('lee', 'approve', found), { proof: kept });
    await wake();
    expect((await refusals()).at(-1)).toMatch(/another question than the one that is open/);
    expect(world.house.writes).toEqual([]);
  });

  test('a row too long for a proof is no answer, and keeps nobody from being heard', async () => {
    const found = await asked();
    const long = { ...click('lee', 'approve', found), filler: 'x'.repeat(longestBody) };
    await leave(world, long, { row: { findingId: found.id } }).catch(() => {});
    await leave(world, click('kim', 'approve', found));
    expect(await wake()).toEqual({ ended: 'REMEDIATED' });
  });

  test('not while the secret cannot be read: the answer waits', async () => {
    await leave(world, click('lee', 'approve', await asked()));
    const { prove } = world.ports;
    world.ports.prove = async () => {
      throw new Error('denied');
    };
    expect(await wake()).toMatchObject({ again: 60, note: expect.stringContaining('the signing secret of the Slack app cannot be read') });
    world.ports.prove = prove;
    world.advance(60);
    expect(await wake()).toEqual({ ended: 'REMEDIATED' });
  });

  test('undone: asked for by one, approved by a second', async () => {
    await leave(world, click('lee', 'approve', await asked()));
    await wake();
    const control = (await world.catalogue[0]!.load()) as { endsPublicExposure?: true };
    control.endsPublicExposure = true;
    const fixed = await finding();
    const value = actionValue(fixed.id, planHash(fixed, undoOf(fixed)!, 'undo'));
    const words = { reason: 'the vendor needs it', until: '2026-12-01' };
    await leave(world, viewSubmission(members.lee, 'phidelity:undo', actionValue(fixed.id, hash), words));
    await leave(world, viewSubmission(members.lee, 'phidelity:undo', value, { ...words, until: '2027-03-01' }));
    await leave(world, viewSubmission(members.lee, 'phidelity:undo', value, { ...words, reason: '' }));
    expect(await undo(fixed.id, world.action)).toEqual({ ended: 'REMEDIATED' });
    expect((await refusals()).sort()).toEqual([
      expect.stringMatching(/An exception holds at most 90 days/),
      expect.stringMatching(/about other writes/),
      expect.stringMatching(/names no reason/),
    ]);

    await leave(world, viewSubmission(members.lee, 'phidelity:undo', value, words));
    expect(await undo(fixed.id, world.action)).toMatchObject({ knock: true });
    const undoing = await finding();
    world.advance(5);
    await leave(world, click('lee', 'approve', undoing, { about: 'undo' }));
    expect(await undo(fixed.id, world.action, true)).toMatchObject({ knock: true });
    await leave(world, click('kim', 'approve', undoing, { about: 'undo' }));
    expect(await undo(fixed.id, world.action, true)).toEqual({ ended: 'EXCEPTED' });
    expect(world.house.writes).toEqual(['hall=false', 'hall=true']);
  });
});
