/** Channels as a policy in force has them. Apart from the schema of the file, which the handlers do not load. */
import type { Severity } from '../model.ts';

/** `ssm:/path` of a SecureString parameter, or `secretsmanager:NAME`: the policy holds no secret itself. */
export type SecretRef = `ssm:/${string}` | `secretsmanager:${string}`;

export const isSecretRef = (text: string): text is SecretRef => text.startsWith('ssm:/') || text.startsWith('secretsmanager:');

/** Each channel is one of these. */
export const channelKinds = ['sns', 'slackApp', 'slackWebhook', 'pagerDuty', 'teams', 'webhook', 'securityHub'] as const;
export type ChannelKind = (typeof channelKinds)[number];

/** What a channel takes, and when. Durations in seconds. */
export interface Taking {
  readonly pages: boolean;
  readonly minSeverity: Severity;
  readonly only?: {
    readonly controls?: readonly string[];
    readonly accounts?: readonly string[];
    readonly tags?: readonly { readonly key: string; readonly value?: string }[];
  };
  readonly remindEvery?: number;
  readonly escalateAfter?: number;
  /** `HH:MM`. */
  readonly digest?: string;
  readonly quietHours?: { readonly from: string; readonly to: string };
  /** IANA name. */
  readonly timezone: string;
}

/** https://support.pagerduty.com/main/docs/service-regions */
export type PagerDutyRegion = 'us' | 'eu';

export type Way =
  | { readonly sns: true }
  | { readonly slackApp: { readonly token: SecretRef; readonly signingSecret: SecretRef; readonly channel: string } }
  | { readonly slackWebhook: SecretRef }
  | { readonly pagerDuty: SecretRef | { readonly key: SecretRef; readonly region: PagerDutyRegion } }
  | { readonly teams: SecretRef }
  | { readonly webhook: { readonly url: string; readonly secret: SecretRef } }
  | { readonly securityHub: true };

export type CompiledChannel = Taking & Way;

export const pagerDutyOf = ({ pagerDuty }: Extract<Way, { pagerDuty: unknown }>): { readonly key: SecretRef; readonly region: PagerDutyRegion } =>
  typeof pagerDuty === 'string' ? { key: pagerDuty, region: 'us' } : pagerDuty;

export const kindOf = (channel: Way): ChannelKind => channelKinds.find((kind) => kind in channel)!;

/** Seconds between reminders where pages go: a page is told again until somebody has taken it up. */
const remindPagesEvery = 4 * 3_600;

/** What a channel does that says nothing of time zone and reminders. */
export const withDefaults = (channel: Omit<CompiledChannel, 'timezone'> & { readonly timezone?: string }): CompiledChannel =>
  ({
    timezone: 'UTC',
    ...channel,
    ...(channel.pages && channel.remindEvery === undefined && { remindEvery: remindPagesEvery }),
  }) as CompiledChannel;
