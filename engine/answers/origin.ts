/** Who gave an answer that does not count, as far as its proof shows. */
import type { Answer, Finding } from '../model.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import type { Ports } from '../ports.ts';
import { proofId } from './bound.ts';
import { personOf } from './people.ts';
import { misfit, unfit } from './proof.ts';
import { misfitSlack } from './slack.ts';

/** `forged`: no way in of the bot leaves such an answer; `how` in a sentence of ours. `name`: of a person of the policy. */
export type Origin =
  | { readonly kind: 'forged'; readonly how: string }
  | { readonly kind: 'person'; readonly name: string }
  | { readonly kind: 'stranger' }
  | { readonly kind: 'unknown' };

const forged = (how: string): Origin => ({ kind: 'forged', how });

/**
 * What was refused for another reason is looked at too: a forged answer to an old question is forged. Old ones, those of whoever made the
 * change, and those of people whom the policy does not name are none.
 * @param finding as it was before this answer was heard
 */
export async function originOf(
  answer: Answer,
  { heard, resource }: Pick<Finding, 'heard' | 'resource'>,
  { people }: Pick<CompiledPolicy, 'people'>,
  { prove, clock }: Pick<Ports, 'prove' | 'clock'>,
): Promise<Origin> {
  const { proof } = answer;
  if (!proof) return forged('It bears no proof of who gave it.');
  // Each way in leaves a proof once.
  if (proof.kind !== 'caller' && heard?.includes(proofId(proof))) return forged('Its proof is that of an answer that was given before.');
  const fault = proof.kind === 'slack' ? misfitSlack(proof, answer) : proof.kind === 'sts' ? misfit(proof, answer) : undefined;
  if (fault) return forged(fault);
  // Of one that is too old STS would say the same as of one that is none.
  if (proof.kind === 'sts' && unfit(proof, answer, clock.now())) return { kind: 'unknown' };
  try {
    const principal = await prove(proof);
    if (principal) {
      const person = personOf(principal, people, resource.accountId);
      return person ? { kind: 'person', name: person.name } : { kind: 'stranger' };
    }
  } catch {
    // Whom it is from cannot be told now, and it counts for nothing either way.
    return { kind: 'unknown' };
  }
  return forgedUnless(proof.kind);
}

const forgedUnless = (kind: NonNullable<Answer['proof']>['kind']): Origin =>
  kind === 'slack'
    ? forged('Its signature is not that of the Slack app of the policy. A signing secret that was changed since the click looks the same.')
    : forged('AWS STS does not confirm its proof. Credentials that have ended since they signed it look the same.');
