/** How much the bot may fix before it asks: what every file of a chain says of it, part by part, over the defaults. */
import { defaultGuards } from './defaults.ts';
import { seconds } from './forms.ts';
import type { CompiledGuards } from './model.ts';
import type { GuardsOfFile } from './schema.ts';

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
