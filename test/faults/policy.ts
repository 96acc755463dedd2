/** The policy under which the schedules run: every control that a scenario breaks is fixed, paged or asked about, as its actor says. */
import { scenarios } from './drifts/index.ts';
import type { Mode } from './schedule.ts';

/** The role that a change of this mode is made with. */
export const actors: Readonly<Record<Mode, string>> = { fix: 'Developers', page: 'Paged', approve: 'Asked' };

/** Of controls that need some. */
export const params: Readonly<Record<string, Readonly<Record<string, string>>>> = { 'sns-topic-encrypted': { kmsKeyId: 'alias/messages' } };

const others = (['page', 'approve'] as const).map((mode) => ({ actor: `arn:aws:sts::*:assumed-role/${actors[mode]}/*`, mode }));

export const controls: string = scenarios
  .flatMap(({ controls: broken, fixes }) => broken.map((control) => ({ control, fixes })))
  .map(({ control, fixes }) => {
    const settings = fixes ? { mode: 'fix', params: params[control], when: others } : { mode: 'page' };
    return `${control}: ${JSON.stringify(settings)}`;
  })
  .join('\n');

/** Far away: what the brakes do is no fault. */
export const guards = '{ fixesPerHour: 1000, fixesPerControlPerHour: 1000, repeat: { limit: 100 }, ramp: { fixes: 1000, hours: 1 } }';
