/** ARNs: built from a template such as `arn:{partition}:ec2:{region}:{account}:volume/{id}`, matched against it, taken apart. */
import type { Place, ResourceRef } from './model.ts';

/** https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html */
const partitions: readonly (readonly [prefix: string, partition: string])[] = [
  ['us-gov-', 'aws-us-gov'],
  ['cn-', 'aws-cn'],
  ['us-isob-', 'aws-iso-b'],
  ['us-iso-', 'aws-iso'],
];

export const partitionOf = (region: string): string => partitions.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';

/** The ARN with every placeholder filled in. */
export const arnFrom = (template: string, { accountId, region }: Place, id: string): string => {
  const parts = { partition: partitionOf(region), region, account: accountId, id };
  // In one pass and by a function: a name may hold `{id}` or `$&` itself.
  return template.replace(/\{(partition|region|account|id)\}/g, (_, part: keyof typeof parts) => parts[part]);
};

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The region, account and id that an ARN of this form holds; undefined when it has another form. */
export function matchArn(template: string, arn: string): { region?: string; account?: string; id?: string } | undefined {
  const pattern = quoted(template)
    .replace('\\{partition\\}', '[a-z-]+')
    .replace('\\{region\\}', '(?<region>[a-z0-9-]+)')
    .replace('\\{account\\}', '(?<account>[0-9]{12})')
    .replace('\\{id\\}', '(?<id>.+)');
  const match = new RegExp(`^${pattern}$`).exec(arn);
  return match ? { ...match.groups } : undefined;
}

/** What stands behind the account: `volume/vol-1`. */
export const resourcePart = ({ id }: Pick<ResourceRef, 'id'>): string => id.split(':').slice(5).join(':');

/** What stands behind the last `/` or `:`: `vol-1`. */
export const leafOf = ({ id }: Pick<ResourceRef, 'id'>): string => id.slice(Math.max(id.lastIndexOf('/'), id.lastIndexOf(':')) + 1);
