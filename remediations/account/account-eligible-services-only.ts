import * as z from 'zod';
import { account, compliant, defineEventControl, nonCompliant, notApplicable } from '../define.ts';
import { anyMakingCall, nothingMade, principalOf, textsAt } from './account.ts';
import { asOf, eligibleSources, excludedFeatures, infrastructureReason, source } from './eligible-services.ts';

export default defineEventControl({
  id: 'account-eligible-services-only',
  title: 'Only HIPAA eligible services are used',
  rationale: `The agreement with AWS covers ePHI in eligible services only; in any other one it has no business associate behind it. Judged by the list of ${asOf} at ${source}.`,
  severity: 'HIGH',
  ...account,
  scope: 'regional',
  hipaa: [
    { section: '164.308(b)(1)', specification: 'standard', rationale: 'Keeps ePHI with services that the business associate agreement covers.' },
    { section: '164.308(a)(4)(i)', specification: 'standard', rationale: 'Only services that somebody has allowed may hold ePHI.' },
  ],
  related: {},
  triggers: [anyMakingCall()],
  params: z.strictObject({
    alsoAllowed: z
      .array(z.string().regex(/^[a-z0-9.-]+\.amazonaws\.com$/))
      .default([])
      .describe('Event sources of further services, such as codeartifact.amazonaws.com, that are eligible by now or never meet ePHI'),
  }),
  impact: 'Nothing is changed. To forbid the services, use a service control policy.',
  defaultMode: 'page',
  noFix: 'What was made in the service belongs to its owner; a service control policy keeps it from happening again.',

  // Somebody who tries a service makes many calls: one page for the service and its user a day says it all.
  fold: (detail) => `${detail.eventSource}|${principalOf(detail)}`,

  evaluate(detail, { alsoAllowed }) {
    const { eventSource, eventName } = detail;
    const idle = nothingMade(detail);
    if (idle) return idle;
    if (alsoAllowed.includes(eventSource)) return compliant(`The policy allows ${eventSource}.`);
    const excluded = excludedFeatures.find(
      (feature) =>
        feature.eventSource === eventSource &&
        feature.eventName === eventName &&
        (!feature.when || textsAt(detail, feature.when.path).some((text) => feature.when?.matches.test(text))),
    );
    if (excluded) return nonCompliant(`${eventName} makes use of ${excluded.what}, which AWS leaves out of its list of HIPAA eligible services.`);
    if (eligibleSources.has(eventSource)) return compliant(`${eventSource} is a HIPAA eligible service.`);
    const reason = infrastructureReason(eventSource);
    if (reason) return notApplicable(reason);
    return nonCompliant(`${eventSource} is not on AWS's list of HIPAA eligible services (of ${asOf}).`);
  },
});
