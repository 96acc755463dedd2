/** Work items on the terminal: NDJSON for programs, one coloured line for people, and the summary that ends both. */
import { leafOf } from '../engine/arn.ts';
import type { CatalogueEntry } from '../engine/control.ts';
import type { Line } from '../engine/detect.ts';
import { type OutcomeStatus, type ResourceRef, type Severity, severities } from '../engine/model.ts';
import { redact, redactDeep } from '../engine/redact.ts';
import { colors } from './colors.ts';
import { catalogue, print, say } from './context.ts';
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

/** Work items of the controls under one heading: those that hold, those that do not. */
interface Standing {
  failing: number;
  holding: number;
}

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
  /** Of a sweep only. */
  readonly bySeverity?: Readonly<Record<string, Standing>>;
  /** By section of 45 CFR; of a sweep only. */
  readonly byHipaa?: Readonly<Record<string, Standing>>;
}

/** How a text of others reaches the terminal. */
export type Clean = (text: string) => string;
export const cleanerOf = ({ raw }: { readonly raw?: boolean }): Clean => (raw ? printable : (text) => printable(redact(text)));

export interface Form {
  readonly json?: boolean;
  /** As it is: with what may identify a person. */
  readonly raw?: boolean;
}

/** @param swept work items by control and status, those of an interrupted sweep already in it; a sweep's summary tells them by severity and section */
export function lineWriter({ json, raw }: Form, swept?: Record<string, Record<string, number>>) {
  const started = performance.now();
  const clean = cleanerOf({ raw });
  const byStatus: Record<string, number> = {};
  for (const statuses of Object.values(swept ?? {})) for (const [status, count] of Object.entries(statuses)) byStatus[status] = (byStatus[status] ?? 0) + count;
  let workItems = Object.values(byStatus).reduce((sum, count) => sum + count, 0);
  return {
    write(line: Line) {
      workItems += 1;
      const { status } = line.outcome;
      byStatus[status] = (byStatus[status] ?? 0) + 1;
      if (swept) {
        swept[line.control] ??= {};
        swept[line.control]![status] = (swept[line.control]![status] ?? 0) + 1;
      }
      print(json ? JSON.stringify(raw ? line : redactDeep(line)) : human(line, clean));
    },
    /** Prints the summary and tells whether drift is left. */
    end(counts: Pick<Summary, 'events' | 'routed' | 'droppedBy' | 'failed'>): { readonly drift: boolean } {
      const { events, routed, droppedBy, failed } = counts;
      const seconds = Math.round(performance.now() - started) / 1_000;
      const summary: Summary = {
        events,
        dropped: events - routed,
        droppedBy,
        routed,
        workItems,
        failed,
        byStatus,
        seconds,
        ...(swept && { bySeverity: standingsBy(swept, ({ severity }) => [severity]), byHipaa: standingsBy(swept, ({ hipaa }) => hipaa) }),
      };
      if (json) print(JSON.stringify({ summary }));
      else say([sentence(summary), ...tableOf('Severity', summary.bySeverity), ...tableOf('45 CFR', summary.byHipaa)].join('\n'));
      return { drift: open.some((status) => byStatus[status]) };
    },
  };
}

function standingsBy(
  swept: Readonly<Record<string, Readonly<Record<string, number>>>>,
  headings: (entry: CatalogueEntry) => readonly string[],
): Record<string, Standing> {
  const standings: Record<string, Standing> = {};
  for (const entry of catalogue) {
    for (const [status, count] of Object.entries(swept[entry.id] ?? {})) {
      for (const heading of new Set(headings(entry))) {
        standings[heading] ??= { failing: 0, holding: 0 };
        standings[heading]![open.includes(status as OutcomeStatus) ? 'failing' : 'holding'] += count;
      }
    }
  }
  return Object.fromEntries(
    Object.entries(standings).sort(([a], [b]) => severities.indexOf(b as Severity) - severities.indexOf(a as Severity) || a.localeCompare(b)),
  );
}

const tableOf = (title: string, standings: Readonly<Record<string, Standing>> = {}): string[] =>
  Object.keys(standings).length === 0
    ? []
    : [
        '',
        `${title.padEnd(28)}failing  holding`,
        ...Object.entries(standings).map(([name, { failing, holding }]) => `${name.padEnd(28)}${String(failing).padStart(7)}${String(holding).padStart(9)}`),
      ];

/** An account's ARN ends in `root`, which is the name of nothing; settings of the account have it too. */
export function nameOf(resource: ResourceRef, clean: Clean): string {
  if (/^arn:[^:]+:iam::\d+:root$/.test(resource.id)) return `account ${resource.accountId}, ${resource.region}`;
  // Cleaned while it is whole: what stands before the leaf may be the label of its number.
  const id = clean(resource.id);
  return leafOf({ id }) || id;
}

function human({ eventName, control, resource, evaluation, outcome, change, findingId }: Line, clean: Clean): string {
  const indent = ' '.repeat(19);
  const name = nameOf(resource, clean);
  return [
    `${(paint[outcome.status] ?? String)(outcome.status.padEnd(18))} ${control}  ${name}${eventName ? colors.dim(`  ${clean(eventName)}`) : ''}`,
    evaluation && evaluation.complianceType !== 'COMPLIANT' && `${indent}${clean(evaluation.annotation)}`,
    change && `${indent}${clean(change.summary)} (${change.action})`,
    evaluation && evaluation.annotation !== outcome.reason && `${indent}${colors.dim(clean(outcome.reason))}`,
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
