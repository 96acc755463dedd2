/** What the bot sends to AWS STS, and what it makes of the answer: on a server of our own that keeps what it is sent; moto verifies no signatures. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { signAnswer } from '../../../cli/answers/sign.ts';
import { unfit } from '../../../engine/answers/proof.ts';
import type { Answer } from '../../../engine/model.ts';
import { proveAt } from '../../../handlers/aws/proof.ts';

const unsigned = { id: 'a', at: '', findingId: 'f-1', decision: 'approve', question: 'q', planHash: 'h' } as const;
const sign = (region = 'us-east-1') => signAnswer(unsigned, region, new Date());

let server: Server;
let sent: { headers: IncomingMessage['headers']; body: string }[] = [];
let answer: { status: number; body: string };
const before = { ...process.env };

beforeEach(async () => {
  sent = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      sent.push({ headers: request.headers, body });
      response.writeHead(answer.status).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
});
afterEach(async () => {
  process.env = { ...before };
  await new Promise((resolve) => server.close(resolve));
});

const identity =
  '<GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/SecOps/lee</Arn><Account>123456789012</Account></GetCallerIdentityResult>';
const failure = (code: string) => `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code></Error></ErrorResponse>`;

test('what an SDK signs is fit, and is sent as it was signed', async () => {
  answer = { status: 200, body: identity };
  const proof = await sign();
  expect(unfit(proof, { ...unsigned, proof } as Answer, new Date())).toBeUndefined();
  expect(await proveAt(proof, 'us-east-1')).toEqual({ arn: 'arn:aws:sts::123456789012:assumed-role/SecOps/lee', accountId: '123456789012' });
  const { headers, body } = sent[0]!;
  expect(body).toBe('Action=GetCallerIdentity&Version=2011-06-15');
  const signed = /SignedHeaders=([^,]+)/
    .exec(proof.headers.authorization!)![1]!
    .split(';')
    .filter((name) => name !== 'host');
  for (const name of signed) expect([name, headers[name]]).toEqual([name, proof.headers[name]]);
});

test.each([
  [403, 'SignatureDoesNotMatch'],
  [403, 'ExpiredToken'],
  [400, 'IncompleteSignature'],
])('%i %s: not confirmed', async (status, code) => {
  answer = { status, body: failure(code) };
  expect(await proveAt(await sign(), 'us-east-1')).toBeUndefined();
});

test.each([
  [400, 'Throttling'],
  [503, 'ServiceUnavailable'],
])('%i %s: nothing is known, it is asked again', async (status, code) => {
  answer = { status, body: failure(code) };
  await expect(proveAt(await sign(), 'us-east-1')).rejects.toThrow(/AWS STS/);
});

describe('the host that is signed is the one that the bot asks', () => {
  beforeEach(() => {
    delete process.env.AWS_ENDPOINT_URL;
  });

  test.each([
    ['us-east-1', 'sts.us-east-1.amazonaws.com'],
    ['us-gov-west-1', 'sts.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', 'sts.cn-north-1.amazonaws.com.cn'],
    ['us-iso-east-1', 'sts.us-iso-east-1.c2s.ic.gov'],
    ['us-isob-east-1', 'sts.us-isob-east-1.sc2s.sgov.gov'],
  ])('%s', async (region, host) => expect((await sign(region)).headers.host).toBe(host));

  test('whatever endpoint the machine of the person uses', async () => {
    Object.assign(process.env, { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true', AWS_ENDPOINT_URL_STS: 'https://vpce-1.example' });
    expect((await sign()).headers.host).toBe('sts.us-east-1.amazonaws.com');
  });
});
