/** Every way a command can end badly, as one clear line and an exit code. */
import { codeOf, isCredentialError, isDenied, PolicyError, type PolicyFault } from '../engine/errors.ts';
import { redact } from '../engine/redact.ts';

/** 0 = fine, 1 = findings or a refused input, 2 = could not run. */
export type ExitCode = 0 | 1 | 2;

/** A mistake the person can mend: the message names the place and the way out. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode: ExitCode;
  constructor(message: string, exitCode: ExitCode, options?: { cause: unknown }) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export const faultLine = ({ file, line, column, message }: PolicyFault): string => `${file}:${line}:${column} ${message}`;

export interface Explained {
  /** One line; a wrong policy has one a fault. */
  readonly message: string;
  readonly exitCode: ExitCode;
}

export function explain(error: unknown): Explained {
  if (error instanceof PolicyError) return { message: error.faults.map(faultLine).join('\n'), exitCode: 1 };
  if (error instanceof UsageError) return { message: oneLine(error.message), exitCode: error.exitCode };
  return { message: oneLine(redact(sentenceOf(error))), exitCode: 2 };
}

/** No other call can succeed either: the credentials do not count, or nobody answers. */
export const isHopeless = (error: unknown): boolean => isCredentialError(error) || networkFault(error) !== undefined;

function sentenceOf(error: unknown): string {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  if (code === 'CredentialsProviderError') return `No AWS credentials were found${profileWords(text)}. ${signIn}`;
  if (/expired/i.test(code)) return `The AWS credentials have expired (${code}). Sign in again, e.g. \`aws sso login\`.`;
  if (isCredentialError(error)) return `AWS does not accept the credentials (${code}): ${text}`;
  if (/region is missing|region=""/i.test(text)) return 'No AWS region is set. Use --region or AWS_REGION.';
  const unreachable = networkFault(error);
  if (unreachable) return `AWS cannot be reached (${unreachable}). Check the network and the region${endpointHint()}.`;
  if (isForeignAnswer(error))
    return `What answered is not AWS: ${text.replace(/\.?\s*Deserialization error.*$/s, '')}. Check the network and the region${endpointHint()}.`;
  if (/^Unknown(Error)?$/.test(text)) return `What answered is not AWS. Check the network${endpointHint()}.`;
  if (isDenied(error)) return `Not allowed: ${text}`;
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE') return `The port is in use by another program: ${text}`;
  return text || code || 'The command failed without a reason.';
}

const signIn = 'Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with `aws sso login`.';

/** The SDK's own words tell more than "none" when a profile is named but cannot be used. */
function profileWords(text: string): string {
  if (!/any providers/i.test(text)) return `: ${text.replace(/\.$/, '')}`;
  return process.env.AWS_PROFILE ? ` in profile ${process.env.AWS_PROFILE}` : '';
}

const endpointHint = () => (process.env.AWS_ENDPOINT_URL ? ` and AWS_ENDPOINT_URL (${process.env.AWS_ENDPOINT_URL})` : '');

/** The SDK marks an answer that it could not parse. */
const isForeignAnswer = (error: unknown): boolean => /Deserialization error/.test(error instanceof Error ? error.message : '');

const networkCodes = new Set([
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'EPROTO',
  'ETIMEDOUT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Node reports a refused connection to several addresses as an AggregateError around the true ones. */
function networkFault(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, name, message, cause, errors } = error as { code?: unknown; name?: unknown; message?: string; cause?: unknown; errors?: unknown[] };
  if (name === 'TimeoutError') return message || name;
  if (typeof code === 'string' && networkCodes.has(code)) return message || code;
  return [cause, ...(errors ?? [])].map(networkFault).find((found) => found !== undefined);
}

const oneLine = (text: string): string => printable(text).replace(/\s+/g, ' ').trim();

/** Names in events and files are chosen by others: none may move the cursor or change the colours of the terminal. */
export const printable = (text: string): string => text.replace(/\p{Cc}/gu, ' ');
