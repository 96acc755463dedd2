/** The alert about one finding: plain words for a person who has just been woken; never more than was verified, never a document's text, redacted. */
import { answerWords, commandWords, toldUndo, undoHeadline, undoWords } from '../answers/words.ts';
import type { AnyControl } from '../control.ts';
import { exposureOf, exposureWords, noticed } from '../exposure.ts';
import { waitsForStack } from '../finding.ts';
import type { Actor, Finding } from '../model.ts';
import { definedIn } from '../owner.ts';
import { redact, redactDeep } from '../redact.ts';
import type { Alert } from './alert.ts';
import { citations } from './citations.ts';
import { consoleOf } from './console.ts';
import { differencesOf } from './differences.ts';
import { inOneLine, linesOf, oneLine } from './lines.ts';
import { nameOf, subjectOf } from './names.ts';
import { offersOf } from './offers.ts';
import { toldKey } from './told.ts';

/** What an alert needs of a control. `undo`: it has one. */
export type Told = Pick<AnyControl, 'title' | 'hipaa' | 'impact'> & {
  readonly undo?: unknown;
  readonly endsPublicExposure?: true;
  readonly deployed?: unknown;
};

export function alertOf(finding: Finding, control: Told): Alert {
  const { id, severity, resource, outcome, state, evaluation } = finding;
  const words = headline(finding);
  const { differences, cut } = differencesOf(finding);
  const url = consoleOf(resource);
  const undo = toldUndo(finding);
  return {
    id: `${id}:${toldKey(finding)}`,
    urgency: isPage(finding) ? 'page' : 'notify',
    severity,
    control: finding.control,
    accountId: resource.accountId,
    status: outcome?.status ?? finding.decision.action,
    title: control.title,
    headline: words,
    subject: subjectOf(`[${severity}] ${words}: ${finding.control} on ${nameOf(resource)}`),
    lines: findingLines(finding, control),
    hipaa: control.hipaa.map(({ section }) => section),
    finding: {
      id,
      version: finding.version,
      state,
      episode: finding.episode,
      resource: { id: redact(oneLine(resource.id), { keep: ['session'] }), name: nameOf(resource), type: resource.type, region: resource.region },
      ...(url && { console: url }),
      complianceType: evaluation.complianceType,
      verified: outcome?.status === 'REMEDIATED' || finding.undo?.state === 'done',
      confirmed: finding.confirmedBy !== undefined,
      ...(undo && { undo: undo.state }),
      openedAt: finding.openedAt,
      at: latestOf(finding),
      ...(finding.snoozed && { snoozed: finding.snoozed.until, snoozedAt: finding.snoozed.at }),
      differences,
      ...(cut && { differencesCut: true as const }),
      answers: offersOf(finding, control),
      tags: redactDeep(inOneLine(finding.owner?.tags ?? {})) as Record<string, string>,
    },
  };
}

/** Later versions have later times, or the same one. */
const latestOf = ({ lastSeenAt, drivenAt, intended, outcome, resolvedAt, undo }: Finding): string =>
  [drivenAt, intended?.intendedAt, outcome?.at, resolvedAt, undo?.at].reduce<string>((latest, at) => (at && at > latest ? at : latest), lastSeenAt);

/** The echo of the bot's own change has proved the fix once more: no news for anybody, but it is shown. */
export function confirmationOf(finding: Finding, control: Told): Alert {
  const alert = alertOf(finding, control);
  return { ...alert, id: `${alert.id}:confirmed`, urgency: 'notify', inPlace: true };
}

function isPage(finding: Finding): boolean {
  const { state, decision, outcome } = finding;
  const undo = toldUndo(finding);
  if (undo) return undo.state === 'asked' || undo.state === 'failed';
  const fails = outcome?.status === 'REMEDIATION_FAILED' || outcome?.status === 'RETRY_LATER';
  return state === 'open' && (fails || decision.action === 'page' || decision.action === 'approve');
}

/** "Fixed" stands in no other headline: it is what a tired eye looks for. */
function headline(finding: Finding): string {
  const { state, decision, evaluation, outcome, fixNotBefore, transient } = finding;
  const undoing = undoHeadline(finding);
  if (undoing) return undoing;
  if (transient && state === 'resolved') return 'Gone already';
  switch (outcome?.status) {
    case 'REMEDIATED':
      return 'Fixed';
    case 'REMEDIATION_FAILED':
      return 'FIX FAILED';
    case 'DOES_NOT_EXIST':
      return 'Resource gone';
    case 'COMPLIANT':
    case 'NOT_APPLICABLE':
      return 'Resolved';
    case 'OFF':
      return 'Closed, control off';
    case 'EXCEPTED':
      return 'Closed, excepted';
    default:
  }
  if (state === 'resolved') return 'Resolved';
  if (evaluation.complianceType === 'INSUFFICIENT_DATA') return 'CANNOT SEE';
  if (decision.action === 'approve') return 'Approval needed';
  if (waitsForStack(finding)) return 'Fix waits';
  if (decision.action === 'fix') return fixNotBefore ? 'Fix planned' : 'Fix under way';
  return decision.action === 'page' ? 'ACTION NEEDED' : 'Drift';
}

function findingLines(finding: Finding, control: Told): Alert['lines'] {
  const { resource, evaluation, decision, openedBy, actor, proposal } = finding;
  const open = finding.state === 'open';
  const isUndone = finding.undo?.state === 'done';
  return linesOf([
    ['Control', `${control.title} (${finding.control}, ${finding.severity})`],
    ['Resource', resource.id],
    ['Where', `account ${resource.accountId}, ${resource.region}`],
    ['Was', isUndone || finding.wrong === evaluation.annotation ? undefined : finding.wrong],
    // The evaluation is from before the undo, which has been verified by the setting.
    isUndone ? ['State', `As before the fix: ${finding.wrong}`] : [verdictLabel(finding), evaluation.annotation],
    ['Done', doneOf(finding)],
    [proposalLabel(finding), open ? proposal : undefined],
    // Beside a fix that failed it would read like what has come about.
    ['Impact', open && proposal && finding.outcome?.status !== 'REMEDIATION_FAILED' ? control.impact : undefined],
    ['Answer', answerWords(finding)],
    ['Command', commandWords(finding)],
    ['Also', alsoOf(finding)],
    // A decision that an end has overtaken would read like one that still stands.
    ['Decided', open || finding.outcome?.status === 'REMEDIATED' ? `${decision.action} - ${decision.reason}` : undefined],
    ['Defined in', finding.owner && (open || finding.outcome?.status === 'REMEDIATED') ? definedIn(finding.owner) : undefined],
    // What the bot notices of itself, nobody has done.
    ['Drift by', actor ? whoOf(actor) : openedBy.source === 'tick' ? undefined : 'not known'],
    ['When', `${openedBy.eventName ?? `noticed by ${opener[openedBy.source]}`} at ${openedBy.time}`],
    ['Exposed', exposedOf(finding)],
    ['HIPAA', citations(control.hipaa)],
    ['Finding', `${finding.id}, episode ${finding.episode}, seen ${finding.seen} ${finding.seen === 1 ? 'time' : 'times'}`],
  ]);
}

/** Of one that stands no more is known than that it did when it was last read. */
const exposedOf = (finding: Finding): string | undefined => {
  const exposure = exposureOf(finding, new Date(finding.lastSeenAt));
  return exposure && exposureWords(exposure);
};

const alsoOf = ({ also }: Finding): string | undefined =>
  also && `${also.join(', ')} failed on the same setting: judged after this fix, and told only if ${also.length === 1 ? 'it still fails' : 'they still fail'}.`;

function verdictLabel({ state, evaluation, undo }: Finding): string {
  if (evaluation.complianceType === 'INSUFFICIENT_DATA') return 'Not seen';
  // It may have been written into since.
  if (undo?.state === 'intended' || undo?.state === 'failed') return 'Last seen';
  if (evaluation.complianceType !== 'NON_COMPLIANT') return 'State';
  return state === 'open' ? 'Wrong' : 'Last seen';
}

const proposalLabel = ({ decision, outcome }: Finding): string =>
  outcome?.status === 'REMEDIATION_FAILED' ? 'Tried' : decision.action === 'fix' ? 'Fix' : 'Proposal';

/** How it was noticed where nobody is named. */
const opener: typeof noticed = { ...noticed, cloudtrail: 'a CloudTrail event without an actor' };

function doneOf(finding: Finding): string {
  const { state, decision, outcome, changes, fixNotBefore, held } = finding;
  const inPart = inPartOf(finding);
  const undone = undoWords(finding);
  if (undone) return undone;
  if (outcome?.status === 'REMEDIATED') return `${sentence(changes.at(-1)?.change.summary ?? 'Fixed')} Verified by reading the live state at ${outcome.at}.`;
  if (outcome?.status === 'REMEDIATION_FAILED') return `The fix did not succeed: ${sentence(outcome.reason)} ${inPart ?? 'Nothing was changed.'}`;
  if (outcome?.status === 'OFF' || outcome?.status === 'EXCEPTED') return `${inPart ?? 'Nothing by the bot.'} The resource stays as it is: ${outcome.reason}`;
  if (state === 'resolved') return `${inPart ?? 'Nothing by the bot.'} ${outcome?.reason ?? ''}`;
  if (inPart) return inPart;
  if (waitsForStack(finding))
    return `Nothing yet. The fix waits for CloudFormation, which is at stack ${finding.heldOff!.stack}, until ${finding.heldOff!.until} at most; then a person is called.`;
  if (decision.action === 'fix')
    return fixNotBefore ? `Nothing yet. The fix is due at ${fixNotBefore}, unless it is put right or excepted before.` : 'Nothing yet.';
  if (decision.action === 'approve' && held)
    return `Nothing. A person may approve it or make the change; a sweep that finds it after ${held.until} tries again.`;
  if (decision.action === 'approve') return 'Nothing. It waits for a person.';
  return 'Nothing was changed.';
}

/** A write that was begun and never seen to hold, while a later one was not either. */
function inPartOf({ changes, intended }: Finding): string | undefined {
  const begun = intended?.refused ? undefined : (intended ?? (changes.at(-1)?.doneAt === undefined ? changes.at(-1) : undefined));
  return begun && `The bot began a change, "${begun.change.summary}". It may have been written in part; look at the resource.`;
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

function whoOf({ arn, type, sourceIp, userAgent, invokedBy }: Actor): string {
  const who = type === 'Root' ? `the root user, ${arn},` : arn;
  return [who, `through ${toolOf(userAgent, invokedBy)}`, sourceIp && `from ${sourceIp}`].filter(Boolean).join(' ');
}

const tools: readonly (readonly [RegExp, string])[] = [
  [/pulumi/i, 'Pulumi'],
  [/opentofu/i, 'OpenTofu'],
  [/terraform/i, 'Terraform'],
  [/cloudformation/i, 'CloudFormation'],
  [/console\.amazonaws|signin\.amazonaws|Mozilla\//i, 'the console'],
  [/^aws-cli|AWSPowerShell/i, 'the AWS CLI'],
  [/boto3|botocore|aws-sdk|stratus/i, 'an SDK'],
];

const toolOf = (userAgent = '', invokedBy?: string): string => invokedBy ?? tools.find(([pattern]) => pattern.test(userAgent))?.[1] ?? 'an unknown tool';
