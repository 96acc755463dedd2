import { DescribeTrailsCommand, type Trail, UpdateTrailCommand } from '@aws-sdk/client-cloudtrail';
import * as z from 'zod';
import { type Aws, change, compliant, defineControl, listed, nonCompliant, onCalls, type ResourceRef, required, wordAt } from '../define.ts';
import { homeOf, trailNamed, trails, trailsAt } from './cloudtrail.ts';

interface State {
  readonly validates: boolean;
}

const stateOf = ({ LogFileValidationEnabled }: Trail): State => ({ validates: required(LogFileValidationEnabled, 'LogFileValidationEnabled') });

async function setValidation(aws: Aws, resource: ResourceRef, wanted: boolean): Promise<void> {
  const { client, name } = homeOf(aws, resource);
  await client.send(new UpdateTrailCommand({ Name: name, EnableLogFileValidation: wanted }));
}

export default defineControl({
  id: 'cloudtrail-log-validation',
  title: 'Trails write digest files',
  rationale: 'Without digests a log file can be changed or removed and nobody can prove it.',
  severity: 'HIGH',
  ...trails,
  scope: 'regional',
  hipaa: [
    { section: '164.312(c)(2)', specification: 'addressable', rationale: 'Lets anybody check that the record of access was not altered.' },
    { section: '164.312(b)', specification: 'standard', rationale: 'A record of activity counts when it can be shown to be whole.' },
    { section: '164.308(a)(1)(ii)(D)', specification: 'required', rationale: 'Reviews rest on logs that can be trusted.' },
  ],
  related: {
    securityHub: ['CloudTrail.4'],
    configRule: ['cloud-trail-log-file-validation-enabled'],
    prowler: ['cloudtrail_log_file_validation_enabled'],
  },
  triggers: [
    onCalls('cloudtrail.amazonaws.com', ['CreateTrail', 'DeleteTrail', 'UpdateTrail'], trailNamed),
    { source: 'config', resourceType: trails.resourceType },
  ],
  params: z.strictObject({}),
  reads: 1,
  writes: ['cloudtrail:log-file-validation'],
  permissions: {
    inspect: ['cloudtrail:DescribeTrails'],
    remediate: ['cloudtrail:UpdateTrail'],
    undo: ['cloudtrail:UpdateTrail'],
  },
  impact: 'An hourly digest file appears beside the logs. Hours without digests before the fix cannot be proved afterwards.',
  // Digests are part of the log: turning them on again is restoring logging, and no reader of the log files can notice.
  defaultMode: 'fix',
  reportTransient: 'while it exists',
  opens: (detail) => detail.eventName === 'UpdateTrail' && wordAt(detail, 'requestParameters.enableLogFileValidation') === 'false',
  closes: (detail) => detail.eventName === 'DeleteTrail' || wordAt(detail, 'requestParameters.enableLogFileValidation') === 'true',

  async *list(aws) {
    yield { resources: (await trailsAt(aws)).map(([resource, trail]) => listed(resource, () => stateOf(trail))) };
  },

  async inspect(resource, aws): Promise<State | undefined> {
    const { client, name } = homeOf(aws, resource);
    const { trailList } = await client.send(new DescribeTrailsCommand({ trailNameList: [name], includeShadowTrails: false }));
    return required(trailList, 'trailList')
      .filter(({ TrailARN }) => TrailARN === resource.id)
      .map(stateOf)[0];
  },

  evaluate: ({ validates }) => (validates ? compliant('The trail writes digest files.') : nonCompliant('The trail writes no digest files.')),

  plan: () => change({ action: 'cloudtrail:UpdateTrail', summary: 'Turn log file validation on', before: false, after: true }),

  setting: ({ validates }) => validates,
  remediate: (resource, { after }, aws) => setValidation(aws, resource, after),
  undo: (resource, { before }, aws) => setValidation(aws, resource, before),
});
