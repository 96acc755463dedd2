import type { SecretRef } from './channels.ts';
import type { CompiledPolicy } from './model.ts';

export interface SlackApp {
  readonly token: SecretRef;
  readonly signingSecret: SecretRef;
}

/** Undefined: no channel is a Slack app. All that are belong to one, which a policy is held to. Pure. */
export function slackAppOf({ channels }: Pick<CompiledPolicy, 'channels'>): SlackApp | undefined {
  const found = Object.values(channels).find((channel) => 'slackApp' in channel);
  return found && 'slackApp' in found ? found.slackApp : undefined;
}
