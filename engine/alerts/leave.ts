import type { CompiledChannel, CompiledPolicy } from '../policy/model.ts';
import type { Ledger } from '../ports.ts';
import type { Alert } from './alert.ts';
import type { Delivery } from './delivery.ts';
import { escalatedTo } from './remind.ts';
import { takes } from './routing.ts';
import { toldMemo } from './told-memo.ts';

/**
 * Who is to be told: the channels that take it; those that were called because the finding stayed open; and those that have been told of
 * the finding when it was worse, lest they believe that it still is. What became of an answer is told where answers are given;
 * that it is put off, where it would call somebody again.
 */
export async function deliveriesOf(alert: Alert, { channels }: Pick<CompiledPolicy, 'channels'>, ledger: Pick<Ledger, 'recall'>): Promise<Delivery[]> {
  const escalates = Object.values(channels).some(({ escalateAfter }) => escalateAfter !== undefined);
  const called = escalates && alert.finding ? await escalatedTo(alert.finding.id, ledger) : [];
  const wanted = await Promise.all(Object.entries(channels).map(async ([name, channel]) => ((await wants(name, channel)) ? [{ channel: name, alert }] : [])));
  return wanted.flat();

  async function wants(name: string, channel: CompiledChannel): Promise<boolean> {
    if (alert.answered !== undefined) return ('slackApp' in channel || ('pagerDuty' in channel && isPutOff(alert))) && (await wasTold(name));
    if (alert.inPlace) return changesWhatItSaid(channel) && (await wasTold(name));
    return called.includes(name) || takes(channel, alert) || (await wasTold(name));
  }

  async function wasTold(name: string): Promise<boolean> {
    return alert.finding !== undefined && alert.finding.version > 1 && (await ledger.recall(toldMemo(name, alert))) !== undefined;
  }
}

/** Somebody has just put it off: an incident about it is acknowledged. */
const isPutOff = ({ finding }: Alert): boolean => finding?.snoozedAt !== undefined && finding.snoozedAt >= finding.at;

const changesWhatItSaid = (channel: CompiledChannel): boolean => 'slackApp' in channel || 'securityHub' in channel;
