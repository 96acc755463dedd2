/** What must be true of every schedule when all has come to rest, read with an administrator's rights. */
import { isDeepStrictEqual } from 'node:util';
import { toldKey } from '../../engine/alerts/told.ts';
import type { Entry, Finding } from '../../engine/model.ts';
import type { Ledger } from '../../engine/ports.ts';
import type { Case, Lane } from './lane.ts';

const headlines: Readonly<Record<string, RegExp>> = {
  REMEDIATED: /Fixed/,
  REMEDIATION_FAILED: /FIX FAILED/,
};

/** Episode after episode, as far as there are any. */
export async function findingsOf(ids: readonly string[], ledger: Pick<Ledger, 'get'>): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const id of ids) {
    const finding = await ledger.get(id);
    if (!finding) break;
    findings.push(finding);
  }
  return findings;
}

/** Adds what is wrong to the lane's violations; returns how each case ended, in words. */
export async function judgeLane(lane: Lane, ledger: Ledger): Promise<string[]> {
  const outcomes: string[] = [];
  for (const each of lane.cases) {
    const wrong = (what: string) => lane.violations.push(`${each.broken.control}: ${what}`);
    const findings = await findingsOf(each.findingIds, ledger);
    const right = each.broken.right(await each.drift.read());
    const last = findings.at(-1);
    if (!last) {
      wrong(`no finding, and the resource is ${right ? 'right by itself' : 'still wrong'}`);
      outcomes.push(`${each.broken.control} unseen`);
      continue;
    }
    ended(each, last, right, lane, wrong);
    for (const finding of findings) {
      recorded(each, finding, await ledger.entries(finding.id), lane, wrong);
    }
    outcomes.push(`${each.broken.control} ${last.outcome?.status ?? last.decision.action}`);
  }
  sameEffects(lane);
  return outcomes;
}

/** Fixed and told so, or still wrong and somebody told. */
function ended({ planned, expected }: Case, finding: Finding, right: boolean, lane: Lane, wrong: (what: string) => void): void {
  const heard = lane.told.filter(({ findingId }) => findingId === finding.id);
  const status = finding.outcome?.status;
  const wrote = lane.writes.some(({ findingId }) => findingId === finding.id);
  if (right) {
    if (finding.state !== 'resolved') wrong(`right, but its finding is open: ${finding.decision.action}, ${status}`);
    if (status !== 'REMEDIATED') wrong(`right, but its finding ended as ${status}${wrote ? ', though the bot wrote' : ''}`);
  } else {
    if (finding.state !== 'open') wrong(`still wrong, but its finding is ${finding.state} as ${status}`);
    if (planned.mode === 'fix' && expected && finding.decision.action === 'fix' && status !== 'REMEDIATION_FAILED')
      wrong(`neither fixed nor given up: ${status}`);
  }
  if (heard.length === 0) wrong(`nobody was told (${finding.state}, ${status ?? finding.decision.action})`);
  const headline = headlines[status ?? ''];
  if (headline && !heard.some(({ subject }) => headline.test(subject))) wrong(`ended as ${status}, but nobody was told that`);
  if (finding.alerted !== toldKey(finding)) wrong(`the ledger says that ${finding.alerted} was told, not ${toldKey(finding)}`);
}

function recorded({ expected }: Case, finding: Finding, entries: readonly Entry[], lane: Lane, wrong: (what: string) => void): void {
  if (!entries.every(({ seq }, index) => seq === index + 1) || entries.length !== finding.version)
    wrong(`gaps in the evidence of ${finding.id}: ${entries.map(({ seq }) => seq).join(' ')} of ${finding.version}`);
  if (entries[0]?.kind !== 'OPENED') wrong(`the evidence of ${finding.id} begins with ${entries[0]?.kind}`);
  const done = entries.filter(({ kind }) => kind === 'REMEDIATED').length;
  if (done > 1) wrong(`${finding.id} was recorded as fixed ${done} times`);
  for (const { change } of [...finding.changes, ...(finding.intended ? [finding.intended] : [])]) {
    if (!isDeepStrictEqual(plain(change.before), plain(expected?.before)))
      wrong(`the recorded original is not the true one: ${JSON.stringify(change.before)}, not ${JSON.stringify(expected?.before)}`);
    if (!isDeepStrictEqual(plain(change.after), plain(expected?.after)))
      wrong(`what was written is not what the control plans: ${JSON.stringify(change.after)}`);
  }
  if (finding.outcome?.status === 'REMEDIATED' && finding.changes.at(-1)?.doneAt === undefined) wrong(`${finding.id} is fixed without a verified change`);
  const told = lane.told.filter(({ findingId, subject }) => findingId === finding.id && /Fixed/.test(subject));
  if (told.length > 0 && done === 0) wrong(`told as fixed, but never recorded so: ${finding.id}`);
}

/** Before any heartbeat: each drift was seen through its events, and none of them is without an end, though no sweep has helped. */
export async function accountFor(lane: Lane, ledger: Ledger): Promise<void> {
  for (const { drift, broken, resource, findingIds } of lane.cases) {
    const wrong = (what: string) => lane.violations.push(`${broken.control}: ${what}`);
    const events = [...lane.events].filter(([, of]) => of === drift).map(([eventId]) => eventId);
    const standings = await ledger.lookup(events.map((eventId) => ({ control: broken.control, resource, eventId })));
    const last = standings[0]?.last;
    if (!last || !findingIds.includes(last.id)) wrong(`its ${events.length} events came to nothing`);
    else {
      // What is read as compliant, and was so before, needs no record.
      const open = events.filter((_, index) => !standings[index]!.done);
      if (last.state === 'open' && open.length > 0) wrong(`${open.length} of ${events.length} events met the open finding and are not done`);
      if (open.length === events.length && !events.includes(last.openedBy.eventId)) wrong('no event of it is accounted for');
    }
  }
}

/** The same call for the same finding sets the same, however often. */
function sameEffects({ writes, violations }: Lane): void {
  for (const [key, those] of Map.groupBy(writes, ({ findingId, operation }) => `${operation} for ${findingId}`)) {
    const effects = new Set(those.map(({ effect }) => effect));
    if (effects.size > 1) violations.push(`written with ${effects.size} different effects: ${key}: ${[...effects].join(' | ')}`);
  }
}

const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
