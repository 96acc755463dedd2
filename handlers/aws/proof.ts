/** Asks AWS STS who signed a request, at an address of our own making: whoever made the proof cannot send us elsewhere. */
import { callerIdentityBody, signedHeaders } from '../../engine/answers/proof.ts';
import type { Principal, StsProof } from '../../engine/model.ts';

/** https://docs.aws.amazon.com/general/latest/gr/sts.html */
export const stsEndpoint = (region: string): string =>
  process.env.AWS_ENDPOINT_URL_STS ?? process.env.AWS_ENDPOINT_URL ?? `https://sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;

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
  if (response.status === 400 || response.status === 401 || response.status === 403) return undefined;
  if (!response.ok) throw new Error(`AWS STS answers ${response.status}`);
  const arn = /<Arn>([^<]+)<\/Arn>/.exec(answer)?.[1];
  const accountId = /<Account>(\d{12})<\/Account>/.exec(answer)?.[1];
  if (!arn || !accountId) throw new Error('AWS STS does not say whose credentials these are');
  return { arn, accountId };
}
