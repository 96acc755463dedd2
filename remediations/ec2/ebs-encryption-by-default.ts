import { DisableEbsEncryptionByDefaultCommand, EC2Client, EnableEbsEncryptionByDefaultCommand, GetEbsEncryptionByDefaultCommand } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import { type Aws, account, change, compliant, defineControl, listAccount, nonCompliant, required, theAccount } from '../define.ts';
import { onEc2Calls } from './ec2.ts';

const defaultOf = async (aws: Aws) => {
  const { EbsEncryptionByDefault } = await aws.client(EC2Client).send(new GetEbsEncryptionByDefaultCommand({}));
  return { encrypts: required(EbsEncryptionByDefault, 'EbsEncryptionByDefault') };
};

const setDefault = async (aws: Aws, encrypts: boolean) => {
  const client = aws.client(EC2Client);
  if (encrypts) await client.send(new EnableEbsEncryptionByDefaultCommand({}));
  else await client.send(new DisableEbsEncryptionByDefaultCommand({}));
};

export default defineControl({
  id: 'ebs-encryption-by-default',
  title: 'New EBS volumes are encrypted by account default',
  rationale: 'With the default off, a volume made without a word about encryption stores ePHI in clear, and cannot be encrypted later.',
  severity: 'HIGH',
  ...account,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(2)(iv)', specification: 'addressable', rationale: 'Encrypts ePHI on each new volume.' },
    { section: '164.308(a)(1)(ii)(B)', specification: 'required', rationale: 'Lowers the risk that somebody forgets to encrypt.' },
  ],
  related: { securityHub: ['EC2.7'], configRule: ['ec2-ebs-encryption-by-default'], prowler: ['ec2_ebs_default_encryption'] },
  triggers: [onEc2Calls(['DisableEbsEncryptionByDefault', 'EnableEbsEncryptionByDefault'], theAccount, ['DisableEbsEncryptionByDefault'])],
  params: z.strictObject({}),
  reads: 1,
  writes: ['ec2:ebs-encryption-by-default'],
  permissions: {
    inspect: ['ec2:GetEbsEncryptionByDefault'],
    remediate: ['ec2:EnableEbsEncryptionByDefault'],
    undo: ['ec2:DisableEbsEncryptionByDefault'],
  },
  impact: 'Volumes and snapshots that exist stay as they are; a few old instance types cannot be launched with encrypted volumes.',
  defaultMode: 'fix',

  list: listAccount(account),
  inspect: (_, aws) => defaultOf(aws),

  evaluate: ({ encrypts }) =>
    encrypts ? compliant('New volumes are encrypted by default.') : nonCompliant('New volumes are not encrypted by default in this region.'),

  plan: ({ encrypts }) =>
    change({ action: 'ec2:EnableEbsEncryptionByDefault', summary: 'Encrypt new EBS volumes by default in this region', before: encrypts, after: true }),

  setting: ({ encrypts }) => encrypts,
  remediate: (_, { after }, aws) => setDefault(aws, after),
  undo: (_, { before }, aws) => setDefault(aws, before),
});
