import { EC2Client, paginateDescribeImages } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import { blocked, change, compliant, defineControl, idsAt, leafOf, listed, nonCompliant, notApplicable, pagesOf, refTo, required, unnamed } from '../define.ts';
import { alreadyReplaced, keepDays, keptVerdict, kmsKeyId, type Replaced, tag, tagsOf } from '../replaced.ts';
import { onEc2Calls, onTags, requested, some } from './ec2.ts';
import { copyEncrypted, forgetCopy, type ImageState, imageAt, keptOf, stateOf } from './image-copy.ts';

// The ARN of an image holds no account:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html#amazonec2-resources-for-iam-policies
const images = { resourceType: 'AWS::EC2::Image', arn: 'arn:{partition}:ec2:{region}::image/{id}' };

export default defineControl({
  id: 'ami-snapshots-encrypted',
  title: 'AMIs are backed by encrypted snapshots',
  rationale: 'An image holds the disks of the machine that it was made of, and every instance started from it begins with an unencrypted copy of them.',
  severity: 'MEDIUM',
  ...images,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(2)(iv)', specification: 'addressable', rationale: 'Encrypts ePHI where it is stored.' },
    { section: '164.308(a)(1)(ii)(B)', specification: 'required', rationale: 'Lowers the risk that a copied disk discloses ePHI.' },
  ],
  related: {},
  triggers: [
    onEc2Calls(['CopyImage', 'CreateImage', 'RegisterImage'], idsAt('responseElements.imageId')),
    onEc2Calls(['DeregisterImage', 'RestoreImageFromRecycleBin'], requested('ImageId', 'RestoreImageFromRecycleBin')),
    // They make the image a while later.
    onEc2Calls(['CreateRestoreImageTask', 'ImportImage'], unnamed),
    onTags('ami-'),
  ],
  params: z.strictObject({ kmsKeyId: kmsKeyId('', 'empty = the key that the account has set for EBS'), keepDays }),
  reads: 1,
  writes: ['ec2:image-encryption'],
  permissions: {
    inspect: ['ec2:DescribeImages'],
    remediate: ['ec2:CopyImage', 'ec2:CreateTags', 'ec2:DeleteTags', 'ec2:DescribeImages'],
    undo: ['ec2:CreateTags', 'ec2:DeleteTags', 'ec2:DescribeImages'],
  },
  impact:
    'An encrypted copy of another id stands beside the image, its name beginning with that of the image. Launch templates, Auto Scaling groups and stacks go on starting the old one until they are changed; what looks for the latest image by a pattern of its name may take the copy at once. Launch permissions are not copied, and other accounts can start an encrypted image only with a key shared with them. Both are charged for until a person deletes the old one.',
  defaultMode: 'approve',

  list: (aws, { from: startingToken }) =>
    pagesOf(
      paginateDescribeImages({ client: aws.client(EC2Client), startingToken }, { Owners: ['self'], IncludeDisabled: true, MaxResults: 1_000 }),
      ({ NextToken }) => NextToken,
      // What has replaced an image is read one by one.
      ({ Images }) =>
        required(Images, 'Images').map((image) =>
          listed(refTo(images, aws, image.ImageId), () => (tagsOf(image.Tags)[tag.replacedBy] ? undefined : stateOf(image))),
        ),
    ),

  async inspect(resource, aws): Promise<ImageState | undefined> {
    const image = await imageAt(aws, leafOf(resource));
    if (!image) return undefined;
    const kept = await keptOf(aws, image);
    return { ...stateOf(image), ...(kept && { kept }) };
  },

  evaluate({ snapshots, plain, status, kept }, { keepDays: days }, now) {
    if (snapshots === 0) {
      return notApplicable(
        status === 'pending' ? 'The image is being made and shows no snapshot yet; the next sweep looks again.' : 'The image has no EBS snapshot.',
      );
    }
    if (plain.length === 0) return compliant('Every snapshot of the image is encrypted.');
    return (kept && keptVerdict(kept, days, now)) ?? nonCompliant(`The image is backed by unencrypted snapshots: ${some(plain)}.`);
  },

  plan({ status, noRoomForTags: full, kept }, how) {
    if (status !== 'available' && status !== 'pending') return blocked(`The image is ${status}: only one that is available can be copied.`);
    if (full) return blocked(full);
    return (
      alreadyReplaced(kept) ??
      change<Replaced>({
        action: 'ec2:CopyImage',
        summary: `Make an encrypted copy of the image, and keep the image for ${how.keepDays} days`,
        before: { replaced: false },
        after: { replaced: true, how },
      })
    );
  },

  setting: ({ kept }): Replaced => ({ replaced: kept?.until !== undefined }),

  remediate: copyEncrypted,
  undo: forgetCopy,
});
