import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import type { LocalStack } from '../../cli/local-stack/index.ts';

/** An S3 client with the rights of one of the deployed functions. */
export async function roleSession({ clients, emulator, endpoint, region }: LocalStack, name: 'detect' | 'remediate' | 'evidence'): Promise<S3Client> {
  const { Role } = await clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: `phidelity-dev-${name}` }));
  // moto checks the trust policy against the caller; only Lambda may assume this role.
  await emulator.setAuth(false);
  const { Credentials } = await clients.sts.send(new AssumeRoleCommand({ RoleArn: Role, RoleSessionName: 'test' }));
  await emulator.setAuth(true);
  const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials!;
  return new S3Client({
    region,
    endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken },
  });
}
