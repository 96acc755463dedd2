/** Exceptions that end soon or have just ended, as a digest tells them: what they waive is then treated like any drift. Pure. */

import { resourcePart } from '../arn.ts';
import type { CompiledChannel, CompiledException, CompiledPolicy } from '../policy/model.ts';
import { redact } from '../redact.ts';
import type { DigestFacts } from './digest-facts.ts';
import type { Told } from './lines.ts';
import { counted, listed, mostNames } from './listed.ts';
import { nameOf } from './names.ts';
import { concerns } from './routing.ts';

interface Ending {
  readonly control: string;
  readonly where: string;
  readonly expires: string;
}

const day = 86_400_000;
const soonDays = 14;

/** An exception holds through its last day, UTC. */
const endOf = ({ expires }: Ending): number => Date.parse(expires) + day;

/** @param known ids of the catalogue: an exception of a control that is gone waives nothing */
export function exceptionLines(
  policy: Pick<CompiledPolicy, 'controls'>,
  { accountId, made, now }: DigestFacts,
  channel: CompiledChannel,
  known: ReadonlySet<string>,
  since: Date,
): Told[] {
  const all: Ending[] = [
    ...Object.entries(policy.controls).flatMap(([control, { exceptions }]) =>
      exceptions.map((exception) => ({ control, where: whereOf(exception), expires: exception.expires })),
    ),
    ...made.map(({ control, resource, expires }) => ({ control, where: nameOf(resource), expires })),
  ]
    // Its tags are not read for that: a channel that asks for some is told of none.
    .filter(({ control }) => known.has(control) && concerns(channel, { control, accountId }))
    .sort((a, b) => endOf(a) - endOf(b));
  const between = (after: number, until: number) => all.filter((one) => endOf(one) > after && endOf(one) <= until);
  const soon = between(now.getTime(), now.getTime() + soonDays * day);
  const expired = between(since.getTime(), now.getTime());
  return [
    [
      'Exceptions',
      soon.length === 0 ? `None ends within ${soonDays} days.` : `${counted(soon.length, 'exception ends', 'exceptions end')} within ${soonDays} days.`,
    ],
    ...few('Last day', soon),
    ...(expired.length === 0 ? [] : [['Expired', `${counted(expired.length, 'exception')} since ${since.toISOString()}.`] as const, ...few('Ended', expired)]),
  ];
}

function few(label: string, endings: readonly Ending[]): Told[] {
  const names = endings.slice(0, mostNames).map(({ control, where, expires }) => `${expires} ${control}: ${where}`);
  const rest = endings.length - mostNames;
  return [...listed(label, names), ...(rest > 0 ? [[label, `and ${rest} more`] as const] : [])];
}

/** What somebody wrote in a file: patterns, not names. */
function whereOf({ resource, tag, account, region }: CompiledException): string {
  const parts = [
    resource && (resource.startsWith('arn:') ? resourcePart({ id: resource }) || resource : resource),
    tag && `tag ${tag.key}${tag.value === undefined ? '' : `=${tag.value}`}`,
    account && `account ${account}`,
    region && `region ${region}`,
  ];
  return redact(parts.filter(Boolean).join(', ') || 'everything');
}
