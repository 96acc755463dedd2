/** The form that asks for a reason and a last day. https://docs.slack.dev/reference/views/modal-views and block-kit/ */

import { actionId, actionValue } from '../../engine/alerts/render/slack/actions.ts';
import { lastDayFault, longestReason } from '../../engine/answers/bound.ts';
import { type Asks, form, type Said } from '../../engine/answers/slack.ts';
import { longestException } from '../../engine/exceptions.ts';

const dayAfter = (now: Date, days: number): string => new Date(now.getTime() + days * 86_400_000).toISOString().slice(0, 10);

/** Days that the picker begins with, as the command line does. */
const usualDays = 30;

const plain = (text: string) => ({ type: 'plain_text', text });

const words = {
  except: {
    title: 'Except for a while',
    says: 'Until the last day, the bot neither fixes this nor tells of it. The exception holds for this control on this resource alone, and is part of the evidence.',
  },
  undo: {
    title: 'Undo the fix',
    says: 'The bot puts back what it changed, and leaves it so until the last day. The undo of a fix that ended a public exposure waits for a second person.',
  },
} as const;

export const isForm = (decision: string): decision is keyof typeof words => Object.hasOwn(words, decision);

/** `private_metadata` comes back with what is submitted, under Slack's signature: it binds the words to finding and hash. */
export function formFor({ decision, findingId, hash }: Asks, now: Date): object | undefined {
  if (!isForm(decision)) return undefined;
  const { title, says } = words[decision];
  return {
    type: 'modal',
    callback_id: actionId(decision),
    private_metadata: JSON.stringify({ value: actionValue(findingId, hash) }),
    title: plain(title),
    submit: plain('Send'),
    close: plain('Cancel'),
    blocks: [
      { type: 'section', text: plain(`${findingId}\n${says}`) },
      {
        type: 'input',
        block_id: form.reason,
        label: plain('Why'),
        hint: plain('Kept with the evidence: name no patient and no secret.'),
        element: { type: 'plain_text_input', action_id: form.reason, multiline: true, min_length: 1, max_length: longestReason },
      },
      {
        type: 'input',
        block_id: form.until,
        label: plain('Last day (UTC)'),
        hint: plain(`At most ${longestException} days from now.`),
        element: { type: 'datepicker', action_id: form.until, initial_date: dayAfter(now, usualDays) },
      },
    ],
  };
}

/** What is wrong with the words, by the block that it is shown at; undefined: nothing. */
export function faultsOf({ reason = '', until }: Said, now: Date): Readonly<Record<string, string>> | undefined {
  const day = lastDayFault(until, now);
  const faults = {
    ...(reason === '' && { [form.reason]: 'Say why: it is kept with the exception.' }),
    ...(reason.length > longestReason && { [form.reason]: `At most ${longestReason} characters are kept.` }),
    ...(day && { [form.until]: day }),
  };
  return Object.keys(faults).length > 0 ? faults : undefined;
}
