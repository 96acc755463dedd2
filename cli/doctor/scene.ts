/** What the checks look at. Reads that several of them need are sent once. */
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import type { Aws, Deployment, Ledger } from '../../engine/ports.ts';
import type { OpenStack, Stack, StackPart } from '../stack.ts';
import { partsOf } from '../stack.ts';
import { type Check, some, wrong } from './check.ts';

export interface Scene {
  /** The caller's account; with a stack its home region. */
  readonly aws: Aws;
  readonly now: Date;
  /** Of the policy file; undefined when it is wrong, which is a check of its own. */
  readonly policy?: CompiledPolicy;
  readonly policyFile: string;
}

export interface StackScene extends Scene {
  readonly stack: Stack;
  readonly ledger: Ledger;
  readonly parts: () => Promise<readonly StackPart[]>;
  readonly deployment: () => Promise<Deployment | undefined>;
  /** Undefined before a deploy has stored one. */
  readonly stored: () => Promise<CompiledPolicy | undefined>;
  /** The command that deploys the stack with the policy file. */
  readonly deploy: string;
}

export type Group = (scene: Scene) => Promise<readonly Check[]>;
export type StackGroup = (scene: StackScene) => Promise<readonly Check[]>;

/** Names of stacks are SERVICE-STAGE. */
export const deployCommand = (stack: string, region: string, policyFile: string): string => {
  const stage = stack.startsWith('phidelity-') ? stack.slice('phidelity-'.length) : stack;
  return `npx serverless deploy --stage ${stage} --region ${region} --param policy=${policyFile}`;
};

const once = <Answer>(ask: () => Promise<Answer>): (() => Promise<Answer>) => {
  let answer: Promise<Answer> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
};

export const withStack = (scene: Scene, { stack, aws, ledger }: OpenStack): StackScene => ({
  ...scene,
  aws,
  stack,
  ledger,
  parts: once(() => partsOf(stack.name, aws)),
  deployment: once(() => ledger.recall<Deployment>('deployment')),
  stored: once(() => ledger.policy()),
  deploy: deployCommand(stack.name, stack.region, scene.policyFile),
});

/** Where the bot is: its home region, and the forwarders' as the last deploy left them. */
export const coveredBy = async ({ stack, deployment }: StackScene): Promise<readonly string[]> => [
  ...new Set([stack.region, ...((await deployment())?.regions ?? [])]),
];

/**
 * Parts of the home stack that are gone. CloudFormation takes its template for what is there unless it is told to look.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html
 */
export function lost(check: string, names: readonly string[], { name, region }: Stack): Check {
  const set = `--stack-name ${name} --change-set-name revert-drift --region ${region}`;
  return wrong(
    check,
    `deleted: ${some(names)}. To revert the drift of the stack also turns the kill switch off`,
    [
      `aws cloudformation create-change-set ${set} --use-previous-template --deployment-mode REVERT_DRIFT --capabilities CAPABILITY_NAMED_IAM`,
      `aws cloudformation wait change-set-create-complete ${set}`,
      `aws cloudformation execute-change-set ${set}`,
    ].join(' && '),
  );
}
