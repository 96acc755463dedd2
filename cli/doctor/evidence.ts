/** Whether evidence is signed as it comes. */
import type { LastDigest } from '../../engine/evidence/form.ts';
import { hint, look, ok, wrong } from './check.ts';
import { ageOf, isYoung } from './pulse.ts';
import type { StackGroup } from './scene.ts';

const late = 2 * 3_600_000;

export const evidence: StackGroup = ({ stack, ledger, deployment, now }) => {
  const check = 'evidence';
  return look(check, async () => {
    const [last, deployed] = await Promise.all([ledger.recall<LastDigest>('evidence'), deployment()]);
    const mend = `npx phidelity evidence mend --stack ${stack.name} --region ${stack.region}`;
    if (!last && isYoung(deployed, now, late)) return hint(check, `no digest is signed yet: the stack was deployed at ${deployed!.at}`);
    if (!last) return wrong(check, 'no digest was ever signed', mend);
    const said = `digest ${last.number} was signed at ${last.at}`;
    return ageOf(last.at, now) > late ? wrong(check, `${said}, and none since: nothing that happened after it is signed`, mend) : ok(check, said);
  });
};
