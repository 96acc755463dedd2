/** Somebody tries to answer in another's name. Pure. */
import type { Answer, Finding } from '../model.ts';
import type { Alert } from './alert.ts';
import { citations } from './citations.ts';
import type { Told } from './finding.ts';
import { linesOf } from './lines.ts';
import { nameOf, subjectOf } from './names.ts';

const hipaa = [
  { section: '164.308(a)(6)(ii)', specification: 'required', rationale: 'Somebody may try to answer in the name of others.' },
  { section: '164.312(d)', specification: 'standard', rationale: 'An answer counts with proof of person only.' },
] as const;

/**
 * An alert of its own: the finding goes on as if nobody had answered.
 * @param how what is wrong with the answer, in a sentence of ours
 * @param now one alert a day about a finding has the same id
 */
export function forgedAlertOf({ id, control, resource }: Finding, { title }: Told, { decision }: Pick<Answer, 'decision'>, how: string, now: Date): Alert {
  const at = now.toISOString();
  const headline = 'ANSWER FORGED?';
  return {
    id: `${id}:forged:${at.slice(0, 10)}`,
    urgency: 'page',
    severity: 'HIGH',
    control,
    accountId: resource.accountId,
    status: 'REFUSED',
    title: 'Answers come from persons',
    headline,
    subject: subjectOf(`[HIGH] ${headline} ${decision} for ${control} on ${nameOf(resource)}`),
    lines: linesOf([
      ['Tried', `An answer (${decision}) was left that the bot cannot have taken from anybody. ${how}`],
      ['Means', "Somebody who can write into the bot's table may be trying to answer in the name of others."],
      ['Done', 'It was refused, and counts for nothing. More of them about this finding are told tomorrow at the earliest; all are in its evidence.'],
      ['Way out', 'See who may put items into the table of the stack, and take that right from whoever need not answer.'],
      ['Control', `${title} (${control})`],
      ['Resource', resource.id],
      ['Where', `account ${resource.accountId}, ${resource.region}`],
      ['When', at],
      ['HIPAA', citations(hipaa)],
      ['Finding', id],
    ]),
    hipaa: hipaa.map(({ section }) => section),
  };
}
