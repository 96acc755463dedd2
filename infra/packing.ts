/** Statements, and the managed policies that hold them. Pure. */
import type { IamAction } from '../engine/model.ts';
import { account, partition, region, type Sub, stack } from './intrinsics.ts';

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly IamAction[];
  readonly Resource?: '*' | readonly (string | Sub)[];
  readonly NotResource?: readonly (string | Sub)[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A managed policy holds 6,144 characters, white space not counted, and a role takes ten of them. */
export const longestPolicy = 6_144;
const mostPolicies = 10;

/** The statements in as few documents as fit. A statement too long for one is divided by its actions. */
export function pack(statements: readonly Statement[]): Statement[][] {
  const documents: Statement[][] = [];
  for (const statement of statements.flatMap(divided)) {
    const last = documents.at(-1);
    if (last && policySize([...last, statement]) <= longestPolicy) last.push(statement);
    else documents.push([statement]);
  }
  if (documents.length > mostPolicies) throw new Error(`a role would need ${documents.length} managed policies, AWS takes ${mostPolicies}`);
  return documents;
}

function divided(statement: Statement): Statement[] {
  const parts: IamAction[][] = [[]];
  for (const action of statement.Action) {
    const last = parts.at(-1)!;
    if (last.length === 0 || policySize([{ ...statement, Sid: `${statement.Sid}99`, Action: [...last, action] }]) <= longestPolicy) last.push(action);
    else parts.push([action]);
  }
  return parts.map((Action, index) => ({ ...statement, Sid: index === 0 ? statement.Sid : `${statement.Sid}${index + 1}`, Action }));
}

/** Characters of a policy once CloudFormation has filled in a long stack name and the longest of partitions, regions and key ids. */
export const policySize = (statements: readonly Statement[]): number =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements }, (_, value) =>
    typeof value === 'object' && value !== null && 'Fn::Sub' in value ? value['Fn::Sub'] : value,
  )
    .replaceAll(stack, 'n'.repeat(40))
    .replaceAll(partition, 'aws-us-gov')
    .replaceAll(region, 'ap-northeast-1')
    .replaceAll(account, '123456789012')
    .replace(/\$\{\w+\.Arn\}/g, 'k'.repeat(90))
    .replace(/\s/g, '').length;
