/** What is known of a volume, of the instance it serves, and of the volume that has replaced it. */
import {
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  EC2Client,
  type Instance,
  type InstanceStateName,
  type Volume,
  type VolumeState as VolumeStatus,
} from '@aws-sdk/client-ec2';
import { type Aws, orUndefined, required } from '../define.ts';
import { type How, type Kept, noRoomForTags, tag, tagsOf } from '../replaced.ts';

export interface Attachment {
  readonly instanceId: string;
  readonly device: string;
  readonly deleteOnTermination: boolean;
}

/** What serves in the volume's place. `how` is in `change.after` only; `running` = so was the instance before the fix. */
export interface Serving {
  readonly replaced: boolean;
  readonly attachment: Attachment | null;
  readonly how?: How & { readonly running: boolean };
}

interface Host {
  readonly state: InstanceStateName;
  readonly root: boolean;
  readonly rootOnInstanceStore: boolean;
  readonly autoScalingGroup?: string;
  /** Absent: on demand. */
  readonly lifecycle?: string;
  readonly hibernation: boolean;
  readonly marketplace: boolean;
  readonly managed: boolean;
  /** The type has disks that a stop empties; whether anything is on them AWS does not tell. */
  readonly instanceStore: boolean;
  /** Lent by AWS: another one after every start. */
  readonly lentAddress: boolean;
}

/** Of a volume that is not encrypted. */
export interface Plain {
  readonly status: VolumeStatus;
  readonly attachments: number;
  readonly multiAttach: boolean;
  readonly managed: boolean;
  readonly noRoomForTags?: string;
  readonly kept?: Kept;
  /** Where the volume, or the one that has replaced it, is attached. */
  readonly serving?: { readonly replacement: boolean; readonly attachment: Attachment; readonly host: Host };
}

export interface VolumeState {
  readonly encrypted: boolean;
  readonly plain?: Plain;
}

/** Undefined = there is no such volume. */
export async function volumeAt(aws: Aws, id: string): Promise<Volume | undefined> {
  const answer = await orUndefined(aws.client(EC2Client).send(new DescribeVolumesCommand({ VolumeIds: [id] })), 'InvalidVolume.NotFound');
  return answer && required(answer.Volumes, 'Volumes')[0];
}

/** Undefined = there is no such instance, or it is being terminated. */
export async function instanceAt(aws: Aws, id: string): Promise<Instance | undefined> {
  const answer = await orUndefined(aws.client(EC2Client).send(new DescribeInstancesCommand({ InstanceIds: [id] })), 'InvalidInstanceID.NotFound');
  const instance = answer && required(answer.Reservations, 'Reservations').flatMap(({ Instances = [] }) => Instances)[0];
  return instance && ['shutting-down', 'terminated'].includes(stateOfInstance(instance)) ? undefined : instance;
}

export const stateOfInstance = ({ State }: Instance): InstanceStateName => required(State?.Name, 'the state of an instance');

export const attachmentsOf = ({ Attachments = [] }: Volume) => Attachments.filter(({ State }) => State !== 'detached');

export const isEncrypted = ({ Encrypted }: Volume): boolean => required(Encrypted, 'Encrypted');

/** Whether the volume, where it is attached, goes with its instance. DescribeVolumes may leave it to DescribeInstances. */
export const goesWithInstance = (volume: Volume, instance: Instance): boolean =>
  required(
    attachmentsOf(volume)[0]?.DeleteOnTermination ??
      instance.BlockDeviceMappings?.find(({ Ebs }) => Ebs?.VolumeId === volume.VolumeId)?.Ebs?.DeleteOnTermination,
    'DeleteOnTermination',
  );

const factsOf = (volume: Volume): Plain => {
  const attachments = attachmentsOf(volume);
  const full = noRoomForTags(tagsOf(volume.Tags));
  return {
    status: required(volume.State, 'the state of a volume'),
    attachments: attachments.length,
    multiAttach: volume.MultiAttachEnabled === true,
    managed: volume.Operator?.Managed === true || attachments.some(({ InstanceId, InstanceOwningService }) => !InstanceId || InstanceOwningService),
    ...(full && { noRoomForTags: full }),
  };
};

/** Undefined = there is an instance or another volume to look at. */
export const stateOfVolume = (volume: Volume): VolumeState | undefined => {
  if (isEncrypted(volume)) return { encrypted: true };
  const alone = attachmentsOf(volume).length === 0 && tagsOf(volume.Tags)[tag.replacedBy] === undefined;
  return alone ? { encrypted: false, plain: factsOf(volume) } : undefined;
};

/**
 * What is known of an unencrypted volume. That the replacement holds its data is believed to AWS alone: the replacement was made from a snapshot
 * of this volume. Everybody who may tag can write the rest.
 */
export async function plainOf(aws: Aws, volume: Volume): Promise<Plain> {
  const { [tag.replacedBy]: by, [tag.keepUntil]: until } = tagsOf(volume.Tags);
  const replacement = by?.startsWith('vol-') ? await volumeAt(aws, by) : undefined;
  const made = replacement && (await madeFrom(aws, volume, replacement));
  const attached = attachmentsOf(volume).length > 0 ? volume : made && replacement;
  return {
    ...factsOf(volume),
    ...(by && { kept: { by, ...(until && { until }), ...(made && { made }) } }),
    ...(attached && (await servingAt(aws, attached, attached !== volume))),
  };
}

/** When the replacement was made, if it is what the tags say. */
async function madeFrom(aws: Aws, volume: Volume, replacement: Volume): Promise<string | undefined> {
  const { SnapshotId, CreateTime, Tags } = replacement;
  if (!isEncrypted(replacement) || !SnapshotId || tagsOf(Tags)[tag.replaces] !== volume.VolumeId || !tagsOf(Tags)[tag.finding]) return undefined;
  const answer = await orUndefined(aws.client(EC2Client).send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })), 'InvalidSnapshot.NotFound');
  return answer?.Snapshots?.[0]?.VolumeId === volume.VolumeId ? required(CreateTime, 'CreateTime').toISOString() : undefined;
}

async function servingAt(aws: Aws, volume: Volume, replacement: boolean): Promise<Pick<Plain, 'serving'>> {
  const [attachment] = attachmentsOf(volume);
  const instance = attachment?.InstanceId ? await instanceAt(aws, attachment.InstanceId) : undefined;
  if (!attachment || !instance) return {};
  const device = required(attachment.Device, 'Device');
  const deleteOnTermination = goesWithInstance(volume, instance);
  return {
    serving: {
      replacement,
      attachment: { instanceId: required(attachment.InstanceId, 'InstanceId'), device, deleteOnTermination },
      host: await hostOf(aws, instance, device),
    },
  };
}

async function hostOf(aws: Aws, instance: Instance, device: string): Promise<Host> {
  const { InstanceLifecycle, NetworkInterfaces = [], ProductCodes = [], RootDeviceName, RootDeviceType } = instance;
  const InstanceTypes = [required(instance.InstanceType, 'InstanceType')];
  const { InstanceTypes: types } = await aws.client(EC2Client).send(new DescribeInstanceTypesCommand({ InstanceTypes }));
  const autoScalingGroup = tagsOf(instance.Tags)['aws:autoscaling:groupName'];
  return {
    state: stateOfInstance(instance),
    root: device === RootDeviceName,
    rootOnInstanceStore: RootDeviceType === 'instance-store',
    ...(autoScalingGroup && { autoScalingGroup }),
    ...(InstanceLifecycle && { lifecycle: InstanceLifecycle }),
    hibernation: instance.HibernationOptions?.Configured === true,
    marketplace: ProductCodes.some(({ ProductCodeType }) => ProductCodeType === 'marketplace'),
    managed: instance.Operator?.Managed === true,
    instanceStore: required(types?.[0]?.InstanceStorageSupported, 'InstanceStorageSupported'),
    lentAddress: NetworkInterfaces.some(({ Association }) => Association?.IpOwnerId === 'amazon'),
  };
}

export const isRunning = ({ state }: Host): boolean => state === 'running' || state === 'pending';

/** Why the volume must not be swapped, in a sentence a person can act on. */
export function obstacle({ status, attachments, multiAttach, managed, noRoomForTags: full, serving }: Plain, stopInstances: boolean): string | undefined {
  if (managed) return 'An AWS service manages the volume or what it is attached to: it has to be replaced through that service.';
  if (multiAttach || attachments > 1) return 'The volume can be attached to several instances at once: swap it by hand, with all of them stopped.';
  if (!['available', 'creating', 'in-use'].includes(status)) return `The volume is ${status}: only one that is available or in use can be swapped.`;
  if (full) return full;
  if (!serving) return attachments > 0 ? 'The instance that the volume is attached to is going away: look again once it is gone.' : undefined;
  const { attachment, host } = serving;
  const { instanceId: id } = attachment;
  if (host.managed) return `An AWS service manages ${id}: the volume has to be replaced through that service.`;
  if (host.autoScalingGroup) {
    return `The Auto Scaling group ${host.autoScalingGroup} would replace ${id} as soon as it is stopped: encrypt the volumes in its launch template and refresh the group.`;
  }
  if (host.lifecycle) return `${id} is a ${host.lifecycle} instance, which may not start again after a stop: launch one with encrypted volumes in its place.`;
  if (host.rootOnInstanceStore) return `${id} has its root on instance store and cannot be stopped: launch one with encrypted volumes in its place.`;
  if (host.instanceStore) return `A stop of ${id} empties its instance store: save what is on it, and swap the volume by hand.`;
  if (host.hibernation && !isRunning(host)) return `${id} may be hibernating with the volume in use: start it and shut it down first.`;
  if (host.marketplace && host.root) return `The root volume of ${id} bears an AWS Marketplace product code: launch the product anew with encrypted volumes.`;
  if (!stopInstances) return `The swap needs ${id} stopped for the length of a snapshot: allow it with the param stopInstances, or swap the volume by hand.`;
  return undefined;
}
