/**
 * Proof of person: a signed request to AWS STS GetCallerIdentity whose signed headers name what is answered. Who holds it can only
 * have AWS say who signed it; the bot sends it to an address of its own making. Pure.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
import { createHash } from 'node:crypto';
import { canonical } from '../canonical.ts';
import type { Answer, StsProof } from '../model.ts';

/** The body of the request, the same each time: its hash is part of the signature. */
export const callerIdentityBody = 'Action=GetCallerIdentity&Version=2011-06-15';

/** Seconds from signing to being judged; STS itself takes no older signature. */
export const proofLifetime = 15 * 60;

export const header = (name: string): string => `x-phidelity-${name}`;

/** Everything an answer says, as headers to sign. */
export const boundHeaders = ({ findingId, question, planHash, decision, reason, until }: Omit<Answer, 'id' | 'at' | 'proof'>): Record<string, string> => ({
  [header('finding')]: findingId,
  [header('question')]: question,
  [header('plan')]: planHash,
  [header('decision')]: decision,
  // Words of people are not fit for a header.
  [header('words')]: createHash('sha256').update(canonical({ reason, until })).digest('hex'),
});

const authorization = /^AWS4-HMAC-SHA256 Credential=[^,\s]+, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

/** Names of the headers that the signature covers; undefined: not the form of AWS Signature Version 4. */
export const signedHeaders = ({ headers }: StsProof): readonly string[] | undefined => authorization.exec(headers.authorization ?? '')?.[1]?.split(';');

/** 64 hex digits; undefined likewise. */
export const signatureOf = ({ headers }: StsProof): string | undefined => authorization.exec(headers.authorization ?? '')?.[2];

/** Headers that an SDK signs for this request; `host` and `content-length` the bot sets itself. Others could change what STS answers, or how. */
const sendable = /^(host|content-length|content-type|x-amz-[a-z0-9-]+|amz-sdk-[a-z-]+|x-phidelity-[a-z]+)$/;

const isSendable = (name: string, value = ''): boolean => sendable.test(name) && /^[\x20-\x7e]*$/.test(value);

/** Epoch milliseconds at which it was signed; NaN where it does not tell. */
export const signedAt = ({ headers }: StsProof): number =>
  Date.parse((headers['x-amz-date'] ?? '').replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));

const most = 16_384;
const minutes = proofLifetime / 60;

/** Why it is not what the command line signs for this answer; undefined: nothing speaks against it. */
export function misfit(proof: StsProof, answer: Answer): string | undefined {
  const signed = signedHeaders(proof);
  if (!signed?.every((name) => isSendable(name, proof.headers[name])) || JSON.stringify(proof.headers).length > most)
    return 'The proof is not a signed request to AWS STS.';
  const expected = { ...boundHeaders(answer) };
  for (const [name, value] of Object.entries(expected))
    if (!signed.includes(name) || proof.headers[name] !== value) return `The proof was signed for something else (${name.replace(header(''), '')}).`;
  return signed.includes('x-amz-date') && signed.includes('host') ? undefined : 'The proof leaves its date or its host unsigned.';
}

/** Why the proof cannot stand for this answer, before AWS is asked; undefined: nothing speaks against it. */
export function unfit(proof: StsProof, answer: Answer, now: Date): string | undefined {
  const fault = misfit(proof, answer);
  if (fault) return fault;
  const age = now.getTime() - signedAt(proof);
  if (!(age <= proofLifetime * 1_000)) return `The proof is stale: it was signed more than ${minutes} minutes before it was read. Answer again.`;
  if (age < -proofLifetime * 1_000) return 'The proof is dated in the future: set the clock of the machine that signed it.';
  return undefined;
}
