import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Actor, type Owner, type OwnerKind, ownerKinds } from '../../engine/model.ts';
import { definedIn, isOwnedBy, ownerBy, ownerOf, throughOf } from '../../engine/owner.ts';

const actor = (userAgent?: string, invokedBy?: string): Actor => ({ arn: 'arn:aws:iam::123456789012:user/dana', type: 'IAMUser', userAgent, invokedBy });

const id = 'arn:aws:cloudformation:us-east-1:123456789012:stack/patient-portal/0a1b2c3d-1111-2222-3333-444455556666';
const stackTags = { 'aws:cloudformation:stack-id': id, 'aws:cloudformation:stack-name': 'patient-portal' };
const terraform =
  'APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.60.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.30.3';

describe('what the change came through', () => {
  test.each<[string, Actor | undefined, OwnerKind | undefined, string]>([
    ['nobody known', undefined, undefined, ''],
    ['no user agent', actor(), undefined, ''],
    ['Terraform, by its provider for AWS', actor(terraform), 'terraform', 'Terraform/1.9.5'],
    [
      'Terraform of the days of SDK 1',
      actor('aws-sdk-go/1.12.8 (go1.9; darwin; amd64) APN/1.0 HashiCorp/1.0 Terraform/0.10.0-dev'),
      'terraform',
      'Terraform/0.10.0-dev',
    ],
    ['OpenTofu that names itself', actor('APN/1.0 OpenTofu/1.0 OpenTofu/1.8.2'), 'terraform', 'OpenTofu/1.0'],
    ['Pulumi, whose provider is built on that of Terraform', actor(`APN/1.0 Pulumi/1.0 PulumiAws/6.5.0 ${terraform}`), 'pulumi', 'Pulumi/1.0'],
    ['Pulumi native', actor('aws-sdk-go-v2/1.30 APN/1.0 Pulumi/1.0 PulumiAwsNative/1.12'), 'pulumi', 'Pulumi/1.0'],
    ['CDK that swaps code without a stack', actor('aws-cdk/2.150.0 aws-sdk-js/3.600'), 'cloudformation', 'aws-cdk/2.150.0'],
    ['CloudFormation', actor('cloudformation.amazonaws.com', 'cloudformation.amazonaws.com'), 'cloudformation', 'cloudformation.amazonaws.com'],
    ['CloudFormation that hides in the user agent', actor('cloudformation.amazonaws.com'), 'cloudformation', 'cloudformation.amazonaws.com'],
    ['another service', actor('autoscaling.amazonaws.com', 'autoscaling.amazonaws.com'), undefined, ''],
    ['the console', actor('Mozilla/5.0 (Macintosh)'), undefined, ''],
    ['the provider alone, run by something else', actor('terraform-provider-aws/5.60.0'), undefined, ''],
    ['the CLI calling CloudFormation is not CloudFormation', actor('aws-cli/2.15 cfn/cloudformation'), undefined, ''],
    ['a word that only looks like it', actor('my-terraformer/1.0'), undefined, ''],
  ])('%s', (_, who, kind, as) => {
    expect(throughOf(who)).toEqual(kind && { kind, as });
  });

  test('however long a version is, little of it is kept', () => {
    expect(throughOf(actor(`Terraform/${'9'.repeat(10_000)}`))!.as.length).toBeLessThanOrEqual(50);
  });
});

describe('the owner', () => {
  const stack = { name: 'patient-portal', id };
  const through = { kind: 'terraform', as: 'Terraform/1.9.5' } as const;
  test.each<[string, Record<string, string> | undefined, Actor | undefined, Owner]>([
    ['nothing known', {}, undefined, {}],
    ['a stack', stackTags, undefined, { stack }],
    ['a stack and the place in it', { ...stackTags, 'aws:cloudformation:logical-id': 'Uploads' }, undefined, { stack: { ...stack, logicalId: 'Uploads' } }],
    ['a stack by SAM', { ...stackTags, 'lambda:createdBy': 'SAM' }, undefined, { stack: { ...stack, tool: 'AWS SAM' } }],
    ['a stack by CDK', { ...stackTags, 'aws-cdk:subnet-name': 'db' }, undefined, { stack: { ...stack, tool: 'AWS CDK' } }],
    ['tags of SAM without a stack', { 'lambda:createdBy': 'SAM' }, undefined, {}],
    ['half of the tags: CloudFormation sets both', { 'aws:cloudformation:stack-name': 'x' }, undefined, {}],
    ['a tag that anybody can set', { 'cloudformation:stack-name': 'x', 'cloudformation:stack-id': id }, undefined, {}],
    ['a change by Terraform', { env: 'prod' }, actor(terraform), { through }],
    ['a stack, changed by Terraform', stackTags, actor(terraform), { stack, through }],
    ['tags not read', undefined, undefined, { unread: true }],
    ['tags not read, changed by Terraform', undefined, actor(terraform), { unread: true, through }],
  ])('%s', (_, tags, who, owner) => {
    expect(ownerOf(tags, who)).toEqual(owner);
  });

  const keys = ['team', 'env', 'constructor'];
  test.each<[string, Record<string, string> | undefined, Owner]>([
    ['those tags that alerts are routed by', { team: 'ehr', patient: 'Pat', Team: 'lab' }, { tags: { team: 'ehr' } }],
    ['an empty one too', { team: '', env: 'prod' }, { tags: { team: '', env: 'prod' } }],
    ['beside a stack', { ...stackTags, team: 'ehr' }, { stack, tags: { team: 'ehr' } }],
    ['none of them is there', { patient: 'Pat' }, {}],
    ['not read', undefined, { unread: true }],
  ])('keeps no other tags: %s', (_, tags, owner) => {
    expect(ownerOf(tags, undefined, keys)).toEqual(owner);
  });

  test('keeps them when another actor comes', () => {
    expect(ownerBy({ stack, tags: { team: 'ehr' } }, actor(terraform))).toEqual({ stack, through, tags: { team: 'ehr' } });
  });
});

describe('where to mend', () => {
  test.each<[string, Owner, RegExp | undefined]>([
    ['nothing known', {}, undefined],
    ['tags not read', { unread: true }, undefined],
    ['a stack', { stack: { name: 'portal', id } }, /^CloudFormation stack portal: mend the template too, or its next update may bring the drift back\.$/],
    [
      'all of a stack',
      { stack: { name: 'portal', id, logicalId: 'Uploads', tool: 'AWS CDK' } },
      /^CloudFormation stack portal \(logical id Uploads, by AWS CDK\): /,
    ],
    [
      'a tool: no more than that the change came through it',
      { through: { kind: 'terraform', as: 'Terraform/1.9.5' } },
      /^Terraform, perhaps: the change came through it \(Terraform\/1\.9\.5\)\. Mend the configuration too, should it be there\.$/,
    ],
    [
      'CloudFormation without a tag',
      { through: { kind: 'cloudformation', as: 'cloudformation.amazonaws.com' } },
      /^CloudFormation, perhaps: .* Mend the template too/,
    ],
    ['the stack before the tool', { stack: { name: 'portal', id }, through: { kind: 'terraform', as: 'Terraform/1.9.5' } }, /^CloudFormation stack portal: /],
  ])('%s', (_, owner, words) => {
    if (words) expect(definedIn(owner)).toMatch(words);
    else expect(definedIn(owner)).toBeUndefined();
  });
});

describe('whether a rule on owners holds', () => {
  const inStack: Owner = { stack: { name: 'portal', id } };
  const dana = actor('Mozilla/5.0');
  test.each<[string, OwnerKind | 'any', Owner | undefined, Actor | undefined, 'yes' | 'no' | 'maybe']>([
    ['its tags name a stack', 'cloudformation', inStack, dana, 'yes'],
    ['the actor need not be known for that', 'cloudformation', inStack, undefined, 'yes'],
    ['its tags name none', 'cloudformation', {}, dana, 'no'],
    ['nor need it for that: CloudFormation leaves tags', 'cloudformation', {}, undefined, 'no'],
    ['its tags could not be read', 'cloudformation', { unread: true }, dana, 'maybe'],
    ['nobody has asked', 'cloudformation', undefined, dana, 'maybe'],
    ['not read, but the change came through CloudFormation', 'cloudformation', { unread: true }, actor('', 'cloudformation.amazonaws.com'), 'yes'],
    ['the change came through Terraform', 'terraform', {}, actor(terraform), 'yes'],
    ['through Terraform, to what a stack owns', 'terraform', inStack, actor(terraform), 'yes'],
    ['and the stack owns it still', 'cloudformation', inStack, actor(terraform), 'yes'],
    ['the console', 'terraform', {}, dana, 'no'],
    ['tags tell nothing of Terraform', 'terraform', { unread: true }, dana, 'no'],
    ['nobody knows who', 'terraform', inStack, undefined, 'maybe'],
    ['Pulumi is not Terraform', 'terraform', {}, actor('Pulumi/1.0'), 'no'],
    ['any: a stack', 'any', inStack, undefined, 'yes'],
    ['any: a tool', 'any', {}, actor('Pulumi/1.0'), 'yes'],
    ['any: no stack, by hand', 'any', {}, dana, 'no'],
    ['any: no stack, nobody knows who', 'any', {}, undefined, 'maybe'],
    ['any: by hand, tags not read', 'any', { unread: true }, dana, 'maybe'],
  ])('%s (%s)', (_, kind, owner, who, holds) => {
    expect(isOwnedBy(kind, owner, who)).toBe(holds);
  });

  test('any is what one of them is', () => {
    const owner = fc.constantFrom<Owner | undefined>(undefined, {}, { unread: true }, inStack);
    const who = fc.constantFrom(undefined, dana, actor(terraform), actor('Pulumi/1.0'), actor('', 'cloudformation.amazonaws.com'));
    fc.assert(
      fc.property(owner, who, (given, by) => {
        const each = ownerKinds.map((kind) => isOwnedBy(kind, given, by));
        expect(isOwnedBy('any', given, by)).toBe(each.includes('yes') ? 'yes' : each.includes('maybe') ? 'maybe' : 'no');
      }),
    );
  });
});
