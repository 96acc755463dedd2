import { EC2Client, EnableEbsEncryptionByDefaultCommand } from '@aws-sdk/client-ec2';
import control from '../../../remediations/ec2/ebs-encryption-by-default.ts';
import { type Arrange, accountId, testControl } from '../../support/control-tester.ts';

const region =
  (encrypts: boolean): Arrange =>
  async (admin) => {
    if (encrypts) await admin.client(EC2Client).send(new EnableEbsEncryptionByDefaultCommand({}));
    return `arn:aws:iam::${accountId}:root`;
  };

const ec2 = (requestParameters: unknown) => ({ eventSource: 'ec2.amazonaws.com', requestParameters });

testControl(control, {
  compliant: { on: region(true) },
  remediated: { off: { given: region(false), annotation: 'in this region', change: { before: false, after: true } } },
  events: {
    DisableEbsEncryptionByDefault: { detail: ec2({ DisableEbsEncryptionByDefaultRequest: '' }), ids: [''] },
    EnableEbsEncryptionByDefault: { detail: ec2(null), ids: [''] },
  },
});
