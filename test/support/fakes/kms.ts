/** KMS keys with what moto leaves out: the rotation period, key states and multi-Region keys. Answers have the SDK's shapes. */
import {
  DescribeKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  type KeyMetadata,
  KMSClient,
  ListKeysCommand,
  NotFoundException,
} from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';

interface FakeKey {
  readonly metadata: KeyMetadata;
  /** Days; undefined = off. */
  rotation?: number;
}

export interface FakeKms {
  /** Gives the key's ARN. */
  add(metadata?: Partial<KeyMetadata>, rotation?: number): string;
  restore(): void;
}

export function fakeKms(): FakeKms {
  const keys = new Map<string, FakeKey>();
  const kms = mockClient(KMSClient);
  const found = (id: string | undefined): FakeKey => {
    const key = keys.get(id ?? '');
    if (!key) throw new NotFoundException({ message: `Key '${id}' does not exist`, $metadata: { httpStatusCode: 400 } });
    return key;
  };
  kms.on(ListKeysCommand).callsFake(async () => ({
    Keys: [...keys.values()].map(({ metadata }) => ({ KeyId: metadata.KeyId, KeyArn: metadata.Arn })),
    Truncated: false,
  }));
  kms.on(DescribeKeyCommand).callsFake(async ({ KeyId }) => ({ KeyMetadata: found(KeyId).metadata }));
  kms.on(GetKeyRotationStatusCommand).callsFake(async ({ KeyId }) => {
    const { rotation } = found(KeyId);
    return { KeyId, KeyRotationEnabled: rotation !== undefined, ...(rotation !== undefined && { RotationPeriodInDays: rotation }) };
  });
  kms.on(EnableKeyRotationCommand).callsFake(async ({ KeyId, RotationPeriodInDays = 365 }) => {
    found(KeyId).rotation = RotationPeriodInDays;
    return {};
  });
  kms.on(DisableKeyRotationCommand).callsFake(async ({ KeyId }) => {
    delete found(KeyId).rotation;
    return {};
  });
  return {
    add(metadata = {}, rotation) {
      const KeyId = `1234abcd-12ab-34cd-56ef-${String(keys.size).padStart(12, '0')}`;
      const Arn = `arn:aws:kms:us-east-1:123456789012:key/${KeyId}`;
      const usual: KeyMetadata = { KeyId, Arn, KeyManager: 'CUSTOMER', KeyState: 'Enabled', KeySpec: 'SYMMETRIC_DEFAULT', Origin: 'AWS_KMS', Enabled: true };
      keys.set(Arn, { metadata: { ...usual, ...metadata }, ...(rotation !== undefined && { rotation }) });
      return Arn;
    },
    restore: () => kms.restore(),
  };
}
