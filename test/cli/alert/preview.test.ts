/** What `alert preview` prints. What a channel is sent comes from the real renderers. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { previewOf } from '../../../cli/alert/preview.ts';
import { channelNames } from '../../../cli/alert/renderers.ts';
import { samplesOf } from '../../../cli/alert/samples.ts';
import { catalogue } from '../../../remediations/index.ts';
import { policyOf } from '../../support/policy-of.ts';
import { type Desk, openDesk, type Result, type Run, runAll } from '../run.ts';

const of = async (id: string) => samplesOf(await catalogue.find((entry) => entry.id === id)!.load());

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

  test('all outcomes: one line each, named on standard error', async () => {
    const { out, err } = results['all outcomes']!;
    expect(out.trimEnd().split('\n')).toHaveLength((await of('s3-bucket-public-access-block')).length);
    expect(err).toContain('s3-bucket-public-access-block, undone\n');
  });

  test('all controls, where they can end so', () => {
    const shown = JSON.parse(results['all controls, as JSON']!.out);
    expect(shown.map(({ control }: { control: string }) => control)).toEqual(catalogue.filter(({ undo }) => undo).map(({ id }) => id));
    for (const { outcome, sent } of shown) expect([outcome, sent.dedup_key]).toEqual(['undone', expect.stringMatching(/^f-/)]);
  });

  test.each([
    ['wrong control', 'there is no control s3-bucket-public-acces-block; did you mean s3-bucket-public-access-block?'],
    ['wrong channel', 'there is no kind of channel called slak; did you mean slack?'],
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
