/** How far a sweep has come: kept in the state folder when it is interrupted, so that `--resume` goes on from the page that it had reached. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { UsageError } from './errors.ts';

/** What was asked for; a sweep goes on only as what it was begun as. */
export interface Asked {
  readonly accountId: string;
  readonly policy: string;
  readonly apply: boolean;
  /** `CONTROL REGION`, in order. */
  readonly stretches: readonly string[];
}

const kept = z.object({
  asked: z.object({ accountId: z.string(), policy: z.string(), apply: z.boolean(), stretches: z.array(z.string()) }),
  began: z.iso.datetime(),
  done: z.number().int().min(0),
  from: z.string().optional(),
  failed: z.number().int().min(0),
  unread: z.number().int().min(0),
  counts: z.record(z.string(), z.record(z.string(), z.number())),
});

export interface Standing {
  /** ISO 8601. */
  readonly began: string;
  /** Stretches that are done; the next one goes on `from` a page. */
  done: number;
  from?: string;
  /** Faults that kept work items from an outcome. */
  failed: number;
  /** Stretches that had such faults. */
  unread: number;
  /** Work items by control and outcome status. */
  readonly counts: Record<string, Record<string, number>>;
}

const fileIn = (directory: string): string => join(directory, 'sweep.json');

/** @throws UsageError when there is nothing to go on with, or it was another sweep. */
export function resumed(directory: string, asked: Asked): Standing {
  const file = fileIn(directory);
  if (!existsSync(file)) throw new UsageError(`there is no interrupted sweep in ${directory}: run it without --resume, or name its folder with --state`, 2);
  const { success, data } = read(file);
  if (!success) throw new UsageError(`${file} cannot be read: delete it, and run the sweep without --resume`, 2);
  if (!isDeepStrictEqual(data.asked, asked)) {
    throw new UsageError(`the interrupted sweep was ${differenceOf(data.asked, asked)}: say the same here, or run this one without --resume`, 2);
  }
  return data;
}

/** What the interrupted sweep was, where this one is not. */
function differenceOf(before: Asked, now: Asked): string {
  const parts = ({ stretches }: Asked, place: 0 | 1) => [...new Set(stretches.map((stretch) => stretch.split(' ')[place]!))];
  if (before.accountId !== now.accountId) return `of account ${before.accountId}`;
  if (before.apply !== now.apply) return before.apply ? 'with --apply' : 'without --apply';
  const regions = parts(before, 1);
  if (!isDeepStrictEqual(regions, parts(now, 1))) return `of --region ${regions.join(' ')}`;
  return isDeepStrictEqual(parts(before, 0), parts(now, 0)) ? 'by another policy' : 'of other controls';
}

function read(file: string) {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    json = undefined;
  }
  return kept.safeParse(json);
}

export const fresh = (): Standing => ({ began: new Date().toISOString(), done: 0, failed: 0, unread: 0, counts: {} });

export function keep(directory: string, asked: Asked, standing: Standing): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(fileIn(directory), JSON.stringify({ asked, ...standing }), { mode: 0o600 });
}

/** What is kept of another sweep stays. */
export function forget(directory: string, asked: Asked): void {
  const file = fileIn(directory);
  if (existsSync(file) && isDeepStrictEqual(read(file).data?.asked, asked)) rmSync(file, { force: true });
}
