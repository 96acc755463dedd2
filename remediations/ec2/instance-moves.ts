/** One move at an instance or its volumes. Each gives how long to wait, or nothing when there is nothing to do; asked again, it looks again. */
import {
  AttachVolumeCommand,
  DetachVolumeCommand,
  type EC2Client,
  type Instance,
  ModifyInstanceAttributeCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  type Volume,
  type VolumeAttachment,
} from '@aws-sdk/client-ec2';
import { codeOf, TerminalError } from '../../engine/errors.ts';
import { type Again, required } from '../define.ts';
import { refusedAs } from '../replaced.ts';
import { type Attachment, attachmentsOf, goesWithInstance, stateOfInstance } from './volume.ts';

export const again = (seconds: number, note: string): Again => ({ again: seconds, note });

export async function stopped(ec2: EC2Client, instance: Instance): Promise<Again | undefined> {
  const state = stateOfInstance(instance);
  const id = required(instance.InstanceId, 'InstanceId');
  if (state === 'stopped') return undefined;
  if (state === 'running') {
    const protectedBy = `${id} is protected against a stop: take the protection off (DisableApiStop)`;
    await refusedAs(protectedBy, ['OperationNotPermitted'], ec2.send(new StopInstancesCommand({ InstanceIds: [id] })));
  }
  return again(15, `${id} is being stopped.`);
}

export async function startedAgain(ec2: EC2Client, instance: Instance, wanted: boolean): Promise<Again | undefined> {
  const state = stateOfInstance(instance);
  const id = required(instance.InstanceId, 'InstanceId');
  if (!wanted || state === 'running') return undefined;
  if (state === 'stopped') {
    try {
      await ec2.send(new StartInstancesCommand({ InstanceIds: [id] }));
    } catch (error) {
      if (codeOf(error) !== 'InsufficientInstanceCapacity') throw error;
      return again(60, `${id} is stopped: AWS has no capacity to start it at the moment.`);
    }
  }
  return again(10, `${id} is being started.`);
}

export async function detached(ec2: EC2Client, VolumeId: string, { InstanceId, State }: VolumeAttachment): Promise<Again> {
  if (State === 'attached') await ec2.send(new DetachVolumeCommand({ VolumeId, InstanceId }));
  return again(5, `${VolumeId} is being detached.`);
}

export async function attachedAs(
  ec2: EC2Client,
  volume: Volume,
  instance: Instance,
  { instanceId, device, deleteOnTermination }: Attachment,
): Promise<Again | undefined> {
  const VolumeId = required(volume.VolumeId, 'VolumeId');
  const [held] = attachmentsOf(volume);
  if (!held) {
    await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId: instanceId, Device: device }));
    return again(5, `${VolumeId} is being attached.`);
  }
  if (held.InstanceId !== instanceId || held.Device !== device)
    throw new TerminalError(`${VolumeId} has been attached to ${held.InstanceId} as ${held.Device}`);
  if (held.State !== 'attached') return again(5, `${VolumeId} is being attached.`);
  if (goesWithInstance(volume, instance) !== deleteOnTermination) {
    const BlockDeviceMappings = [{ DeviceName: device, Ebs: { DeleteOnTermination: deleteOnTermination } }];
    await ec2.send(new ModifyInstanceAttributeCommand({ InstanceId: instanceId, BlockDeviceMappings }));
    return again(1, `${VolumeId} is set to go or stay with its instance as the old one was.`);
  }
  return undefined;
}
