/** moto's CloudFormation makes every key a symmetric one: a key that signs is made by API, once, and found again by its alias. */
import { CreateAliasCommand, CreateKeyCommand, DescribeKeyCommand, type KeySpec, type KeyUsageType, type KMSClient } from '@aws-sdk/client-kms';
import { codeOf } from '../../engine/errors.ts';
import type { Deployed, Difference } from './template.ts';

const type = 'AWS::KMS::Key';

async function keyIdOf(kms: KMSClient, AliasName: string, properties: Readonly<Record<string, unknown>>): Promise<string> {
  try {
    return (await kms.send(new DescribeKeyCommand({ KeyId: AliasName }))).KeyMetadata!.KeyId!;
  } catch (error) {
    if (codeOf(error) !== 'NotFoundException') throw error;
  }
  const input = { KeySpec: properties.KeySpec as KeySpec, KeyUsage: properties.KeyUsage as KeyUsageType, Description: String(properties.Description) };
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(input));
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyMetadata!.KeyId! }));
  return KeyMetadata!.KeyId!;
}

/** Names the keys, in `deployed.physicalIds` too. */
export async function settleKeys(deployed: Deployed, kms: KMSClient): Promise<Difference[]> {
  const settled: Difference[] = [];
  for (const [logicalId, { Type, Properties = {} }] of Object.entries(deployed.template.Resources)) {
    if (Type !== type || Properties.KeySpec === undefined || Properties.KeySpec === 'SYMMETRIC_DEFAULT') continue;
    deployed.physicalIds.set(logicalId, await keyIdOf(kms, `alias/${deployed.stackName}-${logicalId}`, Properties));
    settled.push({ logicalId, type, note: 'KeySpec' });
  }
  return settled;
}
