/** People of the account: IAM users with keys of their own, and what they may. */
import {
  GetAccessKeyLastUsedCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetUserPolicyCommand,
  type IAMClient,
  paginateListAttachedUserPolicies,
  paginateListUserPolicies,
} from '@aws-sdk/client-iam';
import { codeOf } from '../../engine/errors.ts';

/** Name of the user who holds the key; undefined: nobody does. */
export async function userOf(iam: IAMClient, AccessKeyId: string): Promise<string | undefined> {
  try {
    return (await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }))).UserName;
  } catch (error) {
    if (codeOf(error) === 'NoSuchEntity' || codeOf(error) === 'NoSuchEntityException') return undefined;
    throw error;
  }
}

/** The documents of the user's policies. */
export async function userPolicies(iam: IAMClient, UserName: string): Promise<string[]> {
  const documents: string[] = [];
  for await (const { AttachedPolicies = [] } of paginateListAttachedUserPolicies({ client: iam }, { UserName }))
    for (const { PolicyArn } of AttachedPolicies) {
      const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
      const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: Policy!.DefaultVersionId }));
      documents.push(decodeURIComponent(PolicyVersion!.Document!));
    }
  for await (const { PolicyNames = [] } of paginateListUserPolicies({ client: iam }, { UserName }))
    for (const PolicyName of PolicyNames)
      documents.push(decodeURIComponent((await iam.send(new GetUserPolicyCommand({ UserName, PolicyName }))).PolicyDocument!));
  return documents;
}
