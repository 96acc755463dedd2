/** PagerDuty's Events API v2 as its documentation describes it: https://developer.pagerduty.com/docs/events-api-v2/trigger-events */
import type { Service } from './server.ts';

export interface Incident {
  readonly dedupKey: string;
  readonly state: 'triggered' | 'acknowledged' | 'resolved';
  readonly severity: string;
  readonly summary: string;
}

export interface PagerDuty {
  readonly service: Service;
  /** In the order in which they were opened; one that is resolved stays, and the next trigger opens another. */
  readonly incidents: Incident[];
  /** How often somebody was called. */
  readonly called: () => number;
}

type Json = Readonly<Record<string, unknown>>;
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const known = ['routing_key', 'event_action', 'dedup_key', 'payload', 'images', 'links', 'client', 'client_url'];
const knownPayload = ['summary', 'source', 'severity', 'timestamp', 'component', 'group', 'class', 'custom_details'];

export function errorsOf(event: Json): string[] {
  const errors: string[] = [];
  const must = (holds: boolean, error: string) => void (holds || errors.push(error));
  const { routing_key: key, event_action: action, dedup_key: dedup, payload, links = [] } = event;
  must(isText(key), "'routing_key' cannot be blank");
  must(!isText(key) || key.length === 32, "Length of 'routing_key' is incorrect (should be 32 characters)");
  must(isText(action), "'event_action' is missing or blank");
  must(['trigger', 'acknowledge', 'resolve'].includes(action as string), "'event_action' is invalid");
  must(dedup === undefined || (isText(dedup) && dedup.length <= 255), "Length of 'dedup_key' is incorrect (should be at most 255 characters)");
  must(action === 'trigger' || isText(dedup), "'dedup_key' is missing or blank");
  // The documentation shows the two without a payload; one that is there is held to the same.
  must(action !== 'trigger' || isMap(payload), "'payload' is missing or blank");
  for (const name of Object.keys(event)) must(known.includes(name), `'${name}' is not known`);
  if (isMap(payload)) errors.push(...payloadErrorsOf(payload));
  const isLink = (link: unknown) => isMap(link) && isText(link.href) && /^https:\/\/[^\s]+$/.test(link.href) && (link.text === undefined || isText(link.text));
  must(Array.isArray(links) && links.every(isLink), "'links' is invalid");
  return errors;
}

function payloadErrorsOf(payload: Json): string[] {
  const errors: string[] = [];
  const must = (holds: boolean, error: string) => void (holds || errors.push(error));
  const { summary, source, severity, timestamp, custom_details: details = {} } = payload;
  must(isText(summary), "'payload.summary' is missing or blank");
  must(!isText(summary) || summary.length <= 1_024, "Length of 'payload.summary' is incorrect (should be at most 1024 characters)");
  must(isText(source), "'payload.source' is missing or blank");
  must(
    ['critical', 'error', 'warning', 'info'].includes(severity as string),
    "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')",
  );
  must(
    timestamp === undefined || (isText(timestamp) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/.test(timestamp)),
    "'payload.timestamp' is invalid",
  );
  for (const name of ['component', 'group', 'class']) must(payload[name] === undefined || isText(payload[name]), `'payload.${name}' is invalid`);
  must(isMap(details), "'payload.custom_details' is invalid");
  for (const name of Object.keys(payload)) must(knownPayload.includes(name), `'payload.${name}' is not known`);
  return errors;
}

const mostBytes = 512 * 1_024;

/** @param key the integration key of the one service there is; events with another of the right form are taken, and come to nothing */
export function pagerDutyService(key: string): PagerDuty {
  const incidents: Incident[] = [];
  let calls = 0;
  const invalid = (errors: string[]) => ({ status: 400, body: { status: 'invalid event', message: 'Event object is invalid', errors } });

  const service: Service = ({ method, path, body }) => {
    if (method !== 'POST' || path !== '/v2/enqueue') return { status: 404 };
    if (Buffer.byteLength(body) > mostBytes) return { status: 413 };
    let event: Json;
    try {
      event = JSON.parse(body);
    } catch {
      return invalid(['JSON cannot be parsed']);
    }
    const errors = errorsOf(event);
    if (errors.length > 0) return invalid(errors);
    if (event.routing_key === key) take(event);
    return { status: 202, body: { status: 'success', message: 'Event processed', dedup_key: event.dedup_key } };
  };

  function take({ event_action: action, dedup_key: dedupKey, payload }: Json): void {
    const { severity, summary } = (payload ?? {}) as { severity: string; summary: string };
    const open = incidents.findIndex((incident) => incident.dedupKey === dedupKey && incident.state !== 'resolved');
    if (open < 0) {
      if (action !== 'trigger') return;
      incidents.push({ dedupKey: dedupKey as string, state: 'triggered', severity, summary });
      calls += 1;
      return;
    }
    // While it is acknowledged, a trigger changes nothing and calls nobody.
    if (action !== 'trigger') incidents[open] = { ...incidents[open]!, state: action === 'resolve' ? 'resolved' : 'acknowledged' };
  }

  return { service, incidents, called: () => calls };
}
