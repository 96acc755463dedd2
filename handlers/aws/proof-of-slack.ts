/** Who pressed a button in Slack: by the signing secret that the policy of this moment names, whatever a row of the table says. */
import { slackPrincipal } from '../../engine/answers/slack.ts';
import type { Principal, SlackProof } from '../../engine/model.ts';
import type { SecretRef } from '../../engine/policy/channels.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import type { Secrets } from './secrets.ts';

/** All channels that are a Slack app belong to one. */
const referenceIn = ({ channels }: Pick<CompiledPolicy, 'channels'>): SecretRef | undefined => {
  const found = Object.values(channels).find((channel) => 'slackApp' in channel);
  return found && 'slackApp' in found ? found.slackApp.signingSecret : undefined;
};

/** Undefined: the app of the policy has not signed it, or there is none. @throws when the secret cannot be read */
export async function proveSlack(proof: SlackProof, policy: Pick<CompiledPolicy, 'channels'> | undefined, secrets: Secrets): Promise<Principal | undefined> {
  const reference = policy && referenceIn(policy);
  if (!reference) return undefined;
  const known = slackPrincipal(await secrets.read(reference), proof);
  if (known) return known;
  // It may have been changed since it was read.
  secrets.forget(reference);
  return slackPrincipal(await secrets.read(reference), proof);
}
