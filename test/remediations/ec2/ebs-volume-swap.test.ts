/** Deaths: the swap and its undo are cut off before and after each single call, and run anew. On a shaped fake whose AWS takes its time. */
import type { Instance } from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { arnFrom } from '../../../engine/arn.ts';
import { TerminalError } from '../../../engine/errors.ts';
import type { Change } from '../../../engine/model.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import control from '../../../remediations/ec2/ebs-volume-encrypted.ts';
import type { Serving } from '../../../remediations/ec2/volume.ts';
import { accountId, region } from '../../support/control-tester.ts';
import { FakeVolumes } from '../../support/fakes/volumes.ts';

const task = { findingId: 'f-abcdefghijklmnopqrstuvwxyz' };
const params = control.params.parse({ stopInstances: true });
const aws = awsAccess({ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })({ accountId, region }, { share: false });
const refOf = (id: string) => ({ accountId, region, type: control.resourceType, id: arnFrom(control.arn, aws, id) });

let fake: FakeVolumes;
beforeEach(() => {
  fake = new FakeVolumes();
});
afterEach(() => fake.restore());

interface Scene {
  readonly id: string;
  readonly instance?: string;
  readonly device?: string;
}
type Arrange = () => Scene;

const attached =
  (state: 'running' | 'stopped', device: string, goes: boolean, parts: Partial<Instance> = {}): Arrange =>
  () => {
    const instance = fake.addInstance(state, parts);
    if (device !== '/dev/xvda') fake.hold(fake.addVolume({ Encrypted: true }), instance, '/dev/xvda', true);
    const id = fake.addVolume({
      Tags: [
        { Key: 'Name', Value: 'records' },
        { Key: 'aws:cloudformation:stack-name', Value: 'clinic' },
      ],
    });
    fake.hold(id, instance, device, goes);
    return { id, instance, device };
  };

const scenes: readonly (readonly [string, Arrange])[] = [
  ['a root volume of a running instance', attached('running', '/dev/xvda', true)],
  ['a data volume of a running instance', attached('running', '/dev/sdf', true)],
  ['a data volume of a stopped instance', attached('stopped', '/dev/sdf', false)],
  ['an unattached volume', () => ({ id: fake.addVolume({ VolumeType: 'gp2', Iops: 100, Throughput: undefined, Tags: [{ Key: 'Name', Value: 'old' }] }) })],
];

async function planned(id: string): Promise<Change<Serving>> {
  const plan = control.plan!((await control.inspect(refOf(id), aws))!, params);
  if (plan.kind === 'blocked') throw new Error(plan.reason);
  return JSON.parse(JSON.stringify(plan)) as Change<Serving>;
}

/** Called afresh until nothing is missing. */
async function drive(phase: 'remediate' | 'undo', id: string, change: Change<Serving>): Promise<void> {
  for (let moves = 0; moves < 80; moves += 1) if (!(await control[phase]!(refOf(id), change, aws, task))) return;
  throw new Error(`still not done: ${fake.sent.slice(-12).join(' ')}`);
}

/** The same, cut off at one call. @returns whether there was such a call. */
async function cutOff(phase: 'remediate' | 'undo', id: string, change: Change<Serving>, moment: 'before' | 'after', nth: number): Promise<boolean> {
  const first = fake.sent.length;
  fake.met = (at, call) => {
    if (at === moment && call === first + nth) throw new Error('killed');
  };
  try {
    await drive(phase, id, change);
    return false;
  } catch (error) {
    if ((error as Error).message !== 'killed') throw error;
    return true;
  } finally {
    fake.met = () => {};
  }
}

/** All that the fix may change, as it is now. */
const lookOf = ({ id, instance }: Scene) => ({
  volume: structuredClone({ ...fake.volumes.get(id)!, Attachments: fake.volumes.get(id)!.Attachments!.map(({ AttachTime: _, ...held }) => held) }),
  state: instance && fake.instances.get(instance)!.State!.Name,
});

function expectSwapped({ id, instance, device }: Scene, before: ReturnType<typeof lookOf>) {
  fake.settle();
  const made = [...fake.volumes.values()].filter(({ Tags = [] }) => Tags.some(({ Key, Value }) => Key === 'phidelity:replaces' && Value === id));
  expect(made).toHaveLength(1);
  expect([...fake.snapshots.values()]).toHaveLength(1);
  const [volume] = made;
  const { AvailabilityZone, Iops, Size, Throughput, VolumeType, Attachments, Tags = [] } = before.volume;
  const iops = VolumeType === 'gp3' ? { Iops, Throughput } : {};
  expect(volume).toMatchObject({ Encrypted: true, AvailabilityZone, Size, VolumeType, ...iops, MultiAttachEnabled: false });
  const copied = Tags.filter(({ Key }) => !Key!.startsWith('aws:'));
  expect(volume!.Tags).toEqual([...copied, { Key: 'phidelity:finding', Value: task.findingId }, { Key: 'phidelity:replaces', Value: id }]);
  expect(fake.data.get(volume!.VolumeId!)).toBe('records');
  expect(fake.volumes.get(id)!.Attachments).toEqual([]);
  expect(volume!.Attachments!.map(({ Device, DeleteOnTermination, InstanceId }) => ({ Device, DeleteOnTermination, InstanceId }))).toEqual(
    Attachments.map(({ Device, DeleteOnTermination, InstanceId }) => ({ Device, DeleteOnTermination, InstanceId })),
  );
  if (instance) {
    expect(fake.attachedTo(instance, device!)).toBe(volume);
    expect(fake.instances.get(instance)!.State!.Name).toBe(before.state);
  }
}

const verdict = async (id: string) => {
  const state = (await control.inspect(refOf(id), aws))!;
  return { state, verdict: control.evaluate(state, params, new Date('2026-11-02T00:00:00Z')).complianceType };
};

describe.each(scenes)('%s', (_name, arrange) => {
  test('is swapped, seen as compliant, and put back', async () => {
    const scene = arrange();
    const before = lookOf(scene);
    const change = await planned(scene.id);
    await drive('remediate', scene.id, change);
    expectSwapped(scene, before);
    expect((await verdict(scene.id)).verdict).toBe('COMPLIANT');
    await drive('undo', scene.id, change);
    fake.settle();
    expect(lookOf(scene)).toEqual(before);
  });

  test.each(['before', 'after'] as const)('a death right %s any call of the fix: run anew it comes to the same end, and so does its undo', async (moment) => {
    let deaths = 0;
    for (let nth = 0; ; nth += 1) {
      fake.restore();
      fake = new FakeVolumes();
      const scene = arrange();
      const before = lookOf(scene);
      const change = await planned(scene.id);
      if (!(await cutOff('remediate', scene.id, change, moment, nth))) break;
      deaths += 1;
      // What the engine would run next is the change that was recorded, however much of it was done.
      const { state, verdict: seen } = await verdict(scene.id);
      if (seen === 'COMPLIANT') expect(control.unfinished!(state, change)).toBe(false);
      else if (!control.unfinished!(state, change)) expect(JSON.parse(JSON.stringify(control.plan!(state, params)))).toEqual(change);
      await drive('remediate', scene.id, change);
      expectSwapped(scene, before);
      await drive('undo', scene.id, change);
      fake.settle();
      expect({ nth, ...lookOf(scene) }).toEqual({ nth, ...before });
    }
    expect(deaths).toBeGreaterThan(15);
  });

  test.each(['before', 'after'] as const)('undo of a fix that stopped right %s any call', async (moment) => {
    for (let nth = 0; ; nth += 1) {
      fake.restore();
      fake = new FakeVolumes();
      const scene = arrange();
      const before = lookOf(scene);
      const change = await planned(scene.id);
      if (!(await cutOff('remediate', scene.id, change, moment, nth))) break;
      await drive('undo', scene.id, change);
      fake.settle();
      expect({ nth, ...lookOf(scene) }).toEqual({ nth, ...before });
    }
  });

  test.each(['before', 'after'] as const)('a death right %s any call of the undo', async (moment) => {
    for (let nth = 0; ; nth += 1) {
      fake.restore();
      fake = new FakeVolumes();
      const scene = arrange();
      const before = lookOf(scene);
      const change = await planned(scene.id);
      await drive('remediate', scene.id, change);
      if (!(await cutOff('undo', scene.id, change, moment, nth))) break;
      await drive('undo', scene.id, change);
      fake.settle();
      expect({ nth, ...lookOf(scene) }).toEqual({ nth, ...before });
    }
  });

  test('fix, undo, fix, undo under one finding: the second fix makes a snapshot and a volume of its own', async () => {
    const scene = arrange();
    const before = lookOf(scene);
    const change = await planned(scene.id);
    await drive('remediate', scene.id, change);
    await drive('undo', scene.id, change);
    fake.data.set(scene.id, 'records, and one more');
    await drive('remediate', scene.id, change);
    fake.settle();
    const current = fake.volumes.get((await control.inspect(refOf(scene.id), aws))!.plain!.kept!.by)!;
    expect(fake.data.get(current.VolumeId!)).toBe('records, and one more');
    await drive('undo', scene.id, change);
    fake.settle();
    expect(lookOf(scene)).toEqual(before);
    const left = [...fake.volumes.values(), ...fake.snapshots.values()].filter(({ Tags = [] }) => Tags.some(({ Key }) => Key === 'phidelity:finding'));
    expect(left).toHaveLength(4);
    expect(left.filter(({ Tags = [] }) => Tags.some(({ Key }) => Key === 'phidelity:undone'))).toHaveLength(4);
  });
});

describe('what others do meanwhile', () => {
  const midway = async (until: string, arrange: Arrange = attached('running', '/dev/sdf', false)) => {
    const scene = arrange();
    const change = await planned(scene.id);
    fake.met = (moment, _nth, call) => {
      if (moment === 'after' && call === until) throw new Error('killed');
    };
    await expect(drive('remediate', scene.id, change)).rejects.toThrow('killed');
    fake.met = () => {};
    fake.settle();
    return { scene, change };
  };

  test('an instance that was started after the snapshot: what it has written is in a new one', async () => {
    const { scene, change } = await midway('CreateVolume');
    fake.startByHand(scene.instance!);
    fake.data.set(scene.id, 'records, and what was written');
    await drive('remediate', scene.id, change);
    fake.settle();
    expect(fake.data.get(fake.attachedTo(scene.instance!, '/dev/sdf')!.VolumeId!)).toBe('records, and what was written');
    expect(fake.instances.get(scene.instance!)!.State!.Name).toBe('running');
    expect([...fake.snapshots.values()].map(({ Tags = [] }) => Tags.some(({ Key }) => Key === 'phidelity:undone'))).toEqual([true, false]);
  });

  test('an instance that was stopped by its owner, and started since the plan, is not stopped: nobody agreed to that', async () => {
    const { scene, change } = await midway('CreateSnapshot', attached('stopped', '/dev/sdf', false));
    fake.startByHand(scene.instance!);
    await expect(drive('remediate', scene.id, change)).rejects.toThrow(/has been started since the fix was planned/);
    const { state } = await verdict(scene.id);
    expect(control.unfinished!(state, change)).toBe(false);
    expect(control.plan!(state, params)).toMatchObject({ after: { how: { running: true } } });
  });

  test.each<[string, (scene: Scene) => void, RegExp]>([
    [
      'attached to another instance',
      ({ id }) => fake.hold(id, fake.addInstance('running'), '/dev/sdh', false),
      /has been attached to i-\d+ as \/dev\/sdh since/,
    ],
    ['detached', ({ id }) => Object.assign(fake.volumes.get(id)!, { State: 'available', Attachments: [] }), /has been detached from i-\d+ since/],
  ])('a volume that was %s since the plan: an error in words, nothing written', async (_name, meddle, words) => {
    const scene = attached('running', '/dev/sdf', false)();
    const change = await planned(scene.id);
    meddle(scene);
    const error = await drive('remediate', scene.id, change).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TerminalError);
    expect((error as Error).message).toMatch(words);
    expect(fake.sent.filter((call) => !call.startsWith('Describe'))).toEqual([]);
  });

  test('stop protection and a volume that AWS could not make are errors in words', async () => {
    const scene = attached('running', '/dev/sdf', false)();
    const change = await planned(scene.id);
    fake.met = (moment, _nth, call) => {
      if (moment === 'before' && call === 'StopInstances') throw Object.assign(new Error('x'), { name: 'OperationNotPermitted' });
    };
    await expect(drive('remediate', scene.id, change)).rejects.toThrow(/DisableApiStop/);
    const failed = await midway('CreateVolume');
    [...fake.volumes.values()].at(-1)!.State = 'error';
    await expect(drive('remediate', failed.scene.id, failed.change)).rejects.toThrow(/whether the key can be used/);
  });

  test('no capacity to start the instance again: it waits, and says so', async () => {
    const { scene, change } = await midway('AttachVolume');
    let refusals = 2;
    fake.met = (moment, _nth, call) => {
      if (moment === 'before' && call === 'StartInstances' && refusals-- > 0) throw Object.assign(new Error('x'), { name: 'InsufficientInstanceCapacity' });
    };
    const move = () => control.remediate!(refOf(scene.id), change, aws, task);
    expect(await move()).toEqual({ again: 60, note: expect.stringMatching('no capacity') });
    await drive('remediate', scene.id, change);
    expect(fake.instances.get(scene.instance!)!.State!.Name).toBe('running');
  });

  test('undo with the old volume gone says so; with the new one gone it attaches the old one', async () => {
    const scene = attached('running', '/dev/sdf', false)();
    const before = lookOf(scene);
    const change = await planned(scene.id);
    await drive('remediate', scene.id, change);
    fake.settle();
    const kept = fake.volumes.get(scene.id)!;
    fake.volumes.delete(scene.id);
    await expect(drive('undo', scene.id, change)).rejects.toThrow(/is gone, so it cannot be put back/);
    fake.volumes.set(scene.id, kept);
    fake.volumes.delete(fake.attachedTo(scene.instance!, '/dev/sdf')!.VolumeId!);
    await drive('undo', scene.id, change);
    fake.settle();
    expect(lookOf(scene)).toEqual(before);
  });
});
