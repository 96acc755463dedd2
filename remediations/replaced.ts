/**
 * What fixes by an encrypted copy share. AWS encrypts nothing in place: the copy takes over, and the original is kept beside it,
 * for the undo and for a look back, until a date. Deleting it is for a person.
 */
import * as z from 'zod';
import { codeOf, TerminalError } from '../engine/errors.ts';
import { type Blocked, blocked, compliant, type Evaluation, nonCompliant } from '../engine/model.ts';

/** What the bot sets: `finding`, `replaces` and `undone` on what a fix makes, `replacedBy` and `keepUntil` on the original. */
export const tag = {
  finding: 'phidelity:finding',
  replaces: 'phidelity:replaces',
  undone: 'phidelity:undone',
  replacedBy: 'phidelity:replaced-by',
  keepUntil: 'phidelity:keep-until',
} as const;
export const onOriginal = [tag.replacedBy, tag.keepUntil];

export type Tags = Readonly<Record<string, string>>;
type TagMember = { readonly Key?: string | undefined; readonly Value?: string | undefined };

export const tagsOf = (members: readonly TagMember[] = []): Tags => Object.fromEntries(members.map(({ Key = '', Value = '' }) => [Key, Value]));
export const tagList = (tags: Tags): { Key: string; Value: string }[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

const isOwn = (key: string) => key.startsWith('phidelity:');
/** What a copy takes over: nobody can set the tags of AWS, and those of the bot are about the original. */
export const copiedTags = (tags: Tags): Tags => Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith('aws:') && !isOwn(key)));
/** Whether a call that sets or removes tags touches the bot's. */
export const aboutReplacing = (keys: readonly unknown[]): boolean => keys.some((key) => typeof key === 'string' && isOwn(key));

/** AWS takes 50 tags a resource. */
const mostTags = 50;
export const noRoomForTags = (tags: Tags): string | undefined =>
  Object.keys(copiedTags(tags)).length + 3 > mostTags ? 'It has no room for three more tags: remove some.' : undefined;

export const keepDays = z.int().min(1).max(365).default(30).describe('Days that the unencrypted original is kept after the fix; past them it is drift again');

export const kmsKeyId = (byDefault: string, what: string) =>
  z
    .string()
    .regex(
      /^$|^alias\/[\w/-]+$|^[\w-]{36}$|^mrk-[0-9a-f]{32}$|^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)\/[\w/-]+$/,
      'must be the id, ARN or alias of a key',
    )
    .default(byDefault)
    .describe(`Key that encrypts the copy; ${what}. The policy of a key of your own must let the bot's remediate role use it`);

/** An original that a tag says is replaced. */
export interface Kept {
  readonly by: string;
  /** As tagged once the fix has come to its end. */
  readonly until?: string;
  /** When AWS made the copy, ISO 8601. Absent: it is gone, not encrypted, or AWS does not show that it was made from this original. */
  readonly made?: string;
}

/** What a fix by copy needs besides the resource. */
export interface How {
  readonly keepDays: number;
  readonly kmsKeyId: string;
}

/** The setting of what is used by its name alone, such as a snapshot. `how` is in `change.after` only. */
export interface Replaced {
  readonly replaced: boolean;
  readonly how?: How;
}

const dayMs = 86_400_000;
/** YYYY-MM-DD, so many days after the copy was made: the same at every call. */
export const dayAfter = (made: Date | string, days: number): string => new Date(new Date(made).getTime() + days * dayMs).toISOString().slice(0, 10);

/** Everybody who may tag can write a date: the policy's number of days is the most that counts. */
const lastDay = (until: string, made: string, days: number): string | undefined => {
  const most = dayAfter(made, days);
  return /^\d{4}-\d\d-\d\d$/.test(until) ? (until < most ? until : most) : undefined;
};

/** Undefined = nothing that could be relied on has replaced it. */
export function keptVerdict({ by, until, made }: Kept, days: number, now: Date): Evaluation | undefined {
  const last = until && made && lastDay(until, made, days);
  if (!last) return undefined;
  return now.toISOString().slice(0, 10) < last
    ? compliant(`It is replaced by the encrypted ${by} and kept until ${last}.`)
    : nonCompliant(`It was replaced by the encrypted ${by} and kept until ${last}: delete it.`);
}

/** A second copy of what a fix has replaced helps nobody. */
export const alreadyReplaced = (kept: Kept | undefined): Blocked | undefined =>
  kept?.until === undefined
    ? undefined
    : blocked(
        `Its tags say that ${kept.by} has replaced it: delete it if that is so; if not, remove ${onOriginal.join(' and ')}, and the fix can be made again.`,
      );

/** @throws TerminalError with these words where AWS answers with one of the codes: trying again would not help. */
export async function refusedAs<Value>(words: string, codes: readonly string[], answer: Promise<Value>): Promise<Value> {
  try {
    return await answer;
  } catch (error) {
    throw codes.includes(codeOf(error)) ? new TerminalError(words, { cause: error }) : error;
  }
}
