import { DescribeVolumesCommand, EC2Client, paginateDescribeVolumes, type Volume } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import {
  compliant,
  defineControl,
  idsAt,
  leafOf,
  listed,
  nonCompliant,
  orUndefined,
  pagesOf,
  type ResourceIds,
  refTo,
  required,
  unnamed,
  valuesAt,
} from '../define.ts';
import { onEc2Calls } from './ec2.ts';

const volumes = { resourceType: 'AWS::EC2::Volume', arn: 'arn:{partition}:ec2:{region}:{account}:volume/{id}' };

/** RunInstances answers before most volumes are mapped: unless each instance shows its own, the event does not tell. */
const launched: ResourceIds = (detail) => {
  const mapped = valuesAt(detail, 'responseElements.instancesSet.items[]').map((instance) => valuesAt(instance, 'blockDeviceMapping.items[].ebs.volumeId'));
  return mapped.every((ids) => ids.length > 0) ? (mapped.flat() as string[]) : [];
};

const stateOf = ({ Encrypted }: Volume) => ({ encrypted: required(Encrypted, 'Encrypted') });

export default defineControl({
  id: 'ebs-volume-encrypted',
  title: 'EBS volumes are encrypted at rest',
  rationale: 'An unencrypted volume, and each snapshot of it, can be read by whoever gets hold of the snapshot.',
  severity: 'HIGH',
  ...volumes,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(2)(iv)', specification: 'addressable', rationale: 'Encrypts ePHI where it is stored.' },
    { section: '164.308(a)(1)(ii)(B)', specification: 'required', rationale: 'Lowers the risk that a copied disk discloses ePHI.' },
  ],
  related: { securityHub: ['EC2.3'], configRule: ['encrypted-volumes'], prowler: ['ec2_ebs_volume_encryption'] },
  triggers: [
    onEc2Calls(['CreateVolume'], idsAt('responseElements.volumeId')),
    // No call encrypts a volume in place: deleting the old one, after the swap, is what ends the finding.
    onEc2Calls(['AttachVolume', 'DeleteVolume'], idsAt('requestParameters.volumeId')),
    onEc2Calls(['RunInstances'], launched),
    onEc2Calls(['CopyVolumes', 'ImportVolume'], unnamed),
    { source: 'config', resourceType: volumes.resourceType },
  ],
  params: z.strictObject({}),
  reads: 1,
  writes: [],
  permissions: { inspect: ['ec2:DescribeVolumes'], remediate: [], undo: [] },
  impact: 'None: a person is told. The swap by hand needs the instance stopped for the length of a snapshot.',
  defaultMode: 'page',
  noFix:
    'AWS cannot encrypt a volume in place: stop the instance, snapshot the volume, make an encrypted volume from the snapshot in the same zone, attach it under the same device name, start, and delete the old volume and snapshot once all is well.',

  list: (aws, { from: startingToken }) =>
    pagesOf(
      paginateDescribeVolumes({ client: aws.client(EC2Client), startingToken }, { MaxResults: 500 }),
      ({ NextToken }) => NextToken,
      ({ Volumes }) => required(Volumes, 'Volumes').map((volume) => listed(refTo(volumes, aws, volume.VolumeId), () => stateOf(volume))),
    ),

  async inspect(resource, aws) {
    const answer = await orUndefined(aws.client(EC2Client).send(new DescribeVolumesCommand({ VolumeIds: [leafOf(resource)] })), 'InvalidVolume.NotFound');
    return answer && required(answer.Volumes, 'Volumes').map(stateOf)[0];
  },

  evaluate: ({ encrypted }) =>
    encrypted ? compliant('The volume is encrypted.') : nonCompliant('The volume is not encrypted; swap it for an encrypted one made from a snapshot of it.'),
});
