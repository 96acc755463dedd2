import * as z from 'zod';
import { account, defineEventControl, nonCompliant, notApplicable, theAccount } from '../define.ts';
import { textAt } from './account.ts';

export default defineEventControl({
  id: 'account-root-activity',
  title: 'The root user is not used',
  rationale: 'Root may do everything, no policy holds it back, and nobody can tell which person it was.',
  severity: 'CRITICAL',
  ...account,
  scope: 'global',
  hipaa: [
    { section: '164.312(a)(2)(i)', specification: 'required', rationale: 'Work under a shared name cannot be traced to one person.' },
    { section: '164.308(a)(5)(ii)(C)', specification: 'addressable', rationale: 'Watches sign-ins of the most powerful user, the failed ones too.' },
    { section: '164.308(a)(6)(ii)', specification: 'required', rationale: 'Unexpected use of root is an incident to respond to.' },
  ],
  related: { prowler: ['iam_avoid_root_usage'] },
  triggers: [
    {
      source: 'cloudtrail',
      kinds: ['api', 'signin'],
      eventSource: '*',
      eventNames: ['*'],
      outcome: 'any',
      pattern: { userIdentity: { type: ['Root'] } },
      resourceIds: theAccount,
    },
  ],
  params: z.strictObject({
    ignore: z.array(z.string().min(1)).default(['CreateServiceLinkedRole']).describe('Names of calls that consoles make by themselves'),
  }),
  impact: 'Nothing is changed.',
  defaultMode: 'page',
  noFix: 'Nothing that a bot may do holds root back; a person has to ask who it was.',

  // One page a day for an address, however many calls follow: the first one is the news. Success after failed tries is news again.
  fold: (detail) => `${failed(detail) ? 'tried' : 'used'}|${textAt(detail, 'sourceIPAddress') ?? 'unknown'}`,

  evaluate(detail, { ignore }) {
    if (textAt(detail, 'userIdentity.type') !== 'Root') return notApplicable('The caller is not root.');
    const service = textAt(detail, 'userIdentity.invokedBy');
    if (service !== undefined) return notApplicable(`${service} made the call for the account.`);
    if (ignore.includes(detail.eventName)) return notApplicable(`The policy leaves ${detail.eventName} alone.`);
    const how = [
      `from ${textAt(detail, 'sourceIPAddress') ?? 'an unknown address'}`,
      ...(textAt(detail, 'userIdentity.sessionContext.assumedRoot') === 'true' ? ['through AssumeRoot of the management account'] : []),
      ...mfa(textAt(detail, 'additionalEventData.MFAUsed')),
    ];
    return nonCompliant(`Root ${failed(detail) ? 'failed at' : 'called'} ${detail.eventName} (${detail.eventSource}) ${how.join(', ')}.`);
  },
});

/** A failed sign-in carries no error code. */
const failed = (detail: Parameters<typeof textAt>[0]): boolean =>
  textAt(detail, 'errorCode') !== undefined || textAt(detail, 'responseElements.ConsoleLogin') === 'Failure';

const mfa = (used: string | undefined): string[] => (used === undefined ? [] : [used === 'Yes' ? 'with MFA' : 'without MFA']);
