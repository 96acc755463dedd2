/** The swap through the engine: noticed, driven through its waits by `act`, cut off anywhere, while the bot's own calls come back as events. On a shaped fake. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { act } from '../../../engine/act.ts';
import { detect } from '../../../engine/detect.ts';
import type { Finding } from '../../../engine/model.ts';
import { routerOf } from '../../../engine/route.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import { catalogue as every } from '../../../remediations/index.ts';
import { FakeVolumes } from '../../support/fakes/volumes.ts';
import { call, policyOf, World } from '../../support/world.ts';

const access = awsAccess({ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
const params = { stopInstances: true, kmsKeyId: '', keepDays: 30 };
const catalogue = every.filter(({ id }) => id === 'ebs-volume-encrypted');

let world: World;
let fake: FakeVolumes;
beforeEach(() => {
  world = new World();
  world.policy = policyOf({ 'ebs-volume-encrypted': { params } });
  fake = new FakeVolumes();
});
afterEach(() => {
  fake.restore();
  world.close();
});

const ports = () => ({ ...world.ports, aws: access });
const told = (eventName: string, parts: object) =>
  detect([{ ...call(eventName, null, { eventSource: 'ec2.amazonaws.com', ...parts }), source: 'aws.ec2' }], {
    ...world.detection(),
    ports: ports(),
    router: routerOf(catalogue),
  });

function arrange() {
  const instance = fake.addInstance('running');
  fake.hold(fake.addVolume({ Encrypted: true }), instance, '/dev/xvda', true);
  const id = fake.addVolume();
  fake.hold(id, instance, '/dev/sdf', true);
  return { instance, id };
}

/** As a durable execution would: again after each wait, and anew after a death. */
async function driven(name: string, between: () => Promise<unknown> = async () => undefined): Promise<string> {
  for (let round = 0; round < 120; round += 1) {
    const attempt = await act(name, { ...world.action, ports: ports(), catalogue }).catch((error: Error) => {
      if (error.message !== 'killed') throw error;
      return { again: 121, note: 'killed' };
    });
    if ('ended' in attempt) return attempt.ended;
    world.advance(attempt.again);
    await between();
  }
  throw new Error('still not ended');
}

const only = async (): Promise<Finding> => {
  const findings = await world.findings();
  expect(findings).toHaveLength(1);
  return findings[0]!;
};

test('one finding, one change with the true state before, REMEDIATED, whatever events come on the way', async () => {
  const { instance, id } = arrange();
  await told('AttachVolume', { requestParameters: { volumeId: id } });
  const ended = await driven((await only()).id, () => told('AttachVolume', { requestParameters: { volumeId: id } }));
  expect(ended).toBe('REMEDIATED');
  fake.settle();
  expect(await only()).toMatchObject({
    state: 'resolved',
    changes: [
      {
        change: { before: { replaced: false, attachment: { instanceId: instance, device: '/dev/sdf', deleteOnTermination: true } } },
        observed: { replaced: true, attachment: { instanceId: instance, device: '/dev/sdf', deleteOnTermination: true } },
      },
    ],
  });
  expect(fake.attachedTo(instance, '/dev/sdf')).toMatchObject({ Encrypted: true });
  expect(fake.instances.get(instance)!.State!.Name).toBe('running');
});

test.each(['before', 'after'] as const)('a death right %s every single call, one after another: the same end', async (moment) => {
  const { instance, id } = arrange();
  await told('AttachVolume', { requestParameters: { volumeId: id } });
  const { id: name } = await only();
  // Each kind of write dies the first time it is sent.
  const met = new Set<string>();
  fake.met = (at, _nth, sent) => {
    if (at !== moment || sent.startsWith('Describe') || met.has(sent)) return;
    met.add(sent);
    throw new Error('killed');
  };
  expect(await driven(name)).toBe('REMEDIATED');
  expect([...met].sort()).toEqual([
    'AttachVolume',
    'CreateSnapshot',
    'CreateTags',
    'CreateVolume',
    'DetachVolume',
    'ModifyInstanceAttribute',
    'StartInstances',
    'StopInstances',
  ]);
  fake.settle();
  expect((await only()).changes).toHaveLength(1);
  expect([...fake.snapshots.values()]).toHaveLength(1);
  expect(fake.attachedTo(instance, '/dev/sdf')).toMatchObject({ Encrypted: true, Attachments: [{ DeleteOnTermination: true }] });
  expect(fake.instances.get(instance)!.State!.Name).toBe('running');
});

test('a param that changes on the way is for the next fix: this one goes on as a person agreed to it', async () => {
  const { instance, id } = arrange();
  await told('AttachVolume', { requestParameters: { volumeId: id } });
  const { id: name } = await only();
  const ended = await driven(name, async () => {
    if (fake.sent.includes('StopInstances'))
      world.policy = policyOf({ 'ebs-volume-encrypted': { params: { ...params, stopInstances: false, keepDays: 7 } } }, 'p2');
  });
  expect(ended).toBe('REMEDIATED');
  fake.settle();
  expect((await only()).changes).toHaveLength(1);
  expect(fake.instances.get(instance)!.State!.Name).toBe('running');
});
