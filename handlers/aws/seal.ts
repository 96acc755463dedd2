/** Words sealed with the stack's data key: who can only write to the table cannot make a seal that fits. */
import { DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { isDenied } from '../../engine/errors.ts';
import type { Aws } from '../../engine/ports.ts';

export const sealContext = 'phidelity:seal';

// https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
const contextOf = (words: string) => ({ [sealContext]: words });
const content = new TextEncoder().encode('approved');

export async function sealWith(keyId: string, words: string, aws: Aws): Promise<string> {
  const { CiphertextBlob } = await aws.client(KMSClient).send(new EncryptCommand({ KeyId: keyId, Plaintext: content, EncryptionContext: contextOf(words) }));
  return Buffer.from(CiphertextBlob!).toString('base64');
}

export async function isSealedWith(keyId: string, words: string, seal: string, aws: Aws): Promise<boolean> {
  try {
    await aws.client(KMSClient).send(new DecryptCommand({ KeyId: keyId, CiphertextBlob: Buffer.from(seal, 'base64'), EncryptionContext: contextOf(words) }));
    return true;
  } catch (error) {
    const { name } = error as Error;
    if (!isDenied(error) && (name === 'InvalidCiphertextException' || name === 'IncorrectKeyException' || name === 'ValidationException')) return false;
    throw error;
  }
}
