import type { AdvancedFieldSelector, EventSelector } from '@aws-sdk/client-cloudtrail';
import control from '../../../remediations/cloudtrail/cloudtrail-trail-exists.ts';
import { type Arrange, accountId, testControl } from '../../support/control-tester.ts';
import { type FakeTrails, fakeTrails } from '../../support/fakes/cloudtrail.ts';

const root = `arn:aws:iam::${accountId}:root`;
let trails: FakeTrails;

const given =
  (...added: Parameters<FakeTrails['add']>[]): Arrange =>
  async () => {
    for (const trail of added) trails.add(...trail);
    return root;
  };
const selecting = (...EventSelectors: EventSelector[]) => given(['audit', {}, { EventSelectors }]);
const advanced = (...selectors: AdvancedFieldSelector[][]) =>
  given(['audit', {}, { AdvancedEventSelectors: selectors.map((FieldSelectors) => ({ FieldSelectors })) }]);

const all: EventSelector = { ReadWriteType: 'All', IncludeManagementEvents: true, DataResources: [], ExcludeManagementEventSources: [] };
const management: AdvancedFieldSelector = { Field: 'eventCategory', Equals: ['Management'] };
const data: AdvancedFieldSelector = { Field: 'eventCategory', Equals: ['Data'] };
const withoutKms: AdvancedFieldSelector = { Field: 'eventSource', NotEquals: ['kms.amazonaws.com'] };
const called = (requestParameters: unknown) => ({ eventSource: 'cloudtrail.amazonaws.com', requestParameters, responseElements: null });

testControl(control, {
  fake() {
    trails = fakeTrails(accountId);
    return trails;
  },
  compliant: {
    'a trail that covers all regions': given(['audit']),
    'one of two does': given(['old', { logging: false }], ['audit']),
    "the organization's": given([
      'org',
      { TrailARN: 'arn:aws:cloudtrail:us-east-1:210987654321:trail/org', IsOrganizationTrail: true, HasCustomEventSelectors: true },
    ]),
    'selectors that take all management events': selecting({ ...all, DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }] }),
    'reads and writes by two selectors': selecting({ ...all, ReadWriteType: 'ReadOnly' }, { ...all, ReadWriteType: 'WriteOnly' }),
    'advanced selectors that take all management events': advanced([data], [management]),
    'reads and writes by two advanced selectors': advanced(
      [management, { Field: 'readOnly', Equals: ['true'] }],
      [management, { Field: 'readOnly', Equals: ['false'] }],
    ),
    'without events of KMS, which the policy allows': {
      given: selecting({ ...all, ExcludeManagementEventSources: ['kms.amazonaws.com'] }),
      params: { mayLeaveOut: ['kms.amazonaws.com'] },
    },
    'advanced and without events of KMS, which the policy allows': {
      given: advanced([management, withoutKms]),
      params: { mayLeaveOut: ['kms.amazonaws.com'] },
    },
  },
  nonCompliant: {
    'no trail at all': { given: given(), annotation: 'No trail of the account covers all regions.' },
    'a trail of one region': given(['here', { IsMultiRegionTrail: false }]),
    stopped: { given: given(['audit', { logging: false }]), annotation: 'audit does not log' },
    'deleted while it is looked at': { given: given(['audit', { logging: 'gone' }]), annotation: 'audit does not log' },
    'without global services': { given: given(['audit', { IncludeGlobalServiceEvents: false }]), annotation: 'leaves out global services' },
    'writes only': { given: selecting({ ...all, ReadWriteType: 'WriteOnly' }), annotation: 'leaves out management events' },
    'data events only': selecting({ ...all, IncludeManagementEvents: false }),
    'without events of KMS': selecting({ ...all, ExcludeManagementEventSources: ['kms.amazonaws.com'] }),
    'advanced, reads only': advanced([management, { Field: 'readOnly', Equals: ['true'] }]),
    'advanced, data events only': advanced([data]),
    'advanced, without events of KMS': advanced([management, withoutKms]),
    'advanced, of one service only': advanced([management, { Field: 'eventSource', Equals: ['iam.amazonaws.com'] }]),
    'two trails, neither whole': {
      given: given(['old', { logging: false }], ['new', { IncludeGlobalServiceEvents: false }]),
      annotation: 'old does not log; new leaves',
    },
  },
  events: {
    DeleteTrail: { detail: called({ name: 'audit' }), ids: [root] },
    'DeleteTrail in another region': { detail: { ...called({ name: 'audit' }), awsRegion: 'eu-west-1' }, ids: [root] },
    CreateTrail: { detail: called({ name: 'audit', isMultiRegionTrail: true }), ids: [root] },
    UpdateTrail: { detail: called({ name: 'audit', isMultiRegionTrail: false }), ids: [root] },
    StartLogging: { detail: called({ name: 'audit' }), ids: [root] },
    PutEventSelectors: { detail: called({ trailName: 'audit', eventSelectors: [] }), ids: [root] },
  },
});
