/** moto drops a managed policy from a stack whose update changes it, and leaves the old document attached: each is made as the template has it. */
import {
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeletePolicyVersionCommand,
  type IAMClient,
  ListPolicyVersionsCommand,
  paginateListPolicies,
} from '@aws-sdk/client-iam';
import { type Deployed, type Difference, resolve } from './template.ts';

const type = 'AWS::IAM::ManagedPolicy';
const mostVersions = 5;

/** Makes a document the one in force. */
export async function replacePolicy(iam: IAMClient, PolicyArn: string, PolicyDocument: string): Promise<void> {
  const { Versions = [] } = await iam.send(new ListPolicyVersionsCommand({ PolicyArn }));
  const oldest = Versions.filter(({ IsDefaultVersion }) => !IsDefaultVersion).sort((a, b) => Number(a.VersionId!.slice(1)) - Number(b.VersionId!.slice(1)))[0];
  if (Versions.length >= mostVersions && oldest) await iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: oldest.VersionId }));
  await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument, SetAsDefault: true }));
}

async function madeEarlier(iam: IAMClient, prefix: string): Promise<string | undefined> {
  for await (const { Policies = [] } of paginateListPolicies({ client: iam }, { Scope: 'Local' })) {
    const found = Policies.find(({ PolicyName }) => PolicyName?.startsWith(prefix));
    if (found) return found.Arn;
  }
  return undefined;
}

/** Names the policies, in `deployed.physicalIds` too. */
export async function settlePolicies(deployed: Deployed, iam: IAMClient): Promise<Difference[]> {
  const settled: Difference[] = [];
  for (const [logicalId, { Type, Properties = {} }] of Object.entries(deployed.template.Resources)) {
    if (Type !== type) continue;
    const document = JSON.stringify(resolve(Properties.PolicyDocument, deployed));
    const prefix = `${deployed.stackName}-${logicalId}-`;
    const known = deployed.physicalIds.get(logicalId) ?? (await madeEarlier(iam, prefix));
    if (known) await replacePolicy(iam, known, document);
    const { Policy } = known ? { Policy: undefined } : await iam.send(new CreatePolicyCommand({ PolicyName: `${prefix}MADE`, PolicyDocument: document }));
    deployed.physicalIds.set(logicalId, known ?? Policy!.Arn!);
    settled.push({ logicalId, type, note: 'PolicyDocument' });
  }
  return settled;
}
