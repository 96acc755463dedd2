/** `policy check`: validates a policy file. */
import type { Command } from 'commander';
import { PolicyError } from '../../engine/errors.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { defaultPolicy, policyFrom, print, say } from '../context.ts';
import { type ExitCode, faultLine } from '../errors.ts';
import { doubtOf } from '../region.ts';

/** Nothing would ever be looked at in a region that is only a slip of the hand. */
const doubtsOf = ({ watch, regions }: CompiledPolicy): string[] =>
  [...new Set([...(watch === 'all' ? [] : watch), ...regions])].map(doubtOf).filter((doubt) => doubt !== undefined);

export function addPolicy(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('policy')
    .description('work with policy files')
    .command('check')
    .description('validate a policy; every error at once, as FILE:LINE:COL message')
    .argument('[file]', 'policy file', defaultPolicy)
    .option('--json', 'one JSON document')
    .action(async (file: string, { json }: { readonly json?: true }) => {
      try {
        const { policy, warnings } = await policyFrom(file);
        const modes = Object.groupBy(Object.values(policy.controls), ({ mode }) => mode);
        const counts = Object.entries(modes).map(([mode, controls]) => `${controls.length} ${mode}`);
        if (json) print(JSON.stringify({ ok: true, id: policy.id, faults: [], warnings }));
        else {
          for (const warning of warnings) say(`${faultLine(warning)} (warning)`);
          for (const doubt of doubtsOf(policy)) say(`${file}: ${doubt} (warning)`);
          print(`${file}: fine. ${Object.keys(policy.controls).length} controls: ${counts.join(', ')}.`);
        }
        exit(0);
      } catch (error) {
        if (!(error instanceof PolicyError) || !json) throw error;
        print(JSON.stringify({ ok: false, faults: error.faults, warnings: [] }));
        exit(1);
      }
    });
}
