import {
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import type { Scenario } from './model.ts';

export const keyRotation: Scenario = {
  name: 'key that does not rotate',
  controls: ['kms-key-rotation-enabled'],
  fixes: true,
  async make(admin) {
    const kms = admin.client(KMSClient);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const { KeyId, Arn } = KeyMetadata!;
    return {
      broken: [{ control: 'kms-key-rotation-enabled', id: Arn!, region: admin.region, right: (live) => live === true }],
      told: {
        source: 'kms',
        eventName: 'DisableKeyRotation',
        detail: { requestParameters: { keyId: KeyId }, resources: [{ accountId: admin.accountId, type: 'AWS::KMS::Key', ARN: Arn }] },
      },
      marks: [KeyId!],
      again: async () => void (await kms.send(new DisableKeyRotationCommand({ KeyId }))),
      read: async () => (await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled,
    };
  },
};

export const dyingKey: Scenario = {
  name: 'key about to be deleted',
  controls: ['kms-key-not-scheduled-for-deletion'],
  fixes: true,
  async make(admin) {
    const kms = admin.client(KMSClient);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const { KeyId, Arn } = KeyMetadata!;
    const again = async () => void (await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 })));
    await again();
    return {
      broken: [{ control: 'kms-key-not-scheduled-for-deletion', id: Arn!, region: admin.region, right: (live) => live === 'Enabled' }],
      told: {
        source: 'kms',
        eventName: 'ScheduleKeyDeletion',
        detail: {
          requestParameters: { keyId: KeyId, pendingWindowInDays: 7 },
          responseElements: { keyId: Arn, keyState: 'PendingDeletion' },
          resources: [{ accountId: admin.accountId, type: 'AWS::KMS::Key', ARN: Arn }],
        },
      },
      marks: [KeyId!],
      again,
      read: async () => (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata!.KeyState,
    };
  },
};
