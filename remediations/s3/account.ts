/** The access block of the whole account; the S3 Control API is another client than the buckets' one. */
import { DeletePublicAccessBlockCommand, GetPublicAccessBlockCommand, PutPublicAccessBlockCommand, S3ControlClient } from '@aws-sdk/client-s3-control';
import type { Aws } from '../define.ts';
import { type AccessBlock, blockFrom, orNone } from './s3.ts';

/** `null` = the account has no configuration. https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html */
export const accountBlockOf = (aws: Aws): Promise<AccessBlock | null> =>
  orNone(
    aws
      .client(S3ControlClient)
      .send(new GetPublicAccessBlockCommand({ AccountId: aws.accountId }))
      .then(blockFrom),
    'NoSuchPublicAccessBlockConfiguration',
  );

export async function setAccountBlock(aws: Aws, setting: AccessBlock | null): Promise<void> {
  const client = aws.client(S3ControlClient);
  const account = { AccountId: aws.accountId };
  if (setting === null) await client.send(new DeletePublicAccessBlockCommand(account));
  else await client.send(new PutPublicAccessBlockCommand({ ...account, PublicAccessBlockConfiguration: setting }));
}
