import { CreateKeyCommand, DisableKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import type { Aws } from '../../../engine/ports.ts';
import control from '../../../remediations/kms/bot-keys-usable.ts';
import { testControl } from '../../support/control-tester.ts';

const id = '1234abcd-12ab-34cd-56ef-1234567890ab';
const arnOf = (keyId: string) => `arn:aws:kms:us-east-1:123456789012:key/${keyId}`;
const arn = arnOf(id);

// KMS makes up the id.
let made = id;
const key =
  (change?: (kms: KMSClient) => Promise<unknown>) =>
  async (admin: Aws): Promise<string> => {
    const kms = admin.client(KMSClient);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    made = KeyMetadata!.KeyId!;
    await change?.(kms);
    return made;
  };
const disabled = key((kms) => kms.send(new DisableKeyCommand({ KeyId: made })));

const called = (requestParameters: unknown, more: object = {}) => ({ eventSource: 'kms.amazonaws.com', requestParameters, responseElements: null, ...more });
const resources = [{ accountId: '123456789012', type: 'AWS::KMS::Key', ARN: arn }];

testControl(control, {
  params: () => ({ keys: [arnOf(made)] }),
  compliant: { enabled: key() },
  notApplicable: {
    'a key of somebody else, disabled': { given: disabled, params: { keys: [arn] }, annotation: 'does not use' },
    'no stack is deployed': { given: disabled, params: {}, annotation: 'No stack' },
  },
  nonCompliant: {
    disabled: {
      given: disabled,
      annotation:
        /is Disabled: the bot cannot use what it encrypts, until somebody runs aws kms enable-key --key-id arn:aws:kms:us-east-1:123456789012:key\/[\w-]+ --region us-east-1\.$/,
    },
    'waits for deletion: enabling it alone would not save it': {
      given: key((kms) => kms.send(new ScheduleKeyDeletionCommand({ KeyId: made, PendingWindowInDays: 7 }))),
      annotation: /aws kms cancel-key-deletion --key-id arn:.* and then aws kms enable-key --key-id arn:/,
    },
  },
  gone: {
    async isDrift() {
      made = id;
      return id;
    },
  },
  events: {
    DisableKey: { detail: called({ keyId: id }, { resources }), ids: [arn] },
    'DisableKey by key id alone': { detail: called({ keyId: id }, { eventName: 'DisableKey' }), ids: [arn] },
    'DisableKey by alias alone': { detail: called({ keyId: 'alias/phidelity' }, { eventName: 'DisableKey' }), sweep: true },
    ScheduleKeyDeletion: {
      detail: called({ keyId: arn, pendingWindowInDays: 7 }, { resources, responseElements: { keyId: arn, keyState: 'PendingDeletion' } }),
      ids: [arn],
    },
    EnableKey: { detail: called({ keyId: id }, { resources }), ids: [arn] },
    CancelKeyDeletion: { detail: called({ keyId: id }, { responseElements: { keyId: arn } }), ids: [arn] },
    PutKeyPolicy: { detail: called({ keyId: id, policyName: 'default', bypassPolicyLockoutSafetyCheck: false }, { resources }), ids: [arn] },
  },
});
