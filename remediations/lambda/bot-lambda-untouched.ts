import * as z from 'zod';
import { compliant, defineControl, idsAt, listKnown, nonCompliant, notApplicable, onCalls } from '../define.ts';
import { functionArn } from './lambda.ts';
import { functionNamed, type OwnFunction, ownFunctionOf, type StackUpdate, stackOf, stackUpdateOf } from './own.ts';

const functionType = 'AWS::Lambda::Function';

interface State {
  readonly arn: string;
  /** Absent: there is no such function. Whether there should be one, the params know. */
  readonly found?: OwnFunction;
  /** Absent: no stack has the function's name. */
  readonly stack?: StackUpdate & {
    /** Its last deploy began less than an hour ago: what it leaves to compare with may not be stored yet. */
    readonly young: boolean;
  };
}

const ownFunction = z.strictObject({
  arn: z.string().describe('ARN of the function'),
  codeSha256: z.string().describe('Hash of its code, as Lambda tells it'),
  roleArn: z.string().describe('ARN of its role'),
  policies: z.array(z.string()).describe('ARNs of the managed policies of its role'),
  sources: z.array(z.string()).describe('ARNs of the queues that feed it'),
});

const hour = 60 * 60 * 1000;

/** What differs then may be what CloudFormation has just changed; the next sweep looks again. */
function deploying(stack: State['stack'], updated: string): string | undefined {
  if (stack?.status.endsWith('_IN_PROGRESS')) return `The stack is ${stack.status}.`;
  return stack?.young && stack.began !== updated ? 'The stack has just been deployed.' : undefined;
}

// A mapping that is being changed still hands on.
const feeds = new Set(['Creating', 'Enabled', 'Enabling', 'Updating']);

const without = (all: readonly string[], some: readonly string[]) => all.filter((one) => !some.includes(one));

/** What differs from the deployed function, each in a few words. */
function differences(found: OwnFunction | undefined, own: z.output<typeof ownFunction>): string[] {
  if (!found) return ['it is gone'];
  const sources = found.mappings.map(({ source }) => source);
  const attached = found.policies ?? [];
  return [
    ...(found.codeSha256 === own.codeSha256 ? [] : ['its code is not the deployed one']),
    ...(found.state === 'Failed' ? ['Lambda says that it has failed'] : []),
    ...(found.reserved === 0 ? ['its reserved concurrency is 0, so it cannot run'] : []),
    ...found.mappings.filter(({ state }) => !feeds.has(state)).map(({ source, state }) => `the feed from ${source} is ${state}`),
    ...without(own.sources, sources).map((source) => `the feed from ${source} is gone`),
    ...without(sources, own.sources).map((source) => `${source} feeds it too`),
    ...(found.roleArn === own.roleArn ? [] : [`it runs under ${found.roleArn}`]),
    ...(found.policies ? [] : ['its role is gone']),
    ...without(own.policies, attached).map((policy) => `its role has lost ${policy}`),
    ...without(attached, own.policies).map((policy) => `its role has ${policy} too`),
    ...found.inline.map((name) => `its role has the inline policy ${name}`),
  ];
}

/** Names of functions and roles of every deployed stack end so; the stack itself is known to the params alone. */
const looksLikeOwnFunction = (id: string | undefined) => /-(detect|remediate|evidence|deliver|slack)$/.test(id ?? '');
const looksLikeOwnRole = (name: string | undefined) => /-(Detect|Remediate|Evidence|Deliver|Slack)Role-/.test(name ?? '');

const roleIn = idsAt('requestParameters.roleName');

export default defineControl({
  id: 'bot-lambda-untouched',
  title: 'The functions of the bot and their roles are as deployed',
  rationale: 'Whoever changes the bot, or starves it, can make it overlook everything else, or act in its name.',
  severity: 'CRITICAL',
  resourceType: functionType,
  arn: functionArn,
  scope: 'regional',
  hipaa: [
    { section: '164.308(a)(1)(ii)(D)', specification: 'required', rationale: 'Keeps the review of system activity running.' },
    { section: '164.308(a)(6)(ii)', specification: 'required', rationale: 'An attack on the watch is an incident to respond to.' },
    { section: '164.312(c)(1)', specification: 'standard', rationale: 'What may change the settings that guard ePHI is itself guarded against alteration.' },
  ],
  related: {},
  triggers: [
    onCalls(
      'lambda.amazonaws.com',
      [
        'CreateEventSourceMapping20150331',
        'CreateFunction20150331',
        'DeleteEventSourceMapping20150331',
        'DeleteFunction20150331',
        'DeleteFunctionConcurrency20171031',
        'PutFunctionConcurrency20171031',
        'UpdateEventSourceMapping20150331',
        'UpdateFunctionCode20150331v2',
        'UpdateFunctionConfiguration20150331v2',
      ],
      functionNamed,
      {
        concerns(detail) {
          const names = [...functionNamed(detail)];
          return names.length === 0 || names.some(looksLikeOwnFunction);
        },
        breaks: ['DeleteFunction20150331'],
      },
    ),
    onCalls(
      'iam.amazonaws.com',
      ['AttachRolePolicy', 'CreateRole', 'DeleteRole', 'DeleteRolePolicy', 'DetachRolePolicy', 'PutRolePolicy'],
      // A role does not tell whose it is: the functions are looked at.
      () => [],
      { concerns: (detail) => [...roleIn(detail)].some(looksLikeOwnRole) },
    ),
  ],
  params: z.strictObject({
    functions: z.array(ownFunction).default([]).describe('The functions of the deployed stack; filled in by the deploy'),
    updated: z.string().default('').describe('When CloudFormation last changed the stack; filled in by the deploy'),
  }),
  reads: 6,
  writes: [],
  permissions: {
    inspect: [
      'cloudformation:DescribeStacks',
      'iam:ListAttachedRolePolicies',
      'iam:ListRolePolicies',
      'lambda:GetFunctionConcurrency',
      'lambda:GetFunctionConfiguration',
      'lambda:ListEventSourceMappings',
    ],
    remediate: [],
    undo: [],
  },
  impact: 'Nothing is changed. A deploy of the stack is not drift: it is recorded by CloudTrail, and what it leaves is the new measure.',
  defaultMode: 'page',
  noFix: 'The roles of the bot are denied every write to its own functions and roles: whoever took over the bot could use it to stay.',
  sweptOften: true,
  deployed: (stack) => ({
    updated: stack.updated,
    functions: stack.functions.map(({ policies, sources, ...own }) => ({ ...own, policies: [...policies], sources: [...sources] })),
  }),

  list(aws, { params }) {
    const arns = params.functions.map(({ arn }) => arn);
    return listKnown(functionType, arns, aws);
  },

  async inspect({ id }, aws): Promise<State | undefined> {
    const update = await stackUpdateOf(aws, stackOf(id));
    const found = await ownFunctionOf(aws, id);
    const stack = update && { ...update, young: Date.now() - Date.parse(update.began) < hour };
    return { arn: id, ...(found && { found }), ...(stack && { stack }) };
  },

  evaluate({ arn, found, stack }, { functions, updated }) {
    if (functions.length === 0) return notApplicable('No stack is deployed.');
    const own = functions.find((known) => known.arn === arn);
    if (!own) return notApplicable('The function is not one of the bot.');
    const wrong = differences(found, own);
    if (wrong.length === 0) return compliant('The function and its role are as deployed.');
    const moving = deploying(stack, updated);
    return moving ? notApplicable(`${moving} The next sweep looks again.`) : nonCompliant(`The function is not as deployed: ${wrong.join('; ')}.`);
  },
});
