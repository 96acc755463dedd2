import { CreateBucketCommand, GetBucketPolicyCommand, PutBucketPolicyCommand, PutBucketWebsiteCommand, S3Client } from '@aws-sdk/client-s3';
import { expect } from '@jest/globals';
import control from '../../../remediations/s3/s3-bucket-tls-only.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const both = ['arn:aws:s3:::records', 'arn:aws:s3:::records/*'];
const tlsOnly = {
  Sid: 'PhidelityTlsOnly',
  Effect: 'Deny',
  Principal: '*',
  Action: 's3:*',
  Resource: both,
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
};
const minTls = (version: string) => ({ ...tlsOnly, Sid: 'PhidelityMinTlsVersion', Condition: { NumericLessThan: { 's3:TlsVersion': version } } });
const partner = { Sid: 'Partner', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:root' }, Action: 's3:GetObject', Resource: both[1] };
const policy = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });

const bucket =
  (document?: object, website = false): Arrange =>
  async (admin) => {
    const s3 = admin.client(S3Client);
    await s3.send(new CreateBucketCommand({ Bucket: 'records' }));
    if (document) await s3.send(new PutBucketPolicyCommand({ Bucket: 'records', Policy: JSON.stringify(document) }));
    if (website) {
      await s3.send(new PutBucketWebsiteCommand({ Bucket: 'records', WebsiteConfiguration: { IndexDocument: { Suffix: 'index.html' } } }));
    }
    return 'records';
  };

const long = Array.from({ length: 135 }, (_, index) => ({ ...partner, Sid: `Partner${index}` }));

const named = (requestParameters: unknown) => ({ eventSource: 's3.amazonaws.com', requestParameters });

testControl(control, {
  compliant: {
    'the statement is there': bucket(policy(partner, tlsOnly)),
    'in other words': bucket({ Statement: { ...tlsOnly, Sid: undefined, Principal: { AWS: '*' }, Action: '*', Resource: '*' } }),
    'a website that speaks TLS only already': bucket(policy(tlsOnly), true),
    'TLS 1.3 where 1.2 is asked': { given: bucket(policy(tlsOnly, minTls('1.3'))), params: { minTlsVersion: '1.2' } },
  },
  remediated: {
    'no policy': {
      given: bucket(),
      annotation: 'plain HTTP',
      change: { before: [], after: [tlsOnly] },
      async then(admin) {
        const { Policy = '' } = await admin.client(S3Client).send(new GetBucketPolicyCommand({ Bucket: 'records' }));
        expect(JSON.parse(Policy)).toEqual(policy(tlsOnly));
      },
    },
    'a policy of its own stays': {
      given: bucket({ Version: '2008-10-17', Id: 'own', Statement: partner }),
      change: { before: [], after: [tlsOnly] },
      async then(admin) {
        const { Policy = '' } = await admin.client(S3Client).send(new GetBucketPolicyCommand({ Bucket: 'records' }));
        expect(JSON.parse(Policy)).toEqual({ Version: '2008-10-17', Id: 'own', Statement: [partner, tlsOnly] });
      },
    },
    'the bucket only, not what is in it': { given: bucket(policy({ ...tlsOnly, Sid: 'Own', Resource: both[0] })), change: { after: [tlsOnly] } },
    'reads only': { given: bucket(policy({ ...tlsOnly, Sid: 'Own', Action: ['s3:GetObject'] })), change: { after: [tlsOnly] } },
    'some principals only': {
      given: bucket(policy({ ...tlsOnly, Sid: 'Own', Principal: { AWS: 'arn:aws:iam::111122223333:root' } })),
      change: { after: [tlsOnly] },
    },
    'an Allow of TLS is no Deny of the rest': {
      given: bucket(policy({ ...partner, Condition: { Bool: { 'aws:SecureTransport': 'true' } } })),
      change: { after: [tlsOnly] },
    },
    'a version limit alone lets in plain HTTP': { given: bucket(policy(minTls('1.2'))), annotation: 'plain HTTP', change: { after: [tlsOnly] } },
    'an old TLS version': {
      given: bucket(policy(tlsOnly)),
      params: { minTlsVersion: '1.2' },
      annotation: 'older than 1.2',
      change: { before: [], after: [minTls('1.2')] },
    },
    'both at once': { given: bucket(policy(partner)), params: { minTlsVersion: '1.3' }, change: { after: [tlsOnly, minTls('1.3')] } },
  },
  blocked: {
    'a website': { given: bucket(policy(partner), true), reason: 'endpoint speaks plain HTTP' },
    'the name is taken': { given: bucket(policy({ ...tlsOnly, Resource: both[0] })), reason: 'named PhidelityTlsOnly' },
    'a policy near the limit of S3': { given: bucket(policy(...long)), reason: '20 KB' },
  },
  gone: 'no-such-bucket',
  events: {
    CreateBucket: { detail: named({ bucketName: 'records', Host: 's3.amazonaws.com' }), ids: ['records'] },
    DeleteBucket: { detail: named({ bucketName: 'records', Host: 's3.amazonaws.com' }), ids: ['records'] },
    PutBucketPolicy: { detail: named({ bucketName: 'records', bucketPolicy: policy(partner), policy: '' }), ids: ['records'] },
    DeleteBucketPolicy: { detail: named({ bucketName: 'records', policy: '' }), ids: ['records'] },
    'DeleteBucketPolicy with null request parameters': { detail: { ...named(null), eventName: 'DeleteBucketPolicy' }, sweep: true },
  },
});
