/** Reads a deployed template: what each value comes to, now that the resources have names. */
import { partitionOf } from '../engine/arn.ts';
import { TerminalError } from '../engine/errors.ts';

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown }>>;
}

export interface Deployed {
  readonly template: Template;
  readonly stackName: string;
  readonly stackId: string;
  readonly region: string;
  readonly accountId: string;
  /** What `Ref` gives for a resource, by its logical id; only what has been made. */
  readonly physicalIds: Map<string, string>;
  /** Attributes that no name tells, by `LOGICAL-ID.ATTRIBUTE`. */
  readonly told?: ReadonlyMap<string, string>;
}

type Attribute = (id: string, deployed: Deployed, resource: TemplateResource) => string;

const regional =
  (service: string, kind = ''): Attribute =>
  (id, { region, accountId }) =>
    `arn:${partitionOf(region)}:${service}:${region}:${accountId}:${kind}${id}`;
const last = (id: string) => id.split(/[/:]/).at(-1)!;
const itself: Attribute = (id) => id;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/: the return values of each type. */
const attributes: Readonly<Record<string, Attribute>> = {
  'AWS::SQS::Queue Arn': (id, deployed, resource) => regional('sqs')(last(id), deployed, resource),
  'AWS::SQS::Queue QueueName': last,
  'AWS::SQS::Queue QueueUrl': itself,
  'AWS::SNS::Topic TopicArn': itself,
  'AWS::SNS::Topic TopicName': last,
  'AWS::Lambda::Function Arn': regional('lambda', 'function:'),
  'AWS::Lambda::Version Version': last,
  'AWS::Lambda::Version FunctionArn': itself,
  'AWS::DynamoDB::Table Arn': regional('dynamodb', 'table/'),
  'AWS::KMS::Key Arn': regional('kms', 'key/'),
  'AWS::KMS::Key KeyId': itself,
  'AWS::S3::Bucket Arn': (id, { region }) => `arn:${partitionOf(region)}:s3:::${id}`,
  'AWS::Logs::LogGroup Arn': (id, deployed, resource) => `${regional('logs', 'log-group:')(id, deployed, resource)}:*`,
  'AWS::Events::Rule Arn': (id, deployed, resource) => regional('events', 'rule/')(last(id), deployed, resource),
  'AWS::IAM::Role Arn': (id, deployed, { Properties }) =>
    `arn:${partitionOf(deployed.region)}:iam::${deployed.accountId}:role${resolve(Properties?.Path ?? '/', deployed)}${id}`,
  'AWS::CloudWatch::Alarm Arn': regional('cloudwatch', 'alarm:'),
};

const refer = (name: string, deployed: Deployed): unknown => {
  const { region, accountId, stackName, stackId, template, physicalIds } = deployed;
  const pseudo: Readonly<Record<string, string>> = {
    'AWS::Region': region,
    'AWS::AccountId': accountId,
    'AWS::Partition': partitionOf(region),
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
    'AWS::StackId': stackId,
  };
  const found = pseudo[name] ?? physicalIds.get(name) ?? template.Parameters?.[name]?.Default;
  if (found === undefined) throw new TerminalError(`${name} has not been made`);
  return found;
};

const attribute = (name: string, key: string, deployed: Deployed): string => {
  const told = deployed.told?.get(`${name}.${key}`);
  if (told !== undefined) return told;
  const resource = deployed.template.Resources[name];
  const read = resource && attributes[`${resource.Type} ${key}`];
  if (!read) throw new TerminalError(`unknown attribute ${name}.${key} of a ${resource?.Type ?? 'missing resource'}`);
  return read(String(refer(name, deployed)), deployed, resource);
};

function substitute(value: string | [string, Record<string, unknown>], deployed: Deployed): string {
  const [text, own] = typeof value === 'string' ? [value, {} as Record<string, unknown>] : value;
  return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal) return `\${${name}}`;
    if (name in own) return String(resolve(own[name], deployed));
    const dot = name.indexOf('.');
    return dot > 0 ? attribute(name.slice(0, dot), name.slice(dot + 1), deployed) : String(refer(name, deployed));
  });
}

const functions: Readonly<Record<string, (argument: unknown, deployed: Deployed) => unknown>> = {
  Ref: (name, deployed) => refer(name as string, deployed),
  'Fn::GetAtt': (path, deployed) => {
    const [name, ...key] = typeof path === 'string' ? path.split('.') : (path as string[]);
    return attribute(name!, key.join('.'), deployed);
  },
  'Fn::Sub': (value, deployed) => substitute(value as string, deployed),
  'Fn::Join': (value, deployed) => {
    const [by, parts] = resolve(value, deployed) as [string, string[]];
    return parts.join(by);
  },
  'Fn::Split': (value, deployed) => {
    const [by, text] = resolve(value, deployed) as [string, string];
    return text.split(by);
  },
  'Fn::Select': (value, deployed) => {
    const [index, of] = resolve(value, deployed) as [number, unknown[]];
    return of[Number(index)];
  },
};

/** @throws TerminalError for a reference or function it does not know. */
export function resolve(value: unknown, deployed: Deployed): unknown {
  if (Array.isArray(value)) return value.map((each) => resolve(each, deployed)).filter((each) => each !== undefined);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [name, argument] = entries[0] ?? [''];
  if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::'))) {
    if (name === 'Ref' && argument === 'AWS::NoValue') return undefined;
    const apply = functions[name];
    if (!apply) throw new TerminalError(`unknown function ${name}`);
    return apply(argument, deployed);
  }
  return Object.fromEntries(entries.map(([key, each]) => [key, resolve(each, deployed)]).filter(([, each]) => each !== undefined));
}
