/**
 * Volumes, snapshots and instances that take their time, which moto's do not: what a call sets going is done a few reads later, and a call that
 * comes too early is refused as EC2 refuses it. Volumes hold a line of text, so that a test sees whose data is served.
 */
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  type CreateVolumeCommandInput,
  DeleteTagsCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  EC2Client,
  EC2ServiceException,
  type Filter,
  type Instance,
  type InstanceStateName,
  ModifyInstanceAttributeCommand,
  type Snapshot,
  StartInstancesCommand,
  StopInstancesCommand,
  type Tag,
  type TagSpecification,
  type Volume,
} from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';

type Parts<Kind> = Partial<Kind> & { data?: string };

const refuse = (name: string, message: string): never => {
  throw new EC2ServiceException({ name, message, $fault: 'client', $metadata: {} });
};

export class FakeVolumes {
  readonly volumes = new Map<string, Volume>();
  readonly snapshots = new Map<string, Snapshot>();
  readonly instances = new Map<string, Instance>();
  readonly data = new Map<string, string>();
  readonly sent: string[] = [];
  /** Called before and after each call is carried out, with its number from 0; throw to lose the call or its answer. */
  met: (moment: 'before' | 'after', nth: number, call: string) => void = () => {};
  instanceStorage = false;
  readonly #tokens = new Map<string, string>();
  #begun: { reads: number; done: () => void }[] = [];
  #serial = 0;
  #now = Date.parse('2026-11-01T03:00:00Z');
  readonly #mock = mockClient(EC2Client);

  constructor() {
    const ec2 = this.#mock;
    ec2
      .on(DescribeVolumesCommand)
      .callsFake(this.#call('DescribeVolumes', (input) => ({ Volumes: this.#found(this.volumes, input.VolumeIds, input.Filters, 'InvalidVolume') })));
    ec2
      .on(DescribeSnapshotsCommand)
      .callsFake(this.#call('DescribeSnapshots', (input) => ({ Snapshots: this.#found(this.snapshots, input.SnapshotIds, input.Filters, 'InvalidSnapshot') })));
    ec2.on(DescribeInstancesCommand).callsFake(
      this.#call('DescribeInstances', (input) => ({
        Reservations: [{ Instances: this.#found(this.instances, input.InstanceIds, undefined, 'InvalidInstanceID') }],
      })),
    );
    ec2
      .on(DescribeInstanceTypesCommand)
      .callsFake(this.#call('DescribeInstanceTypes', () => ({ InstanceTypes: [{ InstanceStorageSupported: this.instanceStorage }] })));
    ec2.on(CreateSnapshotCommand).callsFake(this.#call('CreateSnapshot', (input) => this.#snapshot(input.VolumeId, tagged(input.TagSpecifications))));
    ec2.on(CreateVolumeCommand).callsFake(this.#call('CreateVolume', (input) => this.#create(input)));
    ec2.on(AttachVolumeCommand).callsFake(this.#call('AttachVolume', (input) => this.#attach(input.VolumeId, input.InstanceId, input.Device)));
    ec2.on(DetachVolumeCommand).callsFake(this.#call('DetachVolume', (input) => this.#detach(input.VolumeId, input.InstanceId)));
    ec2.on(StopInstancesCommand).callsFake(this.#call('StopInstances', (input) => this.#move(input.InstanceIds[0], 'running', 'stopping', 'stopped')));
    ec2.on(StartInstancesCommand).callsFake(this.#call('StartInstances', (input) => this.#start(input.InstanceIds[0])));
    ec2.on(ModifyInstanceAttributeCommand).callsFake(
      this.#call('ModifyInstanceAttribute', ({ InstanceId, BlockDeviceMappings: [{ DeviceName, Ebs }] }) => {
        const on = this.attachedTo(InstanceId, DeviceName) ?? refuse('InvalidParameterValue', `no volume at ${DeviceName}`);
        on.Attachments![0]!.DeleteOnTermination = Ebs.DeleteOnTermination;
        return {};
      }),
    );
    ec2
      .on(CreateTagsCommand)
      .callsFake(
        this.#call('CreateTags', ({ Resources, Tags }) =>
          this.#retag(Resources, (tags) => [...tags.filter(({ Key }) => !Tags.some((tag: Tag) => tag.Key === Key)), ...Tags]),
        ),
      );
    ec2
      .on(DeleteTagsCommand)
      .callsFake(
        this.#call('DeleteTags', ({ Resources, Tags }) =>
          this.#retag(Resources, (tags) => tags.filter(({ Key }) => !Tags.some((tag: Tag) => tag.Key === Key))),
        ),
      );
  }

  restore(): void {
    this.#mock.restore();
  }

  addVolume(parts: Parts<Volume> = {}): string {
    const VolumeId = this.#id('vol');
    const { data = 'records', ...rest } = parts;
    const made: Volume = {
      VolumeId,
      AvailabilityZone: 'us-east-1a',
      Size: 8,
      VolumeType: 'gp3',
      Iops: 3_000,
      Throughput: 125,
      Encrypted: false,
      MultiAttachEnabled: false,
    };
    this.volumes.set(VolumeId, { ...made, State: 'available', Attachments: [], Tags: [], CreateTime: this.#time(), ...rest });
    this.data.set(VolumeId, data);
    return VolumeId;
  }

  addInstance(state: InstanceStateName, parts: Partial<Instance> = {}): string {
    const InstanceId = this.#id('i');
    const made: Instance = { InstanceId, InstanceType: 't3.micro', RootDeviceName: '/dev/xvda', RootDeviceType: 'ebs', LaunchTime: this.#time() };
    this.instances.set(InstanceId, { ...made, State: { Name: state }, ...parts });
    return InstanceId;
  }

  hold(VolumeId: string, InstanceId: string, Device: string, DeleteOnTermination: boolean): void {
    const volume = this.volumes.get(VolumeId)!;
    volume.State = 'in-use';
    volume.Attachments = [{ VolumeId, InstanceId, Device, DeleteOnTermination, State: 'attached', AttachTime: this.#time() }];
  }

  attachedTo(InstanceId: string, device: string): Volume | undefined {
    return [...this.volumes.values()].find(({ Attachments = [] }) => Attachments.some((held) => held.InstanceId === InstanceId && held.Device === device));
  }

  /** Lets everything that was set going come to its end. */
  settle(): void {
    while (this.#begun.length > 0) this.#pass();
  }

  /** What a start by somebody else does. */
  startByHand(InstanceId: string): void {
    Object.assign(this.instances.get(InstanceId)!, { State: { Name: 'running' }, LaunchTime: this.#time() });
  }

  #call<Input, Output>(name: string, carryOut: (input: Input) => Output) {
    return async (input: Input): Promise<Output> => {
      const nth = this.sent.push(name) - 1;
      this.met('before', nth, name);
      if (name.startsWith('Describe')) this.#pass();
      const answer = structuredClone(carryOut(input));
      this.met('after', nth, name);
      return answer;
    };
  }

  #pass(): void {
    const due = this.#begun.filter((each) => --each.reads <= 0);
    this.#begun = this.#begun.filter(({ reads }) => reads > 0);
    for (const { done } of due) done();
  }

  #later(done: () => void): void {
    this.#begun.push({ reads: 3, done });
  }

  #id(kind: string): string {
    this.#serial += 1;
    return `${kind}-${String(this.#serial).padStart(17, '0')}`;
  }

  #time(): Date {
    this.#now += 1_000;
    return new Date(this.#now);
  }

  #found<Kind extends { Tags?: Tag[] | undefined }>(all: Map<string, Kind>, ids: string[] | undefined, filters: Filter[] = [], kind: string): Kind[] {
    const missing = ids?.find((id) => !all.has(id));
    if (missing) refuse(`${kind}.NotFound`, `${missing} does not exist`);
    const passes = ({ Tags = [] }: Kind) =>
      filters.every(({ Name = '', Values = [] }) => Tags.some(({ Key, Value = '' }) => Name === `tag:${Key}` && Values.includes(Value)));
    return (ids ? ids.map((id) => all.get(id)!) : [...all.values()]).filter(passes);
  }

  #volume(id: string): Volume {
    return this.volumes.get(id) ?? refuse('InvalidVolume.NotFound', `${id} does not exist`);
  }

  #snapshot(VolumeId: string, Tags: Tag[]): Snapshot {
    const source = this.#volume(VolumeId);
    if (source.State === 'creating') refuse('IncorrectState', `${VolumeId} is creating`);
    const made: Snapshot = {
      SnapshotId: this.#id('snap'),
      VolumeId,
      VolumeSize: source.Size,
      Encrypted: source.Encrypted,
      State: 'pending',
      StartTime: this.#time(),
      Tags,
    };
    this.snapshots.set(made.SnapshotId!, made);
    this.data.set(made.SnapshotId!, this.data.get(VolumeId)!);
    this.#later(() => {
      made.State = 'completed';
    });
    return made;
  }

  #create({ ClientToken, SnapshotId, TagSpecifications, ...rest }: CreateVolumeCommandInput): Volume {
    const known = this.#tokens.get(ClientToken!);
    if (known) return this.volumes.get(known)!;
    const snapshot = this.snapshots.get(SnapshotId!) ?? refuse('InvalidSnapshot.NotFound', `${SnapshotId} does not exist`);
    if (snapshot.State !== 'completed') refuse('IncorrectState', `${SnapshotId} is ${snapshot.State}`);
    const { AvailabilityZone, Encrypted, Iops, KmsKeyId, Size, Throughput, VolumeType } = rest;
    const parts = { AvailabilityZone, Encrypted, Iops, KmsKeyId, Size, SnapshotId, Throughput, VolumeType };
    const id = this.addVolume({ ...parts, State: 'creating', Tags: tagged(TagSpecifications), data: this.data.get(SnapshotId!)! });
    this.#tokens.set(ClientToken!, id);
    this.#later(() => {
      this.volumes.get(id)!.State = 'available';
    });
    return this.volumes.get(id)!;
  }

  #attach(VolumeId: string, InstanceId: string, Device: string) {
    const volume = this.#volume(VolumeId);
    if (volume.State !== 'available') refuse(volume.State === 'in-use' ? 'VolumeInUse' : 'IncorrectState', `${VolumeId} is ${volume.State}`);
    if (this.attachedTo(InstanceId, Device)) refuse('InvalidParameterValue', `${Device} is already in use`);
    this.hold(VolumeId, InstanceId, Device, false);
    volume.Attachments![0]!.State = 'attaching';
    this.#later(() => {
      volume.Attachments![0]!.State = 'attached';
    });
    return { State: 'attaching' };
  }

  #detach(VolumeId: string, InstanceId: string) {
    const volume = this.#volume(VolumeId);
    const [held] = volume.Attachments ?? [];
    if (held?.InstanceId !== InstanceId || held?.State !== 'attached') refuse('IncorrectState', `${VolumeId} is not attached to ${InstanceId}`);
    // AWS takes a data volume away from a running system, which loses what is in its caches.
    if (this.instances.get(InstanceId)!.State!.Name !== 'stopped') refuse('IncorrectState', `${InstanceId} is not stopped`);
    held!.State = 'detaching';
    this.#later(() => {
      volume.Attachments = [];
      volume.State = 'available';
    });
    return { State: 'detaching' };
  }

  #move(InstanceId: string, from: InstanceStateName, by: InstanceStateName, to: InstanceStateName) {
    const instance = this.instances.get(InstanceId) ?? refuse('InvalidInstanceID.NotFound', `${InstanceId} does not exist`);
    if (instance.State!.Name !== from) refuse('IncorrectInstanceState', `${InstanceId} is ${instance.State!.Name}`);
    instance.State = { Name: by };
    this.#later(() => {
      instance.State = { Name: to };
    });
    return {};
  }

  #start(InstanceId: string) {
    const { RootDeviceName = '', RootDeviceType } = this.instances.get(InstanceId)!;
    if (RootDeviceType === 'ebs' && !this.attachedTo(InstanceId, RootDeviceName)) refuse('IncorrectInstanceState', `${InstanceId} has no root volume`);
    const answer = this.#move(InstanceId, 'stopped', 'pending', 'running');
    this.instances.get(InstanceId)!.LaunchTime = this.#time();
    return answer;
  }

  #retag(resources: string[], change: (tags: Tag[]) => Tag[]) {
    for (const id of resources) {
      const resource = this.volumes.get(id) ?? this.snapshots.get(id) ?? refuse('InvalidID', `${id} does not exist`);
      resource.Tags = change(resource.Tags ?? []);
    }
    return {};
  }
}

const tagged = (specifications: TagSpecification[] | undefined): Tag[] => specifications?.[0]?.Tags ?? [];
