import { DeleteQueueCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeOnMoto, type Moto, startMoto } from '../../support/moto.ts';
import { delivered, openBucket } from '../events.ts';
import { type Desk, openDesk, type Result } from '../run.ts';
import { home, type SmallStack, smallStack, stackName } from '../small-stack.ts';

describeOnMoto('dlq', () => {
  let moto: Moto;
  let desk: Desk;
  let stack: SmallStack;
  const dlq = (...args: string[]) => desk.run({ args: ['dlq', ...args, '--stack', stackName] });
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests look at.
  const json = ({ out }: Result): any => JSON.parse(out);
  const event = (bucket: string) => delivered({ ...openBucket(bucket), eventID: Buffer.from(bucket).toString('hex') });
  const tick = { source: 'phidelity', 'detail-type': 'Tick', region: home, detail: {} };

  beforeAll(async () => {
    moto = await startMoto();
    desk = openDesk({ AWS_ENDPOINT_URL: moto.endpoint, AWS_REGION: home, AWS_ACCESS_KEY_ID: 'testing', AWS_SECRET_ACCESS_KEY: 'testing' });
  });
  beforeEach(async () => {
    await moto.reset();
    stack?.destroy();
    stack = await smallStack(moto, [home, 'us-west-2']);
  });
  afterAll(async () => {
    stack?.destroy();
    desk?.clear();
    await moto?.stop();
  });

  test('empty queues: exit code 0', async () => {
    const result = await dlq('list');
    expect(result).toMatchObject({ code: 0, err: '' });
    expect(result.out).toBe('intake  empty\nsweep  empty\ntarget  empty\nalert  empty\nforwarder us-west-2  empty\n');
    expect(await dlq('redrive', '--all')).toMatchObject({ code: 0, out: '0 messages sent back\n' });
  });

  test('what lies in each is listed redacted, shown, and lies there still', async () => {
    const [first] = [
      await stack.send('IntakeDlq', event('jane-roe')),
      await stack.send('SweepDlq', tick),
      await stack.send('TargetDlq', event('jane-roe'), { ERROR_CODE: 'NO_PERMISSIONS', RULE_ARN: 'arn:aws:events:us-east-1:1:rule/bot-s3-api' }),
      await stack.send('ForwarderDlq', event('jane-roe'), { ERROR_CODE: 'THROTTLING' }, 'us-west-2'),
    ];
    const listed = await dlq('list', '--json');
    expect(listed.code).toBe(1);
    expect(listed.out).not.toMatch(/jane/);
    expect(json(listed).queues).toMatchObject([
      { queue: 'intake', region: home, count: 1, messages: [{ id: first, name: 'DeleteBucketPublicAccessBlock', since: expect.stringMatching(/^20/) }] },
      { queue: 'sweep', count: 1, messages: [{ source: 'phidelity', name: 'Tick' }] },
      { queue: 'target', count: 1, messages: [{ why: 'NO_PERMISSIONS (rule/bot-s3-api)' }] },
      { queue: 'alert', count: 0 },
      { queue: 'forwarder us-west-2', region: 'us-west-2', count: 1, messages: [{ why: 'THROTTLING' }] },
    ]);
    const shown = await dlq('show', first!);
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toContain('"eventName": "DeleteBucketPublicAccessBlock"');
    expect(shown.out).not.toMatch(/jane/);
    const raw = await dlq('show', first!, '--raw');
    expect(JSON.parse(raw.out)).toEqual(event('jane-roe'));
    expect((await dlq('list', '--raw')).out).toMatch(/jane-roe/);
    expect(await stack.bodies('IntakeDlq')).toHaveLength(1);
  });

  test('more than a batch: all go back where they belong, and nothing is left', async () => {
    for (let index = 0; index < 23; index += 1) await stack.send('IntakeDlq', event(`b-${index}`));
    await stack.send('SweepDlq', tick);
    await stack.send('TargetDlq', tick);
    await stack.send('TargetDlq', event('t'));
    await stack.send('ForwarderDlq', event('f'), {}, 'us-west-2');
    expect(await dlq('redrive', '--all')).toMatchObject({ code: 0, out: '27 messages sent back\n', err: '' });
    expect(await stack.bodies('IntakeQueue')).toEqual(
      [...Array.from({ length: 23 }, (_, index) => `b-${index}`), 't', 'f'].map((name) => JSON.stringify(event(name))).sort(),
    );
    expect(await stack.bodies('SweepQueue')).toEqual([JSON.stringify(tick), JSON.stringify(tick)]);
    expect((await dlq('list')).code).toBe(0);
  });

  test('an alert that a channel did not take goes back to the channel, and is known by its subject', async () => {
    const delivery = JSON.stringify({ channel: 'slack', alert: { id: 'f-1:open', subject: '[HIGH] Fixed: s3-bucket-tls-only on reports' } });
    await stack.send('AlertDlq', JSON.parse(delivery));
    const listed = json(await dlq('list', '--json'));
    expect(JSON.stringify(listed)).toContain('channel slack');
    expect(JSON.stringify(listed)).toContain('[HIGH] Fixed: s3-bucket-tls-only on reports');
    expect(JSON.stringify(listed)).toContain('deliver failed on it each time');
    expect(await dlq('redrive', '--all')).toMatchObject({ code: 0, out: '1 message sent back\n' });
    expect(await stack.bodies('AlertQueue')).toEqual([delivery]);
  });

  test('one is sent back by its id; the others lie there still', async () => {
    const ids = [await stack.send('IntakeDlq', event('a')), await stack.send('IntakeDlq', event('b')), await stack.send('SweepDlq', tick)];
    const result = await dlq('redrive', ids[1]!, '--json');
    expect(result.code).toBe(0);
    expect(json(result)).toEqual({ sent: [ids[1]], failed: [], missing: [], unread: [] });
    expect(await stack.bodies('IntakeQueue')).toEqual([JSON.stringify(event('b'))]);
    expect(await stack.bodies('IntakeDlq')).toEqual([JSON.stringify(event('a'))]);
    expect(await stack.bodies('SweepDlq')).toHaveLength(1);
  });

  test('what cannot be sent stays, and can be read at once', async () => {
    await stack.send('IntakeDlq', event('a'));
    await stack.send('SweepDlq', tick);
    const { QueueUrl } = await stack.sqs().send(new GetQueueUrlCommand({ QueueName: 'IntakeQueue' }));
    await stack.sqs().send(new DeleteQueueCommand({ QueueUrl }));
    const result = await dlq('redrive', '--all');
    expect(result.code).toBe(1);
    expect(result.out).toBe('1 message sent back\n');
    expect(result.err).toMatch(/^\S+ stays in intake: .*queue.*does not exist/i);
    expect(await stack.bodies('IntakeDlq')).toHaveLength(1);
    expect(await stack.bodies('SweepDlq')).toHaveLength(0);
  });

  test('a forwarder that is not there is told, never taken for empty', async () => {
    await stack.ledger.remember('deployment', { at: '', policyId: '', regions: [home, 'us-west-2', 'eu-west-1'], unreached: {}, fixSince: {} });
    const listed = await dlq('list');
    expect(listed.code).toBe(2);
    expect(listed.err).toBe('forwarder eu-west-1: there is no stack bot-forwarder in eu-west-1\n');
    expect((await dlq('redrive', '--all')).code).toBe(1);
  });

  test('an id that is not there', async () => {
    expect(await dlq('show', 'm-9')).toMatchObject({ code: 2, err: expect.stringMatching(/^there is no message m-9 in the dead-letter queues of bot/) });
    expect(await dlq('redrive', 'm-9')).toMatchObject({ code: 1, err: expect.stringMatching(/^there is no message m-9/) });
  });
});
