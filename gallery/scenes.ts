/** What the gallery shows: a handful of alerts that people must not misread. */
import { place } from '../cli/alert/sample-finding.ts';
import { samplesOf } from '../cli/alert/samples.ts';
import { defaultPolicy, policyFrom } from '../cli/context.ts';
import type { Alert } from '../engine/alerts/alert.ts';
import type { Context } from '../engine/alerts/delivery.ts';
import { digestOf } from '../engine/alerts/digest.ts';
import type { Seen } from '../engine/alerts/digest-facts.ts';
import { slackMessage } from '../engine/alerts/render/slack.ts';
import { teamsMessage } from '../engine/alerts/render/teams.ts';
import { catalogue } from '../remediations/index.ts';
import { slackHtml } from './block-kit.ts';
import { teamsHtml } from './cards.ts';

export interface Scene {
  /** Also the end of the picture's name. */
  readonly name: string;
  alert(): Promise<Alert>;
}

const scene = (name: string, control: string, outcome: string): Scene => ({
  name,
  async alert() {
    const loaded = await catalogue.find(({ id }) => id === control)?.load();
    const sample = loaded && samplesOf(loaded).find((one) => one.outcome === outcome);
    if (!sample) throw new Error(`the gallery knows no ${outcome} of ${control}`);
    return sample.alert;
  },
});

export const scenes: readonly Scene[] = [
  scene('approval', 's3-bucket-public-access-block', 'approval-asked'),
  scene('fixed', 'security-group-no-world-ssh-rdp', 'fixed'),
  scene('failed', 'cloudtrail-logging-on', 'fix-failed'),
  scene('cannot-see', 'rds-instance-not-public', 'cannot-see'),
  scene('undone', 's3-bucket-public-access-block', 'undone'),
  scene('before', 'security-group-no-world-ssh-rdp', 'backlog'),
  { name: 'digest', alert: digest },
];

async function digest(): Promise<Alert> {
  const { policy } = await policyFrom(defaultPolicy);
  const [channel = ''] = Object.keys(policy.channels);
  const { accountId } = place;
  const at = (hour: string) => `2026-11-01T${hour}:00:00.000Z`;
  const seen = (control: string, name: string, parts: Partial<Seen>): Seen => {
    const severity = catalogue.find(({ id }) => id === control)?.severity ?? 'HIGH';
    return { control, name, severity, accountId, state: 'open', openedAt: at('03'), fixed: false, asked: false, blind: false, ...parts };
  };
  const facts = {
    accountId,
    now: new Date('2026-11-02T08:00:00.000Z'),
    seen: [
      seen('s3-bucket-public-access-block', 'clinic-exports', { asked: true, until: '2026-11-02T09:00:00.000Z' }),
      seen('rds-instance-not-public', 'portal-db', { openedAt: at('11') }),
      seen('sqs-queue-encrypted', 'lab-results', { openedAt: at('12') }),
      seen('security-group-no-world-ssh-rdp', 'sg-0a1b2c3d4e5f67890', { state: 'resolved', endedAt: at('13'), fixed: true }),
      seen('bot-permissions', 'phidelity-detect', { blind: true }),
    ],
    made: [],
    depths: { intake: 0, sweep: 0, alerts: 2 },
  };
  return digestOf(channel, policy, catalogue, facts, new Date(at('08')));
}

const context: Context = { stack: 'phidelity-prod', region: 'us-east-1', accountName: 'clinic-prod' };

export const slackOf = (alert: Alert): string => slackHtml(slackMessage(alert, context, { buttons: true }));
export const teamsOf = (alert: Alert): string => teamsHtml(teamsMessage(alert, context));
