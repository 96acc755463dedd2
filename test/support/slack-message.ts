/** Messages of Slack about the lamp, and what can be read in them. */
import type { Alert } from '../../engine/alerts/alert.ts';
import type { Context } from '../../engine/alerts/delivery.ts';
import { alertOf } from '../../engine/alerts/finding.ts';
import type { SlackMessage } from '../../engine/alerts/render/slack/blocks.ts';
import { slackMessage } from '../../engine/alerts/render/slack.ts';
import type { Finding } from '../../engine/model.ts';
import { control, finding } from './findings.ts';

export const context: Context = { accountName: 'clinic', stack: 'phidelity-prod', region: 'us-east-1' };
export const alert = (given: Partial<Finding>): Alert => alertOf(finding(given), { ...control, undo: true });
export const rendered = (given: Partial<Finding>, more: Partial<Context> = {}): SlackMessage =>
  slackMessage(alert(given), { ...context, ...more }, { buttons: true });

/** Texts of all blocks, one a line. */
export const texts = ({ blocks }: SlackMessage): string =>
  blocks
    .flatMap((block) => (block.type === 'context' ? block.elements : block.type === 'header' || block.type === 'section' ? [block.text] : []))
    .map(({ text }) => text)
    .join('\n');
export const buttons = ({ blocks }: SlackMessage) => blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
export const head = ({ blocks }: SlackMessage): string => blocks.flatMap((block) => (block.type === 'header' ? [block.text.text] : [])).join();
