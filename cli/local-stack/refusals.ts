/** Refusals: those of the stand-in as an SDK client reads them, and those of the emulator put into the words of the service that was called. */
import type { IncomingHttpHeaders } from 'node:http';
import { codeOf } from '../../engine/errors.ts';
import { type Answer, json, signerOf } from './wire.ts';

export class RefusedError extends Error {
  readonly status: number;
  constructor(status: number, type: string, message: string) {
    super(message);
    this.name = type;
    this.status = status;
  }
}

const statusOf: Readonly<Record<string, number>> = { InvalidParameterValueException: 400, DurableExecutionAlreadyStartedException: 409 };

/** 500 for what nobody meant to refuse. */
export function refusalOf(error: unknown): Answer {
  const { message } = error as Error;
  const status = error instanceof RefusedError ? error.status : (statusOf[codeOf(error)] ?? 500);
  const type = status === 500 ? 'ServiceException' : codeOf(error);
  const { headers, body } = json({ __type: type, Type: status < 500 ? 'User' : 'Service', message, Message: message });
  return { status, headers: { ...headers, 'x-amzn-errortype': type }, body };
}

// moto writes refusals as XML for every service; an SDK client of a service that speaks JSON cannot read them, and a denied call would look like a broken one.
const xmlServices = new Set([
  's3',
  'ec2',
  'iam',
  'sts',
  'sns',
  'cloudformation',
  'rds',
  'elasticloadbalancing',
  'autoscaling',
  'redshift',
  'route53',
  'cloudfront',
  'monitoring',
]);
const jsonNames: Readonly<Record<string, string>> = {
  AccessDenied: 'AccessDeniedException',
  InvalidClientTokenId: 'UnrecognizedClientException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
};

/** The refusal in an answer of the emulator that the caller could not read; undefined for every other answer. */
export function readRefusal(headers: IncomingHttpHeaders, status: number, content: Buffer): RefusedError | undefined {
  const { service } = signerOf(headers);
  if (status !== 403 || xmlServices.has(service)) return undefined;
  const [, code = '', message = ''] = /<Code>(.*?)<\/Code>\s*<Message>(.*?)<\/Message>/s.exec(content.toString()) ?? [];
  // 400 is what the JSON protocols answer with: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
  return jsonNames[code] ? new RefusedError(service === 'lambda' ? 403 : 400, jsonNames[code], message) : undefined;
}
