import { EC2Client, paginateDescribeVolumes } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import {
  blocked,
  change,
  compliant,
  defineControl,
  idsAt,
  leafOf,
  listed,
  nonCompliant,
  pagesOf,
  type ResourceIds,
  refTo,
  required,
  unnamed,
  valuesAt,
} from '../define.ts';
import { alreadyReplaced, keepDays, keptVerdict, kmsKeyId } from '../replaced.ts';
import { onEc2Calls, onTags } from './ec2.ts';
import { isRunning, obstacle, plainOf, type Serving, stateOfVolume, type VolumeState, volumeAt } from './volume.ts';
import { swap, swapBack } from './volume-swap.ts';

const volumes = { resourceType: 'AWS::EC2::Volume', arn: 'arn:{partition}:ec2:{region}:{account}:volume/{id}' };

/** RunInstances answers before most volumes are mapped: unless each instance shows its own, the event does not tell. */
const launched: ResourceIds = (detail) => {
  const mapped = valuesAt(detail, 'responseElements.instancesSet.items[]').map((instance) => valuesAt(instance, 'blockDeviceMapping.items[].ebs.volumeId'));
  return mapped.every((ids) => ids.length > 0) ? (mapped.flat() as string[]) : [];
};

const settingOf = ({ plain }: VolumeState): Serving => ({
  replaced: plain?.serving ? plain.serving.replacement : plain?.kept?.until !== undefined,
  attachment: plain?.serving?.attachment ?? null,
});

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
    onEc2Calls(['AttachVolume', 'DeleteVolume', 'DetachVolume'], idsAt('requestParameters.volumeId')),
    onEc2Calls(['RunInstances'], launched),
    onEc2Calls(['CopyVolumes', 'ImportVolume'], unnamed),
    onTags('vol-'),
    { source: 'config', resourceType: volumes.resourceType },
  ],
  params: z.strictObject({
    stopInstances: z
      .boolean()
      .default(false)
      .describe('Whether the fix may stop the instance that a volume is attached to, and start it again; if not, such volumes are left to a person'),
    kmsKeyId: kmsKeyId('', 'empty = the key that the account has set for EBS'),
    keepDays,
  }),
  reads: 1,
  writes: ['ec2:volume'],
  permissions: {
    inspect: ['ec2:DescribeInstanceTypes', 'ec2:DescribeInstances', 'ec2:DescribeSnapshots', 'ec2:DescribeVolumes'],
    remediate: [
      'ec2:AttachVolume',
      'ec2:CreateSnapshot',
      'ec2:CreateTags',
      'ec2:CreateVolume',
      'ec2:DescribeInstances',
      'ec2:DescribeSnapshots',
      'ec2:DescribeVolumes',
      'ec2:DetachVolume',
      'ec2:ModifyInstanceAttribute',
      'ec2:StartInstances',
      'ec2:StopInstances',
    ],
    undo: [
      'ec2:AttachVolume',
      'ec2:CreateTags',
      'ec2:DeleteTags',
      'ec2:DescribeInstances',
      'ec2:DescribeSnapshots',
      'ec2:DescribeVolumes',
      'ec2:DetachVolume',
      'ec2:ModifyInstanceAttribute',
      'ec2:StartInstances',
      'ec2:StopInstances',
    ],
  },
  impact:
    'A new volume with another id takes over, same data, type, size, tags, device; what names the old id (stacks, scripts, alarms) must be changed. An instance is stopped for the length of a snapshot, minutes to hours, and reads slowly at first; it may get another public address. The old volume and the snapshot stay, unencrypted and charged for, until a person deletes them. Undo puts the old volume back as it was: what has been written since the swap is on the new one alone and is not merged.',
  defaultMode: 'approve',

  list: (aws, { from: startingToken }) =>
    pagesOf(
      paginateDescribeVolumes({ client: aws.client(EC2Client), startingToken }, { MaxResults: 500 }),
      ({ NextToken }) => NextToken,
      ({ Volumes }) => required(Volumes, 'Volumes').map((volume) => listed(refTo(volumes, aws, volume.VolumeId), () => stateOfVolume(volume))),
    ),

  async inspect(resource, aws): Promise<VolumeState | undefined> {
    const volume = await volumeAt(aws, leafOf(resource));
    return volume && (stateOfVolume(volume) ?? { encrypted: false, plain: await plainOf(aws, volume) });
  },

  evaluate({ encrypted, plain }, { keepDays: days }, now) {
    if (encrypted) return compliant('The volume is encrypted.');
    const kept = plain?.kept && plain.attachments === 0 ? keptVerdict(plain.kept, days, now) : undefined;
    return kept ?? nonCompliant('The volume is not encrypted; swap it for an encrypted one made from a snapshot of it.');
  },

  plan(state, { stopInstances, ...how }) {
    const plain = required(state.plain, 'what an unencrypted volume is attached to');
    const { kept, serving } = plain;
    const reason = obstacle(plain, stopInstances);
    const no = alreadyReplaced(kept) ?? (reason ? blocked(reason) : undefined);
    if (no) return no;
    const running = serving !== undefined && isRunning(serving.host);
    const stop = serving ? `; ${serving.attachment.instanceId} is stopped for it${running ? ' and started again' : ''}` : '';
    const address = running && serving.host.lentAddress ? ', which changes its public address' : '';
    return change<Serving>({
      action: 'ec2:CreateVolume',
      summary: `Swap the volume for an encrypted one made from a snapshot of it${stop}${address}`,
      before: settingOf(state),
      after: { replaced: true, attachment: serving?.attachment ?? null, how: { ...how, running } },
    });
  },

  setting: settingOf,

  // The date is the last thing that a fix sets.
  unfinished({ plain }, { after: { attachment, how } }) {
    const { kept, serving } = plain ?? {};
    const up = !how?.running || (serving !== undefined && isRunning(serving.host));
    if (!kept) return serving !== undefined && !up;
    return !kept.until || (attachment !== null && !(serving?.replacement && up));
  },

  remediate: swap,
  undo: swapBack,
});
