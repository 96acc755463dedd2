import type { KeyMetadata } from '@aws-sdk/client-kms';
import control from '../../../remediations/kms/kms-key-rotation-enabled.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';
import { type FakeKms, fakeKms } from '../../support/fakes/kms.ts';

const id = '1234abcd-12ab-34cd-56ef-1234567890ab';
const arn = `arn:aws:kms:us-east-1:123456789012:key/${id}`;

let kms: FakeKms;
const key =
  (rotation?: number, metadata: Partial<KeyMetadata> = {}): Arrange =>
  async () =>
    kms.add(metadata, rotation);

const called = (requestParameters: unknown, more: object = {}) => ({ eventSource: 'kms.amazonaws.com', requestParameters, responseElements: null, ...more });
const resources = [{ accountId: '123456789012', type: 'AWS::KMS::Key', ARN: arn }];

// A fake, because moto forgets the rotation period and has no replica keys.
testControl(control, {
  fake() {
    kms = fakeKms();
    return kms;
  },
  compliant: {
    'rotates yearly': key(365),
    'rotates more often than asked': key(90),
    'rotates as rarely as the policy allows': { given: key(730), params: { rotationPeriodInDays: 730 } },
  },
  notApplicable: {
    'a key of AWS': { given: key(undefined, { KeyManager: 'AWS' }), annotation: 'AWS manages' },
    'an asymmetric key': { given: key(undefined, { KeySpec: 'RSA_2048' }), annotation: 'RSA_2048' },
    'an HMAC key': key(undefined, { KeySpec: 'HMAC_256' }),
    'imported key material': { given: key(undefined, { Origin: 'EXTERNAL' }), annotation: 'EXTERNAL' },
    'a custom key store': key(undefined, { Origin: 'AWS_CLOUDHSM' }),
    'a disabled key': { given: key(undefined, { KeyState: 'Disabled' }), annotation: 'Disabled' },
    'a key that waits for deletion': key(undefined, { KeyState: 'PendingDeletion' }),
    'a replica of a multi-Region key': {
      given: key(undefined, { MultiRegion: true, MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA' } }),
      annotation: 'primary',
    },
  },
  remediated: {
    'does not rotate': { given: key(), change: { before: null, after: 365 } },
    'rotates too rarely: undo gives its own period back': { given: key(730), annotation: 'every 730 days', change: { before: 730, after: 365 } },
    'the primary of a multi-Region key, period of the policy': {
      given: key(undefined, { MultiRegion: true, MultiRegionConfiguration: { MultiRegionKeyType: 'PRIMARY' } }),
      params: { rotationPeriodInDays: 180 },
      change: { after: 180 },
    },
  },
  gone: id,
  events: {
    CreateKey: { detail: called({ keySpec: 'SYMMETRIC_DEFAULT' }, { resources, responseElements: { keyMetadata: { keyId: id, arn } } }), ids: [arn] },
    'CreateKey without resources': { detail: { ...called({}), eventName: 'CreateKey', responseElements: { keyMetadata: { keyId: id, arn } } }, ids: [arn] },
    DisableKeyRotation: { detail: called({ keyId: id }, { resources }), ids: [arn] },
    'DisableKeyRotation by key id alone': { detail: called({ keyId: id }, { eventName: 'DisableKeyRotation' }), ids: [arn] },
    DisableKey: { detail: called({ keyId: id }, { resources }), ids: [arn] },
    ScheduleKeyDeletion: { detail: called({ keyId: id, pendingWindowInDays: 7 }, { resources, responseElements: { keyId: arn } }), ids: [arn] },
    EnableKeyRotation: { detail: called({ keyId: arn, rotationPeriodInDays: 365 }), ids: [arn] },
    EnableKey: { detail: called({ keyId: id }, { resources }), ids: [arn] },
    CancelKeyDeletion: { detail: called({ keyId: id }, { responseElements: { keyId: arn } }), ids: [arn] },
    'EnableKey by alias alone': { detail: called({ keyId: 'alias/records' }, { eventName: 'EnableKey' }), sweep: true },
    'EnableKey by alias ARN alone': {
      detail: called({ keyId: 'arn:aws:kms:us-east-1:123456789012:alias/records' }, { eventName: 'EnableKey' }),
      sweep: true,
    },
  },
});
