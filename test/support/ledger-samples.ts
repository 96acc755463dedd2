/** Findings, entries and policies for the tests of the ledgers. */
import { createHash } from 'node:crypto';
import type { Entry, Finding } from '../../engine/model.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import type { FindingKey } from '../../engine/ports.ts';

export const control = 's3-bucket-public-access-block';

export const keyOf = ({ id = 'arn:aws:s3:::records', fold, control: name = control }: { id?: string; fold?: string; control?: string } = {}): FindingKey => ({
  control: name,
  resource: { accountId: '123456789012', region: 'us-east-1', type: 'AWS::S3::Bucket', id },
  ...(fold !== undefined && { fold }),
});

const seenAt = '2026-03-01T12:00:00.000Z';
const opener = { eventId: 'event-0', source: 'cloudtrail', time: seenAt, eventName: 'DeletePublicAccessBlock' } as const;

/** Open, first episode, first version, unless told otherwise. */
export const findingOf = (parts: Partial<Finding> = {}): Finding => {
  const { control: name, resource, fold } = { ...keyOf(), ...parts };
  const episode = parts.episode ?? 1;
  return {
    id: `f-${createHash('sha256')
      .update(JSON.stringify([name, resource, fold, episode]))
      .digest('hex')
      .slice(0, 26)}`,
    control: name,
    resource,
    episode,
    version: 1,
    state: 'open',
    severity: 'HIGH',
    openedAt: seenAt,
    openedBy: opener,
    lastSeenAt: seenAt,
    lastTrigger: opener,
    seen: 1,
    evaluation: { complianceType: 'NON_COMPLIANT', annotation: 'The bucket has no public access block.' },
    wrong: 'The bucket has no public access block.',
    decision: { action: 'notify', reason: 'the policy says notify' },
    drives: 0,
    changes: [],
    chain: '0'.repeat(64),
    ...parts,
  };
};

/** Before entries were chained. */
export const plainEntryOf = ({ id, version }: Pick<Finding, 'id' | 'version'>) =>
  ({ findingId: id, seq: version, at: seenAt, kind: version === 1 ? 'OPENED' : 'SEEN', by: 'detect', note: `version ${version}` }) as const;

/** The same each time: what seals an entry has tests of its own. */
export const entryOf = (finding: Pick<Finding, 'id' | 'version'>): Entry => ({
  ...plainEntryOf(finding),
  mac: 'mac',
  prev: finding.version === 1 ? null : 'hash before',
  hash: 'hash',
  raw: { salt: 'salt', changes: { seen: finding.version, proposal: null }, note: 'in full' },
});

/** `exceptions` make it as large as a test likes. */
export const policyOf = (exceptions = 0): CompiledPolicy => ({
  version: 1,
  id: `policy with ${exceptions} exceptions`,
  regions: ['us-east-1'],
  watch: 'all',
  people: {},
  approvals: { expires: 259_200 },
  accounts: {},
  channels: { security: { sns: true, pages: true, minSeverity: 'INFORMATIONAL', timezone: 'UTC' } },
  guards: { fixesPerHour: 50, fixesPerControlPerHour: 20, repeat: { limit: 3, within: 86_400 }, ramp: { fixes: 25, hours: 24 } },
  backlog: 'tell',
  evidence: { lock: 'governance', years: 6 },
  iam: { path: '/' },
  controls: {
    [control]: {
      mode: 'fix',
      params: {},
      fixAfter: 0,
      when: [],
      exceptions: Array.from({ length: exceptions }, (_, index) => ({
        resource: `arn:aws:s3:::public-site-${index}`,
        reason: 'a public status page, no PHI',
        approvedBy: 'ciso@example.com',
        expires: '2027-03-31',
      })),
    },
  },
});
