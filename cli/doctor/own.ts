/** What the bot has noticed of itself. */
import type { Finding } from '../../engine/model.ts';
import { botPermissions } from '../../engine/own.ts';
import { cleanerOf, nameOf } from '../lines.ts';
import { look, ok, plural, wrong } from './check.ts';
import type { StackGroup } from './scene.ts';

/** Its own findings, and the controls of the catalogue that guard it. */
const isOwn = (control: string): boolean => /(^|-)bot-/.test(control);

export const ownFindings: StackGroup = ({ stack, ledger, deploy }) => {
  const check = 'own findings';
  const clean = cleanerOf({});
  return look(check, async () => {
    const open: Finding[] = [];
    for await (const finding of ledger.findings({ open: true })) if (isOwn(finding.control)) open.push(finding);
    if (open.length === 0) return ok(check, 'the bot has nothing to say about itself');
    const list = `npx phidelity findings --open --stack ${stack.name} --region ${stack.region}`;
    return open.map((finding) => {
      const { control, resource, fold, blind = [], evaluation, openedAt } = finding;
      if (control !== botPermissions.id)
        return wrong(check, `${control} on ${nameOf(resource, clean)} since ${openedAt}: ${clean(evaluation.annotation)}`, list);
      const behind = blind.length > 0 ? `; ${plural(blind.length, 'resource')} not seen because of it` : '';
      return wrong(check, `${nameOf(resource, clean)} is denied ${fold} since ${openedAt}${behind}`, deploy);
    });
  });
};
