/** A world of random prior settings for each control that has an undo. */
import type { RoundTrips } from '../../support/round-trip.ts';
import { account } from './account.ts';
import { ec2 } from './ec2.ts';
import { keys } from './kms.ts';
import { loadBalancers } from './load-balancers.ts';
import { messages } from './messages.ts';
import { rds } from './rds.ts';
import { replaced } from './replaced.ts';
import { s3 } from './s3.ts';
import { s3Policies } from './s3-policies.ts';
import { securityGroups } from './security-groups.ts';

export const roundTrips: RoundTrips = {
  ...account,
  ...ec2,
  ...keys,
  ...loadBalancers,
  ...messages,
  ...rds,
  ...replaced,
  ...s3,
  ...s3Policies,
  ...securityGroups,
};
