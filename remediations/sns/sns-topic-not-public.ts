import * as z from 'zod';
import { type Aws, type CloudTrailDetail, change, compliant, defineControl, nonCompliant, onCalls, type ResourceRef, valuesAt, wordAt } from '../define.ts';
import { isPublicStatement } from '../public-statement.ts';
import { allowsEverybody, exchanged, normalised, parsePolicy, printPolicy, type Statement } from '../resource-policy.ts';
import { setTopicAttribute, topicArn, topicAttributesOf, topicNamed, topicsOf, topicType } from './sns.ts';

interface State {
  readonly arn: string;
  readonly accountId: string;
  /** Statements that allow everybody, whether a condition narrows them or not. */
  readonly open: readonly Statement[];
  /** How many statements are not among these. */
  readonly others: number;
}

async function inspect(resource: ResourceRef, aws: Aws): Promise<State | undefined> {
  const attributes = await topicAttributesOf(aws, resource);
  if (!attributes) return undefined;
  const { Statement } = parsePolicy(attributes.Policy ?? '');
  const open = Statement.filter(allowsEverybody);
  return { arn: resource.id, accountId: resource.accountId, open: normalised(open), others: Statement.length - open.length };
}

const counted = (count: number) => `${count} public statement${count === 1 ? '' : 's'}`;

const publicAmong = ({ open, accountId }: State, allowed: readonly string[]) => {
  const known = allowed.length === 0 ? undefined : (account: string) => account === accountId || allowed.includes(account);
  return open.filter((statement) => isPublicStatement(statement, known));
};

/** A topic's policy cannot be deleted: when nothing of it is left, its owner alone stays in. */
const ownerOnly = ({ arn, accountId }: Pick<State, 'arn' | 'accountId'>): Statement => ({
  Sid: 'PhidelityOwnerOnly',
  Effect: 'Allow',
  Principal: { AWS: '*' },
  // `sns:*` is refused in a topic's policy. https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
  Action: [
    'SNS:GetTopicAttributes',
    'SNS:SetTopicAttributes',
    'SNS:AddPermission',
    'SNS:RemovePermission',
    'SNS:DeleteTopic',
    'SNS:Subscribe',
    'SNS:ListSubscriptionsByTopic',
    'SNS:Publish',
  ],
  Resource: arn,
  Condition: { StringEquals: { 'AWS:SourceOwner': accountId } },
});

/** SNS has no conditional write of a policy: what is written is built on a read just made. */
async function exchange(aws: Aws, resource: ResourceRef, out: readonly Statement[], into: readonly Statement[]): Promise<void> {
  const attributes = await topicAttributesOf(aws, resource);
  if (!attributes) return;
  const policy = exchanged(parsePolicy(attributes.Policy ?? ''), out, into) ?? exchanged(null, [], [ownerOnly({ arn: resource.id, ...resource })]);
  if (policy) await setTopicAttribute(aws, resource, 'Policy', printPolicy(policy));
}

/** What the call makes of the topic's policy; undefined when it does not set it. */
function verdictIn(detail: CloudTrailDetail, allowed: readonly string[]): 'public' | 'private' | undefined {
  if (valuesAt(detail, 'requestParameters.aWSAccountIds[]').includes('*')) return 'public';
  const set = wordAt(detail, 'requestParameters.attributeName') === 'policy' ? 'requestParameters.attributeValue' : 'requestParameters.attributes.Policy';
  const [text] = valuesAt(detail, set);
  if (typeof text !== 'string') return undefined;
  const open = parsePolicy(text).Statement.filter(allowsEverybody);
  const state = { arn: '', accountId: detail.recipientAccountId ?? '', open, others: 0 };
  return publicAmong(state, allowed).length > 0 ? 'public' : 'private';
}

export default defineControl({
  id: 'sns-topic-not-public',
  title: 'SNS topic policies do not let in the public',
  rationale: 'Anyone who may subscribe to a topic reads what is sent to it, ePHI included; anyone who may publish can forge it.',
  severity: 'CRITICAL',
  resourceType: topicType,
  arn: topicArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(1)', specification: 'standard', rationale: 'Lets in only those who have been granted access to ePHI.' },
    { section: '164.308(a)(3)(i)', specification: 'standard', rationale: 'Keeps those without authorisation from reaching ePHI.' },
  ],
  related: { securityHub: ['SNS.4'], prowler: ['sns_topics_not_publicly_accessible'] },
  triggers: [
    onCalls('sns.amazonaws.com', ['CreateTopic', 'SetTopicAttributes', 'AddPermission', 'RemovePermission', 'DeleteTopic'], topicNamed),
    { source: 'config', resourceType: topicType },
  ],
  params: z.strictObject({
    allowedAccounts: z
      .array(z.string().regex(/^\d{12}$/))
      .default([])
      .describe('The only accounts, besides its own, that a statement for everybody may be narrowed to; any account when empty'),
  }),
  reads: 1,
  writes: ['sns:topic-policy'],
  permissions: {
    inspect: ['sns:GetTopicAttributes', 'sns:ListTopics'],
    remediate: ['sns:GetTopicAttributes', 'sns:SetTopicAttributes'],
    undo: ['sns:GetTopicAttributes', 'sns:SetTopicAttributes'],
  },
  impact: 'Publishers and subscribers that came in by the public statements alone are refused; subscriptions that exist stay.',
  defaultMode: 'approve',
  endsPublicExposure: true,
  reportTransient: true,
  opens: (detail, { allowedAccounts }) => verdictIn(detail, allowedAccounts) === 'public',
  closes: (detail, { allowedAccounts }) => detail.eventName === 'DeleteTopic' || verdictIn(detail, allowedAccounts) === 'private',

  list: topicsOf,
  inspect,

  evaluate(state, { allowedAccounts }) {
    const { length } = publicAmong(state, allowedAccounts);
    return length === 0
      ? compliant('No statement of the topic policy lets in the public.')
      : nonCompliant(`${counted(length)} of the topic policy ${length === 1 ? 'lets' : 'let'} in the public.`);
  },

  plan(state, { allowedAccounts }) {
    const before = publicAmong(state, allowedAccounts);
    const emptied = state.others === 0 && before.length === state.open.length;
    return change<readonly Statement[]>({
      action: 'sns:SetTopicAttributes',
      summary: `Remove ${counted(before.length)} from the topic policy${emptied ? ', leaving the owner alone' : ''}`,
      before,
      after: emptied ? [ownerOnly(state)] : [],
    });
  },

  setting: ({ open }) => open,
  remediate: (resource, { before, after }, aws) => exchange(aws, resource, before, after),
  undo: (resource, { before, after }, aws) => exchange(aws, resource, after, before),
});
