/** The project's own `serverless deploy` and `remove` against the emulator, and by API what its CloudFormation leaves out. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import {
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
  ListStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeRegionsCommand } from '@aws-sdk/client-ec2';
import { PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { codeOf, TerminalError } from '../../engine/errors.ts';
import type { IamAction } from '../../engine/model.ts';
import { retakeFacts } from '../../infra/plugin/deploy.ts';
import { appliers, propertyAppliers } from './appliers.ts';
import { differences as ofBuses } from './buses.ts';
import { type Clients, configIn } from './clients.ts';
import { differences as ofDoor, openDoor, type TakenOut } from './deploy-door.ts';
import { type Emulator, killAtExit } from './emulator.ts';
import { rolePolicies, splitName, statementsOf } from './functions.ts';
import { type HttpRoute, differences as ofHttp, routesOf, servedAt } from './http-api.ts';
import { differences as ofKeys } from './keys.ts';
import type { DurableSettings } from './lambda.ts';
import { alone } from './lock.ts';
import { differences as ofMappings } from './mappings-api.ts';
import { withMotoNames } from './moto-actions.ts';
import { replacePolicy, settlePolicies } from './policies.ts';
import { differences as ofSchedules } from './schedules.ts';
import { differences as ofDelays } from './sqs-api.ts';
import { differences as ofStreams, type StreamMapping } from './streams.ts';
import { type Deployed, type Difference, resolve, type Template } from './template.ts';
import { settleFunctions } from './versions.ts';

/** One thing that is other than on AWS, or was put there by the stack. */
export interface DeployReport {
  readonly stacks: readonly string[];
  /** The emulator's CloudFormation skipped these; they are there by API. */
  readonly applied: readonly Difference[];
  /** Skipped, and not there. */
  readonly notApplied: readonly Difference[];
  /** Changed so that the emulator's IAM, which matches actions only, lets the roles do what they may do on AWS. */
  readonly widened: readonly Difference[];
  /** What the stack does itself because the emulator does it otherwise than AWS. */
  readonly differences: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
  /** Names of the deployed functions. */
  readonly functions: readonly string[];
  readonly durable: ReadonlyMap<string, DurableSettings>;
  /** The key that each function's environment is encrypted with. */
  readonly keys: ReadonlyMap<string, string>;
  /** Streams of tables that feed functions. */
  readonly streams: readonly StreamMapping[];
  /** Routes of HTTP APIs. */
  readonly routes: readonly HttpRoute[];
  /** What the framework printed. */
  readonly output: string;
}

export interface DeployContext {
  readonly directory: string;
  readonly emulator: Emulator;
  /** Of the whole stack, the Lambda stand-in included. */
  readonly endpoint: string;
  readonly clients: Clients;
  readonly region: string;
  readonly accountId: string;
  /** Kept from one deploy to the next: what has not changed is not deployed again. */
  readonly takenOut: TakenOut;
  /** Where HTTP APIs are served. */
  readonly httpUrl: string;
  readonly onLine?: (line: string) => void;
}

/** Undoes what appliers put beside a stack, by its name, its region and the resource; kept until the stack goes. */
export type Undo = Map<string, () => Promise<unknown>>;

/** Nothing of the caller's own AWS account may be read or reached. */
export function ownEnvironment(emulator: Emulator, region: string): NodeJS.ProcessEnv {
  const { accessKeyId, secretAccessKey } = emulator.adminCredentials();
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_') && !name.startsWith('JEST_') && name !== 'NODE_OPTIONS');
  return {
    ...Object.fromEntries(inherited),
    AWS_ENDPOINT_URL: emulator.endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    SLS_AWS_MONITORING_FREQUENCY: '200',
  };
}

async function serverless(context: DeployContext, args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const bin = join(context.directory, 'node_modules/.bin');
  const door = await openDoor(context.emulator.endpoint, context.clients, context.takenOut);
  const env: NodeJS.ProcessEnv = { ...ownEnvironment(context.emulator, context.region), AWS_ENDPOINT_URL: door.endpoint };
  // What `npx serverless` does: the project's own framework, run by the project's own Node.
  const child = spawn(join(bin, 'serverless'), args, {
    cwd: context.directory,
    env: { ...env, PATH: `${bin}:${env.PATH}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stayAlive = killAtExit(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
      for (const line of String(chunk).split('\n')) if (line.trim()) context.onLine?.(line);
    });
  return new Promise((done, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      stayAlive();
      done({ code, output });
    });
  }).finally(() => door.close()) as Promise<{ readonly code: number | null; readonly output: string }>;
}

interface LiveStack {
  readonly name: string;
  readonly region: string;
}

const key = ({ name, region }: LiveStack) => `${name} ${region}`;

/** In every region of the emulator, the given one first: what is deployed there may refer to the rest. */
async function liveStacks(clients: Clients, home: string): Promise<LiveStack[]> {
  const { Regions = [] } = await clients.ec2.send(new DescribeRegionsCommand({}));
  const others = Regions.map(({ RegionName }) => RegionName!).filter((region) => region !== home);
  const stacks: LiveStack[] = [];
  for (const region of [home, ...others]) {
    const { StackSummaries = [] } = await clients.in(region).cloudFormation.send(new ListStacksCommand({}));
    stacks.push(...StackSummaries.filter(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE').map(({ StackName }) => ({ name: StackName!, region })));
  }
  return stacks;
}

/** What CloudFormation says went wrong, if it came that far. */
async function failures({ clients, region: home }: DeployContext): Promise<string[]> {
  const reasons = [];
  for (const { name: StackName, region } of await liveStacks(clients, home)) {
    const { StackEvents } = await clients.in(region).cloudFormation.send(new DescribeStackEventsCommand({ StackName }));
    for (const { ResourceStatus, LogicalResourceId, ResourceType, ResourceStatusReason } of StackEvents ?? [])
      if (ResourceStatus?.endsWith('FAILED'))
        reasons.push(`${LogicalResourceId} (${ResourceType}) ${ResourceStatus}: ${ResourceStatusReason ?? 'no reason given'}`);
  }
  return reasons;
}

async function run(context: DeployContext, args: readonly string[]): Promise<string> {
  const { code, output } = await alone(context.directory, () => serverless(context, args));
  if (code === 0) return output;
  const reasons = await failures(context).catch((error: Error) => [`and the stack's events could not be read: ${error.message}`]);
  throw new TerminalError([`serverless ${args.join(' ')} ended with ${code}`, ...reasons, output.trim()].join('\n'));
}

async function readStack({ name: StackName, region }: LiveStack, { clients, endpoint, accountId }: DeployContext): Promise<Deployed> {
  const { cloudFormation } = clients.in(region);
  const { TemplateBody } = await cloudFormation.send(new GetTemplateCommand({ StackName }));
  const { StackResources } = await cloudFormation.send(new DescribeStackResourcesCommand({ StackName }));
  const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
  const physicalIds = new Map(
    (StackResources ?? []).flatMap(({ LogicalResourceId, PhysicalResourceId: id, ResourceType }): [string, string][] => {
      if (!id) return [];
      // An SQS client without an endpoint of its own calls the host of the queue's URL: AWS, if the emulator had its way.
      return [[LogicalResourceId!, ResourceType === 'AWS::SQS::Queue' ? `${endpoint}${new URL(id).pathname}` : id]];
    }),
  );
  const { StackId, Outputs = [] } = Stacks![0]!;
  const stream = Outputs.find(({ OutputKey }) => OutputKey === 'LedgerStreamArn')?.OutputValue;
  const told = new Map(stream === undefined ? [] : [['Ledger.StreamArn', stream]]);
  return { template: JSON.parse(TemplateBody!) as Template, stackName: StackName, stackId: StackId!, region, accountId, physicalIds, told };
}

/** Attempts one applier; a refusal is part of the report, not the end of the deploy. */
async function attempt<T>(work: () => Promise<T>): Promise<{ readonly done: T } | { readonly failed: string }> {
  try {
    return { done: await work() };
  } catch (error) {
    return { failed: (error as Error).message || codeOf(error) };
  }
}

async function applySkipped(deployed: Deployed, clients: Clients, undo: Undo): Promise<Pick<DeployReport, 'applied' | 'notApplied'>> {
  const applied: Difference[] = [];
  const notApplied: Difference[] = [];
  for (const [logicalId, { Type: type, Properties = {} }] of Object.entries(deployed.template.Resources)) {
    if (deployed.physicalIds.has(logicalId)) {
      for (const [property, value] of Object.entries(Properties)) {
        const apply = propertyAppliers[`${type} ${property}`];
        if (!apply) continue;
        const result = await attempt(async () => apply(deployed.physicalIds.get(logicalId)!, resolve(value, deployed), clients));
        if ('failed' in result) notApplied.push({ logicalId, type, note: `${property}: ${result.failed}` });
        else {
          applied.push({ logicalId, type, note: property });
          if (result.done.undo) undo.set(`${deployed.stackName} ${deployed.region} ${logicalId} ${property}`, result.done.undo);
        }
      }
      continue;
    }
    if (type === 'AWS::Lambda::Version') continue;
    const apply = appliers[type];
    if (!apply) {
      notApplied.push({ logicalId, type });
      continue;
    }
    const result = await attempt(async () => apply(resolve(Properties, deployed) as Record<string, unknown>, clients, deployed.stackName, logicalId));
    if ('failed' in result) notApplied.push({ logicalId, type, note: result.failed });
    else {
      if (result.done.id) deployed.physicalIds.set(logicalId, result.done.id);
      applied.push({ logicalId, type, note: result.done.note });
      if (result.done.undo) undo.set(`${deployed.stackName} ${deployed.region} ${logicalId}`, result.done.undo);
    }
  }
  return { applied, notApplied };
}

/** Allow statements with every resource and without conditions; Deny statements left out. */
export function widen(document: string): string {
  const allows = statementsOf(document).filter(({ Effect }) => Effect === 'Allow');
  const actions = allows.flatMap(({ Action }) => (Action === undefined ? [] : typeof Action === 'string' ? [Action] : [...Action]));
  const others = allows.filter(({ NotAction }) => NotAction !== undefined).map(({ NotAction }) => ({ Effect: 'Allow', NotAction, Resource: '*' }));
  // Of a policy that only denies, what nobody can be denied is left: a policy has one statement at least.
  if (allows.length === 0) actions.push('sts:GetCallerIdentity');
  const Statement = [...(actions.length > 0 ? [{ Effect: 'Allow', Action: withMotoNames(actions as IamAction[]), Resource: '*' }] : []), ...others];
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

async function widenRoles(deployed: Deployed, clients: Clients, widened: Difference[]): Promise<void> {
  for (const [logicalId, { Type: type }] of Object.entries(deployed.template.Resources)) {
    const roleName = deployed.physicalIds.get(logicalId);
    if (type !== 'AWS::IAM::Role' || !roleName) continue;
    for (const { arn, name, document } of await rolePolicies(clients.iam, roleName)) {
      if (arn?.startsWith('arn:aws:iam::aws:')) continue;
      const PolicyDocument = widen(document);
      if (PolicyDocument === document) continue;
      if (arn) await replacePolicy(clients.iam, arn, PolicyDocument);
      else await clients.iam.send(new PutRolePolicyCommand({ RoleName: roleName, PolicyName: name, PolicyDocument }));
      widened.push({ logicalId, type, note: `${name}: every resource, no conditions, no denies` });
    }
  }
}

const durableOf = ({ template, physicalIds }: Deployed): [string, DurableSettings][] =>
  Object.entries(template.Resources).flatMap(([logicalId, { Type, Properties }]): [string, DurableSettings][] => {
    const config = Properties?.DurableConfig as { ExecutionTimeout?: number } | undefined;
    return Type === 'AWS::Lambda::Function' && config ? [[physicalIds.get(logicalId)!, { executionTimeoutSeconds: config.ExecutionTimeout ?? 86_400 }]] : [];
  });

const keysOf = (deployed: Deployed): [string, string][] =>
  Object.entries(deployed.template.Resources).flatMap(([logicalId, { Type, Properties }]): [string, string][] => {
    const key = Type === 'AWS::Lambda::Function' ? resolve(Properties?.KmsKeyArn, deployed) : undefined;
    return key === undefined ? [] : [[deployed.physicalIds.get(logicalId)!, String(key)]];
  });

/** The mappings that the door took out of the template. */
const streamsOf = (deployed: Deployed, taken: TakenOut): (StreamMapping & { readonly logicalId: string })[] =>
  Object.entries(taken.get(deployed.stackName) ?? {}).map(([logicalId, { Properties = {} }]) => {
    const { EventSourceArn, FunctionName, BatchSize, FilterCriteria } = Properties;
    const [table = ''] = (EventSourceArn as { 'Fn::GetAtt': readonly string[] })['Fn::GetAtt'];
    const { Filters = [] } = (FilterCriteria ?? {}) as { readonly Filters?: readonly { readonly Pattern: string }[] };
    return {
      logicalId,
      table: deployed.physicalIds.get(table)!,
      functionName: splitName(String(resolve(FunctionName, deployed))).name,
      batchSize: Number(BatchSize ?? 100),
      patterns: Filters.map(({ Pattern }) => JSON.parse(Pattern)),
    };
  });

async function undoWhere(undo: Undo, chosen: (key: string) => boolean): Promise<void> {
  // What was put in last hangs on what was there before it.
  for (const [key, work] of [...undo].reverse()) {
    if (!chosen(key)) continue;
    await work();
    undo.delete(key);
  }
}

/** `serverless deploy` and the rest. @throws TerminalError with CloudFormation's reasons when it fails. */
export async function deploy(context: DeployContext, undo: Undo, policy?: string): Promise<DeployReport> {
  const output = await run(context, ['deploy', '--region', context.region, ...(policy ? ['--param', `policy=${policy}`] : [])]);
  const applied: Difference[] = [];
  const notApplied: Difference[] = [];
  const widened: Difference[] = [];
  const functions: string[] = [];
  const durable = new Map<string, DurableSettings>();
  const keys = new Map<string, string>();
  const streams: StreamMapping[] = [];
  const routes: HttpRoute[] = [];
  const stacks = await liveStacks(context.clients, context.region);
  await undoWhere(undo, (done) => !stacks.some((stack) => done.startsWith(`${key(stack)} `)));
  const outputs: Record<string, string> = {};
  const made = new Map<string, string>();
  for (const stack of stacks) {
    const { region } = stack;
    const away = region === context.region ? {} : { region };
    const clients = context.clients.in(region);
    const deployed = await readStack(stack, context);
    const settled = [...(await settlePolicies(deployed, clients.iam)), ...(await settleFunctions(deployed, clients.lambda))];
    const skipped = await applySkipped(deployed, clients, undo);
    applied.push(...[...settled, ...skipped.applied].map((difference) => ({ ...difference, ...away })));
    notApplied.push(...skipped.notApplied.map((difference) => ({ ...difference, ...away })));
    if (region !== context.region) continue;
    for (const [logicalId, id] of deployed.physicalIds) made.set(logicalId, id);
    for (const [name, { Value }] of Object.entries(deployed.template.Outputs ?? {}))
      outputs[name] = servedAt(context.httpUrl, String(resolve(Value, deployed)));
    await widenRoles(deployed, clients, widened);
    for (const [logicalId, { Type }] of Object.entries(deployed.template.Resources))
      if (Type === 'AWS::Lambda::Function') functions.push(deployed.physicalIds.get(logicalId)!);
    for (const [name, settings] of durableOf(deployed)) durable.set(name, settings);
    for (const [name, key] of keysOf(deployed)) keys.set(name, key);
    for (const route of routesOf(deployed)) routes.push(route);
    for (const { logicalId, ...stream } of streamsOf(deployed, context.takenOut)) {
      streams.push(stream);
      applied.push({ logicalId, type: 'AWS::Lambda::EventSourceMapping', note: 'the stack reads the stream' });
    }
  }
  const home = stacks.find(({ region }) => region === context.region);
  // The framework's deploy took the facts of the stack without the policies that moto loses.
  if (home && outputs.LedgerTableName) await retakeFacts({ ...home, configOf: async (region) => configIn(context.emulator, region) }, made);
  return {
    stacks: stacks.map(({ name, region }) => (region === context.region ? name : `${name} (${region})`)),
    applied,
    notApplied,
    widened,
    differences: [...ofBuses, ...ofHttp, ...ofKeys, ...ofMappings, ...ofSchedules, ...ofDelays, ...ofStreams, ...ofDoor],
    outputs,
    functions,
    durable,
    keys,
    streams,
    routes,
    output,
  };
}

/** `serverless remove`, and what the appliers had put beside the stack. Returns what the framework printed. */
export async function remove(context: DeployContext, undo: Undo): Promise<string> {
  // First, as long as what they hang on is there.
  await undoWhere(undo, () => true);
  return run(context, ['remove', '--region', context.region]);
}
