import * as z from 'zod';
import { type CloudTrailDetail, compliant, defineEventControl, idsAt, nonCompliant, notApplicable, valuesAt } from '../define.ts';

const textAt = (detail: CloudTrailDetail, path: string): string | undefined => {
  const [value] = valuesAt(detail, path);
  return typeof value === 'string' ? value : undefined;
};

export default defineEventControl({
  id: 'iam-console-login-with-mfa',
  title: 'Nobody signs in to the console without MFA',
  rationale: 'A password alone can be guessed, phished or bought, and opens the console to whoever has it.',
  severity: 'HIGH',
  resourceType: 'AWS::IAM::User',
  arn: 'arn:{partition}:iam::{account}:user/{id}',
  scope: 'global',
  hipaa: [
    { section: '164.312(d)', specification: 'standard', rationale: 'A second factor shows that the person is who the password says.' },
    { section: '164.308(a)(5)(ii)(C)', specification: 'addressable', rationale: 'Watches sign-ins and tells of the weak ones.' },
  ],
  related: { prowler: ['iam_user_mfa_enabled_console_access'] },
  triggers: [
    {
      source: 'cloudtrail',
      kinds: ['signin'],
      eventSource: 'signin.amazonaws.com',
      eventNames: ['ConsoleLogin'],
      pattern: { userIdentity: { type: ['IAMUser', 'Root'] }, responseElements: { ConsoleLogin: ['Success'] } },
      resourceIds: idsAt('userIdentity.arn'),
    },
  ],
  params: z.strictObject({}),
  impact: 'Nothing is changed.',
  defaultMode: 'page',
  noFix: 'Only the user can add a second factor, and a session that is open can be ended only with rights over users that the bot does not hold.',

  // The same user at the same address is no news for a day; another address may be another person.
  fold: (detail) => `${textAt(detail, 'userIdentity.arn') ?? 'unknown'}|${textAt(detail, 'sourceIPAddress') ?? 'unknown'}`,

  evaluate(detail) {
    const type = textAt(detail, 'userIdentity.type');
    // Of SAML and Identity Center sessions CloudTrail says "No" although the identity provider may have asked for MFA.
    if (type !== 'IAMUser' && type !== 'Root') return notApplicable('An identity provider signed the person in; AWS does not see its second factor.');
    if (textAt(detail, 'responseElements.ConsoleLogin') !== 'Success') return notApplicable('Nobody was signed in.');
    if (textAt(detail, 'additionalEventData.MFAUsed') === 'Yes') return compliant('The sign-in used MFA.');
    const who = type === 'Root' ? 'Root' : `User ${textAt(detail, 'userIdentity.userName') ?? 'unknown'}`;
    return nonCompliant(`${who} signed in without MFA from ${textAt(detail, 'sourceIPAddress') ?? 'an unknown address'}.`);
  },
});
