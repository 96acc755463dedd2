/** `controls`: the catalogue. */
import type { Command } from 'commander';
import type { CatalogueEntry } from '../../engine/control.ts';
import { colors } from '../colors.ts';
import { catalogue, print } from '../context.ts';

const fixOf = ({ fix, defaultMode }: CatalogueEntry) => (!fix ? 'none' : defaultMode === 'fix' ? 'auto' : 'approval');

const described = (entry: CatalogueEntry) => ({
  id: entry.id,
  title: entry.title,
  service: entry.service,
  resourceType: entry.resourceType,
  severity: entry.severity,
  hipaa: entry.hipaa,
  mode: entry.defaultMode,
  fix: fixOf(entry),
  undo: entry.undo,
  triggers: entry.triggers.map((trigger) =>
    trigger.source === 'config' ? trigger : { source: trigger.source, eventSource: trigger.eventSource, eventNames: trigger.eventNames },
  ),
  permissions: entry.permissions,
});

export function addControls(program: Command): void {
  program
    .command('controls')
    .description('list the catalogue: every control with its severity, HIPAA sections, default mode and fix')
    .option('--json', 'one JSON array')
    .action(({ json }: { readonly json?: true }) => {
      const controls = catalogue.map(described);
      if (json) return print(JSON.stringify(controls, null, 2));
      for (const { id, title, severity, mode, fix, undo, hipaa } of controls) {
        print(`${colors.bold(id.padEnd(38))} ${severity.padEnd(13)} ${mode.padEnd(8)} ${title}`);
        print(colors.dim(`${' '.repeat(39)}${fix === 'none' ? 'no fix' : undo ? 'fix, undo' : 'fix, no undo'}; 45 CFR ${hipaa.join(', ')}`));
      }
    });
}
