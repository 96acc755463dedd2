/** docs/hipaa.md: which controls support which section of 45 CFR part 164. */
import { pageNote } from './control-page.ts';
import { link, table } from './markdown.ts';
import type { Source } from './sources.ts';

export function hipaaMatrix(sources: readonly Source[]): string {
  const cited = sources.flatMap(({ control }) => control.hipaa.map((citation) => ({ control, citation })));
  const sections = Map.groupBy(cited, ({ citation }) => citation.section);
  const rows = [...sections]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([section, found]) => [
      section,
      [...new Set(found.map(({ citation }) => citation.specification))].join(', '),
      found.map(({ control }) => link(control.id, `controls/${control.id}.md`)).join(', '),
    ]);
  return [
    pageNote,
    '# HIPAA matrix',
    'Each row is a section of the Security Rule, 45 CFR part 164, and the controls that support it. A control supports a safeguard; no tool makes an organisation compliant.',
    '"Addressable" is not optional: 45 CFR 164.306(d) asks to implement the specification, or to document why it is not reasonable and what is done instead.',
    table(['45 CFR', 'Specification', 'Controls'], rows),
    '',
  ].join('\n\n');
}
