/** What the gallery shows: a handful of outcomes that people must not misread. */

import { samplesOf } from '../cli/alert/samples.ts';
import type { Alert } from '../engine/alerts/alert.ts';
import type { Context } from '../engine/alerts/delivery.ts';
import { slackMessage } from '../engine/alerts/render/slack.ts';
import { teamsMessage } from '../engine/alerts/render/teams.ts';
import { catalogue } from '../remediations/index.ts';
import { slackHtml } from './block-kit.ts';
import { teamsHtml } from './cards.ts';

export interface Scene {
  /** Also the end of the picture's name. */
  readonly name: string;
  readonly control: string;
  readonly outcome: string;
}

export const scenes: readonly Scene[] = [
  { name: 'approval', control: 's3-bucket-public-access-block', outcome: 'approval-asked' },
  { name: 'fixed', control: 'security-group-no-world-ssh-rdp', outcome: 'fixed' },
  { name: 'failed', control: 'cloudtrail-logging-on', outcome: 'fix-failed' },
  { name: 'cannot-see', control: 'rds-instance-not-public', outcome: 'cannot-see' },
  { name: 'undone', control: 's3-bucket-public-access-block', outcome: 'undone' },
  { name: 'before', control: 'security-group-no-world-ssh-rdp', outcome: 'backlog' },
];

const context: Context = { stack: 'phidelity-prod', region: 'us-east-1', accountName: 'clinic-prod' };

export async function alertOfScene({ control, outcome }: Scene): Promise<Alert> {
  const loaded = await catalogue.find(({ id }) => id === control)?.load();
  const sample = loaded && samplesOf(loaded).find((one) => one.outcome === outcome);
  if (!sample) throw new Error(`the gallery knows no ${outcome} of ${control}`);
  return sample.alert;
}

export const slackOf = (alert: Alert): string => slackHtml(slackMessage(alert, context, { buttons: true }));
export const teamsOf = (alert: Alert): string => teamsHtml(teamsMessage(alert, context));
