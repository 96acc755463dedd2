/** The part of a deploy that serverless.yml cannot say. */
import { PolicyError } from '../../engine/errors.ts';
import type { LoadedPolicy } from '../../engine/policy/load.ts';
import { loadProjectPolicy } from '../load-policy.ts';
import { dropImpliedDependsOn, type Template } from './template.ts';

interface Serverless {
  readonly service: {
    readonly provider: { compiledCloudFormationTemplate: Template };
    getFunction(name: string): { readonly versionLogicalId?: string };
  };
  readonly configurationInput: { readonly params?: unknown };
  readonly classes: { readonly Error: new (message: string, code: string) => Error };
  readonly version?: string;
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
  readonly #options: Options;
  readonly #log: Logging['log'];

  constructor(serverless: Serverless, options: Options, { log }: Logging) {
    this.#serverless = serverless;
    this.#options = options;
    this.#log = log;
    this.hooks = {
      'before:package:initialize': () => this.#policy(),
      'before:deploy:function:initialize': () => this.#policy(),
      'before:aws:package:finalize:mergeCustomProviderResources': () => this.#pinRemediate(),
      'before:aws:package:finalize:saveServiceState': () => dropImpliedDependsOn(this.#template()),
    };
  }

  #template(): Template {
    return this.#serverless.service.provider.compiledCloudFormationTemplate;
  }

  async #policy(): Promise<LoadedPolicy> {
    try {
      const loaded = await loadProjectPolicy(policyFile(this.#options), new Date());
      for (const { file, line, column, message } of loaded.warnings) this.#log.warning(`${file}:${line}:${column} ${message}`);
      return loaded;
    } catch (error) {
      if (error instanceof PolicyError) throw new this.#serverless.classes.Error(error.message, 'WRONG_POLICY');
      throw error;
    }
  }

  /** Detect starts the published version: an execution that waits for weeks must find its own code again. */
  #pinRemediate(): void {
    const version = this.#serverless.service.getFunction('remediate').versionLogicalId;
    const detect = this.#template().Resources.DetectLambdaFunction as { Properties: { Environment: { Variables: Record<string, unknown> } } };
    detect.Properties.Environment.Variables.REMEDIATE_ARN = { Ref: version };
  }
}

const policyFile = ({ param = [] }: Options): string =>
  param.findLast((text) => text.startsWith('policy='))?.slice('policy='.length) ?? 'policies/account.yaml';
