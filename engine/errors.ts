/** Errors, sorted by what the caller must do. Anything that is none of these is retryable; not-found is a value, not an error. */

/** One fault in a policy file. Line and column count from 1. */
export interface PolicyFault {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The policy cannot be used; nothing is deployed. Holds every fault at once. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly faults: readonly PolicyFault[];
  constructor(faults: readonly PolicyFault[]) {
    super(faults.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`).join('\n'));
    this.faults = faults;
  }
}

/** Trying again will not help: denied, unsupported, refused by AWS for good. */
export class TerminalError extends Error {
  override readonly name: string = 'TerminalError';
}

/** AWS refused a call for lack of permission. */
export class DeniedError extends TerminalError {
  override readonly name = 'DeniedError';
  readonly action: string;
  constructor(action: string, options: { cause: unknown }) {
    super(`not allowed to call ${action}`, options);
    this.action = action;
  }
}

/** Nothing is wrong with the message: it is to come back so many seconds later. */
export class RetryLaterError extends Error {
  override readonly name = 'RetryLaterError';
  readonly seconds: number;
  constructor(message: string, seconds: number, options?: { cause: unknown }) {
    super(message, options);
    this.seconds = seconds;
  }
}

/** Somebody else wrote the record first: read it again. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
}

/** The resource has been read before its last episode ended: read it again. */
export class StaleVerdictError extends Error {
  override readonly name = 'StaleVerdictError';
}

// The codes AWS services answer with; the Query, EC2, REST-XML and JSON protocols spell them differently.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
const deniedCodes = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AccessDeniedFault',
  'AuthorizationError',
  'AuthorizationErrorException',
  'Client.UnauthorizedOperation',
  'ForbiddenException',
  'NotAuthorized',
  'NotAuthorizedException',
  'OperationNotPermittedException',
  'UnauthorizedOperation',
]);

const credentialCodes = new Set([
  'AuthFailure',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
  'UnrecognizedClientException',
]);

/** The error code of an SDK error, or ''. */
export const codeOf = (error: unknown): string => {
  if (typeof error !== 'object' || error === null) return '';
  const { name, Code } = error as { name?: unknown; Code?: unknown };
  return typeof Code === 'string' ? Code : typeof name === 'string' ? name : '';
};

export const isDenied = (error: unknown): boolean => error instanceof DeniedError || deniedCodes.has(codeOf(error));

/** The caller's credentials are missing, wrong or expired: no call can succeed. */
export const isCredentialError = (error: unknown): boolean => credentialCodes.has(codeOf(error));

const throttlingCodes = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** Seconds to leave a service alone that has throttled us, where it does not say. */
const untilCalm = 30;

/** Seconds after which the error says to come back; undefined when it says nothing of the kind. */
export function retryAfter(error: unknown): number | undefined {
  if (error instanceof RetryLaterError) return error.seconds;
  const { $retryable, $response } = (error ?? {}) as { $retryable?: { throttling?: boolean }; $response?: { headers?: Record<string, string> } };
  const told = Number($response?.headers?.['retry-after']);
  if (told > 0) return Math.min(Math.ceil(told), 900);
  return $retryable?.throttling || throttlingCodes.has(codeOf(error)) ? untilCalm : undefined;
}

/** Seconds; the queues' own wait, six timeouts of detect. */
const longestWait = 360;

/**
 * Seconds until a message comes back that these errors have kept; undefined = the queue's own wait. Each time longer: five tries must
 * not be used up while a service is still throttling. @param received how often it has come
 */
export function waitFor(errors: readonly unknown[], received: number): number | undefined {
  const seconds = Math.max(...errors.map((error) => retryAfter(error) ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(seconds) ? Math.max(seconds, Math.min(seconds * 4 ** (received - 1), longestWait)) : undefined;
}
