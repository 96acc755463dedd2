/** Proof of person: a request to AWS STS, signed with the caller's credentials and never sent by the caller. */
import { GetCallerIdentityCommand, STSClient, type STSClientConfig } from '@aws-sdk/client-sts';
import { boundHeaders, signedHeaders } from '../../engine/answers/proof.ts';
import type { Answer, StsProof } from '../../engine/model.ts';
import { stsEndpoint } from '../../handlers/aws/proof.ts';

interface Signed {
  readonly headers: Record<string, string>;
}

/** Thrown where the request would leave: it goes nowhere. */
class Caught extends Error {
  readonly request: Signed;
  constructor(request: Signed) {
    super('signed');
    this.request = request;
  }
}

const requestHandler = {
  handle(request: Signed): never {
    throw new Caught(request);
  },
};

/** @param now what the bot's clock says; STS takes a signature for 15 minutes */
export async function signAnswer(answer: Omit<Answer, 'proof'>, region: string, now: Date): Promise<StsProof> {
  // Where this machine sends its own requests to, a VPC endpoint or one of FIPS, is not where the bot sends this one.
  const where = { region, endpoint: stsEndpoint(region), useFipsEndpoint: false, useDualstackEndpoint: false };
  const client = new STSClient({ ...where, maxAttempts: 1, requestHandler, systemClockOffset: now.getTime() - Date.now() } as STSClientConfig);
  const bound = boundHeaders(answer);
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as Signed).headers, bound);
      return next(args);
    },
    { step: 'build', name: 'boundToTheAnswer' },
  );
  try {
    await client.send(new GetCallerIdentityCommand({}));
  } catch (error) {
    if (!(error instanceof Caught)) throw error;
    const headers = Object.fromEntries(Object.entries(error.request.headers).map(([name, value]) => [name.toLowerCase(), value]));
    const names = signedHeaders({ kind: 'sts', headers }) ?? [];
    return { kind: 'sts', headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name === 'authorization' || names.includes(name))) };
  }
  throw new Error('the request to AWS STS was not caught');
}
