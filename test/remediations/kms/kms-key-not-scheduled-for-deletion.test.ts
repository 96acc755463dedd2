import { CreateKeyCommand, DescribeKeyCommand, DisableKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { expect, test } from '@jest/globals';
import control from '../../../remediations/kms/kms-key-not-scheduled-for-deletion.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const id = '1234abcd-12ab-34cd-56ef-1234567890ab';
const arn = `arn:aws:kms:us-east-1:123456789012:key/${id}`;

const key =
  (days?: number, tags: Record<string, string> = {}, disabled = false): Arrange =>
  async (admin) => {
    const kms = admin.client(KMSClient);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Tags: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })) }));
    if (disabled) await kms.send(new DisableKeyCommand({ KeyId: KeyMetadata!.KeyId }));
    if (days) await kms.send(new ScheduleKeyDeletionCommand({ KeyId: KeyMetadata!.KeyId, PendingWindowInDays: days }));
    return KeyMetadata!.Arn!;
  };

const called = (requestParameters: unknown, more: object = {}) => ({ eventSource: 'kms.amazonaws.com', requestParameters, responseElements: null, ...more });
const resources = [{ accountId: '123456789012', type: 'AWS::KMS::Key', ARN: arn }];
const enabled = { enabled: true, deletionWindowInDays: null };

testControl(control, {
  compliant: { 'an enabled key': key(), 'a disabled key is kept': key(undefined, {}, true) },
  notApplicable: {
    'the tag of the policy lets it go': { given: key(7, { 'may-delete': 'true' }), params: { allowTag: 'may-delete' }, annotation: 'may-delete' },
  },
  remediated: {
    'deletion in a week: the key ends enabled, not disabled': {
      given: key(7),
      annotation: /deletes the key on \d{4}-\d\d-\d\d/,
      change: { before: { enabled: false, deletionWindowInDays: 7 }, after: enabled },
      async then(admin, keyId) {
        const { KeyMetadata } = await admin.client(KMSClient).send(new DescribeKeyCommand({ KeyId: keyId }));
        expect(KeyMetadata!.KeyState).toBe('Enabled');
      },
    },
    'undo gives the longest window back': { given: key(30), change: { before: { enabled: false, deletionWindowInDays: 30 } } },
    'a tag of another value lets nothing go': { given: key(7, { 'may-delete': 'ask Dana' }), params: { allowTag: 'may-delete' } },
    'without a tag in the policy none counts': { given: key(7, { '': 'true' }) },
  },
  gone: id,
  events: {
    ScheduleKeyDeletion: {
      detail: called({ keyId: 'alias/records', pendingWindowInDays: 7 }, { resources, responseElements: { keyId: arn, keyState: 'PendingDeletion' } }),
      ids: [arn],
    },
    'ScheduleKeyDeletion without resources': {
      detail: called({ keyId: id, pendingWindowInDays: 7 }, { eventName: 'ScheduleKeyDeletion', responseElements: { keyId: arn } }),
      ids: [arn],
    },
    CancelKeyDeletion: { detail: called({ keyId: id }), ids: [arn] },
    EnableKey: { detail: called({ keyId: arn }), ids: [arn] },
    'ScheduleKeyDeletion with null blocks': { detail: called(null, { eventName: 'ScheduleKeyDeletion' }), sweep: true },
    'ScheduleKeyDeletion on a key of another account': {
      detail: called({}, { eventName: 'ScheduleKeyDeletion', resources: [{ ARN: 'arn:aws:kms:us-east-1:210987654321:key/x' }] }),
      ids: [],
    },
  },
});

test('a multi-Region primary key that waits for its replicas counts as waiting', () => {
  const state = { keyState: 'PendingReplicaDeletion', pending: { windowInDays: 30, tags: {} } };
  expect(control.evaluate(state, { allowTag: '' }, new Date())).toEqual({
    complianceType: 'NON_COMPLIANT',
    annotation: 'The key is PendingReplicaDeletion: KMS deletes it 30 days after its last replica.',
  });
});
