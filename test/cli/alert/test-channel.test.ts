/** The test of a channel; the queues of the stack are moto's, and nobody works at them but the test. */
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { isWell, testChannel, wordsOf } from '../../../cli/alert/test-channel.ts';
import { ledgerAt, type OpenStack } from '../../../cli/stack.ts';
import type { Delivery } from '../../../engine/alerts/delivery.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import { describeOnMoto, type Moto, startMoto } from '../../support/moto.ts';
import { policyOf } from '../../support/policy-of.ts';
import { home, type SmallStack, smallStack, stackName } from '../small-stack.ts';

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
    await stack.ledger.storePolicy(
      await policyOf('channels: { on-call: { pagerDuty: "ssm:/phidelity/pagerduty" }, hub: { securityHub: true } }\ncontrols: {}'),
    );
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

  test('Security Hub takes no messages: nothing is put into the queue', async () => {
    await expect(testChannel('hub', open, async () => {}, at)).rejects.toThrow('channel hub is Security Hub, which takes findings and no messages');
    expect(await stack.bodies('AlertQueue')).toEqual([]);
  });

  test('a channel that the policy of the stack does not have', async () => {
    await expect(testChannel('oncall', open, async () => {}, at)).rejects.toThrow(
      `there is no channel in the policy of stack ${stackName} called oncall; did you mean on-call?`,
    );
  });
});
