/** Work items on the terminal: NDJSON for programs, one coloured line for people, and the summary that ends both. */
import { leafOf } from '../engine/arn.ts';
import type { Line } from '../engine/detect.ts';
import type { OutcomeStatus, ResourceRef } from '../engine/model.ts';
import { colors } from './colors.ts';
import { print, say } from './context.ts';
import { printable } from './errors.ts';

const paint: Readonly<Partial<Record<OutcomeStatus, (text: string) => string>>> = {
  COMPLIANT: colors.green,
  REMEDIATED: colors.green,
  DRY_RUN: colors.yellow,
  NOTIFIED: colors.yellow,
  AWAITING_APPROVAL: colors.magenta,
  PAGED: colors.red,
  REMEDIATION_FAILED: colors.red,
};

/** Drift that is still there, or may be. */
const open: readonly OutcomeStatus[] = ['DRY_RUN', 'NOTIFIED', 'PAGED', 'AWAITING_APPROVAL', 'REMEDIATION_FAILED', 'RETRY_LATER'];

export interface Summary {
  readonly events: number;
  /** Events that gave no work, by reason. */
  readonly droppedBy: Readonly<Record<string, number>>;
  readonly dropped: number;
  readonly routed: number;
  readonly workItems: number;
  /** Faults that kept work items from an outcome. */
  readonly failed: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export function lineWriter(json: boolean) {
  const started = performance.now();
  const byStatus: Record<string, number> = {};
  let workItems = 0;
  return {
    write(line: Line) {
      workItems += 1;
      byStatus[line.outcome.status] = (byStatus[line.outcome.status] ?? 0) + 1;
      print(json ? JSON.stringify(line) : human(line));
    },
    /** Prints the summary and tells whether drift is left. */
    end(counts: Pick<Summary, 'events' | 'routed' | 'droppedBy' | 'failed'>): { readonly drift: boolean } {
      const { events, routed, droppedBy, failed } = counts;
      const seconds = Math.round(performance.now() - started) / 1_000;
      const summary: Summary = { events, dropped: events - routed, droppedBy, routed, workItems, failed, byStatus, seconds };
      if (json) print(JSON.stringify({ summary }));
      else say(sentence(summary));
      return { drift: open.some((status) => byStatus[status]) };
    },
  };
}

/** An account's ARN ends in `root`, which is the name of nothing. */
export const nameOf = (resource: ResourceRef): string =>
  resource.type === 'AWS::::Account' ? `account ${resource.accountId}, ${resource.region}` : leafOf(resource) || resource.id;

function human({ eventName, control, resource, evaluation, outcome, change, findingId }: Line): string {
  const indent = ' '.repeat(19);
  const name = printable(nameOf(resource));
  return [
    `${(paint[outcome.status] ?? String)(outcome.status.padEnd(18))} ${control}  ${name}${eventName ? colors.dim(`  ${printable(eventName)}`) : ''}`,
    evaluation && evaluation.complianceType !== 'COMPLIANT' && `${indent}${printable(evaluation.annotation)}`,
    change && `${indent}${printable(change.summary)} (${change.action})`,
    evaluation && evaluation.annotation !== outcome.reason && `${indent}${colors.dim(printable(outcome.reason))}`,
    findingId && `${indent}${colors.dim(findingId)}`,
  ]
    .filter(Boolean)
    .join('\n');
}

function sentence({ events, routed, dropped, droppedBy, workItems, failed, byStatus, seconds }: Summary): string {
  const reasons = Object.entries(droppedBy).map(([reason, count]) => `${count} ${reason}`);
  const statuses = Object.entries(byStatus).map(([status, count]) => `${count} ${status}`);
  return `\n${events} events: ${routed} routed, ${dropped} dropped${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}; ${workItems} work items${statuses.length > 0 ? `: ${statuses.join(', ')}` : ''}${failed > 0 ? `; ${failed} failed` : ''}; ${seconds} s`;
}
