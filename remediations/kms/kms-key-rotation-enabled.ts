import { DisableKeyRotationCommand, EnableKeyRotationCommand, GetKeyRotationStatusCommand, type KeyMetadata, KMSClient } from '@aws-sdk/client-kms';
import * as z from 'zod';
import { type Aws, change, compliant, defineControl, nonCompliant, notApplicable, onCalls, type ResourceRef, required } from '../define.ts';
import { keyNamed, keyOf, keys, keysOf } from './kms.ts';

/** Days between two rotations, `null` = none. AWS leaves the number out of older answers: then it is a year. */
type Period = number | null;

type State =
  | { readonly rotates: true; readonly period: Period }
  /** Why AWS does not rotate such a key, or not here. */
  | { readonly rotates: false; readonly because: string };

async function inspect(resource: ResourceRef, aws: Aws): Promise<State | undefined> {
  const key = await keyOf(aws, resource);
  if (!key) return undefined;
  const because = notRotating(key);
  if (because) return { rotates: false, because };
  const { KeyRotationEnabled, RotationPeriodInDays } = await aws.client(KMSClient).send(new GetKeyRotationStatusCommand({ KeyId: resource.id }));
  return { rotates: true, period: required(KeyRotationEnabled, 'KeyRotationEnabled') ? (RotationPeriodInDays ?? 365) : null };
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html */
function notRotating({ MultiRegionConfiguration, ...key }: KeyMetadata): string | undefined {
  const KeySpec = required(key.KeySpec, 'KeySpec');
  const Origin = required(key.Origin, 'Origin');
  const KeyState = required(key.KeyState, 'KeyState');
  if (key.KeyManager === 'AWS') return 'AWS manages the key and rotates it every year.';
  if (KeySpec !== 'SYMMETRIC_DEFAULT') return `KMS does not rotate ${KeySpec} keys.`;
  if (Origin !== 'AWS_KMS') return `KMS does not rotate keys whose material comes from ${Origin}.`;
  if (MultiRegionConfiguration?.MultiRegionKeyType === 'REPLICA') return 'Rotation of a multi-Region key is set on its primary key.';
  if (KeyState !== 'Enabled') return `The key is ${KeyState}; rotation cannot be set.`;
  return undefined;
}

async function setPeriod(aws: Aws, { id }: ResourceRef, period: Period): Promise<void> {
  const client = aws.client(KMSClient);
  if (period === null) await client.send(new DisableKeyRotationCommand({ KeyId: id }));
  else await client.send(new EnableKeyRotationCommand({ KeyId: id, RotationPeriodInDays: period }));
}

export default defineControl({
  id: 'kms-key-rotation-enabled',
  title: 'Customer managed symmetric keys rotate yearly',
  rationale: 'The longer one key encrypts ePHI, the more of it a leaked key opens.',
  severity: 'MEDIUM',
  ...keys,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(2)(iv)', specification: 'addressable', rationale: 'Keeps the keys that encrypt stored ePHI fresh.' },
    { section: '164.308(a)(1)(ii)(B)', specification: 'required', rationale: 'Lowers what the loss of one key can disclose.' },
  ],
  related: { securityHub: ['KMS.4'], configRule: ['cmk-backing-key-rotation-enabled'], prowler: ['kms_cmk_rotation_enabled'] },
  triggers: [
    // A key that is disabled or to be deleted cannot rotate: the finding ends.
    onCalls(
      'kms.amazonaws.com',
      ['CancelKeyDeletion', 'CreateKey', 'DisableKey', 'DisableKeyRotation', 'EnableKey', 'EnableKeyRotation', 'ScheduleKeyDeletion'],
      keyNamed,
      { breaks: ['DisableKeyRotation'] },
    ),
    { source: 'config', resourceType: keys.resourceType },
  ],
  params: z.strictObject({
    rotationPeriodInDays: z.int().min(90).max(2_560).default(365).describe('Longest time between two rotations, and what the fix sets'),
  }),
  reads: 2,
  writes: ['kms:key-rotation'],
  permissions: {
    inspect: ['kms:DescribeKey', 'kms:GetKeyRotationStatus', 'kms:ListKeys'],
    remediate: ['kms:EnableKeyRotation'],
    undo: ['kms:DisableKeyRotation', 'kms:EnableKeyRotation'],
  },
  impact: 'None for callers: what was encrypted stays readable under the same key id. The first two rotations each add to the monthly price of the key.',
  // Rotation cannot break a caller, yet a key is not an account default: its owner is asked, not told.
  defaultMode: 'approve',

  list: keysOf,
  inspect,

  evaluate(state, { rotationPeriodInDays }) {
    if (!state.rotates) return notApplicable(state.because);
    if (state.period === null) return nonCompliant('The key does not rotate.');
    return state.period > rotationPeriodInDays
      ? nonCompliant(`The key rotates every ${state.period} days, not at least every ${rotationPeriodInDays}.`)
      : compliant(`The key rotates every ${state.period} days.`);
  },

  plan: (state, { rotationPeriodInDays }) =>
    change<Period>({
      action: 'kms:EnableKeyRotation',
      summary: `Rotate the key every ${rotationPeriodInDays} days`,
      before: periodOf(state),
      after: rotationPeriodInDays,
    }),

  setting: (state) => periodOf(state),
  remediate: (resource, { after }, aws) => setPeriod(aws, resource, after),
  undo: (resource, { before }, aws) => setPeriod(aws, resource, before),
});

const periodOf = (state: State): Period => (state.rotates ? state.period : null);
