/**
 * Proof of person from Slack: the body of an interaction as Slack sent it, with Slack's signature. It says who pressed which button of
 * which message; what a row of the table says beside it is a claim. Pure.
 * https://docs.slack.dev/authentication/verifying-requests-from-slack
 * https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
 * https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseAction, type SlackAction } from '../alerts/render/slack/actions.ts';
import type { Answer, Principal, SlackProof } from '../model.ts';
import { slackArn } from './member.ts';

/** Characters of a body that is kept as a proof: an item of the table is never packed for an answer, and holds 100 KB unpacked. */
export const longestBody = 90 * 1024;

/** Seconds that a request may be old when it comes in; the same into the future. */
export const receptionSeconds = 5 * 60;
/** Seconds from signing to being judged: who copies a row or a log cannot use it later. */
export const slackProofLifetime = 60 * 60;

const timestampForm = /^[1-9]\d{9}$/;
const signatureForm = /^v0=[0-9a-f]{64}$/;

/** In constant time. Anything that has not the form of a signature is none. */
export function isSigned(secret: string, { timestamp, signature, body }: Omit<SlackProof, 'kind'>): boolean {
  // An empty key is a key that everybody has.
  if (secret === '' || !timestampForm.test(timestamp) || !signatureForm.test(signature)) return false;
  const expected = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest();
  return timingSafeEqual(expected, Buffer.from(signature.slice('v0='.length), 'hex'));
}

/** Whether it is neither older nor later than a request may be when it comes in. */
export const isFresh = (timestamp: string, now: Date): boolean =>
  timestampForm.test(timestamp) && Math.abs(now.getTime() - Number(timestamp) * 1_000) <= receptionSeconds * 1_000;

/** Epoch milliseconds; whole seconds. */
export const slackSignedAt = ({ timestamp }: Pick<SlackProof, 'timestamp'>): number => Number(timestamp) * 1_000;

/** An answer of a person, as Slack's signature covers it. */
export interface Said extends SlackAction {
  /** Member id. */
  readonly user: string;
  readonly reason?: string;
  /** `YYYY-MM-DD`, as typed. */
  readonly until?: string;
}

/** A button that asks for more words, in a form that is still to be opened. */
export interface Asks extends SlackAction {
  readonly user: string;
  readonly triggerId: string;
}

type Json = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const mapIn = (value: unknown, ...path: readonly string[]): Json => {
  const found = path.reduce<unknown>((inner, key) => (isMap(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined), value);
  return isMap(found) ? found : {};
};
const textIn = (map: Json, key: string): string | undefined => {
  const found = Object.hasOwn(map, key) ? map[key] : undefined;
  return typeof found === 'string' ? found : undefined;
};

/** The one payload of a body. Undefined: it has none, or more than one could be meant. */
export function payloadOf(body: string): Json | undefined {
  const given = new URLSearchParams(body).getAll('payload');
  if (given.length !== 1) return undefined;
  try {
    const payload: unknown = JSON.parse(given[0]!);
    return isMap(payload) ? payload : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Somebody of another organisation, in a channel that is shared with it: nothing promises that member ids are unique beyond a workspace.
 * https://docs.slack.dev/apis/slack-connect/
 */
const isStranger = (payload: Json): boolean => {
  const [team, own] = [textIn(mapIn(payload, 'team'), 'id'), textIn(mapIn(payload, 'user'), 'team_id')];
  return team !== undefined && own !== undefined && team !== own && textIn(mapIn(payload, 'enterprise'), 'id') === undefined;
};

export function userOf(payload: Json): string | undefined {
  const id = textIn(mapIn(payload, 'user'), 'id');
  return id !== undefined && /^[UW][A-Z0-9]{2,31}$/.test(id) && !isStranger(payload) ? id : undefined;
}

/** Decisions that need words: a click on them is no answer yet. */
const needsWords = ({ decision }: SlackAction): boolean => decision === 'except' || decision === 'undo';

function clicked(payload: Json): SlackAction | undefined {
  const { type, actions } = payload;
  if (type !== 'block_actions' || !Array.isArray(actions) || actions.length !== 1) return undefined;
  const [action] = actions as readonly unknown[];
  return isMap(action) ? parseAction(action.action_id, action.value) : undefined;
}

/** Names of the parts of the form; the view that is opened has the same. */
export const form = { reason: 'reason', until: 'until' } as const;

function submitted(payload: Json): (SlackAction & Pick<Said, 'reason' | 'until'>) | undefined {
  if (payload.type !== 'view_submission') return undefined;
  const view = mapIn(payload, 'view');
  const action = parseAction(view.callback_id, metadataOf(view).value);
  if (!action || !needsWords(action)) return undefined;
  const typed = (name: string) => mapIn(view, 'state', 'values', name, name);
  const reason = textIn(typed(form.reason), 'value')?.trim();
  const until = textIn(typed(form.until), 'selected_date');
  return { ...action, ...(reason !== undefined && { reason }), ...(until !== undefined && { until }) };
}

function metadataOf(view: Json): Json {
  try {
    const metadata: unknown = JSON.parse(textIn(view, 'private_metadata') ?? '');
    return isMap(metadata) ? metadata : {};
  } catch {
    return {};
  }
}

/** What a person has answered. Undefined: nothing, whatever else it is. Never throws. */
export function saidBy(body: string): Said | undefined {
  const payload = payloadOf(body);
  const user = payload && userOf(payload);
  if (!payload || !user) return undefined;
  const click = clicked(payload);
  const said = click && !needsWords(click) ? click : submitted(payload);
  return said && { user, ...said };
}

/** The click that wants the form opened. */
export function askedBy(body: string): Asks | undefined {
  const payload = payloadOf(body);
  const user = payload && userOf(payload);
  const click = payload && clicked(payload);
  const triggerId = payload && textIn(payload, 'trigger_id');
  return user && click && needsWords(click) && triggerId ? { user, triggerId, ...click } : undefined;
}

/** Where words go that only who clicked sees. Whether the address is Slack's is for who sends to look at. */
export function responseUrlOf(body: string): string | undefined {
  const payload = payloadOf(body);
  return payload && textIn(payload, 'response_url');
}

/** Whether it has the form of a proof; many may write rows. */
export const isSlackProof = (proof: Json): boolean =>
  typeof proof.timestamp === 'string' &&
  timestampForm.test(proof.timestamp) &&
  typeof proof.signature === 'string' &&
  signatureForm.test(proof.signature) &&
  typeof proof.body === 'string' &&
  proof.body.length <= longestBody;

/** Why the two are not what the endpoint has left, which writes down what was signed, when it comes; undefined: nothing speaks against it. */
export function misfitSlack(proof: SlackProof, answer: Answer): string | undefined {
  const said = isSlackProof({ ...proof }) ? saidBy(proof.body) : undefined;
  if (!said) return 'The proof is no answer that somebody gave in Slack.';
  const claims: readonly (readonly [what: string, row: string | undefined, signed: string | undefined])[] = [
    ['finding', answer.findingId, said.findingId],
    ['decision', answer.decision, said.decision],
    ['plan', answer.planHash, said.hash],
    ['reason', answer.reason, said.reason],
    ['last day', answer.until, said.until],
  ];
  const wrong = claims.find(([, row, signed]) => row !== signed);
  if (wrong) return `The proof was signed for something else (${wrong[0]}).`;
  const late = !(Math.abs(Date.parse(answer.at) - slackSignedAt(proof)) <= receptionSeconds * 1_000);
  return late ? 'It was not left at the time at which Slack signed it.' : undefined;
}

/** Why the proof cannot stand for this answer, before its signature is looked at; undefined: nothing speaks against it. */
export function unfitSlack(proof: SlackProof, answer: Answer, now: Date): string | undefined {
  const fault = misfitSlack(proof, answer);
  if (fault) return fault;
  const age = now.getTime() - slackSignedAt(proof);
  if (!(age <= slackProofLifetime * 1_000)) return 'The proof is stale: Slack signed it more than an hour before it was read. Answer again.';
  return age < -receptionSeconds * 1_000 ? 'The proof is dated in the future.' : undefined;
}

/** Undefined: the secret of the app did not sign it, or nobody says anything in it. */
export function slackPrincipal(secret: string, proof: SlackProof): Principal | undefined {
  const user = isSigned(secret, proof) ? saidBy(proof.body)?.user : undefined;
  return user === undefined ? undefined : { arn: slackArn(user), accountId: '' };
}
