import * as z from 'zod';
import { type Aws, blocked, change, compliant, defineControl, leafOf, nonCompliant, type ResourceRef } from '../define.ts';
import { regionOfKey } from '../kms-key.ts';
import { type Encryption, encryptionOf, guestsOf, regionOf, setEncryption } from './encryption.ts';
import { bucketArn, bucketsOf, bucketType, onBucketCalls } from './s3.ts';

interface State {
  readonly bucket: string;
  readonly encryption: Encryption | null;
  /** Read only where a fix may follow. */
  readonly around?: { readonly region: string; readonly guests: readonly string[] };
}

const isKms = (encryption: Encryption | null) => encryption?.algorithm.startsWith('aws:kms') ?? false;
const hasOwnKey = (encryption: Encryption | null) => isKms(encryption) && encryption?.key != null && !encryption.key.endsWith('alias/aws/s3');

/** One read where the bucket has a key of its own; three more where it has not, to see whom a key could cut off. */
async function inspect(resource: ResourceRef, aws: Aws): Promise<State | undefined> {
  const encryption = await encryptionOf(aws, resource);
  if (encryption === undefined) return undefined;
  const bucket = leafOf(resource);
  if (hasOwnKey(encryption)) return { bucket, encryption };
  const [region, guests] = await Promise.all([regionOf(aws, resource), guestsOf(aws, resource)]);
  if (region === undefined) return undefined;
  return { bucket, encryption, around: { region, guests } };
}

const isPattern = (text: string) => {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
};

/** Services by name; people and accounts only counted: an alert is no place for a bucket policy's text. */
function inWords(guests: readonly string[]): string {
  const services = guests.filter((guest) => guest.endsWith('.amazonaws.com')).slice(0, 3);
  const logs = guests.some((guest) => guest.endsWith('/s3/LogDelivery')) ? ['the log delivery group'] : [];
  const everybody = guests.includes('*') ? ['everybody'] : [];
  const others = guests.length - services.length - logs.length - everybody.length;
  return [...everybody, ...services, ...logs, ...(others > 0 ? [`${others} other${others === 1 ? '' : 's'}`] : [])].join(', ');
}

export default defineControl({
  id: 's3-default-encryption-kms',
  title: 'Each S3 bucket encrypts with a KMS key by default',
  rationale: 'With a KMS key, reading ePHI takes a right on the key besides one on the bucket, and each use of the key is logged.',
  severity: 'MEDIUM',
  resourceType: bucketType,
  arn: bucketArn,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(2)(iv)', specification: 'addressable', rationale: 'Encrypts ePHI at rest with a key whose use the owner governs.' },
    { section: '164.312(a)(1)', specification: 'standard', rationale: 'Adds rights on the key to those on the bucket.' },
  ],
  related: { securityHub: ['S3.17'], configRule: ['s3-default-encryption-kms'], prowler: ['s3_bucket_kms_encryption'] },
  triggers: [onBucketCalls(['PutBucketEncryption', 'DeleteBucketEncryption'], ['DeleteBucketEncryption']), { source: 'config', resourceType: bucketType }],
  params: z.strictObject({
    kmsKeyArn: z
      .string()
      .regex(/^$|^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/, 'must be the ARN of a key, not of an alias')
      .default('')
      .describe('Key that the fix sets; a bucket takes only a key of its own region. Empty: no fix'),
    requireCmk: z.boolean().default(true).describe('Whether the key that AWS keeps for S3 (aws/s3) is not enough'),
    exemptBucketsPattern: z
      .string()
      .refine(isPattern, 'must be a regular expression')
      .default('(^|[.-])(access-?)?logs?([.-]|$)')
      .describe('Regular expression: buckets with such a name are taken for log targets and never changed. Empty: none'),
  }),
  reads: 1,
  writes: ['s3:encryption'],
  permissions: {
    inspect: ['s3:GetBucketAcl', 's3:GetBucketLocation', 's3:GetBucketPolicy', 's3:GetEncryptionConfiguration', 's3:ListAllMyBuckets'],
    remediate: ['s3:PutEncryptionConfiguration'],
    undo: ['s3:PutEncryptionConfiguration'],
  },
  impact: 'Readers and writers without rights on the key fail on new objects; what was uploaded before stays as it is. KMS requests cost.',
  defaultMode: 'approve',

  list: bucketsOf,
  inspect,

  evaluate({ encryption }, { requireCmk }) {
    if (encryption === null) return nonCompliant('The bucket has no default encryption.');
    if (!isKms(encryption)) return nonCompliant(`New objects are encrypted with ${encryption.algorithm}, without a KMS key.`);
    if (requireCmk && !hasOwnKey(encryption)) return nonCompliant('New objects are encrypted with the key that AWS keeps for S3.');
    return compliant('New objects are encrypted with a KMS key.');
  },

  plan({ bucket, encryption, around }, { kmsKeyArn, exemptBucketsPattern }) {
    if (exemptBucketsPattern !== '' && new RegExp(exemptBucketsPattern).test(bucket)) {
      return blocked('The name says that logs are delivered here, and delivery to a KMS key stops without a word: waive the bucket, or narrow the pattern.');
    }
    if (around === undefined || around.guests.length > 0) {
      return blocked(
        `The bucket lets ${inWords(around?.guests ?? [])} in, and log delivery or access without rights on the key stops: waive the bucket, or set it by hand.`,
      );
    }
    if (kmsKeyArn === '') return blocked('A person must choose the key: set kmsKeyArn in the policy.');
    const keyRegion = regionOfKey(kmsKeyArn);
    if (keyRegion !== around.region) return blocked(`The key is in ${keyRegion}, the bucket in ${around.region}: every upload would fail.`);
    return change<Encryption | null>({
      action: 's3:PutEncryptionConfiguration',
      summary: `Encrypt new objects with key ${leafOf({ id: kmsKeyArn })}`,
      before: encryption,
      after: {
        algorithm: encryption?.algorithm === 'aws:kms:dsse' ? 'aws:kms:dsse' : 'aws:kms',
        key: kmsKeyArn,
        // Without a KMS key the flag means nothing; with one it spares a KMS request for each object.
        bucketKey: isKms(encryption) ? (encryption?.bucketKey ?? false) : true,
        blockedTypes: encryption?.blockedTypes ?? [],
      },
    });
  },

  setting: ({ encryption }) => encryption,
  remediate: (resource, { after }, aws) => setEncryption(aws, resource, after),
  undo: (resource, { before }, aws) => setEncryption(aws, resource, before),
});
