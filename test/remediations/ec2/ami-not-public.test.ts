import {
  DeregisterImageCommand,
  DescribeImageAttributeCommand,
  EC2Client,
  type LaunchPermission,
  ModifyImageAttributeCommand,
  RegisterImageCommand,
} from '@aws-sdk/client-ec2';
import { expect } from '@jest/globals';
import control from '../../../remediations/ec2/ami-not-public.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const image =
  (...Add: LaunchPermission[]): Arrange =>
  async (admin) => {
    const ec2 = admin.client(EC2Client);
    const { ImageId } = await ec2.send(new RegisterImageCommand({ Name: 'clinic', RootDeviceName: '/dev/xvda' }));
    if (Add.length > 0) await ec2.send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { Add } }));
    return ImageId!;
  };

const deregistered: Arrange = async (admin) => {
  const ImageId = await image()(admin);
  await admin.client(EC2Client).send(new DeregisterImageCommand({ ImageId }));
  return ImageId;
};

const ec2 = (requestParameters: unknown) => ({ eventSource: 'ec2.amazonaws.com', requestParameters });
const permission = (launchPermission: object) => ec2({ imageId: 'ami-1', attributeType: 'launchPermission', launchPermission });

testControl(control, {
  compliant: { 'never shared': image(), 'shared with one account': image({ UserId: '111122223333' }) },
  remediated: {
    public: { given: image({ Group: 'all' }), annotation: 'Everybody', change: { before: ['all'], after: [] } },
    'public and shared with one account, which keeps its access': {
      given: image({ Group: 'all' }, { UserId: '111122223333' }),
      async then(admin, id) {
        const attribute = new DescribeImageAttributeCommand({ ImageId: id.split('/')[1], Attribute: 'launchPermission' });
        expect((await admin.client(EC2Client).send(attribute)).LaunchPermissions).toEqual([{ UserId: '111122223333' }]);
      },
    },
  },
  gone: deregistered,
  events: {
    'ModifyImageAttribute makes it public': { detail: permission({ add: { items: [{ group: 'all' }] } }), ids: ['ami-1'] },
    'ModifyImageAttribute that repairs': { detail: permission({ remove: { items: [{ group: 'all' }] } }), ids: ['ami-1'] },
    DeregisterImage: { detail: ec2({ imageId: 'ami-1' }), ids: ['ami-1'] },
    DisableImage: { detail: ec2({ DisableImageRequest: { ImageId: 'ami-1' } }), ids: ['ami-1'] },
    RestoreImageFromRecycleBin: { detail: ec2({ RestoreImageFromRecycleBinRequest: { ImageId: 'ami-1' } }), ids: ['ami-1'] },
    ResetImageAttribute: { detail: ec2({ imageId: 'ami-1', attributeType: 'launchPermission' }), ids: ['ami-1'] },
    'ModifyImageAttribute with null request parameters': { detail: { ...ec2(null), eventName: 'ModifyImageAttribute' }, sweep: true },
  },
});
