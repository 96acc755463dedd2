import { actionHash } from '../answers/action-hash.ts';
import { isAbout, lastDayFault } from '../answers/bound.ts';
import { expiryOf } from '../answers/consult.ts';
import { refuse } from '../answers/feedback.ts';
import { sealWords, whoAnswers } from '../answers/hear.ts';
import { heardWith, unheard } from '../answers/heard.ts';
import { isActor } from '../answers/people.ts';
import { planHash } from '../answers/plan-hash.ts';
import { questionOf } from '../answers/question.ts';
import type { AnyStateControl } from '../control.ts';
import { unexcept } from '../exceptions.ts';
import type { Answer, Change, Finding } from '../model.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import type { Ports } from '../ports.ts';
import { undoOf } from '../writes.ts';

import { save } from './record.ts';

/** Somebody wants an exception to hold no longer: what it kept from being fixed is new drift to whoever looks next. */
export async function endException(found: Finding, control: AnyStateControl, policy: CompiledPolicy, ports: Ports): Promise<Finding> {
  let finding = found;
  for (const request of await requests(finding, 'end', ports)) {
    const ruling = isAbout(request, actionHash(finding, 'end'))
      ? await whoAnswers(request, finding, policy, ports)
      : { refused: 'It is about something else.' };
    if ('refused' in ruling) {
      finding = await refuse(finding, control, request, { what: 'A request to end the exception', why: ruling.refused }, policy, ports);
      continue;
    }
    const heard = heardWith(finding, request);
    await unexcept(finding.id, ports);
    finding = await save(finding, { heard }, 'EXCEPTED', `${ruling.person.name} (${ruling.principal.arn}) ended the exception.`, ports);
  }
  return finding;
}

const requests = async (finding: Finding, wanted: Answer['decision'], { ledger }: Ports): Promise<Answer[]> =>
  unheard(finding, await ledger.answers(finding.id), [wanted]);

/** The first request that holds, recorded as a question; each that does not is refused. Undefined: there is none. */
export async function requested(found: Finding, control: AnyStateControl, policy: CompiledPolicy, ports: Ports): Promise<Finding | undefined> {
  let finding = found;
  for (const request of await requests(found, 'undo', ports)) {
    const ruling = await rule(request, finding, control, policy, ports);
    if ('refused' in ruling) {
      finding = await refuse(finding, control, request, { what: 'A request to undo', why: ruling.refused }, policy, ports);
      continue;
    }
    const heard = heardWith(finding, request);
    const { person, principal, plan } = ruling;
    const now = ports.clock.now();
    const at = now.toISOString();
    const asked = questionOf(
      finding,
      plan,
      { about: 'undo', otherwise: 'deny', expires: expiryOf(policy, now), needs: control.endsPublicExposure ? 2 : 1, policy },
      now,
    );
    const isOwnChange = finding.actor !== undefined && isActor(finding.actor, person, principal, policy.people, finding.resource.accountId);
    // Who asks has said yes, but for who made the change that the bot fixed.
    const said = { person: person.name, arn: principal.arn };
    const approvals = isOwnChange ? [] : [{ ...said, at, seal: await ports.seal(sealWords(finding, asked, said)) }];
    return save(
      finding,
      {
        heard,
        question: { ...asked, approvals },
        undo: { state: 'asked', by: person.name, reason: request.reason ?? '', until: request.until ?? '', at },
      },
      'UNDO_ASKED',
      `${person.name} (${principal.arn}) wants it undone until ${request.until}: ${request.reason}`,
      ports,
    );
  }
  return undefined;
}

type Ruling = { readonly refused: string } | (Extract<Awaited<ReturnType<typeof whoAnswers>>, { person: unknown }> & { readonly plan: Change });

async function rule(request: Answer, finding: Finding, control: AnyStateControl, policy: CompiledPolicy, ports: Ports): Promise<Ruling> {
  if (!control.undo) return { refused: `${control.id} has no undo: ${control.noUndo ?? 'the control has none'}` };
  if (finding.undo?.state === 'done') return { refused: 'It has been undone already. End its exception to have it treated like new drift.' };
  const plan = undoOf(finding);
  if (!plan) return { refused: 'The bot has written nothing for this finding.' };
  if (!isAbout(request, planHash(finding, plan, 'undo')))
    return { refused: 'It is about other writes than those that stand. Look at the finding, and ask again.' };
  if (!request.reason) return { refused: 'It names no reason.' };
  const day = lastDayFault(request.until, ports.clock.now());
  if (day) return { refused: day };
  const proven = await whoAnswers(request, finding, policy, ports);
  return 'refused' in proven ? proven : { ...proven, plan };
}
