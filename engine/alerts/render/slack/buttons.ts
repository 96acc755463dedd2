/** The buttons of a message: what may be answered to the finding as it stands. Pure. */
import type { Alert, AlertFinding, Answerable } from '../../alert.ts';
import { actionId, actionValue } from './actions.ts';
import { type Block, type Button, type Confirm, confirmation, limits, plainText } from './blocks.ts';

/** An exception is ended on the command line only. */
type Pressed = Exclude<Answerable['decision'], 'end'>;

export function buttonsOf(alert: Alert): Block[] {
  const { finding } = alert;
  if (!finding) return [];
  const elements = finding.answers.flatMap((answer) => (answer.decision === 'end' ? [] : [button(alert, finding, answer, answer.decision)]));
  return elements.length > 0 ? [{ type: 'actions', elements }] : [];
}

function button(alert: Alert, finding: AlertFinding, { hash, about }: Answerable, decision: Pressed): Button {
  const confirm = confirmOf(alert, finding, decision, about);
  return {
    type: 'button',
    text: plainText(labelOf(finding, decision, about), limits.button),
    action_id: actionId(decision, about),
    value: actionValue(finding.id, hash),
    ...(decision === 'approve' && { style: 'primary' as const }),
    ...(confirm && { confirm }),
  };
}

/** Dots: something is asked first. */
function labelOf({ answers }: AlertFinding, decision: Pressed, about: 'undo' | undefined): string {
  // Nobody need approve what is planned; it can be stopped.
  const planned = !answers.some((answer) => answer.decision === 'approve');
  const labels: Readonly<Record<Pressed, string>> = {
    approve: about ? 'Approve the undo' : 'Approve the fix',
    deny: about ? 'Deny the undo' : planned ? 'Stop the fix' : 'Deny',
    undo: 'Undo…',
    except: 'Except…',
    snooze: 'Snooze 24 h',
    recheck: 'Check again',
  };
  return labels[decision];
}

function confirmOf(alert: Alert, { resource }: AlertFinding, decision: Pressed, about: 'undo' | undefined): Confirm | undefined {
  const where = `${resource.name} (account ${alert.accountId}, ${resource.region})`;
  const told = (label: string): string | undefined => alert.lines.find((line) => line.label === label)?.value;
  if (decision === 'undo')
    return confirmation(
      'Undo the fix?',
      `What the bot changed is put back, and excepted until a day that you name. Done: ${told('Done') ?? '-'} On ${where}.`,
      'Undo',
      'danger',
    );
  if (decision !== 'approve') return undefined;
  return about
    ? confirmation('Approve the undo?', `What the bot changed on ${where} is put back. ${told('Done') ?? ''}`, 'Approve the undo', 'danger')
    : confirmation(
        'Approve the fix?',
        `The bot will do this: ${told('Proposal') ?? 'the change that is proposed'}. On ${where}. ${told('Impact') ?? ''}`,
        'Approve',
        'primary',
      );
}
