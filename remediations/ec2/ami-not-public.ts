import { DescribeImagesCommand, EC2Client, type Image, ModifyImageAttributeCommand, paginateDescribeImages } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import { defineControl, leafOf, listed, orUndefined, pagesOf, refTo, required } from '../define.ts';
import { againstPublicAccess, notPublic, onEc2Calls, type PublicGroups, requested } from './ec2.ts';

// The ARN of an image holds no account:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html#amazonec2-resources-for-iam-policies
const images = { resourceType: 'AWS::EC2::Image', arn: 'arn:{partition}:ec2:{region}::image/{id}' };

const stateOf = ({ Public }: Image): { groups: PublicGroups } => ({ groups: required(Public, 'Public') ? ['all'] : [] });

export default defineControl({
  id: 'ami-not-public',
  title: 'AMIs of the account are not public',
  rationale: 'Anybody with an AWS account can start a public image and read what is on its disks.',
  severity: 'CRITICAL',
  ...images,
  scope: 'regional',
  hipaa: againstPublicAccess,
  related: { prowler: ['ec2_ami_public'] },
  triggers: [
    onEc2Calls(
      ['DeregisterImage', 'DisableImage', 'ModifyImageAttribute', 'ResetImageAttribute', 'RestoreImageFromRecycleBin'],
      requested('ImageId', 'DisableImage', 'RestoreImageFromRecycleBin'),
    ),
  ],
  params: z.strictObject({}),
  reads: 1,
  writes: ['ec2:launch-permission'],
  permissions: { inspect: ['ec2:DescribeImages'], remediate: ['ec2:ModifyImageAttribute'], undo: ['ec2:ModifyImageAttribute'] },
  impact: 'An image published on purpose disappears for others; running instances and accounts it is shared with by number are unharmed.',
  defaultMode: 'fix',
  endsPublicExposure: true,
  reportTransient: true,

  list: (aws, { from: startingToken }) =>
    pagesOf(
      paginateDescribeImages({ client: aws.client(EC2Client), startingToken }, { Owners: ['self'], IncludeDisabled: true, MaxResults: 1_000 }),
      ({ NextToken }) => NextToken,
      ({ Images }) => required(Images, 'Images').map((image) => listed(refTo(images, aws, image.ImageId), () => stateOf(image))),
    ),

  // A deregistered image is first left out of the answer and later an error (API_DescribeImages); a disabled one is left out unless asked for.
  async inspect(resource, aws) {
    const answer = await orUndefined(
      aws.client(EC2Client).send(new DescribeImagesCommand({ ImageIds: [leafOf(resource)], Owners: ['self'], IncludeDisabled: true })),
      'InvalidAMIID.NotFound',
      'InvalidAMIID.Unavailable',
    );
    return answer && required(answer.Images, 'Images').map(stateOf)[0];
  },

  ...notPublic({
    exposure: 'Everybody with an AWS account may launch the image.',
    action: 'ec2:ModifyImageAttribute',
    member: 'launchPermission',
    ending: ['DeregisterImage', 'DisableImage', 'ResetImageAttribute'],
    allow: (aws, ImageId, operation) =>
      aws
        .client(EC2Client)
        .send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { [operation === 'add' ? 'Add' : 'Remove']: [{ Group: 'all' }] } })),
  }),
});
