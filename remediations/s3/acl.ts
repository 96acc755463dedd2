/** Bucket ACLs. PutBucketAcl replaces the whole list: it is read fresh, merged and written whole. */
import {
  GetBucketAclCommand,
  GetBucketOwnershipControlsCommand,
  type Grantee,
  type Permission,
  PutBucketAclCommand,
  S3Client,
  type Grant as SdkGrant,
} from '@aws-sdk/client-s3';
import { type Aws, type CloudTrailDetail, orUndefined, type ResourceRef, required, valuesAt } from '../define.ts';
import { bucketOf, orNone } from './s3.ts';

export interface Grant {
  /** URI of a group, or canonical id of an account. */
  readonly grantee: string;
  readonly permission: string;
}

interface Acl {
  readonly owner: string;
  readonly grants: readonly Grant[];
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee-predefined-groups; LogDelivery is not public. */
const publicGroups = ['http://acs.amazonaws.com/groups/global/AllUsers', 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers'];

export const isPublic = ({ grantee }: Grant): boolean => publicGroups.includes(grantee);

const publicAcls = ['public-read', 'public-read-write', 'authenticated-read'];
const grantHeaders = ['read', 'read-acp', 'write', 'write-acp', 'full-control'].map((permission) => `x-amz-grant-${permission}`);

/**
 * The ACL that a call asks for: canned, by headers, or as a list; undefined when the event shows none. CloudTrail shows headers beside the
 * parameters, as text or a list of one. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html
 */
export function aclIn(detail: CloudTrailDetail): 'public' | 'private' | undefined {
  const texts = (path: string) => valuesAt(detail, `requestParameters.${path}`).filter((text): text is string => typeof text === 'string');
  const canned = texts('x-amz-acl[]');
  const grantees = [...texts('AccessControlPolicy.AccessControlList.Grant[].Grantee.URI'), ...grantHeaders.flatMap((header) => texts(`${header}[]`))];
  if (canned.some((acl) => publicAcls.includes(acl)) || grantees.some((text) => publicGroups.some((group) => text.includes(group)))) return 'public';
  const listed = valuesAt(detail, 'requestParameters.AccessControlPolicy.AccessControlList.Grant[]').length;
  return canned.length + grantees.length + listed > 0 ? 'private' : undefined;
}

const isGroup = (grantee: string) => /^https?:/.test(grantee);
const keyOf = ({ grantee, permission }: Grant) => `${grantee} ${permission}`;
const isAmong = (grants: readonly Grant[], grant: Grant) => grants.some((one) => keyOf(one) === keyOf(grant));
const inOrder = (one: Grant, other: Grant) => (keyOf(one) < keyOf(other) ? -1 : 1);

/** Grants in a fixed order; undefined = there is no such bucket. */
export const bucketAclOf = (aws: Aws, resource: Pick<ResourceRef, 'id'>): Promise<Acl | undefined> =>
  orUndefined(
    aws
      .client(S3Client)
      .send(new GetBucketAclCommand(bucketOf(aws, resource)))
      .then(({ Owner, Grants }) => ({ owner: required(Owner?.ID, 'Owner.ID'), grants: required(Grants, 'Grants').map(fromSdk).sort(inOrder) })),
    'NoSuchBucket',
  );

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html; `null` = not set, ACLs have force. */
export const ownershipOf = (aws: Aws, resource: Pick<ResourceRef, 'id'>): Promise<string | null | undefined> =>
  orUndefined(
    orNone(
      aws
        .client(S3Client)
        .send(new GetBucketOwnershipControlsCommand(bucketOf(aws, resource)))
        .then(({ OwnershipControls }) => OwnershipControls?.Rules?.[0]?.ObjectOwnership ?? null),
      'OwnershipControlsNotFoundError',
    ),
    'NoSuchBucket',
  );

export const removeGrants = (aws: Aws, resource: ResourceRef, unwanted: readonly Grant[]): Promise<void> =>
  rewriteAcl(aws, resource, (grants) => grants.filter((grant) => !isAmong(unwanted, grant)));

export const addGrants = (aws: Aws, resource: ResourceRef, wanted: readonly Grant[]): Promise<void> =>
  rewriteAcl(aws, resource, (grants) => [...grants, ...wanted.filter((grant) => !isAmong(grants, grant))]);

async function rewriteAcl(aws: Aws, resource: ResourceRef, edit: (grants: readonly Grant[]) => readonly Grant[]): Promise<void> {
  const acl = await bucketAclOf(aws, resource);
  if (acl === undefined) return;
  const grants = edit(acl.grants);
  if (grants.length === acl.grants.length) return;
  const AccessControlPolicy = { Owner: { ID: acl.owner }, Grants: grants.map(toSdk) };
  await aws.client(S3Client).send(new PutBucketAclCommand({ ...bucketOf(aws, resource), AccessControlPolicy }));
}

const fromSdk = ({ Grantee, Permission }: SdkGrant): Grant => ({
  grantee: required(Grantee?.URI ?? Grantee?.ID, 'Grantee.URI and Grantee.ID'),
  permission: required(Permission, 'Permission'),
});

function toSdk({ grantee, permission }: Grant): SdkGrant {
  const Grantee: Grantee = isGroup(grantee) ? { Type: 'Group', URI: grantee } : { Type: 'CanonicalUser', ID: grantee };
  return { Grantee, Permission: permission as Permission };
}
