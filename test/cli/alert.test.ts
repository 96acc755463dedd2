/** Previews and the test of a channel. What a channel is sent comes from the real renderers; the queues of a stack are moto's. */
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resourceNames } from '../../cli/alert/examples.ts';
import { previewOf } from '../../cli/alert/preview.ts';
import { channelNames } from '../../cli/alert/renderers.ts';
import { isTrigger, sampleFinding } from '../../cli/alert/sample-finding.ts';
import { outcomeUnder, samplesOf } from '../../cli/alert/samples.ts';
import { isWell, testChannel, wordsOf } from '../../cli/alert/test-channel.ts';
import { ledgerAt, type OpenStack } from '../../cli/stack.ts';
import type { Delivery } from '../../engine/alerts/delivery.ts';
import { matchArn } from '../../engine/arn.ts';
import { type AnyControl, isEventControl } from '../../engine/control.ts';
import { redact } from '../../engine/redact.ts';
import { awsAccess } from '../../handlers/aws/access.ts';
import { catalogue } from '../../remediations/index.ts';
import { describeOnMoto, type Moto, startMoto } from '../support/moto.ts';
import { policyOf } from '../support/policy-of.ts';
import { type Desk, openDesk, type Result, type Run, runAll } from './run.ts';
import { home, type SmallStack, smallStack, stackName } from './small-stack.ts';

const controls = new Map<string, AnyControl>();
beforeAll(async () => {
  for (const entry of catalogue) controls.set(entry.id, await entry.load());
});
const of = (id: string) => samplesOf(controls.get(id)!);
const outcomes = (id: string) => of(id).map(({ outcome }) => outcome);

describe('samples', () => {
  test.each(catalogue.map(({ id }) => id))('%s: a believable finding', (id) => {
    const control = controls.get(id)!;
    const { finding, change } = sampleFinding(control);
    expect(matchArn(control.arn, finding.resource.id)).toBeDefined();
    if (control.arn.includes('{id}')) expect(resourceNames).toHaveProperty([control.resourceType]);
    expect(isTrigger(control, finding.openedBy.eventName!)).toBe(true);
    expect(finding.evaluation.complianceType).toBe('NON_COMPLIANT');
    expect(change !== undefined).toBe('remediate' in control && control.remediate !== undefined);
    // Nothing in it looks like an identifier of a person.
    for (const text of [finding.resource.id, finding.evaluation.annotation, finding.actor!.arn]) expect(redact(text, { keep: ['session'] })).toBe(text);
  });

  test.each(catalogue.map(({ id }) => id))('%s: each outcome is told in its own way', (id) => {
    const samples = of(id);
    expect(new Set(outcomes(id)).size).toBe(samples.length);
    expect(new Set(samples.map(({ alert }) => JSON.stringify(alert))).size).toBe(samples.length);
  });

  test('only what the control can have', () => {
    for (const [id, control] of controls) {
      const has = (outcome: string) => outcomes(id).includes(outcome);
      const state = isEventControl(control) ? undefined : control;
      expect([id, has('fixed'), has('undone'), has('gone'), has('backlog'), has('gone-already')]).toEqual([
        id,
        state?.remediate !== undefined,
        state?.undo !== undefined,
        state !== undefined,
        state !== undefined,
        Boolean(state?.reportTransient),
      ]);
    }
  });

  test('headlines, as people read them', () => {
    const heads = Object.fromEntries(of('s3-bucket-public-access-block').map(({ outcome, alert }) => [outcome, `${alert.headline}, ${alert.urgency}`]));
    expect(heads).toEqual({
      drift: 'Drift, notify',
      page: 'ACTION NEEDED, page',
      'control-off': 'Closed, control off, notify',
      excepted: 'Closed, excepted, notify',
      resolved: 'Resolved, notify',
      'not-applicable': 'Resolved, notify',
      gone: 'Resource gone, notify',
      'state-unclear': 'CANNOT SEE, page',
      'gone-already': 'Gone already, notify',
      'approval-asked': 'Approval needed, page',
      'approval-half': 'Approval needed, page',
      'fix-planned': 'Fix planned, notify',
      'fix-under-way': 'Fix under way, notify',
      'fix-waits': 'Fix waits, notify',
      'fix-blocked': 'ACTION NEEDED, page',
      'fix-held': 'Approval needed, page',
      fixed: 'Fixed, notify',
      'fixed-confirmed': 'Fixed, notify',
      'fix-failed': 'FIX FAILED, page',
      'fix-failed-in-part': 'FIX FAILED, page',
      'retry-later': expect.any(String),
      'undo-asked': 'Undo asked, page',
      'undo-under-way': 'Undo under way, notify',
      undone: 'Undone, notify',
      'undo-withdrawn': 'Not undone, notify',
      'undo-failed': 'UNDO FAILED, page',
      'cannot-see': 'CANNOT SEE, page',
      backlog: 'Was there before, notify',
    });
  });

  test.each([
    ['off', undefined],
    ['notify', 'drift'],
    ['page', 'page'],
    ['approve', 'approval-asked'],
    ['fix', 'fixed'],
  ] as const)('under %s: %s', (mode, outcome) => {
    expect(outcomeUnder(mode, {}, of('cloudtrail-logging-on'))).toBe(outcome);
    // Where there is no fix, a person is called.
    expect(outcomeUnder(mode, {}, of('cloudtrail-trail-exists'))).toBe(mode === 'approve' || mode === 'fix' ? 'page' : outcome);
  });

  test('under fix after a while', () => expect(outcomeUnder('fix', { fixAfter: 60 }, of('cloudtrail-logging-on'))).toBe('fix-planned'));
});

describe('previews', () => {
  test('every control in every channel, by default', async () => {
    const policy = await policyOf('controls: { s3-bucket-versioning: off }');
    for (const channel of channelNames) {
      const shown = await previewOf(catalogue, channel, undefined, policy);
      expect(shown.map(({ control }) => control)).toEqual(catalogue.map(({ id }) => id));
      expect(shown.filter((one) => 'why' in one).map(({ control }) => control)).toEqual(['s3-bucket-versioning']);
    }
  });

  test('an account is called by its name', async () => {
    const policy = await policyOf('accounts: { "111122223333": clinic-prod }\ncontrols: {}');
    const [shown] = await previewOf(
      catalogue.filter(({ id }) => id === 'lambda-url-auth'),
      'slack',
      undefined,
      policy,
    );
    expect(JSON.stringify(shown)).toContain('clinic-prod');
  });
});

describe('the command', () => {
  const preview = (...args: string[]): Run => ({ args: ['alert', 'preview', ...args] });
  const bucket = ['--control', 's3-bucket-public-access-block'];
  const runs: Record<string, Run> = {
    slack: preview(...bucket, '--channel', 'slack'),
    email: preview(...bucket, '--channel', 'email', '--outcome', 'fix-failed'),
    sms: preview(...bucket, '--channel', 'sms', '--outcome', 'fixed'),
    'all outcomes': preview(...bucket, '--channel', 'sms', '--outcome', 'all'),
    'all controls, as JSON': preview('--control', 'all', '--channel', 'pagerduty', '--outcome', 'undone', '--json'),
    'wrong control': preview('--control', 's3-bucket-public-acces-block', '--channel', 'slack'),
    'wrong channel': preview(...bucket, '--channel', 'slak'),
    'wrong outcome': preview(...bucket, '--channel', 'slack', '--outcome', 'fixd'),
    'an outcome of others': preview('--control', 'cloudtrail-trail-exists', '--channel', 'slack', '--outcome', 'undone'),
    'wrong policy': preview(...bucket, '--channel', 'slack', '--policy', 'nowhere.yaml'),
    help: { args: ['alert', '--help'] },
  };
  let desk: Desk;
  let results: Record<string, Result>;
  beforeAll(async () => {
    desk = openDesk();
    results = await runAll(desk, runs);
  });
  afterAll(() => desk.clear());
  const sample = 'Samples: the findings are invented, nothing is sent.\n';

  test('standard output holds what would be sent, and nothing else', () => {
    const { code, out, err } = results.slack!;
    expect([code, err]).toEqual([0, sample]);
    expect(JSON.parse(out)).toMatchObject({ text: expect.any(String), blocks: expect.any(Array) });
  });

  test('an e-mail is read as it is', () => {
    const { code, out } = results.email!;
    expect(code).toBe(0);
    expect(out).toMatch(/^Subject: \[HIGH\] FIX FAILED: s3-bucket-public-access-block on clinic-exports\n\n/);
  });

  test('a text message too', () => expect(results.sms!.out.trimEnd().length).toBeLessThanOrEqual(140));

  test('all outcomes: one line each, named on standard error', () => {
    const { out, err } = results['all outcomes']!;
    expect(out.trimEnd().split('\n')).toHaveLength(of('s3-bucket-public-access-block').length);
    expect(err).toContain('s3-bucket-public-access-block, undone\n');
  });

  test('all controls, where they can end so', () => {
    const shown = JSON.parse(results['all controls, as JSON']!.out);
    expect(shown.map(({ control }: { control: string }) => control)).toEqual(catalogue.filter(({ undo }) => undo).map(({ id }) => id));
    for (const { outcome, sent } of shown) expect([outcome, sent.dedup_key]).toEqual(['undone', expect.stringMatching(/^f-/)]);
  });

  test.each([
    ['wrong control', 'there is no control s3-bucket-public-acces-block; did you mean s3-bucket-public-access-block?'],
    ['wrong channel', 'there is no channel slak; did you mean slack?'],
    ['wrong outcome', 'there is no outcome of s3-bucket-public-access-block called fixd; did you mean fixed?'],
    ['an outcome of others', 'there is no outcome of cloudtrail-trail-exists called undone: one of drift, page,'],
    ['wrong policy', 'nowhere.yaml'],
  ])('%s: one line', (name, message) => {
    const { code, out, err } = results[name]!;
    expect([code, out]).toEqual([2, '']);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).toContain(message);
  });

  test('help shows how', () => expect(results.help!.out).toContain('npx phidelity alert test security --stack phidelity-prod'));
});

describeOnMoto('the test of a channel', () => {
  let moto: Moto;
  let stack: SmallStack;
  let open: OpenStack;
  beforeAll(async () => {
    moto = await startMoto();
  });
  beforeEach(async () => {
    await moto.reset();
    stack?.destroy();
    stack = await smallStack(moto);
    const aws = awsAccess({ endpoint: moto.endpoint, credentials: { accessKeyId: 'testing', secretAccessKey: 'testing' }, useQueueUrlAsEndpoint: false })(
      { accountId: '123456789012', region: home },
      { share: false },
    );
    open = { stack: { name: stackName, region: home, status: '', outputs: {} }, aws, ledger: ledgerAt('ledger', aws) };
    await stack.ledger.storePolicy(await policyOf('channels: { on-call: { pagerDuty: "ssm:/phidelity/pagerduty" } }\ncontrols: {}'));
  });
  afterAll(async () => {
    stack?.destroy();
    await moto?.stop();
  });
  const at = new Date('2026-11-01T03:00:00.000Z');

  /** The bot, as far as the queue sees it. */
  const taken: Delivery[] = [];
  const take = async () => {
    const { QueueUrl } = await queue('AlertQueue');
    const { Messages = [] } = await stack.sqs().send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 }));
    for (const { Body = '' } of Messages) taken.push(JSON.parse(Body));
  };
  const queue = async (name: string) => ({ QueueUrl: `${moto.endpoint}/123456789012/${name}` });

  test('the message is a Delivery, clearly a test; a queue that nobody empties is told', async () => {
    let pauses = 0;
    taken.length = 0;
    const tested = await testChannel(
      'on-call',
      open,
      async () => {
        pauses += 1;
        if (pauses === 1) await take();
      },
      at,
    );
    expect(pauses).toBe(30);
    expect(tested).toMatchObject({ channel: 'on-call', kind: 'pagerDuty', taken: false, waiting: 1, dlq: { before: 0, after: 0 } });
    expect(taken).toEqual([
      {
        channel: 'on-call',
        alert: expect.objectContaining({
          status: 'TEST',
          headline: 'TEST',
          urgency: 'notify',
          severity: 'INFORMATIONAL',
          accountId: '123456789012',
          hipaa: [],
        }),
      },
    ]);
    expect(tested.subject).toBe(`[TEST] Nothing has happened: a test of channel on-call of ${stackName}`);
    expect(isWell(tested)).toBe(false);
    expect(wordsOf(tested)).toContain('not empty after 30 s (1 message)');
  });

  test('emptied: what was seen is told, and that nobody knows whether it arrived', async () => {
    let pauses = 0;
    const tested = await testChannel(
      'on-call',
      open,
      async () => {
        pauses += 1;
        if (pauses === 2) await stack.empty('AlertQueue');
      },
      at,
    );
    expect([pauses, tested.taken, isWell(tested)]).toEqual([3, true, true]);
    expect(wordsOf(tested)).toMatch(
      /^The bot has emptied its alert queue, and the dead-letter queue has not grown. Whether on-call \(pagerDuty\) shows it, look/,
    );
    expect(wordsOf(tested)).not.toMatch(/arrived|delivered|reached/);
  });

  test('what lands in the dead-letter queue is told, though the queue is empty', async () => {
    await stack.send('AlertDlq', 'an older one');
    const tested = await testChannel(
      'on-call',
      open,
      async () => {
        await stack.empty('AlertQueue');
        await stack.send('AlertDlq', 'it');
      },
      at,
    );
    expect(tested).toMatchObject({ taken: true, dlq: { before: 1, after: 3 } });
    expect(isWell(tested)).toBe(false);
    expect(wordsOf(tested)).toContain('grown from 1 to 3');
  });

  test('a channel that the policy of the stack does not have', async () => {
    await expect(testChannel('oncall', open, async () => {}, at)).rejects.toThrow(
      `there is no channel in the policy of stack ${stackName} called oncall; did you mean on-call?`,
    );
  });
});
