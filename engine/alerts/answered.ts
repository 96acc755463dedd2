/** What became of an answer, as an alert. Pure. */
import type { Finding } from '../model.ts';
import type { Alert } from './alert.ts';
import { alertOf, type Told } from './finding.ts';
import { linesOf } from './lines.ts';

/**
 * The finding as it stands, and a sentence about an answer to it: nobody is called.
 * @param answer unique per answer
 * @param words whoever gave it stands there by the policy's name
 */
export function answeredOf(finding: Finding, control: Told, answer: string, words: string): Alert {
  const [line] = linesOf([['Answer', words]]);
  return { ...alertOf(finding, control), id: `${finding.id}:answer:${answer}`, urgency: 'notify', answered: line?.value ?? '-' };
}
