import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  type CreateVolumeCommandInput,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  EC2Client,
  type Instance,
  ModifyInstanceAttributeCommand,
  RunInstancesCommand,
  StopInstancesCommand,
  type Volume,
} from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Aws } from '../../../engine/ports.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import control from '../../../remediations/ec2/ebs-volume-encrypted.ts';
import { type Arrange, accountId, region, testControl } from '../../support/control-tester.ts';
import { FakeVolumes } from '../../support/fakes/volumes.ts';

const made = async (admin: Aws, parts: Partial<CreateVolumeCommandInput> = {}): Promise<string> =>
  (await admin.client(EC2Client).send(new CreateVolumeCommand({ AvailabilityZone: 'us-east-1a', Size: 8, ...parts }))).VolumeId!;

const volume =
  (Encrypted?: boolean, parts: Partial<CreateVolumeCommandInput> = {}): Arrange =>
  (admin) =>
    made(admin, { ...parts, ...(Encrypted !== undefined && { Encrypted }) });

/** A plain volume as /dev/sdf of an instance, which it goes with. */
const attached =
  (state: 'running' | 'stopped'): Arrange =>
  async (admin) => {
    const ec2 = admin.client(EC2Client);
    const { Instances } = await ec2.send(new RunInstancesCommand({ ImageId: 'ami-12c6146b', InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 }));
    const InstanceId = Instances![0]!.InstanceId!;
    const VolumeId = await made(admin);
    await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: '/dev/sdf' }));
    const BlockDeviceMappings = [{ DeviceName: '/dev/sdf', Ebs: { DeleteOnTermination: true } }];
    await ec2.send(new ModifyInstanceAttributeCommand({ InstanceId, BlockDeviceMappings }));
    if (state === 'stopped') await ec2.send(new StopInstancesCommand({ InstanceIds: [InstanceId] }));
    return VolumeId;
  };

const replacements = async (admin: Aws, id: string): Promise<Volume[]> => {
  const Filters = [{ Name: 'tag:phidelity:replaces', Values: [id.split('/')[1]!] }];
  return (await admin.client(EC2Client).send(new DescribeVolumesCommand({ Filters }))).Volumes!;
};

/** One encrypted volume serves where the old one did. */
const swapped = (state: 'running' | 'stopped') => async (admin: Aws, id: string) => {
  const [replacement, ...more] = await replacements(admin, id);
  expect(more).toEqual([]);
  expect(replacement).toMatchObject({ Encrypted: true, Size: 8, Attachments: [{ Device: '/dev/sdf' }] });
  const { Reservations } = await admin.client(EC2Client).send(new DescribeInstancesCommand({ InstanceIds: [replacement!.Attachments![0]!.InstanceId!] }));
  const instance = Reservations![0]!.Instances![0]!;
  expect(instance.State!.Name).toBe(state);
  expect(instance.BlockDeviceMappings!.find(({ DeviceName }) => DeviceName === '/dev/sdf')!.Ebs).toMatchObject({
    VolumeId: replacement!.VolumeId,
    DeleteOnTermination: true,
  });
};

/** What a fix leaves of an unattached volume, or somebody who forges it: each part can be another. */
const replaced =
  ({ until = inDays(20), of = 'it', encrypted = true, finding = true, replaces = true, heldBy = '' } = {}): Arrange =>
  async (admin) => {
    const ec2 = admin.client(EC2Client);
    const id = await made(admin);
    const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId: of === 'it' ? id : await made(admin) }));
    const by = of === 'nothing' ? 'vol-0123456789abcdef0' : await made(admin, { Encrypted: encrypted, ...(of !== 'blank' && { SnapshotId }) });
    const tag = (resource: string, Key: string, Value: string) => ec2.send(new CreateTagsCommand({ Resources: [resource], Tags: [{ Key, Value }] }));
    if (of !== 'nothing' && finding) await tag(by, 'phidelity:finding', 'f-1');
    if (of !== 'nothing' && replaces) await tag(by, 'phidelity:replaces', id);
    await tag(id, 'phidelity:replaced-by', by);
    if (until) await tag(id, 'phidelity:keep-until', until);
    if (heldBy) {
      const { Instances } = await ec2.send(new RunInstancesCommand({ ImageId: 'ami-12c6146b', InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 }));
      await ec2.send(new AttachVolumeCommand({ VolumeId: id, InstanceId: Instances![0]!.InstanceId!, Device: heldBy }));
    }
    return id;
  };
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

const ec2 = (parts: object) => ({ eventSource: 'ec2.amazonaws.com', ...parts });
const mapped = (...ids: string[]) => ({ items: ids.map((volumeId) => ({ deviceName: '/dev/xvda', ebs: { volumeId, status: 'attaching' } })) });
const launched = (...instances: object[]) => ec2({ responseElements: { reservationId: 'r-1', instancesSet: { items: instances } } });
const tagging = (ids: string[], ...keys: string[]) =>
  ec2({
    requestParameters: {
      resourcesSet: { items: ids.map((resourceId) => ({ resourceId })) },
      tagSet: { items: keys.map((key) => ({ key, value: 'x' })) },
    },
    responseElements: { requestId: '1', _return: true },
  });

testControl(control, {
  params: { stopInstances: true },
  compliant: {
    encrypted: volume(true),
    'replaced, and kept a while': { given: replaced(), annotation: /^It is replaced by the encrypted vol-\w+ and kept until \d{4}-\d\d-\d\d\.$/ },
  },
  remediated: {
    'not attached': {
      given: volume(false, {
        VolumeType: 'gp3',
        Iops: 4_000,
        Throughput: 250,
        TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'Name', Value: 'x' }] }],
      }),
      annotation: 'not encrypted',
      change: {
        action: 'ec2:CreateVolume',
        summary: 'Swap the volume for an encrypted one made from a snapshot of it',
        before: { replaced: false, attachment: null },
        after: { replaced: true, attachment: null, how: { running: false, keepDays: 30, kmsKeyId: '' } },
      },
      async then(admin, id) {
        const found = await replacements(admin, id);
        expect(found).toHaveLength(1);
        expect(found[0]).toMatchObject({
          Encrypted: true,
          VolumeType: 'gp3',
          Iops: 4_000,
          Throughput: 250,
          AvailabilityZone: 'us-east-1a',
          State: 'available',
        });
        expect(found[0]!.Tags).toEqual(expect.arrayContaining([{ Key: 'Name', Value: 'x' }]));
      },
    },
    'encryption left out': { given: volume() },
    'attached to a running instance': { given: attached('running'), then: swapped('running') },
    'attached to a stopped instance': { given: attached('stopped'), then: swapped('stopped') },
  },
  blocked: {
    'attached, and the policy allows no stop': {
      given: attached('running'),
      params: { stopInstances: false },
      reason: 'allow it with the param stopInstances',
    },
    'replaced, past the tag’s date': {
      given: replaced({ until: inDays(-1) }),
      annotation: /was replaced by .* kept until .*: delete it\.$/,
      reason: 'delete it if that is so',
    },
    'replaced, past the policy’s days whatever the tag says': {
      given: replaced({ until: '2099-01-01' }),
      at: new Date(Date.now() + 31 * 86_400_000),
      annotation: 'delete it',
      reason: 'delete it if that is so',
    },
    'tagged as replaced by a volume that is not there': {
      given: replaced({ of: 'nothing' }),
      annotation: 'not encrypted',
      reason: 'remove phidelity:replaced-by',
    },
    'tagged as replaced by a blank encrypted volume': { given: replaced({ of: 'blank' }), annotation: 'not encrypted', reason: 'remove' },
    'tagged as replaced by an encrypted volume made from another one': { given: replaced({ of: 'another' }), annotation: 'not encrypted', reason: 'remove' },
    'tagged as replaced by a volume that is not encrypted': { given: replaced({ encrypted: false }), annotation: 'not encrypted', reason: 'remove' },
    'replaced by a volume that no fix has made': { given: replaced({ finding: false }), annotation: 'not encrypted', reason: 'remove' },
    'replaced by a volume that does not say so': { given: replaced({ replaces: false }), annotation: 'not encrypted', reason: 'remove' },
    'replaced, with a date that is none': { given: replaced({ until: 'for ever' }), annotation: 'not encrypted', reason: 'remove' },
    'replaced, and attached again': { given: replaced({ heldBy: '/dev/sdf' }), annotation: 'not encrypted', reason: 'remove' },
  },
  gone: 'vol-0123456789abcdef0',
  events: {
    CreateVolume: {
      detail: ec2({ requestParameters: { size: '8', encrypted: false }, responseElements: { volumeId: 'vol-1', encrypted: false, snapshotId: '' } }),
      ids: ['vol-1'],
    },
    AttachVolume: { detail: ec2({ requestParameters: { volumeId: 'vol-1', instanceId: 'i-1', device: '/dev/sdf' } }), ids: ['vol-1'] },
    DeleteVolume: { detail: ec2({ requestParameters: { volumeId: 'vol-1' }, responseElements: { _return: true } }), ids: ['vol-1'] },
    DetachVolume: { detail: ec2({ requestParameters: { volumeId: 'vol-1', force: false } }), ids: ['vol-1'] },
    'CreateTags by a fix': { detail: tagging(['snap-1', 'vol-1'], 'phidelity:keep-until'), ids: ['vol-1'] },
    'DeleteTags of the date': { detail: tagging(['vol-1'], 'phidelity:keep-until'), ids: ['vol-1'] },
    'DeleteTags of all tags': { detail: { ...tagging(['vol-1']), eventName: 'DeleteTags' }, ids: ['vol-1'] },
    'CreateTags of others': { detail: tagging(['vol-1'], 'Name'), ids: [] },
    'CreateTags on no volume': { detail: tagging(['i-1'], 'phidelity:finding'), ids: [] },
    'CreateTags with null request parameters': { detail: ec2({ requestParameters: null }), ids: [] },
    'RunInstances with every volume mapped': {
      detail: launched({ instanceId: 'i-1', blockDeviceMapping: mapped('vol-1', 'vol-2') }, { instanceId: 'i-2', blockDeviceMapping: mapped('vol-3') }),
      ids: ['vol-1', 'vol-2', 'vol-3'],
    },
    'RunInstances names instances only': { detail: launched({ instanceId: 'i-1', blockDeviceMapping: {} }), sweep: true },
    'RunInstances with one of two instances unmapped': {
      detail: launched({ instanceId: 'i-1', blockDeviceMapping: mapped('vol-1') }, { instanceId: 'i-2', blockDeviceMapping: '' }),
      sweep: true,
    },
    'RunInstances with null response': { detail: ec2({ requestParameters: { instanceType: 't3.micro' }, responseElements: null }), sweep: true },
    CopyVolumes: { detail: ec2({ requestParameters: { CopyVolumesRequest: { SourceVolumeId: 'vol-1' } } }), sweep: true },
    ImportVolume: { detail: ec2({ requestParameters: { availabilityZone: 'us-east-1a' } }), sweep: true },
  },
});

// What moto's instances cannot be.
describe('what forbids a swap, on a shaped fake', () => {
  let fake: FakeVolumes;
  beforeEach(() => {
    fake = new FakeVolumes();
  });
  afterEach(() => fake.restore());

  const aws = awsAccess({ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })({ accountId, region }, { share: false });
  const planFor = async (id: string) => {
    const resource = { accountId, region, type: control.resourceType, id: `arn:aws:ec2:${region}:${accountId}:volume/${id}` };
    return control.plan!((await control.inspect(resource, aws))!, control.params.parse({ stopInstances: true }));
  };
  const on = (
    parts: Partial<Instance>,
    { device = '/dev/sdf', state = 'running' as const, ...more }: { device?: string; state?: 'running' | 'stopped' } & Partial<Volume> = {},
  ) => {
    const id = fake.addVolume(more);
    fake.hold(id, fake.addInstance(state, parts), device, true);
    return id;
  };

  test.each<[string, () => string, RegExp]>([
    ['an Auto Scaling group', () => on({ Tags: [{ Key: 'aws:autoscaling:groupName', Value: 'web' }] }), /The Auto Scaling group web would replace i-\d+/],
    ['a spot instance', () => on({ InstanceLifecycle: 'spot' }), /is a spot instance, which may not start again/],
    ['a root on instance store', () => on({ RootDeviceType: 'instance-store' }), /cannot be stopped/],
    [
      'disks of the instance',
      () => {
        fake.instanceStorage = true;
        return on({});
      },
      /empties its instance store/,
    ],
    ['a stopped instance that may hibernate', () => on({ HibernationOptions: { Configured: true } }, { state: 'stopped' }), /may be hibernating/],
    [
      'a root with a Marketplace product code',
      () => on({ ProductCodes: [{ ProductCodeId: 'x', ProductCodeType: 'marketplace' }] }, { device: '/dev/xvda' }),
      /Marketplace/,
    ],
    ['an instance that a service manages', () => on({ Operator: { Managed: true } }), /An AWS service manages i-\d+/],
    ['a volume that a service manages', () => fake.addVolume({ Operator: { Managed: true } }), /through that service/],
    [
      'a volume of a task',
      () => fake.addVolume({ State: 'in-use', Attachments: [{ AssociatedResource: 'arn:aws:ecs:task', State: 'attached' }] }),
      /through that service/,
    ],
    ['Multi-Attach', () => fake.addVolume({ MultiAttachEnabled: true }), /several instances at once/],
    [
      'two attachments',
      () => fake.addVolume({ State: 'in-use', Attachments: ['i-1', 'i-2'].map((InstanceId) => ({ InstanceId, Device: '/dev/sdf', State: 'attached' })) }),
      /several instances at once/,
    ],
    ['a volume in error', () => fake.addVolume({ State: 'error' }), /The volume is error/],
    ['an instance on its way out', () => on({ State: { Name: 'shutting-down' } }), /is going away/],
    ['48 tags', () => fake.addVolume({ Tags: Array.from({ length: 48 }, (_, nth) => ({ Key: `k${nth}`, Value: '' })) }), /no room for three more tags/],
  ])('%s', async (_name, arrange, reason) => {
    expect(await planFor(arrange())).toEqual({ kind: 'blocked', reason: expect.stringMatching(reason) });
  });

  test.each<[string, () => string, RegExp]>([
    ['hibernation while it runs', () => on({ HibernationOptions: { Configured: true } }), /is stopped for it and started again$/],
    ['a Marketplace product code, its data volume', () => on({ ProductCodes: [{ ProductCodeId: 'x', ProductCodeType: 'marketplace' }] }), /started again$/],
    [
      'an address lent by AWS: the summary tells',
      () => on({ NetworkInterfaces: [{ Association: { IpOwnerId: 'amazon' } }] }),
      /which changes its public address$/,
    ],
    ['an Elastic IP', () => on({ NetworkInterfaces: [{ Association: { IpOwnerId: accountId } }] }), /started again$/],
    ['a volume that is being created', () => fake.addVolume({ State: 'creating' }), /snapshot of it$/],
  ])('not: %s', async (_name, arrange, summary) => {
    expect(await planFor(arrange())).toMatchObject({ kind: 'change', summary: expect.stringMatching(summary) });
  });
});
