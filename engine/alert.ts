/** The words of an alert. Plain text for a person who has just been woken; never more than was verified, never a document's text, redacted. */
import { createHash } from 'node:crypto';
import { answerWords, toldUndo, undoHeadline, undoWords } from './answers/words.ts';
import { leafOf } from './arn.ts';
import type { AnyControl } from './control.ts';
import { exposureOf, exposureWords } from './exposure.ts';
import { waitsForStack } from './finding.ts';
import type { Actor, Finding, Place, ResourceRef } from './model.ts';
import { definedIn } from './owner.ts';
import type { Alert } from './ports.ts';
import { type RedactOptions, redact } from './redact.ts';

export type Told = Pick<AnyControl, 'title' | 'hipaa' | 'impact'>;

/** What the channels would be told now; `finding.alerted` holds the last one they were. Of an open one the reason is news too. */
export const toldKey = (finding: Finding): string => {
  const { state, outcome, decision, question, heldOff } = finding;
  const undo = toldUndo(finding);
  if (undo) return `undo:${undo.state}:${question?.approvals.length ?? 0}:${brief(undo.at)}`;
  const waits = state === 'open' && heldOff?.told ? `:held off since ${heldOff.since}` : '';
  if (state === 'open' && outcome?.status === 'AWAITING_APPROVAL' && question) return `open:asked:${question.id}:${question.approvals.length}${waits}`;
  if (state === 'open' && outcome) return `open:${outcome.status}:${brief(outcome.reason)}`;
  return `${state}:${outcome?.status ?? decision.action}${waits}`;
};

const brief = (reason: string): string => createHash('sha256').update(reason).digest('hex').slice(0, 8);

export function alertOf(finding: Finding, control: Told): Alert {
  const { id, severity } = finding;
  return {
    id: `${id}:${toldKey(finding)}`,
    urgency: isPage(finding) ? 'page' : 'notify',
    severity,
    control: finding.control,
    accountId: finding.resource.accountId,
    status: finding.outcome?.status ?? finding.decision.action,
    finding,
    title: control.title,
    subject: subjectOf(`[${severity}] ${headline(finding)}: ${finding.control} on ${nameOf(finding.resource)}`),
    text: textOf(finding, control),
  };
}

/** Drift that was there before the bot, found by the first sweep of a control in a region: one alert for all of it. */
export function backlogAlertOf(
  { id, title, hipaa, severity }: Pick<AnyControl, 'id' | 'title' | 'hipaa' | 'severity'>,
  { accountId, region, began }: Place & { readonly began: string },
  found: readonly Finding[],
): Alert {
  const few = found.slice(0, 10).map(({ resource }) => nameOf(resource));
  return {
    id: `backlog:${id}:${accountId}:${region}:${began}`,
    urgency: 'notify',
    severity,
    control: id,
    accountId,
    status: 'BACKLOG',
    title,
    subject: subjectOf(`[${severity}] Was there before: ${found.length} failing ${id} in ${region}`),
    text: linesOf([
      ['Control', `${title} (${id}, ${severity})`],
      ['Where', `account ${accountId}, ${region}`],
      [
        'Found',
        `${found.length} ${found.length === 1 ? 'resource fails' : 'resources fail'} by the first sweep: ${few.join(', ')}${found.length > 10 ? ' and more' : ''}`,
      ],
      ['Done', 'Nothing. What was there before the bot is told, not changed.'],
      [
        'Way out',
        'Look with `npx phidelity findings --open --stack NAME`; mend by hand, or have it treated like new drift: `npx phidelity sweep --apply --stack NAME`.',
      ],
      ['HIPAA', citations(hipaa)],
    ]),
  };
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

/** The account's own ARN ends in `root`, which would read like the root user. */
const nameOf = (resource: ResourceRef): string =>
  // Redacted while it is whole: what stands before the leaf may be the label of its number.
  resource.id.endsWith(':root') ? `account ${resource.accountId}, ${resource.region}` : leafOf({ id: redact(resource.id) });

/** SNS: printable ASCII, begins with a letter, digit or punctuation, under 100 characters. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const subjectOf = (text: string): string => {
  const ascii = redact(oneLine(text)).replace(/[^\x20-\x7e]/gu, '?');
  return ascii.length < 100 ? ascii : `${ascii.slice(0, 96)}...`;
};

/** Bytes of one line: all of them together stay under 8 KB, and an ARN of the longest kind is whole. */
const lineBytes = 500;
const resourceBytes = 2_048;

function textOf(finding: Finding, control: Told): string {
  const { resource, evaluation, decision, openedBy, actor, proposal } = finding;
  const open = finding.state === 'open';
  return linesOf([
    ['Control', `${control.title} (${finding.control}, ${finding.severity})`],
    ['Resource', resource.id],
    ['Where', `account ${resource.accountId}, ${resource.region}`],
    ['Was', finding.wrong === evaluation.annotation ? undefined : finding.wrong],
    [verdictLabel(finding), evaluation.annotation],
    ['Done', doneOf(finding)],
    [proposalLabel(finding), open ? proposal : undefined],
    ['Impact', open && proposal ? control.impact : undefined],
    ['Answer', answerWords(finding)],
    ['Also', alsoOf(finding)],
    // A decision that an end has overtaken would read like one that still stands.
    ['Decided', open || finding.outcome?.status === 'REMEDIATED' ? `${decision.action} - ${decision.reason}` : undefined],
    ['Defined in', finding.owner && (open || finding.outcome?.status === 'REMEDIATED') ? definedIn(finding.owner) : undefined],
    // What the bot notices of itself, nobody has done.
    ['Who', actor ? whoOf(actor) : openedBy.source === 'tick' ? undefined : 'not known'],
    ['When', `${openedBy.eventName ?? `noticed by ${noticed[openedBy.source]}`} at ${openedBy.time}`],
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

/** Who did it is told in full; so it is where a brake names who keeps breaking it, where a call is named that ended it, and where the resource is a user of the account. */
const keeps: Readonly<Record<string, RedactOptions>> = {
  Who: { keep: ['email'] },
  Decided: { keep: ['session'] },
  Resource: { keep: ['session'] },
  Exposed: { keep: ['session'] },
  Answer: { keep: ['email'] },
};

const citations = (hipaa: Told['hipaa']): string => hipaa.map(({ section, specification }) => `45 CFR ${section} (${specification})`).join(', ');

const linesOf = (lines: readonly (readonly [string, string | undefined])[]): string =>
  lines
    .filter((line): line is readonly [string, string] => Boolean(line[1]))
    .map(([name, value]) => `${`${name}:`.padEnd(10)} ${clipped(redact(oneLine(value), keeps[name]), name === 'Resource' ? resourceBytes : lineBytes)}`)
    .join('\n');

function verdictLabel({ state, evaluation }: Finding): string {
  if (evaluation.complianceType === 'INSUFFICIENT_DATA') return 'Not seen';
  if (evaluation.complianceType !== 'NON_COMPLIANT') return 'State';
  return state === 'open' ? 'Wrong' : 'Last seen';
}

const proposalLabel = ({ decision, outcome }: Finding): string =>
  outcome?.status === 'REMEDIATION_FAILED' ? 'Tried' : decision.action === 'fix' ? 'Fix' : 'Proposal';

/**
 * Names are written by whoever made the resource. Line breaks, runs of blanks, and characters that are not seen but
 * turn the text around must not forge a line of the alert.
 */
const oneLine = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();

function clipped(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes));
  return read < text.length ? `${text.slice(0, read)}...` : text;
}

const noticed: Readonly<Record<Finding['openedBy']['source'], string>> = {
  cloudtrail: 'a CloudTrail event without an actor',
  config: 'AWS Config',
  'config-rule': 'an AWS Config rule',
  securityhub: 'Security Hub',
  sweep: 'a sweep',
  operator: 'an operator',
  tick: 'the bot itself',
};

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
