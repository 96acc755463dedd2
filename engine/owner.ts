/** Who defines a resource: as far as its tags, and the tool that the change came through, tell. Pure. */
import type { Actor, Owner, OwnerKind, Through } from './model.ts';

type Tags = Readonly<Record<string, string>>;

/**
 * @param tags undefined: they could not be read
 * @param keys of the tags that alerts are routed by; no other is kept
 * Of a tool that leaves no tags it is known only that a change came through it.
 */
export const ownerOf = (tags: Tags | undefined, actor: Actor | undefined, keys: readonly string[] = []): Owner =>
  ownerBy(tags ? { stack: stackOf(tags), tags: tagsOf(tags, keys) } : { unread: true }, actor);

/** What an earlier read of the tags has found, and this actor. */
export function ownerBy({ stack, unread, tags }: Pick<Owner, 'stack' | 'unread' | 'tags'>, actor: Actor | undefined): Owner {
  const through = throughOf(actor);
  return { ...(stack && { stack }), ...(through && { through }), ...(unread && { unread }), ...(tags && { tags }) };
}

function tagsOf(tags: Tags, keys: readonly string[]): Owner['tags'] {
  const kept = keys.filter((key) => Object.hasOwn(tags, key)).map((key) => [key, tags[key]!] as const);
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

// Only CloudFormation sets tags that begin with aws:. It tags whatever it makes that can have tags.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
function stackOf(tags: Tags): Owner['stack'] {
  const id = tags['aws:cloudformation:stack-id'];
  const name = tags['aws:cloudformation:stack-name'];
  if (!id || !name) return undefined;
  const logicalId = tags['aws:cloudformation:logical-id'];
  const tool = toolOf(tags);
  return { name, id, ...(logicalId && { logicalId }), ...(tool && { tool }) };
}

/** What wrote the template, where it leaves a tag of its own. */
function toolOf(tags: Tags): string | undefined {
  // https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
  if (tags['lambda:createdBy'] === 'SAM') return 'AWS SAM';
  // aws-cdk:subnet-name, aws-cdk:auto-delete-objects and others. https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_ec2.Subnet.html
  return Object.keys(tags).some((key) => key.startsWith('aws-cdk:')) ? 'AWS CDK' : undefined;
}

/** In this order: Pulumi's provider is built on Terraform's. */
const agents: readonly (readonly [RegExp, OwnerKind])[] = [
  [/\bPulumi\w*\/[\w.+-]{1,40}/i, 'pulumi'],
  [/\bOpenTofu\/[\w.+-]{1,40}/i, 'terraform'],
  [/\bTerraform\/[\w.+-]{1,40}/i, 'terraform'],
  // Hot swaps; the rest of what it deploys goes through CloudFormation.
  [/\baws-cdk\/[\w.+-]{1,40}/i, 'cloudformation'],
];

const cloudFormation = 'cloudformation.amazonaws.com';

/** A user agent is what the caller says it is. */
export function throughOf(actor: Actor | undefined): Through | undefined {
  if (!actor) return undefined;
  if (actor.invokedBy === cloudFormation || actor.userAgent === cloudFormation) return { kind: 'cloudformation', as: cloudFormation };
  for (const [pattern, kind] of agents) {
    const [as] = pattern.exec(actor.userAgent ?? '') ?? [];
    if (as) return { kind, as };
  }
  return undefined;
}

export const toolNames: Readonly<Record<OwnerKind, string>> = { cloudformation: 'CloudFormation', terraform: 'Terraform', pulumi: 'Pulumi' };

/** The place to mend, for a person; undefined when nothing is known. */
export function definedIn({ stack, through }: Owner): string | undefined {
  if (stack) {
    const more = [stack.logicalId && `logical id ${stack.logicalId}`, stack.tool && `by ${stack.tool}`].filter(Boolean).join(', ');
    return `CloudFormation stack ${stack.name}${more ? ` (${more})` : ''}: mend the template too, or its next update may bring the drift back.`;
  }
  if (!through) return undefined;
  const place = through.kind === 'cloudformation' ? 'template' : 'configuration';
  return `${toolNames[through.kind]}, perhaps: the change came through it (${through.as}). Mend the ${place} too, should it be there.`;
}

/** Whether the resource has an owner of this kind. `maybe`: what would tell is not known. */
export function isOwnedBy(kind: OwnerKind | 'any', owner: Owner | undefined, actor: Actor | undefined): 'yes' | 'no' | 'maybe' {
  const of = (one: OwnerKind) => one === kind || kind === 'any';
  const through = throughOf(actor);
  if (through && of(through.kind)) return 'yes';
  if (owner?.stack && of('cloudformation')) return 'yes';
  const tagsCouldTell = of('cloudformation') && (!owner || owner.unread === true);
  // CloudFormation leaves tags; the others are known by who came through them alone.
  const actorCouldTell = !actor && (of('terraform') || of('pulumi'));
  return tagsCouldTell || actorCouldTell ? 'maybe' : 'no';
}
