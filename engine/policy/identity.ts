/** A policy's id: the hash of all it says, so that whoever holds the id holds the policy. */
import { canonical, fingerprint } from '../canonical.ts';
import type { CompiledPolicy } from './model.ts';

/** The policy under the id that what it says gives it. */
export const identified = (said: Omit<CompiledPolicy, 'id'>): CompiledPolicy => {
  const body = JSON.parse(canonical({ ...said, id: undefined }));
  return { ...body, id: fingerprint(body) };
};

/**
 * The policy with some params of some controls replaced, one by one, under its new id.
 * The new values are taken as they are: who gives them answers for their form.
 * @throws Error for a control that the policy does not have.
 */
export const withParams = (policy: CompiledPolicy, params: Readonly<Record<string, Readonly<Record<string, unknown>>>>): CompiledPolicy => {
  const controls = Object.entries(params).map(([id, given]) => {
    const control = policy.controls[id];
    if (!control) throw new Error(`the policy has no control "${id}"`);
    return [id, { ...control, params: { ...(control.params as object), ...given } }] as const;
  });
  return identified({ ...policy, controls: { ...policy.controls, ...Object.fromEntries(controls) } });
};
