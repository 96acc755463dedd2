/** The bucket of evidence, and the key that signs. */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { codeOf } from '../../engine/errors.ts';
import type { EvidenceStore, Signer } from '../../engine/evidence/store.ts';
import type { Aws } from '../../engine/ports.ts';

/** Needs s3:PutObject; s3:GetObject and ListBucket to read. Nothing that is there is overwritten. */
export const bucketStore = (Bucket: string, aws: Aws): EvidenceStore => {
  const s3 = aws.client(S3Client);
  return {
    async add(Key, text) {
      try {
        await s3.send(new PutObjectCommand({ Bucket, Key, Body: text, ContentType: 'application/json', IfNoneMatch: '*' }));
        return true;
      } catch (error) {
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html; 409 = somebody else is at it, and is tried again.
        if (codeOf(error) === 'PreconditionFailed') return false;
        throw error;
      }
    },
    async read(Key) {
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        return await Body!.transformToString();
      } catch (error) {
        if (codeOf(error) === 'NoSuchKey') return undefined;
        throw error;
      }
    },
  };
};

/** Needs kms:Sign. The client is loaded once an hour, not with each entry. */
export const kmsSigner = (keyArn: string, aws: Aws): Signer => ({
  keyArn,
  async sign(text) {
    const { KMSClient, SignCommand } = await import('./signing.ts');
    const { Signature } = await aws
      .client(KMSClient)
      .send(new SignCommand({ KeyId: keyArn, Message: Buffer.from(text), MessageType: 'RAW', SigningAlgorithm: 'ECDSA_SHA_256' }));
    return Buffer.from(Signature!).toString('base64');
  },
});
