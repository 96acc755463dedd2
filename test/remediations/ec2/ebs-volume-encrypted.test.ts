import { CreateVolumeCommand, EC2Client } from '@aws-sdk/client-ec2';
import control from '../../../remediations/ec2/ebs-volume-encrypted.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const volume =
  (Encrypted?: boolean): Arrange =>
  async (admin) =>
    (await admin.client(EC2Client).send(new CreateVolumeCommand({ AvailabilityZone: 'us-east-1a', Size: 8, ...(Encrypted !== undefined && { Encrypted }) })))
      .VolumeId!;

const ec2 = (parts: object) => ({ eventSource: 'ec2.amazonaws.com', ...parts });
const mapped = (...ids: string[]) => ({ items: ids.map((volumeId) => ({ deviceName: '/dev/xvda', ebs: { volumeId, status: 'attaching' } })) });
const launched = (...instances: object[]) => ec2({ responseElements: { reservationId: 'r-1', instancesSet: { items: instances } } });

testControl(control, {
  compliant: { encrypted: volume(true) },
  nonCompliant: {
    'not encrypted': { given: volume(false), annotation: 'not encrypted' },
    'encryption left out': volume(),
  },
  gone: 'vol-0123456789abcdef0',
  events: {
    CreateVolume: {
      detail: ec2({ requestParameters: { size: '8', encrypted: false }, responseElements: { volumeId: 'vol-1', encrypted: false, snapshotId: '' } }),
      ids: ['vol-1'],
    },
    AttachVolume: { detail: ec2({ requestParameters: { volumeId: 'vol-1', instanceId: 'i-1', device: '/dev/sdf' } }), ids: ['vol-1'] },
    DeleteVolume: { detail: ec2({ requestParameters: { volumeId: 'vol-1' }, responseElements: { _return: true } }), ids: ['vol-1'] },
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
