/** The part of a deploy that serverless.yml cannot say. Hooks only; what they print is in words.ts. */
import { setTimeout } from 'node:timers/promises';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { codeOf, PolicyError } from '../../engine/errors.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { dynamoLedger } from '../../handlers/aws/ledger.ts';
import { catalogue } from '../../remediations/index.ts';
import { sub } from '../intrinsics.ts';
import { loadProjectPolicy } from '../load-policy.ts';
import { dropImpliedDependsOn, type Template } from './template.ts';
import { grantWords, keptWords, nextWords, type Outputs } from './words.ts';

interface Serverless {
  readonly service: {
    readonly provider: { compiledCloudFormationTemplate: Template };
    getFunction(name: string): { readonly versionLogicalId?: string };
  };
  getProvider(name: 'aws'): {
    /** Only osls has it. */
    getAwsSdkV3Config?(): Promise<DynamoDBClientConfig>;
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
      'after:deploy:deploy': () => this.#storePolicy(),
      'before:remove:remove': () => this.#noteKept(),
      'after:remove:remove': () => this.#say(keptWords(this.#kept)),
    };
  }

  #say(lines: readonly string[]): void {
    for (const line of lines) this.#log.notice(line);
  }

  #template(): Template {
    return this.#serverless.service.provider.compiledCloudFormationTemplate;
  }

  /** A wrong policy ends the command here: nothing has been built or sent. */
  async #warn(): Promise<void> {
    const { warnings } = await this.#load();
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

  /** Detect starts the published version: an execution that waits for weeks must find its own code again. */
  #pinRemediate(): void {
    const version = this.#serverless.service.getFunction('remediate').versionLogicalId!;
    const detect = this.#template().Resources.DetectLambdaFunction as unknown as { Properties: { Environment: { Variables: Record<string, unknown> } } };
    detect.Properties.Environment.Variables.REMEDIATE_ARN = sub(`\${${version}}`);
  }

  async #storePolicy(): Promise<void> {
    const { policy } = await this.#load();
    const outputs = await this.#outputs();
    const before = await this.#exchange(policy, outputs);
    const controls = await Promise.all(catalogue.map((entry) => entry.load()));
    this.#say([...grantWords(policy, before, catalogue, controls), '', ...nextWords(outputs)]);
  }

  /** Stores the policy and gives the one that was there. */
  async #exchange(policy: CompiledPolicy, { LedgerTableName: table }: Outputs): Promise<CompiledPolicy | undefined> {
    if (!table) throw new Error('the stack has no output LedgerTableName');
    const client = new DynamoDBClient(await this.#clientConfig());
    const clock = { now: () => new Date(), sleep: (milliseconds: number) => setTimeout(milliseconds) };
    const ledger = dynamoLedger({ client, table, clock });
    const before = await ledger.policy();
    await ledger.storePolicy(policy);
    return before;
  }

  async #noteKept(): Promise<void> {
    try {
      this.#kept = await this.#outputs();
    } catch (error) {
      // No stack: `remove` itself says so.
      if (codeOf(error) !== 'ValidationError') throw error;
    }
  }

  async #outputs(): Promise<Outputs> {
    const client = new CloudFormationClient(await this.#clientConfig());
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: this.#serverless.getProvider('aws').naming.getStackName() }));
    return Object.fromEntries(Stacks[0]?.Outputs?.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]) ?? []);
  }

  #clientConfig(): Promise<DynamoDBClientConfig> {
    return this.#serverless.getProvider('aws').getAwsSdkV3Config!();
  }
}
