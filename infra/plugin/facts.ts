/**
 * What the deployed stack is made of: the measure of the controls that guard the bot itself. It is read from what was deployed,
 * not from what is there: a plain deploy leaves alone what somebody has changed by hand, and must not make it the measure.
 */
import { CloudFormationClient, DescribeStacksCommand, GetTemplateCommand, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { fingerprint } from '../../engine/canonical.ts';
import type { OwnStack } from '../../engine/control.ts';
import { forwarderName } from '../forwarders.ts';
import { type Deployed, resolve, type Template } from '../template-values.ts';
import { type ConfigOf, inEach } from './regions.ts';
import type { Outputs } from './words.ts';

export interface StackPlace {
  readonly name: string;
  readonly region: string;
  readonly outputs: Outputs;
  /** Regions with a forwarder. */
  readonly forwarders: readonly string[];
  /** Physical ids of the home stack that CloudFormation itself does not tell: an emulator's loses some. */
  readonly made?: ReadonlyMap<string, string>;
}

type Properties = Readonly<Record<string, unknown>>;

async function deployedIn(stackName: string, region: string, accountId: string, configOf: ConfigOf): Promise<Deployed> {
  const client = new CloudFormationClient(await configOf(region));
  const { TemplateBody = '{}' } = await client.send(new GetTemplateCommand({ StackName: stackName }));
  const physicalIds = new Map<string, string>();
  for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName: stackName })) {
    for (const { LogicalResourceId, PhysicalResourceId } of StackResourceSummaries)
      if (PhysicalResourceId) physicalIds.set(LogicalResourceId!, PhysicalResourceId);
  }
  return { template: JSON.parse(TemplateBody) as Template, stackName, stackId: stackName, region, accountId, physicalIds };
}

const ofType = ({ template }: Deployed, type: string): [logicalId: string, properties: Properties][] =>
  Object.entries(template.Resources).flatMap(([logicalId, { Type, Properties = {} }]) => (Type === type ? [[logicalId, Properties]] : []));

const arnOf = (logicalId: string, deployed: Deployed): string => resolve({ 'Fn::GetAtt': [logicalId, 'Arn'] }, deployed) as string;

const rulesOf = (deployed: Deployed): OwnStack['rules'] =>
  ofType(deployed, 'AWS::Events::Rule').map(([logicalId, { EventPattern, Targets }]) => ({
    arn: arnOf(logicalId, deployed),
    pattern: fingerprint(resolve(EventPattern, deployed)),
    targets: (Targets as { readonly Arn: unknown }[]).map(({ Arn }) => resolve(Arn, deployed) as string).sort(),
  }));

/** The framework notes the hash of an artifact beside it, in the form in which Lambda tells the hash of its code. */
async function codeOf({ S3Bucket, S3Key }: Readonly<Record<string, unknown>>, deployed: Deployed, s3: S3Client): Promise<string> {
  const [Bucket, Key] = [resolve(S3Bucket, deployed) as string, S3Key as string];
  const { Metadata } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  if (!Metadata?.filesha256) throw new Error(`the artifact s3://${Bucket}/${Key} does not tell its hash`);
  return Metadata.filesha256;
}

/** What a reference names, if it has been made. */
const known = (reference: unknown, deployed: Deployed): string[] => {
  const { Ref: logicalId } = reference as { readonly Ref?: string };
  return logicalId !== undefined && deployed.template.Resources[logicalId] && !deployed.physicalIds.has(logicalId)
    ? []
    : [resolve(reference, deployed) as string];
};

async function functionsOf(deployed: Deployed, configOf: ConfigOf): Promise<OwnStack['functions']> {
  const s3 = new S3Client(await configOf(deployed.region));
  const roles = ofType(deployed, 'AWS::IAM::Role').map(([logicalId, { ManagedPolicyArns = [] }]) => ({
    arn: arnOf(logicalId, deployed),
    policies: ManagedPolicyArns as readonly unknown[],
  }));
  const mappings = ofType(deployed, 'AWS::Lambda::EventSourceMapping').map(([, properties]) => properties);
  return Promise.all(
    ofType(deployed, 'AWS::Lambda::Function').map(async ([logicalId, { Code, Role }]) => {
      const arn = arnOf(logicalId, deployed);
      const roleArn = resolve(Role, deployed) as string;
      const policies = roles.find((role) => role.arn === roleArn)?.policies ?? [];
      const feeding = mappings.filter(({ FunctionName }) => resolve(FunctionName, deployed) === arn);
      return {
        arn,
        codeSha256: await codeOf(Code as Properties, deployed, s3),
        roleArn,
        policies: policies.flatMap((policy) => known(policy, deployed)).sort(),
        sources: feeding.map(({ EventSourceArn }) => resolve(EventSourceArn, deployed) as string).sort(),
      };
    }),
  );
}

async function updatedOf({ stackName, region }: Deployed, configOf: ConfigOf): Promise<string> {
  const { Stacks } = await new CloudFormationClient(await configOf(region)).send(new DescribeStacksCommand({ StackName: stackName }));
  return (Stacks?.[0]?.LastUpdatedTime ?? Stacks?.[0]?.CreationTime)?.toISOString() ?? '';
}

/** @throws when a stack cannot be read: half of the facts would be taken for all of them */
export async function factsOf({ name, region, outputs, forwarders, made = new Map() }: StackPlace, configOf: ConfigOf): Promise<OwnStack> {
  const keys = [outputs.DataKeyArn, outputs.AlarmKeyArn, outputs.SigningKeyArn].filter((arn) => arn !== undefined);
  const accountId = keys[0]?.split(':')[4] ?? '';
  const stream = outputs.LedgerStreamArn;
  const told = new Map(stream === undefined ? [] : [['Ledger.StreamArn', stream]]);
  const home = { ...(await deployedIn(name, region, accountId, configOf)), told };
  for (const [logicalId, id] of made) home.physicalIds.set(logicalId, id);
  const away = await inEach(forwarders, (each) => deployedIn(forwarderName(name), each, accountId, configOf));
  const rules = [home, ...away.values()].flatMap((deployed) => {
    if (deployed instanceof Error) throw deployed;
    return rulesOf(deployed);
  });
  return { name, region, updated: await updatedOf(home, configOf), rules, functions: await functionsOf(home, configOf), keys };
}
