/** Before a removal, on moto: forwarders go whatever has become of their home. */
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { dynamoLedger, tableDefinition } from '../../../handlers/aws/ledger.ts';
import { cover } from '../../../infra/plugin/coverage.ts';
import { beforeRemove } from '../../../infra/plugin/deploy.ts';
import { describeOnMoto, type Moto, startMoto } from '../../support/moto.ts';
import { policyOf } from '../../support/policy-of.ts';

const [name, region] = ['phidelity-dev', 'us-east-2'];

describeOnMoto('before a removal (on moto)', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto?.stop());
  beforeEach(async () => {
    await moto.reset();
    const home = { stackName: name, region, forwarderRoleArn: 'arn:aws:iam::123456789012:role/f' };
    await cover({ ...(await policyOf('')), watch: ['us-west-2'] }, [], home, { configOf });
  });

  const configOf = async (at: string) => ({ region: at, endpoint: moto.endpoint, credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' } });
  /** A home stack that says its ledger is in a table of this name. */
  const homeWith = async (LedgerTableName: string) => {
    const template = {
      Resources: { Queue: { Type: 'AWS::SQS::Queue' } },
      Outputs: { LedgerTableName: { Value: LedgerTableName } },
    };
    await new CloudFormationClient(await configOf(region)).send(new CreateStackCommand({ StackName: name, TemplateBody: JSON.stringify(template) }));
  };

  test('the home stack is gone already: the forwarder that outlived it goes too', async () => {
    expect(await beforeRemove({ name, region, configOf })).toEqual({ outputs: {}, words: ['Forwarders removed: us-west-2'] });
  });

  test('the home stack is there: its outputs are kept for what is said at the end', async () => {
    await homeWith('ledger');
    const client = new DynamoDBClient(await configOf(region));
    await client.send(new CreateTableCommand({ TableName: 'ledger', ...tableDefinition }));
    const ledger = dynamoLedger({ client, table: 'ledger', clock: { now: () => new Date() } });
    await ledger.remember('deployment', { at: '', policyId: '', regions: [region, 'us-west-2'], unreached: {}, fixSince: {} });
    const { outputs, words } = await beforeRemove({ name, region, configOf });
    expect(outputs).toEqual({ LedgerTableName: 'ledger' });
    expect(words).toEqual(['Forwarders removed: us-west-2']);
  });

  test('the ledger cannot be read: said, and the forwarders go', async () => {
    await homeWith('missing');
    const { words } = await beforeRemove({ name, region, configOf });
    expect(words).toEqual([expect.stringMatching(/^What the last deploy recorded cannot be read \(.+\)/), 'Forwarders removed: us-west-2']);
  });
});
