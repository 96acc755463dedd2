/** The brakes of the deployed bot, across events, processes and executions. */
import { PutPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeOnMoto } from '../support/moto.ts';
import { closed, type Deployed, deployed, open, policyFile } from './world.ts';

const fixing = 's3-bucket-public-access-block: fix';
const guards = (more: string) => policyFile(fixing, undefined, `{ ${more} }`);

describeOnMoto('the brakes of the deployed bot (on moto, IAM enforced)', () => {
  let bot: Deployed;
  beforeAll(async () => {
    bot = await deployed(guards('fixesPerHour: 10, fixesPerControlPerHour: 1000, ramp: { fixes: 1000 }'), { warm: true });
    await bot.settle();
  }, 240_000);
  afterAll(() => bot?.stack.stop());

  const isClosed = async (bucket: string) => JSON.stringify(await bot.blockOf(bucket)) === JSON.stringify(closed);
  const count = async (buckets: readonly string[]) => (await Promise.all(buckets.map(isClosed))).filter(Boolean).length;

  test('60 drifts in a burst, 10 fixes an hour: exactly 10 fixes, one page that says so, 50 wait for approval', async () => {
    const buckets = await Promise.all(Array.from({ length: 60 }, () => bot.bucket(open)));
    await bot.settle(...buckets.map((bucket) => bot.opened(bucket)));
    // An attempt that met another one's write is made again a few seconds later.
    bot.stack.clock.advance(30);
    await bot.settle();
    expect(await count(buckets)).toBe(10);
    const statuses = Map.groupBy(await bot.findings('s3-bucket-public-access-block'), ({ outcome }) => outcome?.status);
    expect(Object.fromEntries([...statuses].map(([status, { length }]) => [status, length]))).toEqual({ REMEDIATED: 10, AWAITING_APPROVAL: 50 });
    const told = await bot.alerts.read();
    const pages = told.filter(({ attributes }) => attributes.urgency === 'page');
    expect(pages.map(({ attributes }) => attributes.control)).toEqual(['bot-brakes']);
    expect(pages[0]!.message).toContain('10 fixes within an hour');
    // Each page by itself; of ten fixes three, the others as one.
    expect(told.length - pages.length).toBe(3);
  }, 240_000);

  test('an hour later the brake lifts, and says so once; the other fixes are told as one', async () => {
    bot.stack.clock.advance(3_700);
    await bot.stack.tick();
    await bot.settle();
    const all = await bot.alerts.read();
    const folded = all.filter(({ attributes }) => attributes.status === 'FOLDED');
    expect(folded).toHaveLength(1);
    expect(folded[0]!.message).toContain('7 findings told as one');
    const told = all.filter(({ attributes }) => attributes.control === 'bot-brakes');
    expect(told.map(({ subject }) => subject)).toEqual([expect.stringContaining('Resolved: bot-brakes')]);
  }, 120_000);

  test('one bucket re-opened 10 times, limit 3: 3 fixes, then one page that names both actors', async () => {
    await bot.stack.deploy(guards('repeat: { limit: 3, within: 24h }, fixesPerHour: 1000, fixesPerControlPerHour: 1000, ramp: { fixes: 1000 }'));
    await bot.settle();
    await bot.alerts.read();
    const bucket = await bot.bucket(open);
    let fixes = 0;
    for (let time = 0; time < 10; time += 1) {
      await bot.stack.clients.s3.send(new PutPublicAccessBlockCommand({ Bucket: bucket, PublicAccessBlockConfiguration: open }));
      await bot.settle(bot.opened(bucket));
      if (await isClosed(bucket)) fixes += 1;
    }
    expect(fixes).toBe(3);
    const pages = (await bot.alerts.read()).filter(({ attributes, message }) => attributes.urgency === 'page' && message.includes(bucket));
    expect(pages).toHaveLength(1);
    expect(pages[0]!.message).toContain('Developers/dana');
    expect(pages[0]!.message).toMatch(/repaired by the bot, arn:aws:iam::123456789012:role\/\S*RemediateRole/);
  }, 240_000);

  test('the kill switch, without a deploy: no write from the next event on, a page instead', async () => {
    const ssm = new SSMClient({ region: bot.stack.region, endpoint: bot.stack.endpoint, credentials: bot.stack.emulator.adminCredentials() });
    const Name = bot.stack.report.outputs.KillSwitchParameter!;
    expect((await ssm.send(new GetParameterCommand({ Name }))).Parameter!.Value).toBe('off');
    await ssm.send(new PutParameterCommand({ Name, Value: 'on', Overwrite: true }));
    const bucket = await bot.bucket(open);
    await bot.settle(bot.opened(bucket));
    expect(await bot.blockOf(bucket)).toEqual(open);
    expect((await bot.alerts.read()).map(({ message }) => message)).toEqual([expect.stringContaining('The kill switch is on, so nothing is written.')]);
    await ssm.send(new PutParameterCommand({ Name, Value: 'off', Overwrite: true }));
    await bot.settle(bot.opened(bucket));
    expect(await bot.blockOf(bucket)).toEqual(closed);
  }, 120_000);
});
