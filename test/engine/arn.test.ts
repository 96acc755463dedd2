import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { arnFrom, leafOf, matchArn, partitionOf, resourcePart } from '../../engine/arn.ts';

const place = { accountId: '123456789012', region: 'us-east-1' };
const volume = 'arn:{partition}:ec2:{region}:{account}:volume/{id}';
const bucket = 'arn:{partition}:s3:::{id}';
const account = 'arn:{partition}:iam::{account}:root';
const image = 'arn:{partition}:ec2:{region}::image/{id}';
const lambda = 'arn:{partition}:lambda:{region}:{account}:function:{id}';

describe('partitionOf', () => {
  const regions = {
    'us-east-1': 'aws',
    'eu-central-1': 'aws',
    'us-gov-west-1': 'aws-us-gov',
    'cn-north-1': 'aws-cn',
    'us-iso-east-1': 'aws-iso',
    'us-isob-east-1': 'aws-iso-b',
  };
  for (const [region, partition] of Object.entries(regions)) test(region, () => expect(partitionOf(region)).toBe(partition));
});

describe('arnFrom', () => {
  const cases = {
    'an id in a region': [volume, place, 'vol-1', 'arn:aws:ec2:us-east-1:123456789012:volume/vol-1'],
    'no region, no account': [bucket, place, 'records', 'arn:aws:s3:::records'],
    'no id': [account, place, '', 'arn:aws:iam::123456789012:root'],
    'no account': [image, place, 'ami-1', 'arn:aws:ec2:us-east-1::image/ami-1'],
    GovCloud: [volume, { ...place, region: 'us-gov-west-1' }, 'vol-1', 'arn:aws-us-gov:ec2:us-gov-west-1:123456789012:volume/vol-1'],
    China: [bucket, { ...place, region: 'cn-north-1' }, 'records', 'arn:aws-cn:s3:::records'],
    'an id that is a pattern of replace': [bucket, place, "$&$1$$$`$'", "arn:aws:s3:::$&$1$$$`$'"],
    'an id that looks like a placeholder': [volume, place, '{account}{id}', 'arn:aws:ec2:us-east-1:123456789012:volume/{account}{id}'],
    'a region that is a pattern of replace': [volume, { ...place, region: '$&' }, 'v', 'arn:aws:ec2:$&:123456789012:volume/v'],
  } as const;
  for (const [name, [template, at, id, expected]] of Object.entries(cases)) test(name, () => expect(arnFrom(template, at, id)).toBe(expected));
});

describe('matchArn', () => {
  const cases: Readonly<Record<string, readonly [template: string, arn: string, parts: object | undefined]>> = {
    'its own form': [volume, 'arn:aws:ec2:us-east-1:123456789012:volume/vol-1', { region: 'us-east-1', account: '123456789012', id: 'vol-1' }],
    'another partition': [
      volume,
      'arn:aws-us-gov:ec2:us-gov-west-1:123456789012:volume/vol-1',
      { region: 'us-gov-west-1', account: '123456789012', id: 'vol-1' },
    ],
    'a form without place': [bucket, 'arn:aws:s3:::records', { id: 'records' }],
    'a form without id': [account, 'arn:aws:iam::123456789012:root', { account: '123456789012' }],
    'an id with slashes and colons': [
      lambda,
      'arn:aws:lambda:us-east-1:123456789012:function:intake:live',
      { id: 'intake:live', region: 'us-east-1', account: '123456789012' },
    ],
    'another type': [volume, 'arn:aws:ec2:us-east-1:123456789012:snapshot/snap-1', undefined],
    'another service': [volume, 'arn:aws:rds:us-east-1:123456789012:volume/vol-1', undefined],
    'an empty id': [volume, 'arn:aws:ec2:us-east-1:123456789012:volume/', undefined],
    'no region': [volume, 'arn:aws:ec2::123456789012:volume/vol-1', undefined],
    'an account of eleven digits': [volume, 'arn:aws:ec2:us-east-1:12345678901:volume/vol-1', undefined],
    'AWS as the account': [volume, 'arn:aws:ec2:us-east-1:aws:volume/vol-1', undefined],
    'an account where the form has none': [image, 'arn:aws:ec2:us-east-1:123456789012:image/ami-1', undefined],
    'something before it': [bucket, ' arn:aws:s3:::records', undefined],
    'a line break in the id': [bucket, 'arn:aws:s3:::records\narn:aws:s3:::other', undefined],
    'another name behind the root': [account, 'arn:aws:iam::123456789012:rootless', undefined],
    nothing: [bucket, '', undefined],
  };
  for (const [name, [template, arn, parts]] of Object.entries(cases)) test(name, () => expect(matchArn(template, arn)).toEqual(parts));

  test('the dots and brackets of a template are themselves', () => {
    expect(matchArn('arn:{partition}:x:::a.b(c)[d]+$/{id}', 'arn:aws:x:::a.b(c)[d]+$/1')).toEqual({ id: '1' });
    expect(matchArn('arn:{partition}:x:::a.b/{id}', 'arn:aws:x:::aXb/1')).toBeUndefined();
  });

  test('gives back what arnFrom put in, whatever the id', () => {
    const ids = fc.oneof(
      fc.string({ minLength: 1, unit: fc.constantFrom(..."$&`'\\^.*+?()[]{}|/:-_ aZ9") }),
      fc.string({ minLength: 1, unit: 'binary' }).filter((id) => !/[\n\r\u2028\u2029]/.test(id)),
    );
    fc.assert(
      fc.property(fc.constantFrom(volume, bucket, image, lambda), fc.constantFrom('us-east-1', 'us-gov-west-1', 'cn-north-1'), ids, (template, region, id) => {
        expect(matchArn(template, arnFrom(template, { accountId: '123456789012', region }, id))?.id).toBe(id);
      }),
    );
  });

  test('a name of 2,000 characters costs no time', () => {
    const started = performance.now();
    for (const template of [volume, bucket, account, lambda]) matchArn(template, `arn:aws:${'a:'.repeat(1_000)}`);
    expect(performance.now() - started).toBeLessThan(100);
  });
});

describe('parts', () => {
  const cases = {
    'arn:aws:ec2:us-east-1:123456789012:volume/vol-1': ['volume/vol-1', 'vol-1'],
    'arn:aws:s3:::records': ['records', 'records'],
    'arn:aws:lambda:us-east-1:123456789012:function:intake:live': ['function:intake:live', 'live'],
    'arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/portal/1/2': ['listener/app/portal/1/2', '2'],
    'arn:aws:iam::123456789012:root': ['root', 'root'],
  };
  for (const [id, [part, leaf]] of Object.entries(cases)) test(id, () => expect([resourcePart({ id }), leafOf({ id })]).toEqual([part, leaf]));
});
