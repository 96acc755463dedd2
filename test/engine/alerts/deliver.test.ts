/** One alert to one channel: state of the channels and of what is remembered, on the ledger in memory. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Alert } from '../../../engine/alerts/alert.ts';
import { comesBackIn, deliver } from '../../../engine/alerts/deliver.ts';
import type { DeliverPorts } from '../../../engine/alerts/deliver-ports.ts';
import { type Context, type Delivery, DeliveryError, type Kept } from '../../../engine/alerts/delivery.ts';
import { alertOf as alertOfFinding } from '../../../engine/alerts/finding.ts';
import { RetryLaterError } from '../../../engine/errors.ts';
import type { CompiledChannel } from '../../../engine/policy/channels.ts';
import { World } from '../../support/world.ts';
import { alert, changed, given } from './samples.ts';

const taking = { pages: false, minSeverity: 'INFORMATIONAL', timezone: 'UTC' } as const;
const channels = {
  security: { sns: true, ...taking, pages: true },
  records: { sns: true, ...taking, minSeverity: 'CRITICAL' },
  slack: { slackWebhook: 'ssm:/hook', ...taking },
} satisfies Record<string, CompiledChannel>;
const policy = { channels, accounts: { '123456789012': 'clinic-prod' } };

const alertOf = (version: number, more: Partial<Alert> = {}): Alert => ({
  ...alert({ name: '1', version }),
  id: `f-1:v${version}`,
  lines: [{ label: 'Wrong', value: 'The lamp is on.' }],
  ...more,
});

interface Said {
  readonly channel: string;
  readonly id: string;
  readonly context: Context;
  readonly kept?: Kept;
}

class Post {
  readonly world = new World();
  readonly said: Said[] = [];
  readonly told: Alert[] = [];
  readonly queued: Delivery[] = [];
  /** What the channels answer, by name, first come first; nothing: they take it. */
  readonly fails: Record<string, Error[]> = {};
  readonly ports: DeliverPorts = {
    ...this.world.ports,
    stack: 'phidelity-prod',
    region: 'us-east-1',
    catalogue: this.world.catalogue,
    send: async (channel, _, alert, context, kept) => {
      const { id } = alert;
      const failure = this.fails[channel]?.shift();
      if (failure) throw failure;
      this.told.push(alert);
      this.said.push({ channel, id, context, ...(kept && { kept }) });
      return { slack: { channel: 'C1', ts: '1.1' } };
    },
    enqueue: async (deliveries) => void this.queued.push(...deliveries),
  };
  /** Delivers, and tells how that ended. */
  async give(channel: string, alert: Alert, attempt = 1): Promise<string> {
    return deliver({ channel, alert }, attempt, policy, this.ports).then(
      () => 'done',
      (error: Error) => error.name,
    );
  }
  ids = () => this.said.map(({ channel, id }) => `${channel} ${id}`);
}

let post: Post;
beforeEach(() => {
  post = new Post();
});
afterEach(() => post.world.close());

const busy = () => new DeliveryError('again', 'Slack answers 503.');
const refused = () => new DeliveryError('refused', 'Slack answers 404.');

describe('once and in order', () => {
  test('with the name of the account and of the stack; the next goes on with what the channel has kept', async () => {
    await post.give('slack', alertOf(1));
    await post.give('slack', alertOf(2));
    expect(post.said).toEqual([
      { channel: 'slack', id: 'f-1:v1', context: { stack: 'phidelity-prod', region: 'us-east-1', accountName: 'clinic-prod' } },
      expect.objectContaining({ id: 'f-1:v2', kept: { slack: { channel: 'C1', ts: '1.1' } } }),
    ]);
  });

  test('a message that the queue brings twice is told once', async () => {
    for (let count = 0; count < 3; count += 1) expect(await post.give('slack', alertOf(1))).toBe('done');
    expect(post.ids()).toEqual(['slack f-1:v1']);
  });

  test('an older state that comes late is not told over a newer one', async () => {
    await post.give('slack', alertOf(5));
    expect(await post.give('slack', alertOf(3))).toBe('done');
    expect(post.ids()).toEqual(['slack f-1:v5']);
  });

  test('a reminder of the same version is told', async () => {
    await post.give('security', alertOf(1));
    await post.give('security', alertOf(1, { id: 'f-1:v1:reminder:1', urgency: 'page' }));
    expect(post.ids()).toEqual(['security f-1:v1', 'security f-1:v1:reminder:1']);
  });

  test('what the policy no longer has is told nothing', async () => {
    expect(await post.give('gone', alertOf(1))).toBe('done');
    expect(post.said).toEqual([]);
  });

  // Names that every object has.
  test.each(['constructor', '__proto__', 'toString'])('the channel %s is none', async (name) => {
    expect(await post.give(name, alertOf(1))).toBe('done');
    expect(post.said).toEqual([]);
  });

  test('an account that bears such a name has none', async () => {
    await post.give('slack', alertOf(1, { accountId: 'constructor' }));
    expect(post.said[0]!.context).toEqual({ stack: 'phidelity-prod', region: 'us-east-1' });
  });

  test('while another process tells of the same finding the message comes back', async () => {
    const lease = (await post.world.ledger.lease('told|slack|f-1', 'other', 60))!;
    expect(await post.give('slack', alertOf(1))).toBe('RetryLaterError');
    await post.world.ledger.release(lease);
    expect(await post.give('slack', alertOf(1))).toBe('done');
  });

  test('any order, any repeats: each told version is higher than the one before, and the highest is told', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }), async (versions) => {
        const own = new Post();
        for (const version of versions) await own.give('security', alertOf(version, { urgency: 'page' }));
        const told = own.said.map(({ id }) => Number(id.slice('f-1:v'.length)));
        own.world.close();
        expect(told).toEqual([...new Set(told)].toSorted((one, other) => one - other));
        expect(told.at(-1)).toBe(Math.max(...versions));
      }),
      { numRuns: 50 },
    );
  });
});

describe('what became of an answer', () => {
  const answered = (version: number, id = 'f-1:answer:1') => alertOf(version, { id, answered: 'lee wants it looked at again.' });
  const shown = () => post.said.map(({ id, context }) => `${id}${context.older ? ' beside what is newer' : ''}`);

  test('is told once, however often the queue brings it', async () => {
    await post.give('slack', alertOf(1));
    await post.give('slack', answered(3));
    await post.give('slack', answered(4, 'f-1:answer:2'));
    await post.give('slack', answered(3));
    await post.give('slack', answered(4, 'f-1:answer:2'));
    expect(shown()).toEqual(['f-1:v1', 'f-1:answer:1', 'f-1:answer:2']);
  });

  test('comes late: told beside what is newer', async () => {
    await post.give('slack', alertOf(5));
    await post.give('slack', answered(3));
    await post.give('slack', alertOf(6));
    expect(shown()).toEqual(['f-1:v5', 'f-1:answer:1 beside what is newer', 'f-1:v6']);
  });

  test('does not swallow the state that was told before it and comes after it', async () => {
    await post.give('slack', alertOf(1));
    await post.give('slack', answered(7));
    await post.give('slack', alertOf(5));
    await post.give('slack', alertOf(5));
    await post.give('slack', alertOf(8));
    expect(shown()).toEqual(['f-1:v1', 'f-1:answer:1', 'f-1:v5 beside what is newer', 'f-1:v8']);
  });

  test('waits for no end of quiet hours', async () => {
    const quiet = { ...channels.slack, quietHours: { from: '00:00', to: '23:59' } };
    const only = { ...policy, channels: { ...channels, slack: quiet } };
    await deliver({ channel: 'slack', alert: answered(3) }, 1, only, post.ports);
    expect(shown()).toEqual(['f-1:answer:1']);
  });

  test.each<[string, Partial<Alert>]>([
    ['what became of an answer', { answered: 'lee wants it looked at again.' }],
    ['what only changes a message', { inPlace: true }],
  ])('%s is told nowhere else when the channel does not take it', async (_, more) => {
    post.fails.records = [refused()];
    const only = { ...policy, channels: { ...channels, security: { ...channels.security, minSeverity: 'CRITICAL' as const } } };
    await expect(deliver({ channel: 'records', alert: alertOf(3, more) }, 1, only, post.ports)).rejects.toThrow(DeliveryError);
    expect(post.queued.map(({ alert: { status } }) => status)).toEqual(['CHANNEL_FAILS']);
  });
});

describe('a channel that fails', () => {
  test('comes back; a short outage of what is no page is told to nobody', async () => {
    post.fails.slack = [busy(), busy(), busy()];
    for (const attempt of [1, 2, 3]) expect(await post.give('slack', alertOf(1), attempt)).toBe('DeliveryError');
    expect(await post.give('slack', alertOf(1), 4)).toBe('done');
    expect([post.queued, post.ids()]).toEqual([[], ['slack f-1:v1']]);
  });

  test('after four attempts SNS hears of the channel; what it takes anyhow it does not get twice', async () => {
    post.fails.slack = Array.from({ length: 8 }, busy);
    for (const attempt of [1, 2, 3, 4, 5, 6]) await post.give('slack', alertOf(1), attempt);
    expect(post.queued).toEqual([{ channel: 'security', alert: expect.objectContaining({ status: 'CHANNEL_FAILS', urgency: 'page' }) }]);
    expect(JSON.stringify(post.queued)).toContain('Slack answers 503.');
  });

  test('what only it would have been told goes to SNS, and says so', async () => {
    post.fails.records = [refused()];
    const only = { ...policy, channels: { ...channels, security: { ...channels.security, minSeverity: 'CRITICAL' as const } } };
    await expect(deliver({ channel: 'records', alert: alertOf(1) }, 1, only, post.ports)).rejects.toThrow(DeliveryError);
    expect(post.queued[1]).toEqual({
      channel: 'security',
      alert: expect.objectContaining({ id: 'f-1:v1:instead of records' }),
      instead: 'This was for the channel records, which did not take it: Slack answers 404.',
    });
  });

  test('a digest that a channel does not take goes to SNS: nobody else was told it', async () => {
    post.fails.slack = [refused()];
    await post.give('slack', alertOf(1, { id: 'digest:slack:1', status: 'DIGEST', finding: undefined }));
    expect(post.queued.map(({ channel, alert: { id } }) => [channel, id])).toEqual([
      ['security', expect.stringMatching(/^outage:slack:/)],
      ['security', 'digest:slack:1:instead of slack'],
    ]);
  });

  test.each([
    ['a page at the first failure', { urgency: 'page' as const }, busy, 1],
    ['a refusal at the first failure', {}, refused, 1],
    ['another at the fourth', {}, busy, 4],
  ])('%s', async (_, more, failure, attempt) => {
    post.fails.slack = Array.from({ length: 12 }, failure);
    const told: number[] = [];
    for (let count = 1; count <= 12; count += 1) {
      const before = post.queued.length;
      await post.give('slack', alertOf(1, more), count);
      if (post.queued.length > before) told.push(count);
    }
    expect(told).toEqual([attempt]);
  });

  test('of one outage people hear once in six hours, and again once it is back and fails anew', async () => {
    const fail = async (version: number) => {
      post.fails.slack = [refused()];
      await post.give('slack', alertOf(version));
    };
    await fail(1);
    await fail(2);
    post.world.advance(5 * 3_600);
    await fail(3);
    expect(post.queued).toHaveLength(1);
    post.world.advance(3_600);
    await fail(4);
    expect(post.queued).toHaveLength(2);
    await post.give('slack', alertOf(5));
    post.world.advance(3_600);
    await fail(6);
    expect(post.queued).toHaveLength(3);
  });

  // Its first attempts may have ended before the channel was asked: another process told of the finding, or died.
  test.each([
    ['a refusal', {}, refused, 2],
    ['a page', { urgency: 'page' as const }, busy, 3],
    ['another', {}, busy, 6],
  ])('SNS hears of %s that fails first at a later attempt, once', async (_, more, failure, first) => {
    const only = { ...policy, channels: { ...channels, security: { ...channels.security, only: { controls: ['rds-*'] } } } };
    for (const attempt of [first, first + 1, first + 2]) {
      post.fails.slack = [failure()];
      await expect(deliver({ channel: 'slack', alert: alertOf(1, more) }, attempt, only, post.ports)).rejects.toThrow(DeliveryError);
    }
    expect(post.queued.map(({ alert: { id } }) => id)).toEqual([expect.stringMatching(/^outage:slack:/), 'f-1:v1:instead of slack']);
  });

  test('a fault of the bot itself is a failure too, told without its words', async () => {
    const only = { ...policy, channels: { ...channels, security: { ...channels.security, only: { controls: ['rds-*'] } } } };
    post.fails.slack = [new TypeError('cannot render claims-123-45-6789')];
    await expect(deliver({ channel: 'slack', alert: alertOf(1, { urgency: 'page' }) }, 1, only, post.ports)).rejects.toThrow(DeliveryError);
    expect(post.queued.map(({ alert: { id } }) => id)).toEqual([expect.stringMatching(/^outage:slack:/), 'f-1:v1:instead of slack']);
    expect(post.queued[1]!.instead).toBe('This was for the channel slack, which did not take it: The bot could not send it (TypeError).');
    expect(JSON.stringify(post.queued)).not.toContain('render');
  });

  test('that another channel fails was told to one topic: it goes to the next', async () => {
    const more = { ...policy, channels: { ...channels, records: { ...channels.records, pages: true } } };
    post.fails.security = [refused()];
    const notice = alertOf(1, { id: 'outage:slack:1', status: 'CHANNEL_FAILS', urgency: 'page', finding: undefined });
    await expect(deliver({ channel: 'security', alert: notice }, 1, more, post.ports)).rejects.toThrow(DeliveryError);
    expect(post.queued.map(({ channel, alert: { id } }) => [channel, id])).toEqual([
      ['records', expect.stringMatching(/^outage:security:/)],
      ['records', 'outage:slack:1:instead of security'],
    ]);
  });

  test('what calls nobody is told to nobody instead', async () => {
    post.fails.slack = [refused()];
    const only = { ...policy, channels: { ...channels, security: { ...channels.security, only: { controls: ['rds-*'] } } } };
    await expect(deliver({ channel: 'slack', alert: alertOf(2, { inPlace: true }) }, 1, only, post.ports)).rejects.toThrow(DeliveryError);
    expect(post.queued.map(({ alert: { status } }) => status)).toEqual(['CHANNEL_FAILS']);
  });

  test('what was for another and fails too is not passed on for ever', async () => {
    post.fails.security = [refused()];
    await expect(deliver({ channel: 'security', alert: alertOf(1), instead: 'This was for the channel slack.' }, 1, policy, post.ports)).rejects.toThrow();
    expect(post.queued).toEqual([]);
  });
});

describe('what comes late', () => {
  const resolved = {
    state: 'resolved',
    resolvedAt: '2026-11-01T03:05:00.000Z',
    evaluation: { complianceType: 'COMPLIANT', annotation: 'The lamp is off.' },
  } as const;
  const late = async (parts: Parameters<typeof given>[1] = {}) => {
    const finding = await given(post.world.ledger, { toldAt: '2026-11-01T03:00:00.000Z' });
    const alert = alertOfFinding(finding, { title: 'Lamps are off', hipaa: [], impact: 'It is dark.' });
    await changed(post.world.ledger, finding, parts, '2026-11-01T03:05:00.000Z');
    return alert;
  };

  test('of a finding that has ended meanwhile, its end is told: nobody is called', async () => {
    const alert = await late(resolved);
    await post.give('slack', alert, 2);
    expect(post.told).toMatchObject([{ headline: 'Resolved', urgency: 'notify', finding: { state: 'resolved', complianceType: 'COMPLIANT' } }]);
  });

  test('so is it of one that was given up, and is sent again days later', async () => {
    const alert = await late(resolved);
    post.world.advance(3 * 86_400);
    await post.give('slack', alert, 1);
    expect(post.told).toMatchObject([{ headline: 'Resolved' }]);
  });

  test('what only a topic is told instead, too', async () => {
    const alert = await late(resolved);
    await deliver(
      { channel: 'security', alert: { ...alert, id: `${alert.id}:instead of slack` }, instead: 'This was for the channel slack.' },
      2,
      policy,
      post.ports,
    );
    expect(post.told).toMatchObject([{ headline: 'Resolved' }]);
  });

  test('twice is once', async () => {
    const alert = await late(resolved);
    await post.give('slack', alert, 2);
    await post.give('slack', alert, 3);
    await post.give('slack', post.told[0]!);
    expect(post.told).toHaveLength(1);
  });

  test.each<[string, Parameters<typeof given>[1], number]>([
    ['still open', {}, 2],
    ['at the first attempt', resolved, 1],
  ])('%s: told as it was left', async (_, parts, attempt) => {
    const alert = await late(parts);
    await post.give('slack', alert, attempt);
    expect(post.told).toEqual([alert]);
  });

  test('of a finding that is not in the ledger, as it was left', async () => {
    await post.give('slack', alertOf(1), 2);
    expect(post.ids()).toEqual(['slack f-1:v1']);
  });
});

test.each([
  ['as the other side asks', new DeliveryError('again', 'busy', { retryAfter: 37 }), 1, 37],
  ['never longer than SQS can', new DeliveryError('again', 'busy', { retryAfter: 10 ** 7 }), 1, 21_600],
  ['soon, where another process is at it', new RetryLaterError('busy', 5), 1, 5],
  ['longer, where it is still at it', new RetryLaterError('busy', 5), 5, 80],
  ['at most a quarter of an hour later, where it is still at it', new RetryLaterError('busy', 5), 12, 900],
  ['longer each time', new Error('no'), 1, 15],
  ['longer each time', new Error('no'), 4, 120],
  ['up to a quarter of an hour', new Error('no'), 12, 900],
])('a message comes back %s', (_, error, attempt, seconds) => {
  expect(comesBackIn(error, attempt)).toBe(seconds);
});
