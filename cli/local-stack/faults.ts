/** What can go wrong between the deployed functions and AWS, as the hook of the gateway does it. */
import type { Fate, Seen } from './gateway.ts';
import { type Answer, json } from './wire.ts';

export const faultKinds = [
  'throttled',
  'broken',
  'cut',
  'answer lost',
  'late',
  'killed before',
  'killed after',
  'killed between',
  'timed out',
  'timed out after',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Ends the process that calls. */
export const kills = (kind: FaultKind): boolean => /^(killed|timed)/.test(kind);

/** The error as each protocol spells it: status, code, code of EC2 and of S3. */
interface Spelling {
  readonly json: readonly [number, string];
  readonly query: readonly [number, string];
  readonly ec2: readonly [number, string];
  readonly s3: readonly [number, string];
  readonly lambda: readonly [number, string];
}

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html lists what the SDKs take for throttling.
const throttling: Spelling = {
  json: [400, 'ThrottlingException'],
  query: [400, 'Throttling'],
  ec2: [503, 'RequestLimitExceeded'],
  s3: [503, 'SlowDown'],
  lambda: [429, 'TooManyRequestsException'],
};
const internal: Spelling = {
  json: [500, 'InternalServerError'],
  query: [500, 'InternalFailure'],
  ec2: [500, 'InternalError'],
  s3: [500, 'InternalError'],
  lambda: [500, 'ServiceException'],
};

const xml = (status: number, body: string): Answer => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>${body}`,
});

/** An error in the words and the protocol of the service that was called. */
function errorOf({ service, headers, path }: Seen, spelling: Spelling, message: string): Answer {
  const type = headers['content-type'] ?? '';
  if (headers['x-amz-target']) return json({ __type: spelling.json[1], message }, spelling.json[0]);
  if (service === 'ec2') {
    const [status, code] = spelling.ec2;
    return xml(status, `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>faulty</RequestID></Response>`);
  }
  if (type.startsWith('application/x-www-form-urlencoded') || path[0] === 'v20180820') {
    const [status, code] = spelling.query;
    const who = status < 500 ? 'Sender' : 'Receiver';
    return xml(
      status,
      `<ErrorResponse><Error><Type>${who}</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>faulty</RequestId></ErrorResponse>`,
    );
  }
  if (service === 's3') {
    const [status, code] = spelling.s3;
    return xml(status, `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>faulty</RequestId></Error>`);
  }
  const [status, code] = spelling.lambda;
  const answer = json({ Type: status < 500 ? 'User' : 'Service', message, Message: message }, status);
  return { ...answer, headers: { ...answer.headers, 'x-amzn-errortype': code } };
}

/** "Rate exceeded", with the seconds after which AWS wants to hear of it again. */
export function throttled(call: Seen, retryAfter: number): Answer {
  const answer = errorOf(call, throttling, 'Rate exceeded');
  return { ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfter) } };
}

export const broken = (call: Seen): Answer => errorOf(call, internal, 'We encountered an internal error. Please try again.');

/** Milliseconds a process hangs before it is ended as at its timeout: long enough for its other calls to go on. */
const hangs = 250;

/** `amount` = seconds of Retry-After, or how many times 100 ms a late call is late. */
export function fateOf(kind: FaultKind, call: Seen, amount: number): Fate {
  switch (kind) {
    case 'throttled':
      return { do: 'answer', answer: throttled(call, amount) };
    case 'broken':
      return { do: 'answer', answer: broken(call) };
    case 'cut':
      return { do: 'cut' };
    case 'answer lost':
      return { do: 'forwardThenCut' };
    case 'late':
      return { do: 'delay', milliseconds: 100 * amount };
    case 'killed before':
      return { do: 'kill', when: 'before' };
    case 'killed after':
      return { do: 'kill', when: 'after' };
    case 'killed between':
      return { do: 'kill', when: 'answered' };
    case 'timed out':
      return { do: 'kill', when: 'before', milliseconds: hangs };
    case 'timed out after':
      return { do: 'kill', when: 'after', milliseconds: hangs };
  }
}
