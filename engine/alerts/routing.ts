/** Which channel takes what. Pure. */
import { isAtLeast } from '../model.ts';
import { glob } from '../policy/match.ts';
import type { CompiledChannel, CompiledPolicy } from '../policy/model.ts';
import type { Alert } from './alert.ts';

/** What `only` looks at. Without a control it is about many; without tags it is about no single resource. */
export interface About {
  readonly control?: string;
  readonly accountId: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Whether a channel wants to hear of this at all, whenever and however bad: of controls, accounts and tags each that it names, one must match. */
export function concerns({ only = {} }: Pick<CompiledChannel, 'only'>, { control, accountId, tags }: About): boolean {
  const { controls, accounts, tags: wanted } = only;
  if (controls && !controls.some((pattern) => control !== undefined && glob(pattern, control))) return false;
  if (accounts && !accounts.some((pattern) => glob(pattern, accountId))) return false;
  return !wanted || wanted.some(({ key, value }) => tags !== undefined && Object.hasOwn(tags, key) && (value === undefined || tags[key] === value));
}

export const aboutOf = ({ control, accountId, finding }: Alert): About => ({ control, accountId, tags: finding?.tags });

/**
 * Whether an alert goes to a channel. A page goes to every channel that takes pages, however severe it is; anything else by severity.
 * Security Hub wakes nobody and is a record, and in Slack an app is answered: they take a page like anything else. What is escalated goes its own way, see remind.ts.
 */
export function takes(channel: CompiledChannel, alert: Alert): boolean {
  if (channel.escalateAfter !== undefined || !concerns(channel, aboutOf(alert))) return false;
  if (alert.urgency === 'page' && channel.pages) return true;
  return (alert.urgency !== 'page' || isRecord(channel) || 'slackApp' in channel) && isAtLeast(alert.severity, channel.minSeverity);
}

/** It keeps findings for whoever looks, and tells nobody: nothing there is noise, and nobody there is reminded. */
export const isRecord = (channel: CompiledChannel): boolean => 'securityHub' in channel;

/** Keys of the tags that some channel routes by: the only ones that a finding keeps. */
export const routedTags = ({ channels }: Pick<CompiledPolicy, 'channels'>): readonly string[] => [
  ...new Set(Object.values(channels).flatMap(({ only }) => only?.tags?.map(({ key }) => key) ?? [])),
];
