/** The part of a deploy that serverless.yml cannot say. Hooks only; what they do is in deploy.ts, what they print in words.ts. */

import { PolicyError } from '../../engine/errors.ts';
import { slackAppOf } from '../../engine/policy/slack-app.ts';
import { sub } from '../intrinsics.ts';
import { loadProjectPolicy } from '../load-policy.ts';
import { afterDeploy, beforeRemove } from './deploy.ts';
import { dropImpliedDependsOn, type Template } from './template.ts';
import { keptWords, type Outputs } from './words.ts';

interface Serverless {
  readonly service: {
    readonly provider: { compiledCloudFormationTemplate: Template };
    readonly functions: Record<string, unknown>;
    getFunction(name: string): { readonly versionLogicalId?: string };
  };
  getProvider(name: 'aws'): {
    /** Only osls has it. */
    getAwsSdkV3Config?(options: { readonly region: string }): Promise<object>;
    getRegion(): string;
    readonly naming: { getStackName(): string };
  };
  readonly classes: { readonly Error: new (message: string, code: string) => Error };
}

interface Options {
  readonly param?: readonly string[];
}

interface Logging {
  readonly log: { warning(text: string): void; notice(text: string): void };
}

export default class PhidelityPlugin {
  readonly hooks: Readonly<Record<string, () => unknown>>;
  readonly #serverless: Serverless;
  readonly #policyFile: string;
  readonly #log: Logging['log'];
  #kept: Outputs = {};

  constructor(serverless: Serverless, { param = [] }: Options, { log }: Logging) {
    this.#serverless = serverless;
    this.#policyFile = param.findLast((text) => text.startsWith('policy='))?.slice('policy='.length) ?? 'policies/account.yaml';
    this.#log = log;
    if (!serverless.getProvider('aws').getAwsSdkV3Config) {
      throw new serverless.classes.Error(
        'phidelity is deployed with osls, the open fork of the Serverless Framework: run `npm ci`, then `npx serverless deploy` in this folder.',
        'NOT_OSLS',
      );
    }
    this.hooks = {
      'before:package:initialize': () => this.#warn(),
      'before:deploy:function:initialize': () => this.#warn(),
      'before:aws:package:finalize:mergeCustomProviderResources': () => this.#pinRemediate(),
      'before:aws:package:finalize:saveServiceState': () => dropImpliedDependsOn(this.#template()),
      'after:deploy:deploy': () => this.#settle(),
      'before:remove:remove': () => this.#clear(),
      'after:remove:remove': () => this.#say(keptWords(this.#kept)),
    };
  }

  #say(lines: readonly string[]): void {
    for (const line of lines) this.#log.notice(line);
  }

  #template(): Template {
    return this.#serverless.service.provider.compiledCloudFormationTemplate;
  }

  /** The stack, and how its account is reached. */
  #target() {
    const aws = this.#serverless.getProvider('aws');
    return { name: aws.naming.getStackName(), region: aws.getRegion(), configOf: (region: string) => aws.getAwsSdkV3Config!({ region }) };
  }

  /** A wrong policy ends the command here: nothing has been built or sent. */
  async #warn(): Promise<void> {
    const { warnings, policy } = await this.#load();
    // Without an app nobody knocks, and its role is not there.
    if (!slackAppOf(policy)) delete this.#serverless.service.functions.slack;
    for (const { file, line, column, message } of warnings) this.#log.warning(`${file}:${line}:${column} ${message}`);
  }

  async #load() {
    try {
      return await loadProjectPolicy(this.#policyFile, new Date());
    } catch (error) {
      if (error instanceof PolicyError) throw new this.#serverless.classes.Error(error.message, 'WRONG_POLICY');
      throw error;
    }
  }

  /** Whoever starts remediate starts the published version: an execution that waits for weeks must find its own code again. */
  #pinRemediate(): void {
    const version = this.#serverless.service.getFunction('remediate').versionLogicalId!;
    for (const id of ['DetectLambdaFunction', 'SlackLambdaFunction']) {
      const found = this.#template().Resources[id] as unknown as { Properties: { Environment: { Variables: Record<string, unknown> } } } | undefined;
      if (found) found.Properties.Environment.Variables.REMEDIATE_ARN = sub(`\${${version}}`);
    }
  }

  async #settle(): Promise<void> {
    const { policy } = await this.#load();
    this.#say(await afterDeploy(policy, this.#target(), new Date()));
  }

  async #clear(): Promise<void> {
    const { outputs, words } = await beforeRemove(this.#target());
    this.#kept = outputs;
    this.#say(words);
  }
}
