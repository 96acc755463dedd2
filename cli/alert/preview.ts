/** What would be sent, for samples of controls. */
import type { Alert } from '../../engine/alerts/alert.ts';
import type { Context } from '../../engine/alerts/delivery.ts';
import type { CatalogueEntry } from '../../engine/control.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { UsageError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { type ChannelName, channelNames, type Rendered, renderers } from './renderers.ts';
import { place } from './sample-finding.ts';
import { outcomeUnder, samplesOf } from './samples.ts';

/** In place of a name: every one. */
export const every = 'all';

export interface Shown {
  readonly control: string;
  readonly outcome: string;
  readonly rendered: Rendered;
}

export interface Skipped {
  readonly control: string;
  /** Nothing would be sent, and why. */
  readonly why: string;
}

const contextOf = (policy: CompiledPolicy): Context => ({
  stack: 'phidelity',
  region: place.region,
  ...(policy.accounts[place.accountId] && { accountName: policy.accounts[place.accountId] }),
});

/** @throws UsageError for a word that is not known. */
export function named<Word extends string>(what: string, word: string, words: readonly Word[]): Word {
  const found = words.find((one) => one === word);
  if (found !== undefined) return found;
  const near = nearest(word, words);
  throw new UsageError(`there is no ${what} ${word}${near ? `; did you mean ${near}?` : words.length <= 40 ? `: one of ${words.join(', ')}` : ''}`, 2);
}

/** @param outcome undefined: what the policy's mode leads to */
export async function previewOf(
  entries: readonly CatalogueEntry[],
  channel: ChannelName,
  outcome: string | undefined,
  policy: CompiledPolicy,
): Promise<(Shown | Skipped)[]> {
  const shown: (Shown | Skipped)[] = [];
  const known = new Set<string>();
  for (const entry of entries) {
    const samples = samplesOf(await entry.load());
    for (const sample of samples) known.add(sample.outcome);
    const settings = policy.controls[entry.id]!;
    const wanted = outcome ?? outcomeUnder(settings.mode, settings, samples);
    if (wanted === undefined) {
      shown.push({ control: entry.id, why: 'the policy has it off: nothing is sent. --outcome shows what would be' });
      continue;
    }
    const found = samples.filter((sample) => wanted === every || sample.outcome === wanted);
    for (const sample of found) shown.push({ control: entry.id, outcome: sample.outcome, rendered: render(channel, sample.alert, policy) });
  }
  // Of all controls it is enough that one can end so.
  if (outcome !== undefined && outcome !== every) named(entries.length === 1 ? `outcome of ${entries[0]!.id} called` : 'outcome', outcome, [...known]);
  return shown;
}

const render = (channel: ChannelName, alert: Alert, policy: CompiledPolicy): Rendered => renderers[channel](alert, contextOf(policy));

/** @throws UsageError */
export const channelOf = (word: string): ChannelName => named('kind of channel called', word, channelNames);
