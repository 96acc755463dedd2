/** Every way a command can end badly, as one clear line and an exit code. */
import { codeOf, isCredentialError, isDenied, PolicyError } from '../engine/errors.ts';

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

export function explain(error: unknown): { readonly message: string; readonly exitCode: ExitCode } {
  if (error instanceof UsageError) return { message: error.message, exitCode: error.exitCode };
  if (error instanceof PolicyError) return { message: error.message, exitCode: 1 };
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  if (code === 'CredentialsProviderError') {
    return {
      message: 'No AWS credentials were found. Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with `aws sso login`.',
      exitCode: 2,
    };
  }
  if (/expired/i.test(code)) return { message: `The AWS credentials have expired (${code}). Sign in again, e.g. \`aws sso login\`.`, exitCode: 2 };
  if (isCredentialError(error)) return { message: `AWS does not accept the credentials (${code}): ${text}`, exitCode: 2 };
  if (/region is missing/i.test(text)) return { message: 'No AWS region is set. Use --region or AWS_REGION.', exitCode: 2 };
  const unreachable = networkFault(error);
  if (unreachable) return { message: `AWS cannot be reached (${unreachable}). Check the network${endpointHint()}.`, exitCode: 2 };
  if (isDenied(error)) return { message: `Not allowed: ${text}`, exitCode: 2 };
  return { message: text, exitCode: 2 };
}

const endpointHint = () => (process.env.AWS_ENDPOINT_URL ? ` and AWS_ENDPOINT_URL (${process.env.AWS_ENDPOINT_URL})` : '');

const networkCodes = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'];

/** Node reports a refused connection to several addresses as an AggregateError around the true ones. */
function networkFault(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, message, cause, errors } = error as { code?: unknown; message?: string; cause?: unknown; errors?: unknown[] };
  if (typeof code === 'string' && networkCodes.includes(code)) return message || code;
  return [cause, ...(errors ?? [])].map(networkFault).find((found) => found !== undefined);
}
