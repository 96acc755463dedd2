/** What becomes of answers is told where they were given; what nobody can have given is told everybody who is to be called. */
import { answeredOf } from '../alerts/answered.ts';
import type { Told } from '../alerts/finding.ts';
import { forgedAlertOf } from '../alerts/forged.ts';
import { step } from '../finding.ts';
import type { Answer, Finding } from '../model.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import type { Ports } from '../ports.ts';
import { proofId } from './bound.ts';
import { heardWith, lastHeard } from './heard.ts';
import { type Origin, originOf } from './origin.ts';

type Telling = Pick<Ports, 'ledger' | 'clock' | 'alert' | 'log'>;

/**
 * Says in Slack what has become of what somebody said there. After it was recorded, which happens once: what dies in between is not told
 * twice, but not at all; the evidence has it.
 */
export async function tellAnswered(finding: Finding, control: Told, { proof }: Pick<Answer, 'proof'>, words: string, ports: Telling): Promise<void> {
  // Whoever used the command line has been told there.
  if (proof?.kind === 'slack') await say(finding, control, proofId(proof), words, ports);
}

/** Of answers that nobody has judged. */
export async function tellGivenUp(finding: Finding, control: Told, words: string, ports: Telling): Promise<void> {
  await say(finding, control, `given up ${finding.version}`, words, ports);
}

/** No fix waits for it. */
const say = (finding: Finding, control: Told, answer: string, words: string, { alert, log }: Telling): Promise<void> =>
  alert(answeredOf(finding, control, answer, words)).catch((error: unknown) => log.warn('What became of an answer could not be told', { error }));

/**
 * Records that an answer does not count, and tells whom it concerns.
 * @param what "An exception", as the evidence calls the answer
 * @param why a sentence; `most`: so many are heard
 * @returns the finding with the entry
 */
export async function refuse(
  finding: Finding,
  control: Told,
  answer: Answer,
  { what, why, most }: { readonly what: string; readonly why: string; readonly most?: number },
  policy: Pick<CompiledPolicy, 'people'>,
  ports: Telling & Pick<Ports, 'prove'>,
): Promise<Finding> {
  const origin = await originOf(answer, finding, policy, ports);
  // First: what has been heard is not looked at again.
  if (origin.kind === 'forged') await page(finding, control, answer, origin.how, ports);
  const heard = heardWith(finding, answer);
  const at = ports.clock.now().toISOString();
  const next = step(finding, { heard }, { kind: 'REFUSED', by: 'remediate', at, note: `${what} was refused: ${why}${lastHeard(heard, most)}` });
  await ports.ledger.save(next.finding, next.entry);
  const words = refusedWords(origin, answer, why);
  if (words) await tellAnswered(next.finding, control, answer, words, ports);
  return next.finding;
}

/** Slack's names are no names here, and the reason would hold one where the policy names nobody. */
function refusedWords(origin: Origin, { decision }: Answer, why: string): string | undefined {
  if (origin.kind === 'person') return `${origin.name}'s answer (${decision}) was refused: ${why}`;
  return origin.kind === 'stranger' ? `An answer (${decision}) of somebody who is none of the policy's people was refused.` : undefined;
}

interface ForgedMemo {
  /** Id of the last alert: there is one for each day. */
  readonly alertId: string;
}

/** Told first, noted after: a crash in between tells twice, under the same id. */
async function page(finding: Finding, control: Told, answer: Answer, how: string, { ledger, clock, alert }: Telling): Promise<void> {
  const forged = forgedAlertOf(finding, control, answer, how, clock.now());
  const key = `forged|${finding.id}` as const;
  if ((await ledger.recall<ForgedMemo>(key))?.alertId === forged.id) return;
  await alert(forged);
  await ledger.remember(key, { alertId: forged.id } satisfies ForgedMemo);
}
