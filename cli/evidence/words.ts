/** A report for people. */
import type { Fault } from '../../engine/evidence/report.ts';
import { colors } from '../colors.ts';
import { printable } from '../errors.ts';
import { fingerprintOf } from './keys.ts';
import type { Verified } from './verify.ts';

const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`;

const faultWords = ({ kind, finding, seq, digest, says }: Fault): string =>
  `${colors.red(kind.padEnd(15))}${printable([finding, seq !== undefined && finding && `entry ${seq}`, digest !== undefined && `digest ${digest}`].filter(Boolean).join(' '))}: ${printable(says)}`;

/** Minutes or hours, in words. */
const age = (from: string, now: Date): string => {
  const minutes = Math.max(0, Math.round((now.getTime() - Date.parse(from)) / 60_000));
  return minutes < 120 ? count(minutes, 'minute') : count(Math.round(minutes / 60), 'hour');
};

const few = (names: readonly string[]): string => (names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', '));

export function reportLines({ sound, faults, entries, findings, digests, tail, midway, unchained, lag, key }: Verified, now: Date): string[] {
  const verdict = sound ? colors.green('Sound') : colors.red(count(faults.length, 'fault'));
  const unsigned = midway.filter(({ signed }) => !signed).length;
  const lines = [
    `${verdict}: ${count(entries, 'entry', 'entries')} of ${count(findings, 'finding')}`,
    digests
      ? `Signed: digests ${digests.first} to ${digests.last}, the last one ${age(digests.at, now)} ago (${digests.at})`
      : 'Nothing is signed: the chains hold by themselves alone, and who can write all of them can make them anew.',
    key && `Key: ${key.arn || 'given'}, sha256 ${fingerprintOf(key.key)}, from ${key.from}`,
    key?.from === 'the export itself' && 'The key came with what it signs. Pin the one that you know with --public-key, or compare the fingerprint.',
    digests &&
      (tail.entries > 0 ? `Not signed yet: ${count(tail.entries, 'entry', 'entries')}, the oldest ${age(tail.oldest!, now)} old` : 'Not signed yet: nothing'),
    lag > 0 && `On the way to the bucket: ${count(lag, 'entry', 'entries')}`,
    midway.length > 0 && `Begin before this part: ${few(midway.map(({ finding, seq }) => `${finding} (from entry ${seq})`))}`,
    unsigned > 0 && digests && `Of these no digest here signs what came before ${count(unsigned, 'chain')}.`,
    unchained.length > 0 && `Began before evidence was chained: ${few(unchained)}`,
  ];
  return [...faults.map(faultWords), ...lines.filter((line): line is string => typeof line === 'string')];
}
