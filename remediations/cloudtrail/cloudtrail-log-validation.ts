import { DescribeTrailsCommand, UpdateTrailCommand } from '@aws-sdk/client-cloudtrail';
import * as z from 'zod';
import { type Aws, change, compliant, defineControl, nonCompliant, onCalls, type ResourceRef } from '../define.ts';
import { homeOf, trailArn, trailNamed, trailsAt, trailType } from './cloudtrail.ts';

interface State {
  readonly validates: boolean;
}

async function setValidation(aws: Aws, resource: ResourceRef, wanted: boolean): Promise<void> {
  const { client, name } = homeOf(aws, resource);
  await client.send(new UpdateTrailCommand({ Name: name, EnableLogFileValidation: wanted }));
}

export default defineControl({
  id: 'cloudtrail-log-validation',
  title: 'Trails write digest files',
  rationale: 'Without digests a log file can be changed or removed and nobody can prove it.',
  severity: 'HIGH',
  resourceType: trailType,
  arn: trailArn,
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
  triggers: [onCalls('cloudtrail.amazonaws.com', ['CreateTrail', 'DeleteTrail', 'UpdateTrail'], trailNamed), { source: 'config', resourceType: trailType }],
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

  async *list(aws) {
    for (const [resource, { LogFileValidationEnabled }] of await trailsAt(aws)) yield [resource, { validates: LogFileValidationEnabled ?? false }];
  },

  async inspect(resource, aws): Promise<State | undefined> {
    const { client, name } = homeOf(aws, resource);
    const { trailList = [] } = await client.send(new DescribeTrailsCommand({ trailNameList: [name], includeShadowTrails: false }));
    const trail = trailList.find(({ TrailARN }) => TrailARN === resource.id);
    return trail && { validates: trail.LogFileValidationEnabled ?? false };
  },

  evaluate: ({ validates }) => (validates ? compliant('The trail writes digest files.') : nonCompliant('The trail writes no digest files.')),

  plan: () => change({ action: 'cloudtrail:UpdateTrail', summary: 'Turn log file validation on', before: false, after: true }),

  setting: ({ validates }) => validates,
  remediate: (resource, { after }, aws) => setValidation(aws, resource, after),
  undo: (resource, { before }, aws) => setValidation(aws, resource, before),
});
