/** What a control file needs besides its own service's shared reads. */
import type { ZodType } from 'zod';
import { arnFrom } from '../engine/arn.ts';
import type { CloudTrailTrigger, Control, EventControl, Page, ResourceIds } from '../engine/control.ts';
import { codeOf, TerminalError } from '../engine/errors.ts';
import type { ResourceRef } from '../engine/model.ts';
import type { Aws } from '../engine/ports.ts';

export { arnFrom, leafOf, partitionOf, resourcePart } from '../engine/arn.ts';
export * from '../engine/control.ts';
export * from '../engine/model.ts';
export type { Aws } from '../engine/ports.ts';

/** Types the parts of a control against each other: State from `inspect`, Setting from `plan`, params from their schema. */
export const defineControl = <State, Setting, Params extends ZodType>(control: Control<State, Setting, Params>) => control;

export const defineEventControl = <Params extends ZodType>(control: EventControl<Params>) => control;

/** The value, or undefined for the documented not-found codes. Every other error goes on. */
export async function orUndefined<Value>(answer: Promise<Value>, ...notFound: readonly [string, ...string[]]): Promise<Value | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (notFound.includes(codeOf(error))) return undefined;
    throw error;
  }
}

/**
 * A member that AWS documents as always sent: reading its absence as a default could pass for compliant.
 * @throws TerminalError
 */
export function required<Value>(value: Value | null | undefined, member: string): Value {
  if (value === undefined || value === null) throw new TerminalError(`AWS answered without ${member}`);
  return value;
}

/** Pages of an SDK paginator (begun with `startingToken: from`), each with the resources that `read` finds in it. */
export async function* pagesOf<Output, State>(
  pages: AsyncIterable<Output>,
  tokenOf: (page: Output) => string | undefined,
  read: (page: Output) => Page<State>['resources'] | Promise<Page<State>['resources']>,
): AsyncGenerator<Page<State>> {
  for await (const page of pages) {
    const next = tokenOf(page);
    yield { resources: await read(page), ...(next && { next }) };
  }
}

/** The resource with this ARN, or this `{id}` of it, in the place of `aws`. */
export function refTo(
  { resourceType: type, arn }: { readonly resourceType: string; readonly arn: string },
  { accountId, region }: Aws,
  id?: string,
): ResourceRef {
  const named = arn.includes('{id}') ? required(id, `the name of a resource of type ${type}`) : '';
  return { accountId, region, type, id: named.startsWith('arn:') ? named : arnFrom(arn, { accountId, region }, named) };
}

/** A pair of a listing. A state that the list does not tell is left to `inspect`, whose error then concerns this resource alone. */
export function listed<State>(resource: ResourceRef, state: () => State | undefined): readonly [ResourceRef, State?] {
  try {
    const told = state();
    return told === undefined ? [resource] : [resource, told];
  } catch (error) {
    if (error instanceof TerminalError) return [resource];
    throw error;
  }
}

export const accountArn = 'arn:{partition}:iam::{account}:root';
/** What a control of the account as a whole is about. */
export const account = { resourceType: 'AWS::::Account', arn: accountArn };

/** `list` of an account-wide setting: the one resource is there without asking. */
export const listAccount = (of: { readonly resourceType: string; readonly arn: string }) =>
  async function* (aws: Aws): AsyncGenerator<Page<never>> {
    yield { resources: [[refTo(of, aws)]] };
  };

/** `list` of resources that are known by their ARNs, there or not: those in the place of `aws`. */
export async function* listKnown(type: string, arns: readonly string[], { accountId, region }: Aws): AsyncGenerator<Page<never>> {
  const here = arns.filter((arn) => arn.startsWith('arn:') && arn.split(':')[3] === region && arn.split(':')[4] === accountId);
  yield { resources: here.map((id) => [{ accountId, region, type, id }]) };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

// CloudTrail writes an API member with its first letter lowered, except where a service logs its own casing;
// a list of one may be a lone object, an empty structure "".
const member = (value: unknown, name: string): unknown => {
  if (!isRecord(value)) return undefined;
  if (Object.hasOwn(value, name)) return value[name];
  const first = name.charAt(0);
  const other = (first === first.toLowerCase() ? first.toUpperCase() : first.toLowerCase()) + name.slice(1);
  return Object.hasOwn(value, other) ? value[other] : undefined;
};

/** Every value at a path such as `responseElements.instancesSet.items[].instanceId`; never throws. */
export function valuesAt(detail: unknown, path: string): unknown[] {
  return path.split('.').reduce<unknown[]>(
    (values, step) => {
      const name = step.replace('[]', '');
      const found = values.map((value) => member(value, name));
      return (step.endsWith('[]') ? found.flat() : found).filter((value) => value !== undefined && value !== null);
    },
    [detail],
  );
}

/** The non-empty strings at the first path that has any. */
export const idsAt =
  (...paths: readonly string[]): ResourceIds =>
  (detail) => {
    for (const path of paths) {
      const ids = valuesAt(detail, path).filter((value) => typeof value === 'string' && value !== '');
      if (ids.length > 0) return ids as string[];
    }
    return [];
  };

/** The value at a path, as text in lower case; undefined = it is not there or no lone value. */
export function wordAt(detail: unknown, path: string): string | undefined {
  const [value, ...others] = valuesAt(detail, path);
  return others.length > 0 || value === undefined || typeof value === 'object' ? undefined : String(value).toLowerCase();
}

/** For events that never name the control's resource: it sweeps its type. */
export const unnamed: ResourceIds = () => [];

/** For account-wide settings: the one resource is the account itself. */
export const theAccount: ResourceIds = () => [''];

/** Calls of one service; `more` as in a trigger. */
export const onCalls = <Name extends string>(
  eventSource: string,
  eventNames: readonly Name[],
  resourceIds: ResourceIds,
  more: Pick<CloudTrailTrigger, 'region' | 'concerns'> & { readonly breaks?: readonly NoInfer<Name>[] } = {},
): CloudTrailTrigger => ({ source: 'cloudtrail', eventSource, eventNames, resourceIds, ...more });
