/** The few CloudFormation intrinsics that the generated template uses. */
export type Ref = { readonly Ref: string };
export type Sub = { readonly 'Fn::Sub': string };
export type GetAtt = { readonly 'Fn::GetAtt': readonly [resource: string, attribute: string] };

export const ref = (name: string): Ref => ({ Ref: name });
export const sub = (text: string): Sub => ({ 'Fn::Sub': text });
export const getAtt = (resource: string, attribute: string): GetAtt => ({ 'Fn::GetAtt': [resource, attribute] });

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: 'Retain' | 'Delete';
  readonly UpdateReplacePolicy?: 'Retain' | 'Delete';
}
export type Resources = Readonly<Record<string, Resource>>;

/** A name as a logical id: `s3-api` -> `S3Api`. */
export const logicalId = (name: string): string =>
  name
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');

const parameter = (name: string): string => `\${AWS::${name}}`;

/** CloudFormation's pseudo parameters, as `sub` takes them. */
export const partition = parameter('Partition');
export const region = parameter('Region');
export const account = parameter('AccountId');
export const stack = parameter('StackName');

/** The ARN of another resource of the template, as `sub` takes it. */
export const arnOf = (resource: string): string => `\${${resource}.Arn}`;

/** An ARN in the stack's own account and region. */
export const localArn = (service: string, rest: string): Sub => sub(`arn:${partition}:${service}:${region}:${account}:${rest}`);
