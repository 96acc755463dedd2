/** The stack as `npx serverless package` makes it, in a folder of its own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { alone } from '../../cli/local-stack/lock.ts';
import { type Deployed, resolve, type Template } from '../../cli/local-stack/template.ts';
import { projectRoot } from '../../infra/load-policy.ts';

export interface Packaged {
  readonly folder: string;
  readonly template: Template;
  /** The template as a file. */
  readonly file: string;
}

interface Failed extends Error {
  readonly stdout: string;
  readonly stderr: string;
}

/** @returns what the framework printed, and its exit code */
export async function serverless(...args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  const bin = join(projectRoot, 'node_modules/.bin');
  // jest's options are not the framework's.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const options = { cwd: projectRoot, env: { ...env, PATH: `${bin}:${env.PATH}`, AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none' } };
  return alone(projectRoot, () =>
    promisify(execFile)(join(bin, 'serverless'), args, options).then(
      ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
      ({ stdout, stderr }: Failed) => ({ code: 1, output: stdout + stderr }),
    ),
  );
}

export async function packaged(...args: readonly string[]): Promise<Packaged> {
  const folder = mkdtempSync(join(tmpdir(), 'phidelity-package-'));
  const { code, output } = await serverless('package', '--package', folder, ...args);
  if (code !== 0) throw new Error(output);
  const file = join(folder, 'cloudformation-template-update-stack.json');
  return { folder, file, template: JSON.parse(readFileSync(file, 'utf8')) };
}

export const account = '123456789012';
export const region = 'us-east-1';
export const stackName = 'phidelity-dev';

/** What CloudFormation would call each resource. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/: `Ref` of each type */
const physicalIdOf = (logicalId: string, type: string, properties: Readonly<Record<string, unknown>>): string => {
  const name = `${stackName}-${logicalId}-1A2B3C4D5E6F`;
  const arn = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`;
  switch (type) {
    case 'AWS::SQS::Queue':
      return `https://sqs.${region}.amazonaws.com/${account}/${name}`;
    case 'AWS::SNS::Topic':
      return arn('sns', name);
    case 'AWS::KMS::Key':
      return `00000000-0000-4000-8000-00000000000${1 + ['DataKey', 'AlarmKey', 'SigningKey'].indexOf(logicalId)}`;
    case 'AWS::Lambda::Function':
      return String(properties.FunctionName);
    case 'AWS::Lambda::Version':
      return arn('lambda', `function:${stackName}-remediate:7`);
    case 'AWS::Logs::LogGroup':
      return String(properties.LogGroupName);
    case 'AWS::S3::Bucket':
      return name.toLowerCase();
    default:
      return name;
  }
};

/** The template with its references filled in. */
export function filledIn(template: Template): Deployed {
  const physicalIds = new Map(Object.entries(template.Resources).map(([id, { Type, Properties = {} }]) => [id, physicalIdOf(id, Type, Properties)]));
  const stream = `arn:aws:dynamodb:${region}:${account}:table/${physicalIds.get('Ledger')}/stream/2026-11-22T18:44:45.847`;
  const told = new Map([['Ledger.StreamArn', stream]]);
  return { template, told, stackName, stackId: `arn:aws:cloudformation:${region}:${account}:stack/${stackName}/1`, region, accountId: account, physicalIds };
}

export const propertiesOf = (deployed: Deployed, logicalId: string): Record<string, unknown> => {
  const found = deployed.template.Resources[logicalId];
  if (!found) throw new Error(`the template has no ${logicalId}`);
  return resolve(found.Properties, deployed) as Record<string, unknown>;
};
