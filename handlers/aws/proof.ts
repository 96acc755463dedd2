/** Asks AWS STS who signed a request, at an address of our own making: whoever made the proof cannot send us elsewhere. */
import { callerIdentityBody, signedHeaders } from '../../engine/answers/proof.ts';
import { partitionOf } from '../../engine/arn.ts';
import type { Principal, StsProof } from '../../engine/model.ts';

/** By partition, where it is not amazonaws.com. */
const suffixes: Readonly<Record<string, string>> = { 'aws-cn': 'amazonaws.com.cn', 'aws-iso': 'c2s.ic.gov', 'aws-iso-b': 'sc2s.sgov.gov' };

/** https://docs.aws.amazon.com/general/latest/gr/sts.html Its host name is part of what is signed: signer and bot must mean the same one. */
export const regionalSts = (region: string): string => `https://sts.${region}.${suffixes[partitionOf(region)] ?? 'amazonaws.com'}`;

/** Where both go: to AWS, or to the emulator that stands in for all of it. */
export const stsEndpoint = (region: string): string => process.env.AWS_ENDPOINT_URL ?? regionalSts(region);

/** https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html The Query protocol answers 400 to who asks too often. */
const throttled = /<Code>(Throttling|ThrottlingException|RequestLimitExceeded|TooManyRequestsException)<\/Code>/;

const patienceMs = 10_000;

/** Undefined: STS says that the signature does not hold. @throws when STS cannot be asked */
export async function proveAt(proof: StsProof, region: string): Promise<Principal | undefined> {
  const names = (signedHeaders(proof) ?? []).filter((name) => name !== 'host' && name !== 'content-length');
  const headers = Object.fromEntries([...names, 'authorization'].map((name) => [name, proof.headers[name] ?? '']));
  const response = await fetch(`${stsEndpoint(region)}/`, {
    method: 'POST',
    headers,
    body: callerIdentityBody,
    redirect: 'error',
    signal: AbortSignal.timeout(patienceMs),
  });
  const answer = await response.text();
  if (throttled.test(answer)) throw Object.assign(new Error('AWS STS is throttling'), { name: 'ThrottlingException' });
  if (response.status === 400 || response.status === 401 || response.status === 403) return undefined;
  if (!response.ok) throw new Error(`AWS STS answers ${response.status}`);
  const arn = /<Arn>([^<]+)<\/Arn>/.exec(answer)?.[1];
  const accountId = /<Account>(\d{12})<\/Account>/.exec(answer)?.[1];
  if (!arn || !accountId) throw new Error('AWS STS does not say whose credentials these are');
  return { arn, accountId };
}
