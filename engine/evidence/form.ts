/** What leaves the table as evidence: entries without their raw part, and the digests that sign them. Each is stored as its canonical JSON. */
import { createHash } from 'node:crypto';
import { canonical } from '../canonical.ts';
import type { Entry } from '../model.ts';

export type PublicEntry = Omit<Entry, 'raw'>;

export const publicOf = ({ raw: _, ...rest }: Entry): PublicEntry => rest;

/** How far the chain of one finding had come. */
export interface Head {
  readonly id: string;
  /** `seq` of its latest entry. */
  readonly length: number;
  /** Hash of that entry. */
  readonly hash: string;
  /** How far digests before this one have signed it; this one signs the entries after that. */
  readonly after: number;
}

export interface Digest {
  /** 1 for the first; without gaps. */
  readonly number: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** sha256, hex, of the text of the digest before it; null for the first. */
  readonly previous: string | null;
  /** Time of the oldest entry that it signs; null: nothing has happened. */
  readonly oldest: string | null;
  /** The findings with entries since the last digest, by id. */
  readonly findings: readonly Head[];
  readonly keyArn: string;
  /** ECDSA with SHA-256 over the text that is the sha256, hex, of the canonical JSON of everything else; DER, base64. */
  readonly signature: string;
}

export type UnsignedDigest = Omit<Digest, 'signature'>;

/** What the table knows of the digest that was stored last. */
export interface LastDigest extends Pick<Digest, 'number' | 'at'> {
  /** sha256, hex, of its text. */
  readonly hash: string;
}

const padded = (number: number) => String(number).padStart(9, '0');
export const entriesPrefix = 'entries/';
export const digestsPrefix = 'digests/';
export const entryObject = (findingId: string, seq: number): string => `${entriesPrefix}${findingId}/${padded(seq)}.json`;
export const digestObject = (number: number): string => `${digestsPrefix}${padded(number)}.json`;

/** What a name under `entries/` or `digests/` says. */
export const entryName = (key: string): { readonly finding: string; readonly seq: number } | undefined => {
  const [, finding, seq] = /^entries\/([^/]+)\/(\d{9,})\.json$/.exec(key) ?? [];
  return finding && seq ? { finding, seq: Number(seq) } : undefined;
};
export const digestName = (key: string): number | undefined => {
  const [, number] = /^digests\/(\d{9,})\.json$/.exec(key) ?? [];
  return number === undefined ? undefined : Number(number);
};

const sha256 = (text: string | Uint8Array, encoding: 'hex' | 'base64') => createHash('sha256').update(text).digest(encoding);

/** What the signature is of: the sha256, hex, of this. KMS takes messages of at most 4,096 bytes. */
export const signedText = ({ signature: _, ...rest }: UnsignedDigest & Partial<Digest>): string => canonical(rest);
export const textHash = (text: string): string => sha256(text, 'hex');
/** sha256 of the public key's DER, as `openssl pkey -pubin -outform DER | sha256sum` prints it. */
export const keyFingerprint = (der: Uint8Array): string => sha256(der, 'hex');
