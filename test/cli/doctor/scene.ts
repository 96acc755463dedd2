/** A deployed stack as the doctor's checks see it; what AWS answers is set by each test. */

import type { Check } from '../../../cli/doctor/check.ts';
import { type StackScene, withStack } from '../../../cli/doctor/scene.ts';
import type { StackPart } from '../../../cli/stack.ts';
import { DeniedError } from '../../../engine/errors.ts';
import type { Deployment, Ledger } from '../../../engine/ports.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import { memoryLedger, testClock } from '../../support/ledger-model.ts';
import { policyOf } from '../../support/policy-of.ts';

export const accountId = '123456789012';
export const home = 'us-east-1';
export const now = '2026-03-02T12:00:00.000Z';
export const controls = 'controls:\n  "*": off\n  cloudtrail-logging-on: fix\n  s3-bucket-tls-only: notify';

export const deploymentOf = (more: Partial<Deployment> = {}): Deployment => ({
  at: '2026-02-01T08:00:00.000Z',
  policyId: 'p',
  regions: [home, 'us-west-2'],
  unreached: {},
  fixSince: {},
  ...more,
});

const outputs = {
  LedgerTableName: 'ledger',
  DataKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/data',
  AlarmKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/alarm',
  SigningKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/signing',
  KillSwitchParameter: '/phidelity/phidelity-prod/kill-switch',
  OwnHealthTopic: 'arn:aws:sns:us-east-1:123456789012:OwnHealth',
  ChannelSecurityTopic: 'arn:aws:sns:us-east-1:123456789012:Security',
  IntakeDlqUrl: 'https://sqs.us-east-1.amazonaws.com/123456789012/IntakeDlq',
  SweepDlqUrl: 'https://sqs.us-east-1.amazonaws.com/123456789012/SweepDlq',
  AlertDlqUrl: 'https://sqs.us-east-1.amazonaws.com/123456789012/AlertDlq',
  TargetDlqUrl: 'https://sqs.us-east-1.amazonaws.com/123456789012/TargetDlq',
};

export interface Given {
  readonly status?: string;
  readonly parts?: readonly StackPart[];
  readonly ledger?: Ledger;
  readonly policy?: string;
}

export const part = (type: string, id: string, logicalId = id): StackPart => ({ type, id, logicalId });
export const emptyLedger = (): Ledger => memoryLedger(testClock(now));

/** Everything about it is as it should be, but for what `given` says. */
export async function sceneOf({ status = 'UPDATE_COMPLETE', parts = [], ledger = emptyLedger(), policy = controls }: Given = {}): Promise<StackScene> {
  const aws = awsAccess({ credentials: { accessKeyId: 'a', secretAccessKey: 's' }, maxAttempts: 1 })({ accountId, region: home }, { share: true });
  const stack = { name: 'phidelity-prod', region: home, status, outputs };
  const scene = { aws, now: new Date(now), policy: await policyOf(policy), policyFile: 'policies/account.yaml' };
  return { ...withStack(scene, { stack, aws, ledger }), parts: async () => parts };
}

export interface Line {
  readonly status: Check['status'];
  readonly detail: RegExp;
  readonly mend?: RegExp;
}

/** Jest's view of the lines that a check should give, in order. */
export const matching = (lines: readonly Line[], expect: typeof import('@jest/globals')['expect']): unknown[] =>
  lines.map(({ status, detail, mend }) => ({
    check: expect.any(String),
    status,
    detail: expect.stringMatching(detail),
    ...(mend ? { mend: expect.stringMatching(mend) } : status === 'wrong' && { mend: expect.any(String) }),
  }));

export const deploys = /^npx serverless deploy --stage prod --region us-east-1 --param policy=policies\/account\.yaml$/;

/** As `awsAccess` gives a refusal of AWS. */
export const denied = (action: string): Error => {
  const cause = Object.assign(new Error(`User: jo is not authorized to perform: ${action} on resource: *`), { name: 'AccessDeniedException' });
  return new DeniedError(action, { cause });
};
