/** How much the bot may fix before it asks: what every file of a chain says of it, part by part, over the defaults. */
import type { CompiledGuards, CompiledPolicy } from './model.ts';
import { type GuardsOfFile, seconds } from './schema.ts';

export const defaultGuards: CompiledGuards = {
  fixesPerHour: 50,
  fixesPerControlPerHour: 20,
  repeat: { limit: 3, within: 24 * 3_600 },
  ramp: { fixes: 25, hours: 24 },
};

export const defaultBacklog: CompiledPolicy['backlog'] = 'tell';

const over = (guards: CompiledGuards, { repeat, ramp, ...limits }: GuardsOfFile): CompiledGuards => {
  const { within, ...repeated } = repeat ?? {};
  return {
    ...guards,
    ...limits,
    repeat: { ...guards.repeat, ...repeated, ...(within !== undefined && { within: seconds(within) }) },
    ramp: { ...guards.ramp, ...ramp },
  };
};

/** @param files weakest first */
export const guardsOf = (files: readonly { readonly guards?: GuardsOfFile | undefined }[]): CompiledGuards =>
  files.reduce((guards, file) => (file.guards ? over(guards, file.guards) : guards), defaultGuards);
