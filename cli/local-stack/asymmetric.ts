/** moto's CloudFormation makes every key a symmetric one: a key that signs is made by API, once, and the template names it. */
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  type KeyMetadata,
  type KeySpec,
  type KeyUsageType,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { codeOf } from '../../engine/errors.ts';
import type { Template, TemplateResource } from '../../infra/template-values.ts';

const isAsymmetric = ({ Type, Properties }: TemplateResource): boolean =>
  Type === 'AWS::KMS::Key' && Properties?.KeySpec !== undefined && Properties.KeySpec !== 'SYMMETRIC_DEFAULT';

/** Found again by its alias. */
async function keyOf(kms: KMSClient, AliasName: string, { Properties = {} }: TemplateResource): Promise<KeyMetadata> {
  try {
    return (await kms.send(new DescribeKeyCommand({ KeyId: AliasName }))).KeyMetadata!;
  } catch (error) {
    if (codeOf(error) !== 'NotFoundException') throw error;
  }
  const input = { KeySpec: Properties.KeySpec as KeySpec, KeyUsage: Properties.KeyUsage as KeyUsageType, Description: String(Properties.Description) };
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(input));
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyMetadata!.KeyId! }));
  return KeyMetadata!;
}

/** The template without the keys, with what they are wherever it refers to them; undefined when it has none. */
export async function withKeysMade(template: Template, stack: string, kms: KMSClient): Promise<Template | undefined> {
  const wanted = Object.entries(template.Resources).filter(([, resource]) => isAsymmetric(resource));
  if (wanted.length === 0) return undefined;
  const made = new Map<string, KeyMetadata>();
  for (const [logicalId, resource] of wanted) made.set(logicalId, await keyOf(kms, `alias/${stack}-${logicalId}`, resource));
  const Resources = Object.fromEntries(Object.entries(template.Resources).filter(([logicalId]) => !made.has(logicalId)));
  return JSON.parse(JSON.stringify({ ...template, Resources }, (_, value: unknown) => named(value, made)));
}

function named(value: unknown, made: ReadonlyMap<string, KeyMetadata>): unknown {
  if (typeof value === 'string') return value.replace(/\$\{(\w+)\.Arn\}/g, (text, logicalId: string) => made.get(logicalId)?.Arn ?? text);
  const { Ref, 'Fn::GetAtt': attribute } = (value ?? {}) as { readonly Ref?: string; readonly 'Fn::GetAtt'?: readonly string[] };
  const key = made.get(Ref ?? attribute?.[0] ?? '');
  if (!key) return value;
  return attribute?.[1] === 'Arn' ? key.Arn : key.KeyId;
}
