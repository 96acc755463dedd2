/**
 * One request of Slack's interactivity. Nothing is read from the table before its signature holds; what it says is left as an answer,
 * which remediate verifies again.
 * https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { proofId } from '../../engine/answers/bound.ts';
import { askedBy, isFresh, isSigned, longestBody, responseUrlOf, type Said, saidBy } from '../../engine/answers/slack.ts';
import { type Work, workOf } from '../../engine/answers/work.ts';
import { ConflictError } from '../../engine/errors.ts';
import type { Answer, SlackProof } from '../../engine/model.ts';
import type { SecretRef } from '../../engine/policy/channels.ts';
import type { Clock, Ledger } from '../../engine/ports.ts';
import type { Secrets } from '../aws/secrets.ts';
import { faultsOf, formFor } from './modal.ts';
import type { Web } from './web.ts';

export interface Reception {
  readonly signingSecret: SecretRef;
  readonly token: SecretRef;
  readonly secrets: Secrets;
  readonly clock: Pick<Clock, 'now'>;
  readonly ledger: Pick<Ledger, 'answer' | 'policy'>;
  readonly web: Web;
  knock(answer: Answer, work: Work): Promise<void>;
  /** A code that tells whoever runs the bot what to mend; nothing of what was said. */
  complain(code: string): Promise<void>;
}

type Request = Pick<APIGatewayProxyEventV2, 'headers' | 'body' | 'isBase64Encoded'>;
type Reply = APIGatewayProxyStructuredResultV2;

const silent = (statusCode: number): Reply => ({ statusCode, body: '' });
const done = silent(200);
const answered = (body: object): Reply => ({ statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

/** Bytes. */
const longestRequest = 256 * 1024;

/** The raw body; undefined: it is too long. */
function bodyOf({ body = '', isBase64Encoded }: Request): string | undefined {
  // In base64 three bytes are four characters.
  if (body.length > (isBase64Encoded ? Math.ceil(longestRequest / 3) * 4 : longestRequest)) return undefined;
  const raw = isBase64Encoded ? Buffer.from(body, 'base64') : Buffer.from(body);
  return raw.length > longestRequest ? undefined : raw.toString();
}

const headerOf = ({ headers }: Request, wanted: string): string => Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === wanted)?.[1] ?? '';

export async function receive(request: Request, reception: Reception): Promise<Reply> {
  const { clock, web, ledger } = reception;
  const body = bodyOf(request);
  if (body === undefined) return silent(413);
  const timestamp = headerOf(request, 'x-slack-request-timestamp');
  const signature = headerOf(request, 'x-slack-signature');
  const now = clock.now();
  // Why is nobody's business: whoever is not Slack learns nothing.
  if (!isFresh(timestamp, now)) return silent(401);
  const proof: SlackProof = { kind: 'slack', timestamp, signature, body };
  if (!isSigned(await reception.secrets.read(reception.signingSecret), proof)) return silent(401);

  const said = saidBy(body);
  const asks = said ? undefined : askedBy(body);
  const user = said?.user ?? asks?.user;
  // What Slack sends besides: checks of the certificate, forms that were closed, links that were opened.
  if (!user) return done;
  const refuse = (words: string) => refused(words, said !== undefined && isSubmission(said), body, web);
  const token = asks && reception.secrets.read(reception.token);
  // Awaited below, and not left unheard meanwhile.
  token?.catch(() => {});
  const policy = await ledger.policy();
  if (!policy || !Object.values(policy.people).some(({ slack }) => slack === user))
    return refuse('You are not one of the people of the policy whom the bot hears: your member id must stand there, under "people".');

  if (asks) {
    const fault = await token!.then((value) => web.open(value, asks.triggerId, formFor(asks, now)!)).catch(() => 'token_unread');
    if (!fault) return done;
    reception.secrets.forget(reception.token);
    await reception.complain(fault);
    return refuse(`The form could not be opened (${fault}). Press the button again, or use the command line.`);
  }
  if (Buffer.byteLength(body) > longestBody) return refuse('This message is too long to be answered here: use the command line.');
  const faults = isSubmission(said!) ? faultsOf(said!, now) : undefined;
  if (faults) return answered({ response_action: 'errors', errors: faults });
  const answer = answerOf(said!, proof, now);
  // The same interaction again is the same answer.
  await ledger.answer(answer).catch((error: unknown) => {
    if (!(error instanceof ConflictError)) throw error;
  });
  await reception.knock(answer, workOf(answer, said!.about === 'undo'));
  return done;
}

/** Only forms bring words. */
const isSubmission = ({ decision }: Said): boolean => decision === 'except' || decision === 'undo';

/** Slack shows nothing of what answers a click: that goes another way. */
async function refused(words: string, submission: boolean, body: string, web: Web): Promise<Reply> {
  if (submission) return answered({ response_action: 'errors', errors: { reason: words } });
  await web.whisper(responseUrlOf(body), words);
  return done;
}

function answerOf({ findingId, decision, hash, reason, until }: Said, proof: SlackProof, now: Date): Answer {
  const id = proofId(proof);
  return {
    id,
    findingId,
    decision,
    question: id,
    planHash: hash,
    ...(reason !== undefined && { reason }),
    ...(until !== undefined && { until }),
    at: now.toISOString(),
    proof,
  };
}
