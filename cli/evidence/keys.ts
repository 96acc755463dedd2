/** The public key that digests are verified with, and how far its origin is to be trusted. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { keyFingerprint } from '../../engine/evidence/form.ts';
import { UsageError } from '../errors.ts';
import { readNamed } from '../files.ts';

export interface SigningKey {
  readonly arn: string;
  readonly key: KeyObject;
  /** A key that came with what it signs proves nothing of who signed. */
  readonly from: 'KMS' | 'the export itself' | 'a file of yours';
}

export const fingerprintOf = (key: KeyObject): string => keyFingerprint(key.export({ type: 'spki', format: 'der' }));
export const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

/** @throws UsageError when the text is no public key */
export function publicKey(text: string, where: string): KeyObject {
  try {
    return createPublicKey(text);
  } catch (cause) {
    throw new UsageError(`${where}: not a public key in PEM form; \`aws kms get-public-key\` gives one`, 2, { cause });
  }
}

export const readKey = (file: string): KeyObject => publicKey(readNamed(file).toString('utf8'), file);
