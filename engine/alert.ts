/** The words of an alert. Plain text for a person who has just been woken; never more than was verified, never a document's text. */
import { leafOf } from './arn.ts';
import type { AnyControl } from './control.ts';
import type { Actor, Finding } from './model.ts';
import type { Alert } from './ports.ts';

type Told = Pick<AnyControl, 'title' | 'hipaa' | 'impact'>;

/** What the channels would be told now; `finding.alerted` holds the last one they were. */
export const toldKey = (finding: Finding): string => `${finding.state}:${finding.outcome?.status ?? finding.decision.action}`;

export function alertOf(finding: Finding, control: Told): Alert {
  const { id, resource, severity } = finding;
  const urgency = isPage(finding) ? 'page' : 'notify';
  return {
    id: `${id}:${toldKey(finding)}`,
    urgency,
    finding,
    title: control.title,
    subject: subjectOf(`[${severity}] ${headline(finding)}: ${finding.control} on ${leafOf(resource)}`),
    text: textOf(finding, control),
  };
}

const isPage = ({ state, decision, outcome }: Finding): boolean =>
  state === 'open' &&
  (outcome?.status === 'REMEDIATION_FAILED' || outcome?.status === 'RETRY_LATER' || decision.action === 'page' || decision.action === 'approve');

function headline({ state, decision, outcome, fixNotBefore }: Finding): string {
  switch (outcome?.status) {
    case 'REMEDIATED':
      return 'Fixed';
    case 'REMEDIATION_FAILED':
      return 'FIX FAILED';
    case 'DOES_NOT_EXIST':
      return 'Gone';
    case 'COMPLIANT':
    case 'NOT_APPLICABLE':
      return 'Resolved';
    case 'OFF':
    case 'EXCEPTED':
      return 'Closed';
    default:
  }
  if (state === 'resolved') return 'Resolved';
  if (decision.action === 'approve') return 'Approval needed';
  if (decision.action === 'fix') return fixNotBefore ? 'Will be fixed' : 'Being fixed';
  return decision.action === 'page' ? 'ACTION NEEDED' : 'Drift';
}

/** SNS: printable ASCII, begins with a letter, digit or punctuation, under 100 characters. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const subjectOf = (text: string): string => {
  const ascii = text.replace(/[^\x20-\x7e]/g, '?');
  return ascii.length < 100 ? ascii : `${ascii.slice(0, 96)}...`;
};

function textOf(finding: Finding, control: Told): string {
  const { resource, evaluation, decision, outcome, openedBy, actor } = finding;
  const lines: (readonly [string, string | undefined])[] = [
    ['Control', `${control.title} (${finding.control}, ${finding.severity})`],
    ['Resource', resource.id],
    ['Where', `account ${resource.accountId}, ${resource.region}`],
    ['Who', actor ? whoOf(actor) : `not known; noticed by ${noticed[openedBy.source]}`],
    ['When', openedBy.eventName ? `${openedBy.eventName} at ${openedBy.time}` : openedBy.time],
    [finding.state === 'open' ? 'Wrong' : 'State', evaluation.annotation],
    ['Decided', `${decision.action} - ${decision.reason}`],
    ['Done', doneOf(finding)],
    ['Proposal', outcome?.status === 'REMEDIATED' || finding.state === 'resolved' ? undefined : finding.proposal],
    ['Impact', finding.proposal && finding.state === 'open' ? control.impact : undefined],
    ['HIPAA', control.hipaa.map(({ section, specification }) => `45 CFR ${section} (${specification})`).join(', ')],
    ['Finding', `${finding.id}, episode ${finding.episode}, seen ${finding.seen} ${finding.seen === 1 ? 'time' : 'times'}`],
  ];
  return lines
    .filter(([, value]) => value)
    .map(([name, value]) => `${`${name}:`.padEnd(10)}${oneLine(value as string)}`)
    .join('\n');
}

/** Names are written by whoever made the resource: a line break in one must not forge a line of the alert. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed.
const oneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ');

const noticed: Readonly<Record<Finding['openedBy']['source'], string>> = {
  cloudtrail: 'a CloudTrail event without an actor',
  config: 'AWS Config',
  'config-rule': 'an AWS Config rule',
  securityhub: 'Security Hub',
  sweep: 'a sweep',
  operator: 'an operator',
};

function doneOf({ state, decision, outcome, changes, intended, fixNotBefore }: Finding): string {
  const last = changes.at(-1);
  switch (outcome?.status) {
    case 'REMEDIATED':
      return `${last?.change.summary ?? 'Fixed'}. Verified by reading the live state at ${outcome.at}.`;
    case 'REMEDIATION_FAILED':
      return `The fix did not succeed: ${outcome.reason}${intended ? ' It may have been written in part; look at the resource.' : ' Nothing was changed.'}`;
    case undefined:
      break;
    default:
      if (state === 'resolved') return `Nothing by the bot. ${outcome?.reason ?? ''}`.trim();
  }
  if (decision.action === 'fix')
    return fixNotBefore ? `Nothing yet. The fix is due at ${fixNotBefore}, unless it is put right or excepted before.` : 'Nothing yet.';
  if (decision.action === 'approve') return 'Nothing. The change waits for a person.';
  return 'Nothing was changed.';
}

function whoOf({ arn, sourceIp, userAgent, invokedBy }: Actor): string {
  return [arn, `by ${toolOf(userAgent, invokedBy)}`, sourceIp && `from ${sourceIp}`].filter(Boolean).join(' ');
}

const tools: readonly (readonly [RegExp, string])[] = [
  [/terraform/i, 'Terraform'],
  [/pulumi/i, 'Pulumi'],
  [/cloudformation/i, 'CloudFormation'],
  [/console\.amazonaws|signin\.amazonaws|Mozilla\//i, 'the console'],
  [/^aws-cli|AWSPowerShell/i, 'the AWS CLI'],
  [/boto3|botocore|aws-sdk|stratus/i, 'an SDK'],
];

const toolOf = (userAgent = '', invokedBy?: string): string => invokedBy ?? tools.find(([pattern]) => pattern.test(userAgent))?.[1] ?? 'an unknown tool';
