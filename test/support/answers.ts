/** Answers of people in the engine's tests, with proofs as they would be signed. */
import { randomBytes } from 'node:crypto';
import { planHash } from '../../engine/answers/plan-hash.ts';
import { boundHeaders } from '../../engine/answers/proof.ts';
import { randomId } from '../../engine/answers/question.ts';
import type { Answer, Finding, StsProof } from '../../engine/model.ts';
import { undoOf } from '../../engine/undo.ts';
import type { World } from './world.ts';
import { accountId } from './world.ts';

export const person = (name: string): string => `arn:aws:sts::${accountId}:assumed-role/SecOps/${name}`;
export const people = {
  dana: { arns: ['arn:aws:sts::*:assumed-role/*/dana'], approver: false },
  lee: { arns: ['arn:aws:sts::*:assumed-role/SecOps/lee'], approver: false },
  kim: { arns: ['arn:aws:sts::*:assumed-role/SecOps/kim'], approver: true },
};

/** What AWS confirms as signed by `arn`; `arn` undefined: AWS does not. */
export function signed(world: World, answer: Omit<Answer, 'proof' | 'id' | 'at'>, arn: string | undefined, at = world.clock.now()): StsProof {
  const bound = boundHeaders(answer);
  const names = [...Object.keys(bound), 'host', 'x-amz-date'].sort().join(';');
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261101/us-east-1/sts/aws4_request, SignedHeaders=${names}, Signature=${randomBytes(32).toString('hex')}`;
  if (arn) world.principals.set(authorization, { arn, accountId: arn.split(':')[4]! });
  return {
    kind: 'sts',
    headers: { ...bound, host: 'sts.us-east-1.amazonaws.com', 'x-amz-date': `${at.toISOString().replace(/[-:]|\.\d+/g, '')}`, authorization },
  };
}

type Given = Partial<Answer> & { readonly by?: string; readonly proofOf?: Partial<Answer>; readonly signedAt?: Date };

/** An answer to what the finding asks now, kept in the ledger; any part of it may be another. */
export async function give(
  world: World,
  finding: Finding,
  decision: Answer['decision'],
  { by = person('lee'), proofOf, signedAt, ...parts }: Given = {},
): Promise<Answer> {
  const { question } = finding;
  const undoing = decision === 'undo' ? undoOf(finding) : undefined;
  const said = {
    findingId: finding.id,
    decision,
    question: question?.id ?? randomId(),
    planHash: undoing ? planHash(finding, undoing, 'undo') : (question?.planHash ?? ''),
    ...(decision === 'undo' && { reason: 'the vendor needs it', until: '2026-12-01', question: randomId() }),
    ...parts,
  };
  const proof = signed(world, { ...said, ...proofOf }, by, signedAt);
  const answer: Answer = { id: randomId(), at: world.clock.now().toISOString(), proof, ...said };
  await world.ledger.answer(answer);
  return answer;
}
