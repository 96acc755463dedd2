/** The fixes by copy are cut off before and after each single call, and run anew: RDS snapshots on moto, images on a shaped fake. */
import { CreateDBInstanceCommand, CreateDBSnapshotCommand, DescribeDBSnapshotsCommand, RDSClient } from '@aws-sdk/client-rds';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { AnyStateControl } from '../../engine/control.ts';
import type { Change } from '../../engine/model.ts';
import type { Aws, ClientClass } from '../../engine/ports.ts';
import { awsAccess } from '../../handlers/aws/access.ts';
import images from '../../remediations/ec2/ami-snapshots-encrypted.ts';
import snapshots from '../../remediations/rds/rds-snapshot-encrypted.ts';
import { accountId, region, task } from '../support/control-tester.ts';
import { type FakeImages, fakeImages } from '../support/fakes/images.ts';
import { describeOnMoto, type Moto, startMoto } from '../support/moto.ts';

type Moment = 'before' | 'after';
type Sendable = { send(command: object, ...rest: unknown[]): Promise<unknown> };

/** The same place, cut off at its nth call. */
function cutOff(aws: Aws, moment: Moment, nth: number): Aws {
  let sent = -1;
  return {
    ...aws,
    client<Client extends object>(type: ClientClass<Client>) {
      const client = aws.client(type) as Client & Sendable;
      return Object.assign(Object.create(client), {
        async send(command: object, ...rest: unknown[]) {
          sent += 1;
          if (sent === nth && moment === 'before') throw new Error('killed');
          const dies = sent === nth;
          const answer = client.send(command, ...rest);
          if (!dies) return answer;
          await Promise.allSettled([answer]);
          throw new Error('killed');
        },
      });
    },
  };
}

interface Scene {
  readonly control: AnyStateControl;
  readonly aws: Aws;
  /** Makes the original; gives its ARN. */
  arrange(): Promise<string>;
  /** Tags of the original, and how many encrypted copies there are. */
  look(): Promise<{ tags: readonly string[]; copies: number }>;
}

async function survives({ control, aws, arrange, look }: Scene, dying: 'remediate' | 'undo', moment: Moment): Promise<number> {
  for (let nth = 0; ; nth += 1) {
    const resource = { accountId, region, type: control.resourceType, id: await arrange() };
    const before = await look();
    const plan = control.plan!(await control.inspect(resource, aws), control.params.parse({})) as Change;
    const drive = async (phase: 'remediate' | 'undo', place: Aws) => {
      for (let move = 0; move < 20; move += 1) if (!(await control[phase]!(resource, plan, place, task))) return;
      throw new Error('still not done');
    };
    if (dying === 'undo') await drive('remediate', aws);
    const died = await drive(dying, cutOff(aws, moment, nth)).then(
      () => false,
      (error: Error) => error.message === 'killed' || Promise.reject(error),
    );
    if (!died) return nth;
    if (dying === 'remediate') {
      await drive('remediate', aws);
      expect({ nth, ...(await look()) }).toEqual({ nth, tags: [...before.tags, 'phidelity:keep-until', 'phidelity:replaced-by'].sort(), copies: 1 });
      expect(control.evaluate(await control.inspect(resource, aws), control.params.parse({}), new Date()).complianceType).toBe('COMPLIANT');
    }
    await drive('undo', aws);
    expect({ nth, ...(await look()) }).toEqual({ nth, tags: before.tags, copies: 1 });
  }
}

const cases = (['remediate', 'undo'] as const).flatMap((phase) => (['before', 'after'] as const).map((moment) => [phase, moment] as const));
const keys = (tags: readonly { Key?: string }[] = []) => tags.map(({ Key = '' }) => Key).sort();

describe('ami-snapshots-encrypted', () => {
  let fake: FakeImages;
  afterEach(() => fake.restore());
  const scene: Scene = {
    control: images,
    aws: awsAccess({ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })({ accountId, region }, { share: false }),
    async arrange() {
      fake?.restore();
      fake = fakeImages();
      return `arn:aws:ec2:${region}::image/${fake.add([false], { Tags: [{ Key: 'team', Value: 'records' }] })}`;
    },
    look: async () => ({ tags: keys(fake.all()[0]!.Tags), copies: fake.all().length - 1 }),
  };
  test.each(cases)('a death in %s, right %s any call', async (phase, moment) => {
    expect(await survives(scene, phase, moment)).toBeGreaterThan(3);
  });
});

describeOnMoto('rds-snapshot-encrypted', () => {
  let moto: Moto;
  let aws: Aws;
  beforeAll(async () => {
    moto = await startMoto();
    aws = awsAccess({ endpoint: moto.endpoint, credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })({ accountId, region }, { share: false });
  });
  afterAll(() => moto?.stop());

  const arrange = async () => {
    await moto.reset();
    const rds = aws.client(RDSClient);
    const database = { DBInstanceIdentifier: 'orders', DBInstanceClass: 'db.t4g.small', Engine: 'postgres', AllocatedStorage: 20 };
    await rds.send(new CreateDBInstanceCommand({ ...database, MasterUsername: 'keeper', MasterUserPassword: 'only-in-a-test' }));
    const snapshot = { DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: 'monthly', Tags: [{ Key: 'team', Value: 'records' }] };
    return (await rds.send(new CreateDBSnapshotCommand(snapshot))).DBSnapshot!.DBSnapshotArn!;
  };
  const look = async () => {
    const { DBSnapshots = [] } = await aws.client(RDSClient).send(new DescribeDBSnapshotsCommand({ SnapshotType: 'manual' }));
    const original = DBSnapshots.find(({ DBSnapshotIdentifier }) => DBSnapshotIdentifier === 'monthly')!;
    return { tags: keys(original.TagList), copies: DBSnapshots.filter(({ Encrypted }) => Encrypted).length };
  };
  test.each(cases)('a death in %s, right %s any call', async (phase, moment) => {
    expect(await survives({ control: snapshots, aws, arrange, look }, phase, moment)).toBeGreaterThan(3);
  });
});
