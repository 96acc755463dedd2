import {
  type AdvancedEventSelector,
  CloudTrailClient,
  DescribeTrailsCommand,
  type EventSelector,
  GetEventSelectorsCommand,
  GetTrailStatusCommand,
  type Trail,
} from '@aws-sdk/client-cloudtrail';
import * as z from 'zod';
import {
  type Aws,
  account,
  compliant,
  defineControl,
  leafOf,
  listAccount,
  nonCompliant,
  onCalls,
  orUndefined,
  refTo,
  required,
  theAccount,
} from '../define.ts';
import { homeOf, trails } from './cloudtrail.ts';

/** Management events that a selector takes: of which kinds, and without which sources. */
interface Taken {
  readonly kinds: readonly ('read' | 'write')[];
  readonly without: readonly string[];
  /** It takes only some of them by another measure. */
  readonly narrowed: boolean;
}

interface MultiRegionTrail {
  readonly name: string;
  readonly logging: boolean;
  readonly globalServices: boolean;
  /** Absent: everything, which is the default; or the trail is the organization's, and its selectors are not shown to members. */
  readonly takes?: readonly Taken[];
}

interface State {
  readonly multiRegion: readonly MultiRegionTrail[];
}

const everyKind = ['read', 'write'] as const;
const kinds = { All: everyKind, ReadOnly: ['read'], WriteOnly: ['write'] } as const;

const takenBy = ({ IncludeManagementEvents, ReadWriteType, ExcludeManagementEventSources: without = [] }: EventSelector): Taken[] =>
  required(IncludeManagementEvents, 'IncludeManagementEvents') ? [{ kinds: kinds[required(ReadWriteType, 'ReadWriteType')], without, narrowed: false }] : [];

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html */
function takenByAdvanced({ FieldSelectors }: AdvancedEventSelector): Taken[] {
  const fields = required(FieldSelectors, 'FieldSelectors');
  if (!fields.some(({ Field, Equals }) => Field === 'eventCategory' && Equals?.includes('Management'))) return [];
  const readOnly = fields.find(({ Field }) => Field === 'readOnly');
  const without = fields.flatMap(({ Field, NotEquals }) => (Field === 'eventSource' ? (NotEquals ?? []) : []));
  const narrowed = fields.some(
    ({ Field = '', NotEquals }) => !['eventCategory', 'readOnly'].includes(Field) && !(Field === 'eventSource' && NotEquals && NotEquals.length > 0),
  );
  return [{ kinds: readOnly ? [readOnly.Equals?.includes('true') ? 'read' : 'write'] : everyKind, without, narrowed }];
}

async function inspectTrail(aws: Aws, trail: Trail): Promise<MultiRegionTrail> {
  const resource = refTo(trails, aws, trail.TrailARN);
  const { client } = homeOf(aws, resource);
  // A trail of another region or account is known by its ARN alone. One that is gone by now does not log.
  const status = await orUndefined(client.send(new GetTrailStatusCommand({ Name: resource.id })), 'TrailNotFoundException');
  const logging = status !== undefined && required(status.IsLogging, 'IsLogging');
  const found = { name: leafOf(resource), logging, globalServices: required(trail.IncludeGlobalServiceEvents, 'IncludeGlobalServiceEvents') };
  const own = resource.id.split(':')[4] === aws.accountId;
  if (!logging || !own || !required(trail.HasCustomEventSelectors, 'HasCustomEventSelectors')) return found;
  const { EventSelectors = [], AdvancedEventSelectors = [] } = await client.send(new GetEventSelectorsCommand({ TrailName: resource.id }));
  return { ...found, takes: [...EventSelectors.flatMap(takenBy), ...AdvancedEventSelectors.flatMap(takenByAdvanced)] };
}

/** What the trail leaves out, in words; none = it records the account. */
function faultsOf({ logging, globalServices, takes }: MultiRegionTrail, mayLeaveOut: readonly string[]): string[] {
  const whole = takes?.filter(({ without, narrowed }) => !narrowed && without.every((source) => mayLeaveOut.includes(source)));
  return [
    ...(logging ? [] : ['does not log']),
    ...(globalServices ? [] : ['leaves out global services']),
    ...(!whole || everyKind.every((kind) => whole.some((taken) => taken.kinds.includes(kind))) ? [] : ['leaves out management events']),
  ];
}

export default defineControl({
  id: 'cloudtrail-trail-exists',
  title: 'A trail records the account in every region',
  rationale: 'Without a trail nobody can tell who reached ePHI, and EventBridge has no calls to hand to this bot.',
  severity: 'CRITICAL',
  ...account,
  scope: 'global',
  hipaa: [
    { section: '164.312(b)', specification: 'standard', rationale: 'Records activity in all systems of the account that hold ePHI.' },
    { section: '164.308(a)(1)(ii)(D)', specification: 'required', rationale: 'Without records there is no system activity to review.' },
    { section: '164.308(a)(6)(ii)', specification: 'required', rationale: 'Incidents are found and documented from the trail.' },
  ],
  related: {
    securityHub: ['CloudTrail.1', 'CloudTrail.3'],
    configRule: ['cloudtrail-enabled', 'multi-region-cloudtrail-enabled'],
    prowler: ['cloudtrail_multi_region_enabled', 'cloudtrail_multi_region_enabled_logging_management_events'],
  },
  triggers: [
    // Not StopLogging: cloudtrail-logging-on starts the trail again within the minute, and a sweep finds here what stays stopped.
    onCalls('cloudtrail.amazonaws.com', ['CreateTrail', 'DeleteTrail', 'PutEventSelectors', 'StartLogging', 'UpdateTrail'], theAccount, {
      breaks: ['DeleteTrail'],
    }),
  ],
  params: z.strictObject({
    mayLeaveOut: z
      .array(z.string().min(1))
      .default([])
      .describe('Event sources whose management events the trail may leave out, such as kms.amazonaws.com or rdsdata.amazonaws.com'),
  }),
  reads: 2,
  writes: [],
  permissions: { inspect: ['cloudtrail:DescribeTrails', 'cloudtrail:GetEventSelectors', 'cloudtrail:GetTrailStatus'], remediate: [], undo: [] },
  impact: 'Nothing is changed.',
  defaultMode: 'page',
  sweptOften: true,
  noFix:
    'A trail needs a bucket whose policy lets it write, and costs money: its owner makes it. Made under its old name in its old region, a deleted trail goes on in its old bucket.',

  list: listAccount(account),

  async inspect(_resource, aws): Promise<State> {
    const { trailList } = await aws.client(CloudTrailClient).send(new DescribeTrailsCommand({ includeShadowTrails: true }));
    const multiRegion: MultiRegionTrail[] = [];
    for (const trail of required(trailList, 'trailList')) {
      if (required(trail.IsMultiRegionTrail, 'IsMultiRegionTrail')) multiRegion.push(await inspectTrail(aws, trail));
    }
    return { multiRegion };
  },

  evaluate({ multiRegion }, { mayLeaveOut }) {
    if (multiRegion.length === 0) return nonCompliant('No trail of the account covers all regions.');
    const judged = multiRegion.map((trail) => ({ name: trail.name, faults: faultsOf(trail, mayLeaveOut) }));
    const whole = judged.find(({ faults }) => faults.length === 0);
    return whole
      ? compliant(`The trail ${whole.name} records management events of all regions.`)
      : nonCompliant(`No trail records the account whole: ${judged.map(({ name, faults }) => `${name} ${faults.join(' and ')}`).join('; ')}.`);
  },
});
