/** The rights that docs/answers.md gives to operators are those that their commands need, and no others. */
import { readFileSync } from 'node:fs';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { describe, expect, test } from '@jest/globals';
import { answerKey, entryKey, findingKey, headKey, leaseKey, memoKey, policyKey } from '../../handlers/aws/table.ts';

const policy = JSON.parse(/```json\n([\s\S]+?)```/.exec(readFileSync('docs/answers.md', 'utf8'))![1]!) as object;
const account = '111122223333';
const arn = (service: string, rest: string) => `arn:aws:${service}:us-east-1:${account}:${rest}`;
const table = arn('dynamodb', 'table/phidelity-prod-Ledger-1ABC');
const key = arn('kms', 'key/KEY-ID');
const remediate = arn('lambda', 'function:phidelity-prod-remediate:7');
const id = 'f-xwbinqbqetctjjm4kahh23q2pm';

async function verdict([action, resource, context = {}]: Ask): Promise<string> {
  const contextVariables = { 'aws:SecureTransport': 'true', ...context };
  const request = { principal: `arn:aws:iam::${account}:role/operator`, action, resource: { resource, accountId: account }, contextVariables };
  // A key delegates to IAM, as infra/keys.ts has it.
  const delegates = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' }],
  };
  const result = await runSimulation(
    {
      request,
      identityPolicies: [{ name: 'operator', policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: action.startsWith('kms:') ? delegates : undefined,
    },
    {},
  );
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
  return result.overallResult;
}

type Ask = readonly [action: string, resource: string, context?: Record<string, string | string[]>];
const at = (item: { pk?: { S?: string } }) => ({ 'dynamodb:LeadingKeys': [item.pk!.S!] });
const through = (service: string) => ({ 'kms:ViaService': `${service}.us-east-1.amazonaws.com` });

describe('needed', () => {
  test.each<Ask>([
    ['cloudformation:DescribeStacks', arn('cloudformation', 'stack/phidelity-prod/1')],
    ['dynamodb:GetItem', table, at(policyKey)],
    ['dynamodb:GetItem', table, at(findingKey(id))],
    ['dynamodb:GetItem', table, at(memoKey('exceptions'))],
    ['dynamodb:GetItem', table, at(memoKey(`knock|${id}`))],
    ['dynamodb:Query', table, at(entryKey(id, 1))],
    ['dynamodb:PutItem', table, at(answerKey(id, 'a'))],
    ['kms:Decrypt', key, through('dynamodb')],
    ['lambda:SendDurableExecutionCallbackSuccess', `${remediate}/durable-execution/${id}/1`],
    ['lambda:GetFunctionConfiguration', arn('lambda', 'function:phidelity-prod-detect')],
    ['lambda:InvokeFunction', remediate],
  ])('%s %s %j', async (...ask) => expect(await verdict(ask)).toBe('Allowed'));
});

describe('not given', () => {
  test.each<Ask>([
    ['dynamodb:PutItem', table, at(policyKey)],
    ['dynamodb:PutItem', table, at(findingKey(id))],
    ['dynamodb:PutItem', table, at(memoKey('exceptions'))],
    ['dynamodb:PutItem', table, at(leaseKey('setting'))],
    ['dynamodb:UpdateItem', table, at(answerKey(id, 'a'))],
    ['dynamodb:DeleteItem', table, at(answerKey(id, 'a'))],
    ['dynamodb:Scan', table],
    ['dynamodb:GetItem', table, at(headKey('x'))],
    ['kms:Encrypt', key],
    ['kms:Decrypt', key, through('s3')],
    ['lambda:InvokeFunction', arn('lambda', 'function:phidelity-prod-detect:7')],
    ['lambda:StopDurableExecution', `${remediate}/durable-execution/${id}/1`],
  ])('%s %s %j', async (...ask) => expect(await verdict(ask)).toBe('ImplicitlyDenied'));
});
