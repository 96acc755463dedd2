import * as z from 'zod';
import { type Aws, blocked, change, compliant, defineControl, nonCompliant, onCalls, type ResourceRef } from '../define.ts';
import {
  emptyPolicy,
  exchanged,
  isTlsOnlyStatement,
  normalised,
  type Policy,
  parsePolicy,
  printPolicy,
  type Statement,
  sizeOf,
  tlsOnlyStatement,
} from '../resource-policy.ts';
import { queueArn, queueAttributesOf, queueNamed, queuesOf, queueType, setQueueAttributes } from './sqs.ts';

interface State {
  readonly arn: string;
  readonly policy: Policy | null;
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html */
const limits = { bytes: 8_192, statements: 20 };

const refuses = (statement: Statement, arn: string) => isTlsOnlyStatement(statement, 'sqs:*', [arn]);

async function inspect(resource: ResourceRef, aws: Aws): Promise<State | undefined> {
  const attributes = await queueAttributesOf(aws, resource);
  return attributes && { arn: resource.id, policy: attributes.Policy ? parsePolicy(attributes.Policy) : null };
}

/** SQS has no conditional write of a policy: what is written is built on a read just made. */
async function exchange(aws: Aws, resource: ResourceRef, out: readonly Statement[], into: readonly Statement[]): Promise<void> {
  const live = await inspect(resource, aws);
  if (!live) return;
  const policy = exchanged(live.policy, out, into);
  await setQueueAttributes(aws, resource, { Policy: policy ? printPolicy(policy) : '' });
}

export default defineControl({
  id: 'sqs-queue-tls-only',
  title: 'Queue policies refuse requests without TLS',
  rationale: 'SQS answers plain HTTP as well; then messages with ePHI can be read on the way.',
  severity: 'MEDIUM',
  resourceType: queueType,
  arn: queueArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(e)(1)', specification: 'standard', rationale: 'Guards ePHI against unauthorised access in transit.' },
    { section: '164.312(e)(2)(i)', specification: 'addressable', rationale: 'Keeps ePHI from being altered unnoticed on the way.' },
    { section: '164.312(e)(2)(ii)', specification: 'addressable', rationale: 'Encrypts ePHI in transit.' },
  ],
  related: {},
  triggers: [
    // What RemovePermission takes out can be the refusal itself, never what stands in its way.
    onCalls('sqs.amazonaws.com', ['CreateQueue', 'SetQueueAttributes', 'AddPermission', 'RemovePermission', 'DeleteQueue'], queueNamed, {
      breaks: ['RemovePermission'],
    }),
    { source: 'config', resourceType: queueType },
  ],
  params: z.strictObject({}),
  reads: 1,
  writes: ['sqs:queue-policy'],
  permissions: {
    inspect: ['sqs:GetQueueAttributes', 'sqs:ListQueues'],
    remediate: ['sqs:GetQueueAttributes', 'sqs:SetQueueAttributes'],
    undo: ['sqs:GetQueueAttributes', 'sqs:SetQueueAttributes'],
  },
  impact: 'Clients that call the queue by plain HTTP are refused.',
  defaultMode: 'approve',

  list: queuesOf,
  inspect,

  evaluate: ({ arn, policy }) =>
    policy?.Statement.some((statement) => refuses(statement, arn))
      ? compliant('The queue policy refuses requests without TLS.')
      : nonCompliant('The queue policy lets in requests by plain HTTP.'),

  plan({ arn, policy }) {
    const statement = tlsOnlyStatement('PhidelityTlsOnly', 'sqs:*', [arn]);
    if (policy?.Statement.some(({ Sid }) => Sid === statement.Sid)) {
      return blocked(`The queue policy has a statement named ${statement.Sid} that says something else: rename or remove it first.`);
    }
    const longer = exchanged(policy, [], [statement]) ?? emptyPolicy;
    if (longer.Statement.length > limits.statements || sizeOf(longer) > limits.bytes) {
      return blocked('With the statement the queue policy would pass the 20 statements or 8 KB that SQS allows: shorten it first.');
    }
    return change<Statement[]>({
      action: 'sqs:SetQueueAttributes',
      summary: 'Refuse requests without TLS in the queue policy',
      before: [],
      after: [statement],
    });
  },

  setting: ({ arn, policy }) => normalised(policy?.Statement.filter((statement) => refuses(statement, arn)) ?? []),
  remediate: (resource, { after }, aws) => exchange(aws, resource, [], after),
  undo: (resource, { after }, aws) => exchange(aws, resource, after, []),
});
