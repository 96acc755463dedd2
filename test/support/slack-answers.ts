/** Answers from Slack in the engine's tests, as the endpoint leaves them. */
import { proofId } from '../../engine/answers/bound.ts';
import { type Said, saidBy } from '../../engine/answers/slack.ts';
import type { Answer, SlackProof } from '../../engine/model.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { people as named } from './answers.ts';
import { signed, slackSecret } from './slack-signer.ts';
import type { World } from './world.ts';

export const members = { dana: 'U012DANA', lee: 'U012LEE', kim: 'U012KIM' };

/** The people of the tests, each with a member id. */
export const people = Object.fromEntries(
  Object.entries(named).map(([name, one]) => [name, { ...one, slack: members[name as keyof typeof members] }]),
) as CompiledPolicy['people'];

interface Given {
  readonly secret?: string;
  readonly signedAt?: Date;
  /** Other claims beside the proof. */
  readonly row?: Partial<Answer>;
  readonly proof?: Partial<SlackProof>;
}

/** What the endpoint would keep of this payload; any part of it may be another. */
export async function leave(
  world: World,
  payload: object,
  { secret = slackSecret, signedAt = world.clock.now(), row = {}, proof: other = {} }: Given = {},
): Promise<Answer> {
  const proof: SlackProof = { kind: 'slack', ...signed(secret, payload, signedAt), ...other };
  const said: Partial<Said> = saidBy(proof.body) ?? {};
  const id = proofId(proof);
  const answer: Answer = {
    id,
    findingId: said.findingId ?? '',
    decision: said.decision ?? 'approve',
    question: id,
    planHash: said.hash ?? '',
    ...(said.reason !== undefined && { reason: said.reason }),
    ...(said.until !== undefined && { until: said.until }),
    at: world.clock.now().toISOString(),
    proof,
    ...row,
  };
  await world.ledger.answer(answer);
  return answer;
}
