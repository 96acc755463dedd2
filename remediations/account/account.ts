/** What the controls of the whole account read from an event. */
import { type CloudTrailDetail, type Evaluation, type EventTrigger, notApplicable, theAccount, valuesAt } from '../define.ts';

/** Names of calls that make, start, take in or hand on something. */
export const makingCalls = [
  'Allocate*',
  'Copy*',
  'Create*',
  'Import*',
  'Launch*',
  'Publish*',
  'Put*',
  'Register*',
  'Replicate*',
  'Request*',
  'Restore*',
  'Run*',
  'Start*',
] as const;

/** Calls of every service that make something, made by somebody and not by an AWS service on somebody's behalf. */
export const anyMakingCall = (...more: readonly string[]): EventTrigger => ({
  source: 'cloudtrail',
  kinds: ['api'],
  eventSource: '*',
  eventNames: [...makingCalls, ...more],
  pattern: { readOnly: [false], userIdentity: { invokedBy: [{ exists: false }] } },
  resourceIds: theAccount,
});

export const textsAt = (detail: CloudTrailDetail, path: string): string[] =>
  valuesAt(detail, path).filter((value): value is string => typeof value === 'string' && value !== '');

export const textAt = (detail: CloudTrailDetail, path: string): string | undefined => textsAt(detail, path)[0];

/** The role behind a session, else the caller: a role's sessions are one principal. */
export const principalOf = (detail: CloudTrailDetail): string =>
  textAt(detail, 'userIdentity.sessionContext.sessionIssuer.arn') ??
  textAt(detail, 'userIdentity.arn') ??
  textAt(detail, 'userIdentity.principalId') ??
  'unknown';

/** Why a call makes nothing of its own; undefined when it does. */
export function nothingMade(detail: CloudTrailDetail): Evaluation | undefined {
  if (detail.readOnly === true) return notApplicable('The call only reads.');
  const service = textAt(detail, 'userIdentity.invokedBy');
  return service === undefined ? undefined : notApplicable(`${service} made the call; what made ${service} act is judged by itself.`);
}
