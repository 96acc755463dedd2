/** The sweep of the command line when it is interrupted: what is kept, and where it goes on. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { delivered, stopLogging } from './events.ts';
import { type Desk, ndjson, openDesk, type Result } from './run.ts';

const policyOf = (...controls: string[]) => `version: 1\nextends: hipaa\ncontrols:\n  "*": off\n${controls.map((id) => `  ${id}: notify\n`).join('')}`;

type Answer = (action: string, token: string | null) => { readonly status?: number; readonly body: string; readonly hold?: Promise<unknown> };

const page = (from: number, next?: string) =>
  `<DescribeVolumesResponse><volumeSet>${[from, from + 1]
    .map((n) => `<item><volumeId>vol-${n}</volumeId><encrypted>${n % 2 === 0}</encrypted><status>available</status></item>`)
    .join('')}</volumeSet>${next ? `<nextToken>${next}</nextToken>` : ''}</DescribeVolumesResponse>`;
const snapshots = (from: number, next?: string) =>
  `<DescribeSnapshotsResponse><snapshotSet>${[from, from + 1]
    .map((n) => `<item><snapshotId>snap-${n}</snapshotId><ownerId>123456789012</ownerId></item>`)
    .join('')}</snapshotSet>${next ? `<nextToken>${next}</nextToken>` : ''}</DescribeSnapshotsResponse>`;
const fault = (code: string) => ({ status: 400, body: `<Response><Errors><Error><Code>${code}</Code><Message>no</Message></Error></Errors></Response>` });

/** Three pages of two volumes, one of them not encrypted. */
const volumes: Answer = (action, token) => {
  if (action === 'GetCallerIdentity')
    return {
      body: '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/dana</Arn><UserId>U</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
    };
  if (action === 'GetEbsEncryptionByDefault')
    return { body: '<GetEbsEncryptionByDefaultResponse><ebsEncryptionByDefault>true</ebsEncryptionByDefault></GetEbsEncryptionByDefaultResponse>' };
  if (action === 'DescribeVolumes') return { body: page(token ? Number(token) : 0, token === '4' ? undefined : String(Number(token ?? 0) + 2)) };
  return fault('InvalidAction');
};

let server: Server;
let desk: Desk;
let answer: Answer;
let asked: string[];

beforeEach(async () => {
  answer = volumes;
  asked = [];
  server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const form = new URLSearchParams(text);
    const [action, token] = [form.get('Action')!, form.get('NextToken')];
    asked.push(token ? `${action} ${token}` : action);
    const { status = 200, body, hold } = answer(action, token);
    await hold;
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  desk = openDesk({ AWS_ENDPOINT_URL: endpoint, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'testing', AWS_SECRET_ACCESS_KEY: 'testing' });
  writeFileSync(desk.path('policy.yaml'), policyOf('ebs-encryption-by-default', 'ebs-volume-encrypted'));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  desk.clear();
});

const sweep = (...more: string[]) => desk.run({ args: ['sweep', '--policy', 'policy.yaml', '--json', ...more] });
/** Ctrl-C, so many times, while the first answer to this request is on its way. */
async function interrupted(times: number, at: string, ...more: string[]): Promise<Result> {
  let child: ChildProcess;
  const signalled = async () => {
    for (let sent = 0; sent < times; sent += 1) {
      child.kill('SIGINT');
      await delay(300);
    }
  };
  answer = (action, token) => ({ ...volumes(action, token), ...(`${action} ${token}` === at && { hold: signalled() }) });
  const started = (process: ChildProcess) => {
    child = process;
  };
  const result = await desk.run({ args: ['sweep', '--policy', 'policy.yaml', '--json', ...more], started });
  answer = volumes;
  return result;
}
const kept = () => existsSync(desk.path('.phidelity/sweep.json'));
const everything = { byStatus: { COMPLIANT: 4, DRY_RUN: 3 } };

test('without an interruption all is read once, and nothing is kept', async () => {
  const result = await sweep();
  expect(result.code).toBe(1);
  expect(ndjson(result).summary).toMatchObject(everything);
  expect(kept()).toBe(false);
});

describe('interrupted and resumed, it has read everything and counts each resource once', () => {
  test.each([
    ['on the second page', 1, 'DescribeVolumes 2'],
    ['in a control of one page', 1, 'GetEbsEncryptionByDefault null'],
    ['by a second Ctrl-C, which ends the process', 2, 'DescribeVolumes 2'],
  ])('%s', async (_, times, at) => {
    const first = await interrupted(times, at);
    expect(first.code).toBe(times > 1 ? null : 2);
    expect(kept()).toBe(true);
    const rest = await sweep('--resume');
    expect(rest.code).toBe(1);
    expect(ndjson(rest).summary).toMatchObject({ ...everything, routed: 2, failed: 0 });
    expect(kept()).toBe(false);
  });

  test('by credentials that expire in the middle of a page', async () => {
    writeFileSync(desk.path('policy.yaml'), policyOf('ebs-snapshot-not-public'));
    let expired = true;
    answer = (action, token) => {
      if (action === 'DescribeSnapshots') return { body: snapshots(token ? 2 : 0, token ? undefined : '2') };
      if (action !== 'DescribeSnapshotAttribute') return volumes(action, token);
      const read = asked.filter((one) => one === action).length;
      return expired && read > 1
        ? fault('RequestExpired')
        : { body: '<DescribeSnapshotAttributeResponse><createVolumePermission/></DescribeSnapshotAttributeResponse>' };
    };
    expect((await sweep()).code).toBe(2);
    expired = false;
    const rest = await sweep('--resume');
    expect(rest.code).toBe(0);
    expect(ndjson(rest).summary).toMatchObject({ byStatus: { COMPLIANT: 4 }, workItems: 4, failed: 0 });
  });
});

test('interrupted on the last page it has come to its end', async () => {
  const result = await interrupted(1, 'DescribeVolumes 4');
  expect(result.code).toBe(1);
  expect(ndjson(result).summary).toMatchObject({ ...everything, routed: 2 });
  expect(kept()).toBe(false);
});

test('what could not be read before the interruption is not forgotten', async () => {
  const broken: Answer = (action, token) => (action === 'GetEbsEncryptionByDefault' ? fault('InvalidParameterValue') : volumes(action, token));
  const { body } = broken('GetEbsEncryptionByDefault', null);
  let child: ChildProcess;
  answer = (action, token) => {
    if (action === 'DescribeVolumes' && token === '2') child.kill('SIGINT');
    return action === 'GetEbsEncryptionByDefault' ? { status: 400, body } : { ...volumes(action, token), ...(token === '2' && { hold: delay(300) }) };
  };
  const started = (process: ChildProcess) => {
    child = process;
  };
  await desk.run({ args: ['sweep', '--policy', 'policy.yaml', '--json'], started });
  answer = volumes;
  const rest = await sweep('--resume');
  expect(rest.code).toBe(2);
  expect(ndjson(rest).summary).toMatchObject({ failed: 1, routed: 1, droppedBy: { 'could not be read': 1 } });
});

test('another sweep that comes to its end leaves what is kept', async () => {
  await interrupted(1, 'DescribeVolumes 2');
  expect((await sweep('--control', 'ebs-encryption-by-default')).code).toBe(0);
  expect(kept()).toBe(true);
});

test('resumed as another sweep, it says what the interrupted one was', async () => {
  await interrupted(1, 'DescribeVolumes 2');
  for (const [more, was] of [
    [['--region', 'us-west-2'], 'of --region us-east-1'],
    [['--control', 'ebs-encryption-by-default'], 'of other controls'],
    [['--apply'], 'without --apply'],
  ] as const) {
    const result = await sweep('--resume', ...more);
    expect(result).toMatchObject({
      code: 2,
      err: expect.stringContaining(`the interrupted sweep was ${was}: say the same here, or run this one without --resume`),
    });
  }
  writeFileSync(desk.path('policy.yaml'), `${policyOf('ebs-encryption-by-default', 'ebs-volume-encrypted')}backlog: fix\n`);
  expect((await sweep('--resume')).err).toContain('the interrupted sweep was by another policy: ');
  expect(kept()).toBe(true);
});

test('a folder that cannot be written: the summary says what was done, and that it cannot go on', async () => {
  const result = await interrupted(1, 'DescribeVolumes 2', '--state', 'policy.yaml/state');
  expect(result.code).toBe(2);
  expect(ndjson(result).summary).toMatchObject({ droppedBy: { 'not run': 1 } });
  expect(result.err).toContain('cannot be kept');
});

test('replay: a listing that is denied fails what asked for it, and the summary follows', async () => {
  const event = { ...delivered(stopLogging()), source: 'aws.ec2', account: '123456789012' };
  const detail = { ...event.detail, eventSource: 'ec2.amazonaws.com', eventName: 'CreateVolume', recipientAccountId: '123456789012' };
  writeFileSync(desk.path('event.json'), JSON.stringify({ ...event, detail: { ...detail, requestParameters: null, responseElements: null } }));
  answer = (action, token) => (action === 'DescribeVolumes' ? fault('UnauthorizedOperation') : volumes(action, token));
  const result = await desk.run({ args: ['replay', 'event.json', '--policy', 'policy.yaml', '--json'] });
  expect(result.code).toBe(2);
  expect(ndjson(result).summary).toMatchObject({ events: 1, routed: 1, failed: 1 });
});
