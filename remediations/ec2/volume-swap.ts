/**
 * The swap of a volume for an encrypted one, and back. Every call looks at what is there and makes the next missing move. What has been made is
 * found by the finding's id in its tags, set by the very call that made it: a process that dies right after such a call makes nothing twice.
 *
 * The new volume is encrypted as AWS makes it from the snapshot. An encrypted copy of the snapshot in between would keep the instance
 * stopped for longer, and AWS does not tell what a copy was made from, which is what the old volume's verdict rests on.
 */
import {
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteTagsCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  EC2Client,
  type Instance,
  type Snapshot,
  type Volume,
  type VolumeAttachment,
} from '@aws-sdk/client-ec2';
import { TerminalError } from '../../engine/errors.ts';
import { type Again, type Aws, type Change, leafOf, type ResourceRef, required, type Task } from '../define.ts';
import { copiedTags, dayAfter, onOriginal, type Tags, tag, tagList, tagsOf } from '../replaced.ts';
import { again, attachedAs, detached, startedAgain, stopped } from './instance-moves.ts';
import { type Attachment, attachmentsOf, instanceAt, type Serving, stateOfInstance, volumeAt } from './volume.ts';

interface Made {
  readonly snapshot?: Snapshot | undefined;
  readonly volume?: Volume | undefined;
}

export async function swap(resource: ResourceRef, { before, after }: Change<Serving>, aws: Aws, { findingId }: Task): Promise<Again | void> {
  const ec2 = aws.client(EC2Client);
  const id = leafOf(resource);
  const { attachment } = before;
  const how = required(after.how, 'how the volume is to be swapped');
  const old = await volumeAt(aws, id);
  if (!old) return;
  const made = await madeFor(aws, id, findingId);
  const [held] = attachmentsOf(old);
  sameAsPlanned(held, attachment, made);
  const instance = attachment && (await presentInstance(aws, attachment));
  const marks = { [tag.finding]: findingId, [tag.replaces]: id };

  if (instance && held) {
    if (stateOfInstance(instance) === 'running' && !how.running) throw new TerminalError(`${instance.InstanceId} has been started since the fix was planned`);
    const stopping = await stopped(ec2, instance);
    if (stopping) return stopping;
    if (made.snapshot && isOlderThan(made.snapshot, instance, held)) {
      await mark(ec2, made);
      return again(1, 'The instance has run since the snapshot was made; a new one is made.');
    }
  }

  const { snapshot, volume } = made;
  if (!volume) return snapshot ? volumeFrom(ec2, snapshot, old, how.kmsKeyId, marks) : snapshotOf(ec2, old, marks);
  if (volume.State === 'creating') return again(10, 'The encrypted volume is being made.');
  const newId = required(volume.VolumeId, 'VolumeId');
  if (volume.State !== 'available' && volume.State !== 'in-use') {
    throw new TerminalError(`the encrypted volume ${newId} is ${volume.State}: see whether the key can be used by EBS and by the bot's role`);
  }
  if (tagsOf(old.Tags)[tag.replacedBy] !== newId) {
    await ec2.send(new CreateTagsCommand({ Resources: [id], Tags: tagList({ [tag.replacedBy]: newId }) }));
    return again(1, 'The old volume is tagged with the name of the new one.');
  }

  if (instance && attachment) {
    const moved =
      (held && (await detached(ec2, id, held))) ?? (await attachedAs(ec2, volume, instance, attachment)) ?? (await startedAgain(ec2, instance, how.running));
    if (moved) return moved;
  }

  const until = { [tag.keepUntil]: dayAfter(required(volume.CreateTime, 'CreateTime'), how.keepDays) };
  if (tagsOf(old.Tags)[tag.keepUntil] === undefined) {
    await ec2.send(new CreateTagsCommand({ Resources: [...idsOf({ snapshot }), id], Tags: tagList(until) }));
  }
}

async function snapshotOf(ec2: EC2Client, { VolumeId, State, Tags }: Volume, marks: Tags): Promise<Again> {
  if (State === 'creating') return again(10, 'The volume is being created.');
  await ec2.send(
    new CreateSnapshotCommand({
      VolumeId,
      Description: `${VolumeId} before its swap for an encrypted volume`,
      TagSpecifications: [{ ResourceType: 'snapshot', Tags: tagList({ ...copiedTags(tagsOf(Tags)), ...marks }) }],
    }),
  );
  return again(15, 'A snapshot is being made.');
}

async function volumeFrom(ec2: EC2Client, snapshot: Snapshot, old: Volume, KmsKeyId: string, marks: Tags): Promise<Again> {
  const { SnapshotId, State, StateMessage, Progress } = snapshot;
  if (State === 'pending') return again(30, `The snapshot is being made: ${Progress ?? 'begun'}.`);
  if (State !== 'completed') throw new TerminalError(`the snapshot ${SnapshotId} is ${State}: ${StateMessage ?? 'no reason told'}`);
  const { AvailabilityZone, Iops, Size, Tags, Throughput, VolumeType } = old;
  await ec2.send(
    new CreateVolumeCommand({
      AvailabilityZone,
      SnapshotId,
      VolumeType,
      Size,
      // Told of every type, taken for these alone.
      ...(['gp3', 'io1', 'io2'].includes(VolumeType ?? '') && { Iops }),
      ...(VolumeType === 'gp3' && { Throughput }),
      Encrypted: true,
      ...(KmsKeyId && { KmsKeyId }),
      ClientToken: `${marks[tag.finding]}-${SnapshotId}`,
      TagSpecifications: [{ ResourceType: 'volume', Tags: tagList({ ...copiedTags(tagsOf(Tags)), ...marks }) }],
    }),
  );
  return again(10, 'The encrypted volume is being made.');
}

/** What the fix has done, however far it got, is taken back. The new volume and the snapshot stay, for a person to delete. */
export async function swapBack(resource: ResourceRef, { before, after }: Change<Serving>, aws: Aws, { findingId }: Task): Promise<Again | void> {
  const ec2 = aws.client(EC2Client);
  const id = leafOf(resource);
  const { attachment } = before;
  const old = await volumeAt(aws, id);
  if (!old) throw new TerminalError(`${id} is gone, so it cannot be put back`);
  const made = await madeFor(aws, id, findingId);
  const [held] = attachmentsOf(old);

  if (attachment) {
    const instance = await presentInstance(aws, attachment);
    if (!held) {
      const [other] = made.volume ? attachmentsOf(made.volume) : [];
      const moved = (await stopped(ec2, instance)) ?? (other && (await detached(ec2, required(made.volume?.VolumeId, 'VolumeId'), other)));
      if (moved) return moved;
    }
    const moved = (await attachedAs(ec2, old, instance, attachment)) ?? (await startedAgain(ec2, instance, after.how?.running === true));
    if (moved) return moved;
  }
  const own = onOriginal.filter((key) => tagsOf(old.Tags)[key] !== undefined);
  if (own.length > 0) await ec2.send(new DeleteTagsCommand({ Resources: [id], Tags: own.map((Key) => ({ Key })) }));
  await mark(ec2, made);
}

/** What this finding's fix has made of the volume and an undo has not marked yet. */
async function madeFor(aws: Aws, id: string, findingId: string): Promise<Made> {
  const ec2 = aws.client(EC2Client);
  const Filters = [
    { Name: `tag:${tag.finding}`, Values: [findingId] },
    { Name: `tag:${tag.replaces}`, Values: [id] },
  ];
  const inForce = ({ Tags }: Snapshot | Volume) => tagsOf(Tags)[tag.undone] === undefined;
  const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'], Filters }));
  const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ Filters }));
  const volume = Volumes.find(inForce);
  const ofIt = Snapshots.filter(inForce).filter(({ SnapshotId, VolumeId }) => VolumeId === id && (!volume || volume.SnapshotId === SnapshotId));
  return { snapshot: ofIt.toSorted((one, other) => (required(one.SnapshotId, 'SnapshotId') < required(other.SnapshotId, 'SnapshotId') ? -1 : 1))[0], volume };
}

const idsOf = ({ snapshot, volume }: Made): string[] => [snapshot?.SnapshotId, volume?.VolumeId].filter((id) => id !== undefined);

async function mark(ec2: EC2Client, { snapshot, volume }: Made): Promise<void> {
  const Resources = idsOf({ snapshot, volume });
  if (Resources.length > 0) await ec2.send(new CreateTagsCommand({ Resources, Tags: tagList({ [tag.undone]: 'true' }) }));
}

/** Somebody may have moved the volume since a person agreed. */
function sameAsPlanned(held: VolumeAttachment | undefined, planned: Attachment | null, { volume }: Made): void {
  const elsewhere = held && (held.InstanceId !== planned?.instanceId || held.Device !== planned?.device);
  if (elsewhere) throw new TerminalError(`the volume has been attached to ${held.InstanceId} as ${held.Device} since the fix was planned`);
  if (planned && !held && !volume) throw new TerminalError(`the volume has been detached from ${planned.instanceId} since the fix was planned`);
}

async function presentInstance(aws: Aws, { instanceId }: Attachment): Promise<Instance> {
  const instance = await instanceAt(aws, instanceId);
  if (!instance) throw new TerminalError(`${instanceId} is gone`);
  return instance;
}

/** What an instance has written after the snapshot began is not in it. `LaunchTime` is that of the last start. */
const isOlderThan = ({ StartTime }: Snapshot, { LaunchTime }: Instance, { AttachTime }: VolumeAttachment): boolean =>
  Math.max(required(LaunchTime, 'LaunchTime').getTime(), required(AttachTime, 'AttachTime').getTime()) > required(StartTime, 'StartTime').getTime();
