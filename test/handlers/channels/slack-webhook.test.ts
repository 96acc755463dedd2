/** Against the stand-in for Slack, test/support/outside/slack.ts. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Alert } from '../../../engine/alerts/alert.ts';
import { type SlackWebhookChannel, slackWebhook } from '../../../handlers/channels/slack-webhook.ts';
import { lives } from '../../support/findings.ts';
import { context, told } from '../../support/lamps.ts';
import { failure } from '../../support/outside/failure.ts';
import type { OutsideWorld } from '../../support/outside/server.ts';
import { webhookPath as path, type SlackScene, slackScene } from '../../support/outside/slack-scene.ts';

const hook: SlackWebhookChannel = { pages: true, minSeverity: 'INFORMATIONAL', timezone: 'UTC', slackWebhook: 'ssm:/hook' };
const headOf = (blocks: readonly unknown[]) => (blocks[0] as { text: { text: string } }).text.text;

let scene: SlackScene;
beforeEach(async () => {
  scene = await slackScene();
});
afterEach(() => scene.world.stop());

describe('an incoming webhook', () => {
  const send = (one: Alert, patienceMs?: number) => slackWebhook(scene.outside, { patienceMs })(one, hook, context, undefined);

  test('each state is a message, without buttons', async () => {
    expect(await send(told(lives['an approval is asked for']))).toBeUndefined();
    await send(told(lives.fixed));
    const posted = scene.slack.posted(path);
    expect(posted.map(({ blocks }) => headOf(blocks as unknown[]))).toEqual(['🟠 Approval needed [HIGH]', '✅ Fixed [HIGH]']);
    expect(JSON.stringify(posted)).not.toContain('"actions"');
  });

  test('an address that was changed is read again', async () => {
    scene.secrets.set('ssm:/hook', `${scene.world.url}/slack/services/T0/B0/gone`);
    const before = send(told(lives['a page']));
    expect((await failure(before)).message).toMatch(/no_service.*make a new one/);
    scene.secrets.set('ssm:/hook', `${scene.world.url}/slack${path}`);
    await send(told(lives['a page']));
    expect(scene.slack.posted(path)).toHaveLength(1);
    expect(scene.read).toEqual(['ssm:/hook', 'ssm:/hook', 'ssm:/hook']);
  });

  const refused: readonly (readonly [code: string, status: number, sentence: RegExp])[] = [
    ['no_service', 404, /make a new one/],
    ['invalid_token', 403, /make a new one/],
    ['action_prohibited', 403, /administrator/],
    ['channel_is_archived', 410, /unarchive it/],
    ['channel_not_found', 404, /make a webhook for another one/],
    ['invalid_payload', 400, /form of the message/],
    ['something new', 400, /^The Slack webhook answers 400\.$/],
    ['toString', 400, /^The Slack webhook answers 400\.$/],
  ];
  for (const [code, status, sentence] of refused)
    test(`${code}: refused, with the way out`, async () => {
      scene.world.fail('slack', { status, body: code });
      const error = await failure(send(told(lives['a page'])));
      // The secret has not been changed: the same would be refused again.
      expect([error.failure, scene.paths().length]).toEqual(['refused', 1]);
      expect(error.message).toMatch(sentence);
      expect(`${error.message} ${error.stack}`).not.toContain('the-first-path');
    });

  const passing: Readonly<Record<string, readonly [Parameters<OutsideWorld['fail']>[1], string, number?]>> = {
    'too many messages': [{ status: 429, headers: { 'retry-after': '30' } }, 'The Slack webhook answers 429.', 30],
    'a fault of Slack': [{ status: 500, body: 'rollup_error' }, 'The Slack webhook answers 500.'],
    'no answer': ['never', 'The Slack webhook has not answered within 0.05 s.'],
  };
  for (const [name, [answer, message, retryAfter]] of Object.entries(passing))
    test(`${name}: again`, async () => {
      scene.world.fail('slack', answer);
      const error = await failure(send(told(lives['a page']), answer === 'never' ? 50 : undefined));
      expect([error.failure, error.message, error.retryAfter]).toEqual(['again', message, retryAfter]);
    });
});
