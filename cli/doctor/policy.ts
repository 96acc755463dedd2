/** The policy file, and whether the bot goes by it. */
import { canonical, fingerprint } from '../../engine/canonical.ts';
import { type AnyControl, isEventControl } from '../../engine/control.ts';
import { PolicyError } from '../../engine/errors.ts';
import type { CompiledControl, CompiledPolicy } from '../../engine/policy/model.ts';
import { catalogue, policyFrom } from '../context.ts';
import { faultLine } from '../errors.ts';
import { type Check, hint, look, ok, plural, some, wrong } from './check.ts';
import type { StackGroup } from './scene.ts';

/** @throws UsageError when the file cannot be read. */
export async function policyFile(file: string): Promise<{ readonly policy?: CompiledPolicy; readonly check: Check }> {
  const check = 'policy file';
  try {
    const { policy, warnings } = await policyFrom(file);
    const told = warnings.map(faultLine).join('; ');
    return { policy, check: told ? hint(check, told) : ok(check, `${file} is valid`) };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return { check: wrong(check, error.faults.map(faultLine).join('; '), `npx phidelity policy check ${file}`) };
  }
}

export const storedPolicy: StackGroup = ({ stored, deployment, policy, policyFile: file, deploy }) => {
  const check = 'policy';
  return look(check, async () => {
    const [found, deployed] = await Promise.all([stored(), deployment()]);
    if (!found) return wrong(check, 'no policy is stored: the bot does nothing', deploy);
    const strange = deployed && deployed.policyId !== found.id ? [wrong(check, 'the stored policy is not the one that the last deploy left', deploy)] : [];
    if (!policy) return strange;
    const controls = await Promise.all(catalogue.map((entry) => entry.load()));
    const differences = differencesOf(policy, found, controls);
    if (differences.length > 0) return [...strange, wrong(check, `${file} is not what is deployed: ${some(differences)}`, deploy)];
    return strange.length > 0 ? strange : ok(check, `${file} is what is deployed (${plural(Object.keys(found.controls).length, 'control')})`);
  });
};

/** In words; what the deploy itself fills in is not compared. */
export function differencesOf(file: CompiledPolicy, stored: CompiledPolicy, controls: readonly AnyControl[]): string[] {
  const { id: _, controls: wanted, ...others } = file;
  const rest = Object.entries(others).filter(([name, value]) => canonical(value ?? null) !== canonical(stored[name as keyof CompiledPolicy] ?? null));
  const ids = [...new Set([...Object.keys(wanted), ...Object.keys(stored.controls)])].sort();
  return [
    ...rest.map(([name]) => `\`${name}\` differs`),
    ...ids.flatMap((id) => {
      const [here, there] = [wanted[id], stored.controls[id]];
      if (!here) return [`${id} is deployed, not in the file`];
      if (!there) return [`${id} is in the file, not deployed`];
      if (here.mode !== there.mode) return [`${id} is ${here.mode} in the file, ${there.mode} deployed`];
      const filled = filledIn(controls.find((control) => control.id === id));
      return fingerprint(without(here, filled)) === fingerprint(without(there, filled)) ? [] : [`${id} differs`];
    }),
  ];
}

/** Names of the params that the deploy fills in. */
const filledIn = (control: AnyControl | undefined): readonly string[] =>
  !control || isEventControl(control) || !control.deployed
    ? []
    : Object.keys(control.deployed({ name: '', region: '', updated: '', rules: [], functions: [], keys: [] }));

const without = ({ params, ...settings }: CompiledControl, names: readonly string[]) => ({
  ...settings,
  params: Object.fromEntries(Object.entries((params ?? {}) as object).filter(([name]) => !names.includes(name))),
});
