/** Who pressed a button in Slack: by the signing secret that the policy of this moment names, whatever a row of the table says. */
import { slackPrincipal } from '../../engine/answers/slack.ts';
import type { Principal, SlackProof } from '../../engine/model.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { slackAppOf } from '../../engine/policy/slack-app.ts';
import type { Secrets } from './secrets.ts';

/** Undefined: the app of the policy has not signed it, or there is none. @throws when the secret cannot be read */
export async function proveSlack(proof: SlackProof, policy: Pick<CompiledPolicy, 'channels'> | undefined, secrets: Secrets): Promise<Principal | undefined> {
  const reference = policy && slackAppOf(policy)?.signingSecret;
  if (!reference) return undefined;
  const known = slackPrincipal(await secrets.read(reference), proof);
  if (known) return known;
  // It may have been changed since it was read.
  secrets.forget(reference);
  return slackPrincipal(await secrets.read(reference), proof);
}
