/** The stack's time: real time plus an offset that tests move forward. Children read the offset from a file, so that running ones see it move too. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Clock } from '../../engine/ports.ts';

/** Names the file that holds the offset in milliseconds, as text. Set for every child; not set on AWS. */
export const clockVariable = 'PHIDELITY_CLOCK_FILE';

export interface StackClock extends Pick<Clock, 'now'> {
  readonly file: string;
  /** Moves the stack's time forward; whatever waits for a moment that has passed by then goes on. */
  advance(seconds: number): void;
  /** Called after each move. Returns how to stop listening. */
  onAdvance(listener: () => void): () => void;
}

/** Takes an offset that an earlier clock left in the file. */
export function stackClock(file: string): StackClock {
  const listeners = new Set<() => void>();
  const write = (offset: number) => {
    writeFileSync(`${file}.new`, String(offset));
    renameSync(`${file}.new`, file);
  };
  const read = () => {
    try {
      return Number(readFileSync(file, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
      throw error;
    }
  };
  let offset = read();
  write(offset);
  return {
    file,
    now: () => new Date(Date.now() + offset),
    advance(seconds) {
      if (!(seconds >= 0)) throw new RangeError(`time moves forward only: ${seconds}`);
      offset += seconds * 1000;
      write(offset);
      for (const listener of listeners) listener();
    },
    onAdvance(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
