/** What IAM would say to one request. */
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { account } from './packaged.ts';

export const stranger = '999999999999';
export const inOther = (arn: string) => arn.replace(account, stranger);

/** Account and ARN of the source, as the sending service states them. */
export const from = (sourceArn: string) => ({ 'aws:SourceArn': sourceArn, 'aws:SourceAccount': sourceArn.split(':')[4]! });

export interface Ask {
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly resourcePolicy?: unknown;
  readonly identityPolicies?: readonly unknown[];
  readonly context?: Record<string, string>;
}

export async function verdict({ principal, action, resource, resourcePolicy, identityPolicies = [], context = {} }: Ask): Promise<string> {
  const result = await runSimulation(
    {
      request: { principal, action, resource: { resource, accountId: account }, contextVariables: { 'aws:SecureTransport': 'true', ...context } },
      identityPolicies: identityPolicies.map((policy, index) => ({ name: `policy${index}`, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy,
    },
    {},
  );
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
  return result.overallResult;
}
