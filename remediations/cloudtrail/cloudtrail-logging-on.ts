import { GetTrailStatusCommand, StartLoggingCommand, StopLoggingCommand } from '@aws-sdk/client-cloudtrail';
import * as z from 'zod';
import {
  type Aws,
  change,
  compliant,
  defineControl,
  leafOf,
  nonCompliant,
  notApplicable,
  onCalls,
  orUndefined,
  type ResourceRef,
  required,
} from '../define.ts';
import { homeOf, trailNamed, trails, trailsAt } from './cloudtrail.ts';

interface State {
  readonly name: string;
  readonly arn: string;
  readonly logging: boolean;
  /** Absent: the trail has never logged. */
  readonly stoppedAt?: Date;
}

async function inspect(resource: ResourceRef, aws: Aws): Promise<State | undefined> {
  const { client, name } = homeOf(aws, resource);
  const status = await orUndefined(client.send(new GetTrailStatusCommand({ Name: name })), 'TrailNotFoundException');
  if (!status) return undefined;
  const { IsLogging, StopLoggingTime } = status;
  return { name, arn: resource.id, logging: required(IsLogging, 'IsLogging'), ...(StopLoggingTime && { stoppedAt: StopLoggingTime }) };
}

async function setLogging(aws: Aws, resource: ResourceRef, wanted: boolean): Promise<void> {
  const { client, name } = homeOf(aws, resource);
  await (wanted ? client.send(new StartLoggingCommand({ Name: name })) : client.send(new StopLoggingCommand({ Name: name })));
}

/** A call names its trail by name or by ARN, and the policy may too. */
const isExempt = (trail = '', exempt: readonly string[]) => exempt.some((each) => leafOf({ id: each }) === leafOf({ id: trail }));

export default defineControl({
  id: 'cloudtrail-logging-on',
  title: 'No trail is stopped',
  rationale: 'While the trail is stopped nobody can tell who reached ePHI, and this bot hears of fewer changes or of none.',
  severity: 'CRITICAL',
  ...trails,
  scope: 'regional',
  hipaa: [
    { section: '164.312(b)', specification: 'standard', rationale: 'Records activity in the systems that hold ePHI.' },
    { section: '164.308(a)(1)(ii)(D)', specification: 'required', rationale: 'Without records there is no system activity to review.' },
    { section: '164.308(a)(6)(ii)', specification: 'required', rationale: 'Incidents are found and documented from the trail.' },
  ],
  // What others check is whether any trail of the account logs: that is cloudtrail-trail-exists.
  related: {},
  triggers: [
    onCalls('cloudtrail.amazonaws.com', ['CreateTrail', 'DeleteTrail', 'StartLogging', 'StopLogging'], trailNamed, { breaks: ['StopLogging'] }),
    { source: 'config', resourceType: trails.resourceType },
  ],
  params: z.strictObject({
    exemptTrails: z.array(z.string().min(1)).default([]).describe('Names or ARNs of trails that may be stopped'),
  }),
  reads: 1,
  writes: ['cloudtrail:logging'],
  permissions: {
    inspect: ['cloudtrail:DescribeTrails', 'cloudtrail:GetTrailStatus'],
    remediate: ['cloudtrail:StartLogging'],
    undo: ['cloudtrail:StopLogging'],
  },
  impact: 'The trail writes to its bucket again, at the price of its events.',
  defaultMode: 'fix',
  sweptOften: true,
  reportTransient: 'while it exists',
  opens: (detail, { exemptTrails }) => detail.eventName === 'StopLogging' && ![...trailNamed(detail)].some((trail) => isExempt(trail, exemptTrails)),
  closes: ({ eventName }) => eventName === 'StartLogging' || eventName === 'DeleteTrail',

  async *list(aws) {
    yield { resources: (await trailsAt(aws)).map(([resource]) => [resource]) };
  },
  inspect,

  evaluate({ name, arn, logging, stoppedAt }, { exemptTrails }) {
    if (logging) return compliant('The trail is logging.');
    if (exemptTrails.some((exempt) => exempt === name || exempt === arn)) return notApplicable('The policy lets this trail be stopped.');
    // CreateTrail makes a trail that does not log. Whoever makes one starts it next; starting it first does no harm, and one forgotten logs nothing.
    return stoppedAt
      ? nonCompliant(`The trail was stopped at ${stoppedAt.toISOString()}.`, stoppedAt)
      : nonCompliant('The trail has never logged: it was made and not started, or not started yet.');
  },

  plan: ({ stoppedAt }) =>
    change({ action: 'cloudtrail:StartLogging', summary: stoppedAt ? 'Start the trail again' : 'Start the new trail', before: false, after: true }),

  setting: ({ logging }) => logging,
  remediate: (resource, { after }, aws) => setLogging(aws, resource, after),
  undo: (resource, { before }, aws) => setLogging(aws, resource, before),
});
