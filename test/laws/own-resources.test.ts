/** What the bot asks of everybody's resources holds for its own: each passes every control, or is excepted in the baseline, with a reason and an end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LocalStack, startLocalStack } from '../../cli/local-stack/index.ts';
import type { AnyStateControl } from '../../engine/control.ts';
import type { ResourceRef } from '../../engine/model.ts';
import { exceptionFor } from '../../engine/policy/match.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { awsAccess } from '../../handlers/aws/access.ts';
import { catalogue } from '../../remediations/index.ts';
import { describeOnMoto } from '../support/moto.ts';
import { policyOf } from '../support/policy-of.ts';

const regions = ['us-east-1', 'eu-west-1'];

interface Judged {
  readonly control: string;
  readonly resource: ResourceRef;
  readonly verdict: string;
  readonly annotation: string;
}

describeOnMoto('the resources of the stack', () => {
  const folder = mkdtempSync(join(tmpdir(), 'own-resources-'));
  let stack: LocalStack;
  let policy: CompiledPolicy;
  let judged: Judged[];

  beforeAll(async () => {
    const file = join(folder, 'policy.yaml');
    // With everything that only some policies have.
    const slackApp = 'slackApp: { token: "ssm:/phidelity/slack-token", signingSecret: "ssm:/phidelity/slack-secret", channel: C0123 }';
    writeFileSync(file, `version: 1\nextends: hipaa\nwatch: [${regions.join(', ')}]\nchannels:\n  slack: { ${slackApp} }\n`);
    stack = await startLocalStack({ policy: file });
    policy = await policyOf('');
    // The local stack leaves out what demands TLS, since the emulator speaks HTTP. Here nothing but the control reads the policy.
    await stack.emulator.setAuth(false);
    await wholeBucketPolicy('ServerlessDeploymentBucketPolicy', stack.report.outputs.ServerlessDeploymentBucketName!);
    await wholeBucketPolicy('EvidenceBucketPolicy', stack.report.outputs.EvidenceBucketName!);
    judged = await judgeAll();
  }, 300_000);
  afterAll(async () => {
    await stack?.stop();
    rmSync(folder, { recursive: true });
  });

  async function wholeBucketPolicy(id: string, bucket: string) {
    const { TemplateBody } = await stack.clients.cloudFormation.send(new GetTemplateCommand({ StackName: 'phidelity-dev' }));
    const { PolicyDocument } = JSON.parse(TemplateBody!).Resources[id].Properties as { PolicyDocument: unknown };
    const Policy = JSON.stringify(PolicyDocument, (_, value) => {
      const {
        'Fn::Join': join,
        'Fn::GetAtt': attribute,
        'Fn::Sub': text,
      } = (value ?? {}) as {
        readonly 'Fn::Join'?: [string, (string | { Ref: string })[]];
        readonly 'Fn::GetAtt'?: [string, string];
        readonly 'Fn::Sub'?: string;
      };
      if (attribute) return `arn:aws:s3:::${bucket}`;
      if (text) return text.replace(/\$\{EvidenceBucket\.Arn\}/, `arn:aws:s3:::${bucket}`);
      const parts = join?.[1];
      return parts ? parts.map((part) => (typeof part === 'string' ? part : part.Ref === 'AWS::Partition' ? 'aws' : bucket)).join('') : value;
    });
    await stack.clients.s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  }

  const isOwn = ({ id }: ResourceRef) =>
    id.includes('phidelity-dev') || [stack.report.outputs.DataKeyArn, stack.report.outputs.AlarmKeyArn, stack.report.outputs.SigningKeyArn].includes(id);

  async function judgeAll(): Promise<Judged[]> {
    const access = awsAccess({ endpoint: stack.endpoint, credentials: stack.emulator.adminCredentials() });
    const found: Judged[] = [];
    for (const entry of catalogue.filter(({ kind }) => kind === 'state')) {
      const control = (await entry.load()) as AnyStateControl;
      const { params } = policy.controls[entry.id]!;
      for (const region of entry.scope === 'global' ? ['us-east-1'] : regions) {
        const aws = access({ accountId: stack.accountId, region }, { share: false });
        // Only services that the stack has something of: the emulator lacks others.
        if (!ownServices.has(entry.service)) continue;
        for await (const { resources } of control.list(aws, { params })) {
          for (const [resource] of resources.filter(([resource]) => isOwn(resource))) {
            const state = await control.inspect(resource, aws);
            // A function without a URL has nothing that could be open.
            const { complianceType, annotation } =
              state === undefined ? { complianceType: 'GONE', annotation: '' } : control.evaluate(state, params, new Date());
            found.push({ control: entry.id, resource, verdict: complianceType, annotation });
          }
        }
      }
    }
    return found;
  }
  const ownServices = new Set(['s3', 'sns', 'sqs', 'kms', 'lambda']);
  // The facts they compare with are stored by the deploy: test/e2e/own-safety.test.ts.
  const ofOthers = ({ control }: Judged) => !control.startsWith('bot-') && control !== 'eventbridge-bot-rules-on';

  const kinds: readonly [control: string, resource: RegExp][] = [
    ['sqs-queue-encrypted', /:us-east-1:.*IntakeQueue/],
    ['sqs-queue-tls-only', /:us-east-1:.*SweepQueue/],
    ['sqs-queue-encrypted', /:eu-west-1:.*TargetDlq/],
    ['sqs-queue-tls-only', /:eu-west-1:.*TargetDlq/],
    ['sns-topic-encrypted', /OwnHealth/],
    ['sns-topic-not-public', /ChannelSecurity/],
    ['kms-key-rotation-enabled', /:key\//],
    ['kms-key-not-scheduled-for-deletion', /:key\//],
    ['s3-bucket-tls-only', /evidencebucket/],
    ['s3-bucket-public-access-block', /evidencebucket/],
    ['s3-bucket-versioning', /evidencebucket/],
    ['s3-default-encryption-kms', /evidencebucket/],
    ['s3-bucket-tls-only', /serverlessdeploymentbucket/],
    ['s3-bucket-versioning', /serverlessdeploymentbucket/],
    ['s3-default-encryption-kms', /serverlessdeploymentbucket/],
  ];
  test.each(kinds)('%s looks at %s', (control, resource) => {
    expect(judged.filter((each) => each.control === control && resource.test(each.resource.id))).not.toEqual([]);
  });

  test('the endpoint for answers from Slack is among them', () => {
    expect(stack.report.outputs.SlackEndpoint).toMatch(/\/slack$/);
    expect(stack.report.functions).toContain('phidelity-dev-slack');
  });

  test('pass every control, or are excepted', () => {
    const failing = judged.filter(ofOthers).filter(({ verdict }) => !['COMPLIANT', 'NOT_APPLICABLE', 'GONE'].includes(verdict));
    const unexcused = failing.filter(({ control, resource }) => exceptionFor(policy.controls[control]!, resource, new Date())?.strength !== 'waives');
    expect(unexcused.map(({ control, resource, verdict, annotation }) => `${control} ${resource.id}: ${verdict} ${annotation}`)).toEqual([]);
  });

  test('every exception of the baseline is needed, and is for the stack alone', () => {
    const excepted = Object.entries(policy.controls).flatMap(([id, { exceptions }]) => exceptions.map((exception) => ({ id, ...exception })));
    for (const { id, resource = '*' } of excepted) {
      const needed = judged.filter(
        ({ control, verdict, resource: { id: arn } }) => control === id && verdict === 'NON_COMPLIANT' && isOwn({ id: arn } as ResourceRef),
      );
      expect({ id, needed: needed.length > 0 }).toEqual({ id, needed: true });
      expect(resource).toMatch(/:phidelity-\*-/);
    }
  });
});
