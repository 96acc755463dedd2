/** How soon Slack's form opens: the packaged endpoint in fresh processes, the secrets, the table and Slack on this machine. */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { policyFrom } from '../cli/context.ts';
import { startEmulator } from '../cli/local-stack/emulator.ts';
import { actionValue } from '../engine/alerts/render/slack/actions.ts';
import { awsAccess } from '../handlers/aws/access.ts';
import { blockActions, slackSecret } from '../test/support/slack-signer.ts';
import { freshTable, keys, place, root, unpackArtifact } from './artifact.ts';

export interface Forms {
  /** Milliseconds from the start of the process to its first reply. */
  readonly cold: readonly number[];
  /** Milliseconds a click in a process that has answered one. */
  readonly warm: readonly number[];
  /** Milliseconds from start to end of a process that does nothing. */
  readonly bare: readonly number[];
}

const member = 'U012LEE';
const policy = `version: 1
extends: hipaa
people:
  lee: { arns: ["arn:aws:sts::*:assumed-role/SecOps/lee"], slack: ${member} }
channels:
  slack: { slackApp: { token: "ssm:/slack/token", signingSecret: "ssm:/slack/secret", channel: C0123 } }
`;

export async function forms({ colds, warms }: { readonly colds: number; readonly warms: number }): Promise<Forms> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-slack-'));
  const emulator = await startEmulator();
  let opened = 0;
  const slack = createServer((request, response) => {
    if (request.url === '/slack/api/views.open') opened += 1;
    request.resume().once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}'));
  });
  await new Promise<void>((resolve) => slack.listen(0, '127.0.0.1', resolve));
  try {
    const file = join(folder, 'policy.yaml');
    writeFileSync(file, policy);
    unpackArtifact(folder, '--param', `policy=${file}`);
    const admin = awsAccess({ endpoint: emulator.endpoint, credentials: keys })(place, { share: false });
    for (const [Name, Value] of [
      ['/slack/token', 'xoxb-1'],
      ['/slack/secret', slackSecret],
    ])
      await admin.client(SSMClient).send(new PutParameterCommand({ Name, Value, Type: 'SecureString' }));
    const env = {
      PATH: process.env.PATH,
      AWS_ENDPOINT_URL: emulator.endpoint,
      AWS_REGION: place.region,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      ACCOUNT_ID: place.accountId,
      TABLE: await freshTable(admin, (await policyFrom(file, join(root, 'policies/hipaa.yaml'))).policy),
      SLACK_SIGNING_SECRET: 'ssm:/slack/secret',
      SLACK_TOKEN: 'ssm:/slack/token',
      PHIDELITY_OUTSIDE_URL: `http://127.0.0.1:${(slack.address() as AddressInfo).port}`,
    };
    const payload = JSON.stringify(blockActions(member, 'phidelity:except', actionValue('f-xwbinqbqetctjjm4kahh23q2pm', '0123456789abcdef')));
    const handler = join(folder, 'code/handlers/slack.mjs');
    const run = (clicks: number) => sandbox(env, [handler, slackSecret, payload, String(clicks)]);
    const cold: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < colds; round += 1) {
      cold.push((await run(1))[0]!);
      bare.push((await run(0))[0]!);
    }
    const [, ...warm] = await run(1 + warms);
    if (opened !== colds + 1 + warms) throw new Error(`${opened} forms were opened`);
    return { cold, warm, bare };
  } finally {
    slack.closeAllConnections();
    slack.close();
    await emulator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function sandbox(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number[]> {
  const child = fork(join(root, 'bench/slack-sandbox.ts'), args, { env, silent: true, execPath: join(root, 'node_modules/.bin/node') });
  let said = '';
  child.stdout?.on('data', (chunk) => (said += chunk));
  child.stderr?.on('data', (chunk) => (said += chunk));
  return new Promise((resolve, reject) => {
    child.once('message', (times) => resolve(times as number[]));
    child.once('exit', (code) => reject(new Error(`the sandbox ended with ${code}: ${said}`)));
  });
}
