import { GetBucketWebsiteCommand, S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { type Aws, blocked, change, compliant, defineControl, nonCompliant, orUndefined, type ResourceRef } from '../define.ts';
import {
  deniesEverybody,
  emptyPolicy,
  exchanged,
  isTlsOnlyStatement,
  normalised,
  type Policy,
  type Statement,
  sizeOf,
  tlsOnlyStatement,
} from '../resource-policy.ts';
import { bucketPolicyOf, exchangeStatements, policyLimit } from './bucket-policy.ts';
import { bucketArn, bucketOf, bucketsOf, bucketType, onBucketCalls, orNone } from './s3.ts';

interface State {
  readonly arn: string;
  readonly policy: Policy | null;
  /** Asked only where plain HTTP is let in. */
  readonly website: boolean;
}

const everything = (arn: string) => [arn, `${arn}/*`];

const refusesPlainHttp = (statement: Statement, arn: string) => isTlsOnlyStatement(statement, 's3:*', everything(arn));

const refusesTlsBelow = (version: number, statement: Statement, arn: string) =>
  deniesEverybody(
    statement,
    's3:*',
    everything(arn),
    ({ operator, key, values }) =>
      (operator === 'numericlessthan' || operator === 'numericlessthanifexists') && key === 's3:tlsversion' && values.some((value) => Number(value) >= version),
  );

const wanted = (arn: string, minTlsVersion?: string): { statement: Statement; met: (statement: Statement) => boolean }[] => [
  { statement: tlsOnlyStatement('PhidelityTlsOnly', 's3:*', everything(arn)), met: (statement) => refusesPlainHttp(statement, arn) },
  ...(minTlsVersion
    ? [
        {
          statement: {
            ...tlsOnlyStatement('PhidelityMinTlsVersion', 's3:*', everything(arn)),
            Condition: { NumericLessThan: { 's3:TlsVersion': minTlsVersion } },
          },
          met: (statement: Statement) => refusesTlsBelow(Number(minTlsVersion), statement, arn),
        },
      ]
    : []),
];

const missing = ({ arn, policy }: State, minTlsVersion?: string): Statement[] =>
  wanted(arn, minTlsVersion)
    .filter(({ met }) => !policy?.Statement.some(met))
    .map(({ statement }) => statement);

async function inspect(resource: ResourceRef, aws: Aws): Promise<State | undefined> {
  const arn = resource.id;
  const policy = await bucketPolicyOf(aws, resource);
  if (policy === undefined) return undefined;
  if (policy?.Statement.some((statement) => refusesPlainHttp(statement, arn))) return { arn, policy, website: false };
  const website = await orUndefined(
    orNone(aws.client(S3Client).send(new GetBucketWebsiteCommand(bucketOf(aws, resource))), 'NoSuchWebsiteConfiguration'),
    'NoSuchBucket',
  );
  return website === undefined ? undefined : { arn, policy, website: website !== null };
}

export default defineControl({
  id: 's3-bucket-tls-only',
  title: 'Bucket policies refuse requests without TLS',
  rationale: 'S3 answers plain HTTP as well; then ePHI and signed addresses of it can be read on the way.',
  severity: 'HIGH',
  resourceType: bucketType,
  arn: bucketArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(e)(1)', specification: 'standard', rationale: 'Guards ePHI against unauthorised access in transit.' },
    { section: '164.312(e)(2)(i)', specification: 'addressable', rationale: 'Keeps ePHI from being altered unnoticed on the way.' },
    { section: '164.312(e)(2)(ii)', specification: 'addressable', rationale: 'Encrypts ePHI in transit.' },
  ],
  related: { securityHub: ['S3.5'], configRule: ['s3-bucket-ssl-requests-only'], prowler: ['s3_bucket_secure_transport_policy'] },
  triggers: [onBucketCalls(['PutBucketPolicy', 'DeleteBucketPolicy'], ['DeleteBucketPolicy']), { source: 'config', resourceType: bucketType }],
  params: z.strictObject({
    minTlsVersion: z.enum(['1.2', '1.3']).optional().describe('Oldest TLS version that a request may come with; any, unless set'),
  }),
  reads: 1,
  writes: ['s3:bucket-policy'],
  permissions: {
    inspect: ['s3:GetBucketPolicy', 's3:GetBucketWebsite', 's3:ListAllMyBuckets'],
    remediate: ['s3:GetBucketPolicy', 's3:PutBucketPolicy'],
    undo: ['s3:GetBucketPolicy', 's3:PutBucketPolicy', 's3:DeleteBucketPolicy'],
  },
  impact: 'Clients that call the bucket by plain HTTP get 403; with minTlsVersion so do clients that speak older versions only.',
  defaultMode: 'approve',

  list: bucketsOf,
  inspect,

  evaluate(state, { minTlsVersion }) {
    const lacking = missing(state, minTlsVersion);
    if (lacking.length === 0) return compliant('The bucket policy refuses requests without TLS.');
    return state.policy?.Statement.some((statement) => refusesPlainHttp(statement, state.arn))
      ? nonCompliant(`The bucket policy lets in TLS older than ${minTlsVersion}.`)
      : nonCompliant('The bucket policy lets in requests by plain HTTP.');
  },

  plan(state, { minTlsVersion }) {
    const { policy, website } = state;
    if (website) {
      return blocked(
        'The bucket serves a website, whose endpoint speaks plain HTTP only: the statement would cut it off. Serve it through CloudFront and delete the website configuration first.',
      );
    }
    const after = missing(state, minTlsVersion);
    const taken = after.find(({ Sid }) => policy?.Statement.some((statement) => statement.Sid === Sid));
    if (taken) return blocked(`The bucket policy has a statement named ${taken.Sid} that says something else: rename or remove it first.`);
    if (sizeOf(exchanged(policy, [], after) ?? emptyPolicy) > policyLimit) {
      return blocked('With the statement the bucket policy would pass the 20 KB that S3 allows: shorten it first.');
    }
    return change<Statement[]>({ action: 's3:PutBucketPolicy', summary: 'Refuse requests without TLS in the bucket policy', before: [], after });
  },

  setting: ({ arn, policy }) =>
    normalised(policy?.Statement.filter((statement) => refusesPlainHttp(statement, arn) || refusesTlsBelow(0, statement, arn)) ?? []),
  remediate: (resource, { after }, aws) => exchangeStatements(aws, resource, [], after),
  undo: (resource, { after }, aws) => exchangeStatements(aws, resource, after, []),
});
