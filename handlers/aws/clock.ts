/** The Clock port. The local stack moves time by a file that holds an offset in milliseconds; on AWS there is none. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../engine/ports.ts';

export function clockOf(offsetFile: string | undefined): Clock {
  const offset = () => (offsetFile ? Number(readFileSync(offsetFile, 'utf8')) : 0);
  return { now: () => new Date(Date.now() + offset()), sleep: (milliseconds) => delay(milliseconds) };
}
