/**
 * What is replaced by an encrypted copy: volumes and images on shaped fakes that take their time, RDS snapshots on moto. What a fix makes
 * stays, for a person to delete.
 */
import { DescribeImagesCommand, DescribeInstancesCommand, DescribeVolumesCommand, EC2Client, type Tag, type Volume } from '@aws-sdk/client-ec2';
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateDBInstanceCommand, CreateDBSnapshotCommand, DescribeDBSnapshotsCommand, RDSClient } from '@aws-sdk/client-rds';
import fc from 'fast-check';
import { type FakeImages, fakeImages } from '../../support/fakes/images.ts';
import { FakeVolumes } from '../../support/fakes/volumes.ts';
import type { RoundTrip } from '../../support/round-trip.ts';

const someTags = fc.uniqueArray(fc.record({ Key: fc.constantFrom('Name', 'team', 'phi'), Value: fc.string({ maxLength: 5 }) }), { selector: ({ Key }) => Key });

/** Those of the bot, and the others; neither in an order. */
const partedTags = (tags: readonly Tag[] = []) => {
  const texts = tags.map(({ Key, Value }) => `${Key}=${Value}`).sort();
  const isOwn = (text: string) => text.startsWith('phidelity:');
  return { own: texts.filter(isOwn), others: texts.filter((text) => !isOwn(text)) };
};

interface Disk {
  readonly parts: Partial<Volume>;
  readonly tags: Tag[];
  readonly on: 'nothing' | 'running' | 'stopped';
  readonly device: string;
  readonly deleteOnTermination: boolean;
}

let disks: FakeVolumes;
const volume: RoundTrip<Disk> = {
  prior: fc.record({
    parts: fc.constantFrom<Partial<Volume>>(
      {},
      { VolumeType: 'gp3', Iops: 4_000, Throughput: 250, Size: 20 },
      { VolumeType: 'io2', Iops: 6_000, AvailabilityZone: 'us-east-1b' },
      { VolumeType: 'st1', Size: 500 },
    ),
    tags: someTags,
    on: fc.constantFrom('nothing', 'running', 'stopped'),
    device: fc.constantFrom('/dev/xvda', '/dev/sdf'),
    deleteOnTermination: fc.boolean(),
  }),
  fake() {
    disks = new FakeVolumes();
    return disks;
  },
  params: () => ({ stopInstances: true }),
  async arrange(_aws, { parts, tags, on, device, deleteOnTermination }) {
    const id = disks.addVolume({ ...parts, Tags: tags });
    if (on === 'nothing') return id;
    const instance = disks.addInstance(on);
    disks.hold(id, instance, device, deleteOnTermination);
    // Its neighbour, which is nobody's business.
    disks.hold(disks.addVolume({ Encrypted: true }), instance, device === '/dev/xvda' ? '/dev/sdg' : '/dev/xvda', !deleteOnTermination);
    return id;
  },
  async told(aws, id) {
    const { Volumes = [] } = await aws.client(EC2Client).send(new DescribeVolumesCommand({}));
    const { Reservations } = await aws.client(EC2Client).send(new DescribeInstancesCommand({}));
    const { Tags, Attachments = [], State, ...told } = Volumes.find(({ VolumeId }) => VolumeId === id)!;
    const { own, others } = partedTags(Tags);
    const instances = Reservations!.flatMap(({ Instances = [] }) => Instances).map(({ LaunchTime: _, ...instance }) => instance);
    const neighbours = Volumes.filter(({ VolumeId, Tags = [] }) => VolumeId !== id && !Tags.some(({ Key }) => Key === 'phidelity:replaces'));
    return { own: { own, State, attachments: Attachments.map(({ AttachTime: _, ...held }) => held) }, other: { told, others, instances, neighbours } };
  },
};

interface Backed {
  readonly encrypted: readonly boolean[];
  readonly tags: Tag[];
}

let images: FakeImages;
const image: RoundTrip<Backed> = {
  prior: fc.record({ encrypted: fc.constantFrom([false], [true, false], [false, false, true]), tags: someTags }),
  fake() {
    images = fakeImages();
    return images;
  },
  arrange: async (_aws, { encrypted, tags }) => images.add(encrypted, { Tags: tags }),
  async told(aws, id) {
    const { Tags, ...told } = (await aws.client(EC2Client).send(new DescribeImagesCommand({ ImageIds: [id] }))).Images![0]!;
    const { own, others } = partedTags(Tags);
    return { own, other: { told, others } };
  },
};

const key = 'alias/records';
const snapshot: RoundTrip<Tag[]> = {
  prior: someTags,
  params: () => ({ kmsKeyId: key }),
  async arrange(aws, Tags, DBInstanceIdentifier) {
    const { KeyMetadata } = await aws.client(KMSClient).send(new CreateKeyCommand({}));
    await aws
      .client(KMSClient)
      .send(new CreateAliasCommand({ AliasName: key, TargetKeyId: KeyMetadata!.KeyId }))
      .catch(() => undefined);
    const rds = aws.client(RDSClient);
    const login = { MasterUsername: 'keeper', MasterUserPassword: 'only-in-a-test' };
    const of = { DBInstanceClass: 'db.t4g.small', Engine: 'postgres', AllocatedStorage: 20, ...login };
    await rds.send(new CreateDBInstanceCommand({ DBInstanceIdentifier, ...of }));
    const made = await rds.send(new CreateDBSnapshotCommand({ DBInstanceIdentifier, DBSnapshotIdentifier: `${DBInstanceIdentifier}-manual`, Tags }));
    return made.DBSnapshot!.DBSnapshotArn!;
  },
  async told(aws, arn) {
    const { DBSnapshots } = await aws.client(RDSClient).send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: arn.split(':').at(-1) }));
    const { TagList, ...told } = DBSnapshots![0]!;
    const { own, others } = partedTags(TagList);
    return { own, other: { told, others } };
  },
};

export const replaced = { 'ebs-volume-encrypted': volume, 'ami-snapshots-encrypted': image, 'rds-snapshot-encrypted': snapshot };
