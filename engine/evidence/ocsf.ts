/** Findings as OCSF Compliance Findings. https://schema.ocsf.io/1.5.0/classes/compliance_finding?profiles=cloud,host */
import { partitionOf } from '../arn.ts';
import type { Citation } from '../control.ts';
import type { Entry, Evaluation, Facts, Severity } from '../model.ts';

/** What the entry does not say of its control. */
export interface About {
  readonly title: string;
  readonly rationale: string;
  readonly hipaa: readonly Citation[];
}

const classUid = 2003;
const severities: Readonly<Record<Severity, readonly [number, string]>> = {
  INFORMATIONAL: [1, 'Informational'],
  LOW: [2, 'Low'],
  MEDIUM: [3, 'Medium'],
  HIGH: [4, 'High'],
  CRITICAL: [5, 'Critical'],
};
const activities = { create: [1, 'Create'], update: [2, 'Update'], close: [3, 'Close'] } as const;

type Status = readonly [id: number, name: string];
const statusOf = ({ state, outcome, decision }: Facts): Status => {
  if (outcome?.status === 'EXCEPTED' || outcome?.status === 'OFF') return [3, 'Suppressed'];
  if (state === 'resolved') return [4, 'Resolved'];
  return decision.action === 'fix' || decision.action === 'approve' ? [2, 'In Progress'] : [1, 'New'];
};

/** A warning is a check that "did not yield a result due to missing information"; for one that does not apply the schema has none. */
const verdicts: Partial<Record<Evaluation['complianceType'], Status>> = {
  COMPLIANT: [1, 'Pass'],
  INSUFFICIENT_DATA: [2, 'Warning'],
  NON_COMPLIANT: [3, 'Fail'],
};

/** OCSF's type of an observable that is a resource's UID. */
const resourceUid = 10;

const milliseconds = (iso: string): number => Date.parse(iso);

/** @param latest the finding's latest entry in the time that is exported */
export function ocsfOf({ findingId, seq, at, kind, note, facts }: Entry | Omit<Entry, 'raw'>, about: About | undefined, version: string): object | undefined {
  if (!facts) return undefined;
  const { control, resource, severity, openedAt, state, evaluation, wrong, actor, outcome, change, proposal, resolvedAt } = facts;
  const [activityId, activityName] = kind === 'OPENED' ? activities.create : state === 'resolved' ? activities.close : activities.update;
  const [severityId, severityName] = severities[severity];
  const [statusId, statusName] = statusOf(facts);
  const verdict = verdicts[evaluation.complianceType];
  const remedy = change?.summary ?? proposal;
  const region = resource.region;
  const ended = facts.endedBy?.time ?? resolvedAt;
  return {
    activity_id: activityId,
    activity_name: activityName,
    category_uid: 2,
    category_name: 'Findings',
    class_uid: classUid,
    class_name: 'Compliance Finding',
    type_uid: classUid * 100 + activityId,
    type_name: `Compliance Finding: ${activityName}`,
    time: milliseconds(at),
    start_time: milliseconds(facts.shownAt ?? facts.driftedBy?.time ?? facts.openedBy.time),
    ...(ended && { end_time: milliseconds(ended) }),
    severity_id: severityId,
    severity: severityName,
    status_id: statusId,
    status: statusName,
    ...(outcome && { status_code: outcome.status, status_detail: outcome.reason }),
    message: note || wrong,
    metadata: {
      version: '1.5.0',
      product: { name: 'phidelity', vendor_name: 'phidelity', version },
      profiles: actor ? ['cloud', 'host'] : ['cloud'],
      uid: `${findingId}/${seq}`,
    },
    cloud: { provider: 'AWS', account: { uid: resource.accountId, type_id: 10, type: 'AWS Account' }, region, cloud_partition: partitionOf(region) },
    finding_info: {
      uid: findingId,
      title: about?.title ?? control,
      desc: wrong,
      created_time: milliseconds(openedAt),
      modified_time: milliseconds(at),
      types: [control],
    },
    compliance: {
      control,
      ...(about && { desc: about.rationale, requirements: about.hipaa.map(({ section }) => `45 CFR ${section}`), standards: ['HIPAA'] }),
      ...(verdict && { status_id: verdict[0], status: verdict[1] }),
      status_code: evaluation.complianceType,
      status_detail: evaluation.annotation,
    },
    resources: [{ uid: resource.id, type: resource.type, region, cloud_partition: partitionOf(region) }],
    observables: [{ name: 'resources[].uid', type_id: resourceUid, type: 'Resource UID', value: resource.id }],
    ...(actor && { actor: { user: { uid: actor } } }),
    ...(remedy && { remediation: { desc: remedy } }),
  };
}
