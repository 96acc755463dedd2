import { BatchImportFindingsCommand, GetFindingsCommand, InvalidAccessException, SecurityHubClient } from '@aws-sdk/client-securityhub';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { backlogAlertOf } from '../../../engine/alerts/backlog.ts';
import type { CompiledChannel } from '../../../engine/policy/channels.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import { type SecurityHubChannel, securityHub } from '../../../handlers/channels/security-hub.ts';
import { control, finding, lives } from '../../support/findings.ts';
import { told } from '../../support/lamps.ts';
import { describeOnMoto, type Moto, startMoto } from '../../support/moto.ts';
import { failure } from '../../support/outside/failure.ts';

const place = { accountId: '123456789012', region: 'us-east-1' };
const context = { stack: 'phidelity-prod', region: 'us-east-1' };
const channel: SecurityHubChannel = { securityHub: true, pages: false, minSeverity: 'INFORMATIONAL', timezone: 'UTC' } satisfies CompiledChannel;
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const failed = told(lives['a page']);
const resolved = told({ ...lives.fixed, version: 2 });

// Moto takes findings also where Security Hub is not enabled: that and all other refusals are in the mocked half.
describeOnMoto('Security Hub, on moto', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto?.stop());

  test('a finding fails, then passes and is archived: one finding, whose workflow is never sent', async () => {
    const aws = awsAccess({ endpoint: moto.endpoint, credentials })(place, { share: false });
    const standing = async () => (await aws.client(SecurityHubClient).send(new GetFindingsCommand({}))).Findings!;
    const send = securityHub(aws);
    expect(await send(failed, channel, context, undefined)).toBeUndefined();
    expect(await standing()).toMatchObject([{ Compliance: { Status: 'FAILED' }, RecordState: 'ACTIVE' }]);
    await send(resolved, channel, context, undefined);
    const [one, ...more] = await standing();
    expect(more).toEqual([]);
    expect(one).toMatchObject({
      Id: 'phidelity/123456789012/us-east-1/f-abcdefghijklmnopqrstuvwxyz',
      Compliance: { Status: 'PASSED' },
      RecordState: 'ARCHIVED',
    });
    expect(one).not.toHaveProperty('Workflow');
  });
});

describe('Security Hub, mocked', () => {
  const mocked = () => mockClient(SecurityHubClient);
  let hub: ReturnType<typeof mocked>;
  beforeEach(() => {
    hub = mocked();
  });
  afterEach(() => {
    hub.restore();
  });
  const aws = () => awsAccess({ credentials })(place, { share: false });
  const refusedFinding = (ErrorCode: string) => ({
    FailedCount: 1,
    SuccessCount: 0,
    FailedFindings: [{ Id: 'phidelity/f', ErrorCode, ErrorMessage: 'arn:aws:s3:::patient-john' }],
  });
  const named = (name: string, more: object = {}) => Object.assign(new Error('arn:aws:s3:::patient-john'), { name, ...more });
  const off = 'Security Hub is not enabled in us-east-1 of this account: enable it, or take the channel out of the policy.';

  const answers: Readonly<
    Record<string, { readonly fault?: Error; readonly answer?: ReturnType<typeof refusedFinding>; readonly is: readonly [string, string, number?] }>
  > = {
    'not enabled, as an error': { fault: new InvalidAccessException({ message: 'not subscribed', $metadata: {} }), is: ['refused', off] },
    'not enabled, as a failed finding': { answer: refusedFinding('InvalidAccess'), is: ['refused', off] },
    'a finding that is not in the format': { answer: refusedFinding('InvalidInput'), is: ['refused', 'Security Hub did not take 1 finding (InvalidInput).'] },
    'a finding while the customer writes to it': {
      answer: refusedFinding('ConcurrentUpdateError'),
      is: ['again', 'Security Hub did not take 1 finding (ConcurrentUpdateError).'],
    },
    'the role may not': {
      fault: named('AccessDeniedException'),
      is: ['refused', "Security Hub refuses the bot's role (AccessDeniedException): deploy again, or look for a policy that denies it."],
    },
    throttled: { fault: named('ThrottlingException'), is: ['again', 'Security Hub answers ThrottlingException.', 30] },
    'past its limit': { fault: named('LimitExceededException'), is: ['again', 'Security Hub answers LimitExceededException.'] },
    'a fault of the service': { fault: named('InternalException'), is: ['again', 'Security Hub answers InternalException.'] },
  };
  test.each(Object.entries(answers))('%s', async (_, { fault, answer, is }) => {
    const call = hub.on(BatchImportFindingsCommand);
    if (fault) call.rejects(fault);
    else call.resolves(answer!);
    const error = await failure(securityHub(aws())(failed, channel, context, undefined));
    expect([error.failure, error.message, ...(error.retryAfter === undefined ? [] : [error.retryAfter])]).toEqual(is);
    expect(error.message).not.toContain('john');
  });

  test('what is about many is not sent', async () => {
    const alert = backlogAlertOf({ id: 'lamp-off', severity: 'LOW', ...control }, { ...finding().resource, began: 'now' }, [finding()]);
    expect(await securityHub(aws())(alert, channel, context, undefined)).toBeUndefined();
    expect(hub.commandCalls(BatchImportFindingsCommand)).toHaveLength(0);
  });
});
