/** What the role that delivers alerts may do for the channels in AWS. Pure. */
import type { CompiledPolicy } from '../engine/policy/model.ts';
import { account, localArn, stack } from './intrinsics.ts';
import type { Statement } from './packing.ts';

/**
 * Topics are encrypted: whoever publishes also needs `kms:GenerateDataKey` and `kms:Decrypt` on their key.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecurityhub.html
 */
export const awsChannels = ({ channels }: Pick<CompiledPolicy, 'channels'>): Statement[] => {
  const ways = Object.values(channels);
  return [
    ...(ways.some((channel) => 'sns' in channel)
      ? [{ Sid: 'Alert', Effect: 'Allow', Action: ['sns:Publish'], Resource: [localArn('sns', `${stack}-Channel*`)] } as const]
      : []),
    ...(ways.some((channel) => 'securityHub' in channel)
      ? [
          {
            Sid: 'ImportFindings',
            Effect: 'Allow',
            Action: ['securityhub:BatchImportFindings'],
            Resource: [localArn('securityhub', `product/${account}/default`)],
          } as const,
        ]
      : []),
  ];
};
