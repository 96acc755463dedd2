/** Against a local server that verifies signatures. Neither moto nor aws-sdk-client-mock: nothing of AWS is called. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { signatureOf, webhook } from '../../../handlers/channels/webhook.ts';
import { alertIn, context, digest } from '../../support/lamps.ts';
import { failed } from '../../support/outside/failure.ts';
import { fakeOutside, impatiently } from '../../support/outside/fake-outside.ts';
import { type OutsideWorld, outsideWorld } from '../../support/outside/server.ts';
import { type Webhook, webhookService } from '../../support/outside/webhook.ts';

const secret = 'correct horse';
const taking = { pages: true, minSeverity: 'INFORMATIONAL', timezone: 'UTC' } as const;
let world: OutsideWorld;
let receiver: Webhook;
beforeAll(async () => {
  world = await outsideWorld({ hook: (asked) => receiver.service(asked) });
});
beforeEach(() => {
  receiver = webhookService(secret);
});
afterAll(() => world.stop());

const send = (alert = alertIn('a page'), { secrets = [secret], url = `${world.url}/hook` } = {}) =>
  webhook(fakeOutside(world.url, { 'ssm:/key': secrets, 'ssm:/url': [`${world.url}/hook`] }))(
    alert,
    { ...taking, webhook: { url, secret: 'ssm:/key' } },
    context,
    undefined,
  );

test('what is sent is signed, and twice the same is one delivery', async () => {
  await send();
  await send();
  await send(alertIn('fixed'));
  expect([...receiver.received.values()].map(({ headline }) => headline)).toEqual(['ACTION NEEDED', 'Fixed']);
  expect(receiver.received.get(alertIn('fixed').id)).toMatchObject({ version: 1, id: alertIn('fixed').id });
});

test('the address may be a secret', async () => {
  await send(alertIn('a page'), { url: 'ssm:/url' });
  expect(receiver.received.size).toBe(1);
});

test('an id that no header may hold is told in one that may', async () => {
  await send(digest());
  expect([...receiver.received]).toMatchObject([[expect.stringMatching(/^digest:2026-11-01:(%[0-9A-F]{2})+and%20more$/), { id: digest().id }]]);
});

describe('when it is not taken', () => {
  const answers = {
    'too many': [
      { status: 429, headers: { 'retry-after': '12' } },
      { failure: 'again', message: 'The webhook answers 429.', retryAfter: 12 },
    ],
    'it is broken': [{ status: 500 }, { failure: 'again', message: 'The webhook answers 500.' }],
    'it is gone': [{ status: 410 }, { failure: 'refused', message: 'The webhook answers 410.' }],
    'it is elsewhere: no redirect is followed': [
      { status: 307, headers: { location: '/hook' } },
      { failure: 'again', message: 'The webhook cannot be reached.' },
    ],
  } as const;
  for (const [name, [answer, expected]] of Object.entries(answers))
    test(name, async () => {
      world.fail('hook', answer);
      expect(await failed(send())).toEqual({ retryAfter: undefined, ...expected });
      expect(receiver.received.size).toBe(0);
    });

  // Who answers without end must not fill the memory that other channels are told from.
  test('what it says beyond a little is not read', async () => {
    let sent = 0;
    const endless = createServer((_, response) => {
      response.on('error', () => {});
      const more = () => {
        while (sent < 200_000_000 && !response.destroyed) {
          sent += 100_000;
          if (!response.write('x'.repeat(100_000))) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    await new Promise<void>((listening) => endless.listen(0, '127.0.0.1', listening));
    const url = `http://127.0.0.1:${(endless.address() as AddressInfo).port}`;
    expect(await send(alertIn('a page'), { url })).toBeUndefined();
    endless.closeAllConnections();
    endless.close();
    expect(sent).toBeLessThan(20_000_000);
  });

  test('it keeps silent', async () => {
    world.fail('hook', 'never');
    const { result, patience } = await impatiently(() => failed(send()));
    expect([result, patience]).toEqual([{ failure: 'again', message: 'The webhook has not answered within 10 s.', retryAfter: undefined }, [10_000]]);
  });

  test('another key', async () => {
    expect(await failed(send(alertIn('a page'), { secrets: ['wrong'] }))).toMatchObject({ failure: 'refused', message: 'The webhook answers 401.' });
  });

  test('a key that has been changed since it was read', async () => {
    await send(alertIn('a page'), { secrets: ['old', secret] });
    expect(receiver.received.size).toBe(1);
  });
});

describe('the receivers that the documentation shows', () => {
  const docs = readFileSync('docs/channels/webhook.md', 'utf8');
  const snippet = (language: string) => new RegExp(`\`\`\`${language}\n([^]*?)\n\`\`\``).exec(docs)![1]!;
  const folder = mkdtempSync(join(tmpdir(), 'webhook-'));
  writeFileSync(join(folder, 'verify.mjs'), snippet('js'));
  writeFileSync(join(folder, 'verify.py'), snippet('python'));
  writeFileSync(
    join(folder, 'run.mjs'),
    "import { readFileSync } from 'node:fs';\nimport { verified } from './verify.mjs';\nconst { headers, body, secret } = JSON.parse(readFileSync(0, 'utf8'));\nconsole.log(verified(headers, Buffer.from(body), secret) === true);\n",
  );
  writeFileSync(
    join(folder, 'run.py'),
    "import json, sys\nfrom verify import verified\ngiven = json.load(sys.stdin)\nprint(str(verified(given['headers'], given['body'].encode(), given['secret']) is True).lower())\n",
  );
  const programs = { Node: [process.execPath, 'run.mjs'], Python: ['python3', 'run.py'] } as const;

  const now = () => Math.floor(Date.now() / 1_000);
  const body = '{"headline":"מנורה 💡"}';
  const signed = (at: number, key = secret) => ({
    'x-phidelity-timestamp': String(at),
    'x-phidelity-signature': `v1=${signatureOf(key, String(at), body)}`,
  });
  const cases: Readonly<Record<string, readonly [() => object, boolean]>> = {
    'what the bot has sent': [() => ({ headers: signed(now()), body }), true],
    'another body': [() => ({ headers: signed(now()), body: `${body} ` }), false],
    'another key': [() => ({ headers: signed(now(), 'wrong'), body }), false],
    'another time than was signed': [() => ({ headers: { ...signed(now()), 'x-phidelity-timestamp': String(now() - 10) }, body }), false],
    'an old one': [() => ({ headers: signed(now() - 600), body }), false],
    'one of the future': [() => ({ headers: signed(now() + 600), body }), false],
    'no signature': [() => ({ headers: { 'x-phidelity-timestamp': String(now()) }, body }), false],
    'a signature that is too short': [() => ({ headers: { ...signed(now()), 'x-phidelity-signature': 'v1=ab' }, body }), false],
    'a signature of other characters': [() => ({ headers: { ...signed(now()), 'x-phidelity-signature': 'v1=💡' }, body }), false],
    'no time': [() => ({ headers: { 'x-phidelity-signature': signed(now())['x-phidelity-signature'] }, body }), false],
    'no headers': [() => ({ headers: {}, body }), false],
  };
  for (const [program, [command, script]] of Object.entries(programs))
    for (const [name, [given, expected]] of Object.entries(cases))
      test(`${program}: ${name}`, () => {
        const said = execFileSync(command, [script], { cwd: folder, input: JSON.stringify({ secret, ...given() }), env: { PATH: process.env.PATH } });
        expect(said.toString().trim()).toBe(String(expected));
      });
});
