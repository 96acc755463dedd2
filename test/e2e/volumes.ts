/** Plain volumes, alone or serving a running instance, as drifts: what serves in their place is read, raw. */
import {
  AttachVolumeCommand,
  CreateVolumeCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  EC2Client,
  ModifyInstanceAttributeCommand,
  RunInstancesCommand,
  type Volume,
} from '@aws-sdk/client-ec2';
import type { Scenario } from '../faults/drifts/index.ts';

const Device = '/dev/sdf';

interface Serving {
  readonly old: { readonly attached: boolean; readonly tags: readonly string[] };
  readonly made: readonly { readonly encrypted: boolean | undefined; readonly attached: boolean; readonly undone: boolean }[];
  readonly instance?: { readonly state: string | undefined; readonly holds: string; readonly deleteOnTermination: boolean | undefined };
}

const tagNames = ({ Tags = [] }: Volume) => Tags.map(({ Key = '' }) => Key).sort();

export const plainVolume = (attached: boolean): Scenario => ({
  name: attached ? 'a plain volume that serves a running instance' : 'a plain volume alone',
  controls: ['ebs-volume-encrypted'],
  fixes: true,
  async make(admin) {
    const ec2 = admin.client(EC2Client);
    const Tags = [{ Key: 'Name', Value: 'records' }];
    const { VolumeId } = await ec2.send(
      new CreateVolumeCommand({ AvailabilityZone: `${admin.region}a`, Size: 8, Encrypted: false, TagSpecifications: [{ ResourceType: 'volume', Tags }] }),
    );
    const InstanceId = attached ? await instance() : undefined;
    async function instance(): Promise<string> {
      const { Instances } = await ec2.send(new RunInstancesCommand({ ImageId: 'ami-12c6146b', InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 }));
      const made = Instances![0]!.InstanceId!;
      await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId: made, Device }));
      const BlockDeviceMappings = [{ DeviceName: Device, Ebs: { DeleteOnTermination: true } }];
      await ec2.send(new ModifyInstanceAttributeCommand({ InstanceId: made, BlockDeviceMappings }));
      return made;
    }
    async function serving(old: Volume, made: readonly Volume[]): Promise<Serving['instance']> {
      if (!InstanceId) return undefined;
      const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [InstanceId] }));
      const { State, BlockDeviceMappings = [] } = Reservations![0]!.Instances![0]!;
      const held = BlockDeviceMappings.find(({ DeviceName }) => DeviceName === Device)?.Ebs;
      const holds = held?.VolumeId === old.VolumeId ? 'the old volume' : made.some(({ VolumeId: id }) => id === held?.VolumeId) ? 'the new volume' : 'another';
      return { state: State?.Name, holds, deleteOnTermination: held?.DeleteOnTermination };
    }
    return {
      broken: [
        {
          control: 'ebs-volume-encrypted',
          id: `arn:aws:ec2:${admin.region}:${admin.accountId}:volume/${VolumeId}`,
          region: admin.region,
          right: (live) => {
            const { old, made, instance: host } = live as Serving;
            const inPlace = !host || (host.state === 'running' && host.holds === 'the new volume' && host.deleteOnTermination === true);
            const kept = !old.attached && ['phidelity:keep-until', 'phidelity:replaced-by'].every((key) => old.tags.includes(key));
            return made.length === 1 && made[0]!.encrypted === true && made[0]!.attached === attached && inPlace && kept;
          },
        },
      ],
      told: {
        source: 'ec2',
        eventName: 'CreateVolume',
        detail: { requestParameters: { size: '8', encrypted: false }, responseElements: { volumeId: VolumeId, encrypted: false } },
      },
      marks: [VolumeId!],
      again: async () => undefined,
      async read(): Promise<Serving> {
        const { Volumes: [old] = [] } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId!] }));
        const { Volumes: made = [] } = await ec2.send(new DescribeVolumesCommand({ Filters: [{ Name: 'tag:phidelity:replaces', Values: [VolumeId!] }] }));
        const isAttached = ({ Attachments = [] }: Volume) => Attachments.length > 0;
        return {
          old: { attached: isAttached(old!), tags: tagNames(old!) },
          made: made.map((volume) => ({
            encrypted: volume.Encrypted,
            attached: isAttached(volume),
            undone: tagNames(volume).includes('phidelity:undone'),
          })),
          instance: await serving(old!, made),
        };
      },
    };
  },
});
