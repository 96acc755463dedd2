/** Four controls that exist in these tests only, and a loader over texts. */
import * as z from 'zod';
import { nearest } from '../../../cli/nearest.ts';
import type { AnyControl, Catalogue, CatalogueEntry } from '../../../engine/control.ts';
import { PolicyError } from '../../../engine/errors.ts';
import { type LoadedPolicy, loadPolicy } from '../../../engine/policy/load.ts';

const port = z.int().min(1).max(65_535).default(443).describe('A port');

function entry(
  parts: Pick<CatalogueEntry, 'id' | 'service' | 'kind' | 'defaultMode' | 'fix'> & Partial<CatalogueEntry>,
  params: z.ZodType = z.strictObject({}),
): CatalogueEntry {
  return {
    title: `Title of ${parts.id}`,
    severity: 'HIGH',
    resourceType: 'AWS::Test::Thing',
    arn: 'arn:{partition}:test:{region}:{account}:thing/{id}',
    scope: 'regional',
    hipaa: ['164.312(a)(1)'],
    related: {},
    undo: parts.fix,
    triggers: [],
    writes: [],
    permissions: { inspect: [], remediate: [], undo: [] },
    load: async () => ({ id: parts.id, params }) as unknown as AnyControl,
    ...parts,
  };
}

export const catalogue: Catalogue = [
  entry(
    { id: 'rds-instance-not-public', service: 'rds', kind: 'state', defaultMode: 'approve', fix: true },
    z.strictObject({ port, owners: z.array(z.string()).default([]).describe('Owners') }),
  ),
  entry({ id: 'rds-storage-encrypted', service: 'rds', kind: 'state', defaultMode: 'page', fix: false }),
  entry({ id: 's3-bucket-tls-only', service: 's3', kind: 'state', defaultMode: 'fix', fix: true }, z.strictObject({ port })),
  entry({ id: 'root-user-not-used', service: 'iam', kind: 'event', defaultMode: 'page', fix: false }),
];

export { entry };

export const baseline = `version: 1
regions: [us-east-1]
channels:
  security: { sns: true, pages: true }
controls:
  rds-instance-not-public: approve
  rds-storage-encrypted: page
  s3-bucket-tls-only: fix
  root-user-not-used: page
`;

export const today = '2026-11-22';

/** Loads `account.yaml` among other texts. */
export const load = (text: string, others: Readonly<Record<string, string>> = {}): Promise<LoadedPolicy> => {
  const files: Readonly<Record<string, string>> = { 'hipaa.yaml': baseline, 'account.yaml': text, ...others };
  return loadPolicy({
    file: 'account.yaml',
    read: (path) => (Object.hasOwn(files, path) ? files[path] : undefined),
    catalogue,
    today,
    baseline: 'hipaa.yaml',
    nearest,
  });
};

/** The lines of the PolicyError that loading ends in. */
export async function faultsOf(text: string, others?: Readonly<Record<string, string>>): Promise<string[]> {
  try {
    await load(text, others);
  } catch (error) {
    if (error instanceof PolicyError) return error.message.split('\n');
    throw error;
  }
  throw new Error('the policy was accepted');
}
