/** Slack's stand-in behind a server, and the bot's way to it. */
import type { SecretRef } from '../../../engine/policy/channels.ts';
import type { Outside } from '../../../handlers/channels/outside.ts';
import { type OutsideWorld, outsideWorld } from './server.ts';
import { type SlackService, slackService } from './slack.ts';

export const token = 'xoxb-the-first-token';
export const webhookPath = '/services/T0/B0/the-first-path';

export interface SlackScene {
  readonly slack: SlackService;
  readonly world: OutsideWorld;
  readonly outside: Outside;
  /** Where the bot reads them: `ssm:/token`, `ssm:/hook`. */
  readonly secrets: Map<SecretRef, string>;
  /** What was read of them, rather than known already. */
  readonly read: SecretRef[];
  /** Of the requests to Slack, in order. */
  paths(): string[];
}

export async function slackScene(): Promise<SlackScene> {
  const slack = slackService({ token, channels: ['C0123', 'C0456'], webhooks: [webhookPath] });
  const world = await outsideWorld({ slack: slack.service });
  const secrets = new Map<SecretRef, string>([
    ['ssm:/token', token],
    ['ssm:/hook', `${world.url}/slack${webhookPath}`],
  ]);
  const read: SecretRef[] = [];
  const known = new Map<SecretRef, string>();
  const outside: Outside = {
    async secret(ref) {
      if (!known.has(ref)) {
        read.push(ref);
        known.set(ref, secrets.get(ref)!);
      }
      return known.get(ref)!;
    },
    forget: (ref) => void known.delete(ref),
    base: (service) => `${world.url}/${service}`,
    plainHttp: true,
  };
  return { slack, world, outside, secrets, read, paths: () => world.asked.get('slack')!.map(({ path }) => path) };
}
