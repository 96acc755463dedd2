/** What went wrong on the way, told once a cause: one fault can fail many events. */
import { say } from './context.ts';
import { explain, isHopeless } from './errors.ts';

export interface Failures {
  readonly count: number;
  /** Nothing that is still to be done could succeed. */
  readonly hopeless: boolean;
  add(errors: readonly unknown[], what: string): void;
  tell(): void;
}

/** Causes told one by one; more of them are counted. */
const most = 3;

export function failuresOf(): Failures {
  const causes = new Map<string, string[]>();
  let count = 0;
  let hopeless = false;
  return {
    get count() {
      return count;
    },
    get hopeless() {
      return hopeless;
    },
    add(errors, what) {
      for (const error of errors) {
        count += 1;
        hopeless ||= isHopeless(error);
        const { message } = explain(error);
        const known = causes.get(message) ?? [];
        causes.set(message, known.includes(what) ? known : [...known, what]);
      }
    },
    tell() {
      for (const [message, [first = '', ...others]] of [...causes].slice(0, most)) {
        say(`${first}${others.length > 0 ? ` and ${others.length} more` : ''}: ${message}`);
      }
      if (causes.size > most) say(`... and ${causes.size - most} other faults`);
    },
  };
}
