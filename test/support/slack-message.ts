/** Messages of Slack about the lamp, and what can be read in them. */
import type { Context } from '../../engine/alerts/delivery.ts';
import type { SlackMessage } from '../../engine/alerts/render/slack/blocks.ts';
import { slackMessage } from '../../engine/alerts/render/slack.ts';
import type { Finding } from '../../engine/model.ts';
import { context, told } from './lamps.ts';

export const rendered = (given: Partial<Finding>, more: Partial<Context> = {}): SlackMessage =>
  slackMessage(told(given), { ...context, ...more }, { buttons: true });

/** Texts of all blocks, one a line. */
export const texts = ({ blocks }: SlackMessage): string =>
  blocks
    .flatMap((block) => (block.type === 'context' ? block.elements : block.type === 'header' || block.type === 'section' ? [block.text] : []))
    .map(({ text }) => text)
    .join('\n');
export const buttons = ({ blocks }: SlackMessage) => blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
export const head = ({ blocks }: SlackMessage): string => blocks.flatMap((block) => (block.type === 'header' ? [block.text.text] : [])).join();
