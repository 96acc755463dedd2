/**
 * Cannot see is never compliant. A role that is denied an action is one finding, however many resources lie behind it;
 * it closes when the action works again, and what was not seen meanwhile is looked at then.
 */
import type { DeniedError } from './errors.ts';
import { type Finding, insufficientData, type Place } from './model.ts';
import { botPermissions, raise } from './own.ts';
import type { Deployment, Ports } from './ports.ts';

// What AWS adds to the refusal. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
const reasons: readonly (readonly [RegExp, string])[] = [
  [/service control polic/i, 'A service control policy of the organization forbids it: only the administrators of the organization can allow it.'],
  [/resource control polic/i, 'A resource control policy of the organization forbids it: only the administrators of the organization can allow it.'],
  [/permissions boundar/i, 'The permissions boundary of the role does not allow it: the boundary in the policy file (iam.permissionsBoundary) must.'],
  [/session polic/i, 'The session policy does not allow it.'],
  [/VPC endpoint polic/i, 'The policy of a VPC endpoint forbids it.'],
  [/explicit deny in an? resource-based|no resource-based/i, "The resource's own policy does not let the bot in."],
  [/no identity-based policy allows/i, 'The role lacks the permission: deploy again, so that the role is made from the policy.'],
  [/explicit deny in an identity-based/i, 'A policy attached to the role denies it.'],
];

const messageOf = ({ cause }: DeniedError): string => (cause instanceof Error ? cause.message : '');

/** The IAM action, where AWS names it; it is not always called like the API. */
const actionOf = (error: DeniedError): string => /not authorized to perform:? ([a-z0-9-]+:\w+)/.exec(messageOf(error))?.[1] ?? error.action;

export function deniedWords(error: DeniedError): string {
  const reason = reasons.find(([pattern]) => pattern.test(messageOf(error)))?.[1];
  return `Not allowed to call ${actionOf(error)}.${reason ? ` ${reason}` : ''}`;
}

/** Roles and policies that a deploy has just made take a while until they hold everywhere. Seconds. */
const settling = 10 * 60;
const patience = 60;

/** A denial soon after a deploy is asked again for a minute. @param since when it was first tried */
export const mayPass = (deployment: Pick<Deployment, 'at'> | undefined, since: Date, now: Date): boolean =>
  deployment !== undefined && now.getTime() - Date.parse(deployment.at) < settling * 1_000 && now.getTime() - since.getTime() < patience * 1_000;

/** Seconds until a denial that may pass is asked again. */
export const askAgain = 15;

/** As many resources as are looked at again one by one; for more of them all of the type is. */
const mostBlind = 100;

/** What the role was to look at when it was denied. */
export interface Unseen extends Place {
  readonly control: string;
  /** ARN; undefined: nothing could be listed. */
  readonly resource?: string;
  readonly first?: true;
}

/** Tells that the role is blind; what it was to look at is looked at again when it is not. */
export function cannotSee(
  denied: DeniedError,
  unseen: Unseen,
  roleArn: string,
  by: 'detect' | 'remediate',
  ports: Pick<Ports, 'ledger' | 'clock' | 'alert'>,
): Promise<Finding> {
  const { control, accountId, region, resource, first } = unseen;
  const words = deniedWords(denied);
  const what = resource ? `on ${resource} and maybe on others` : `on anything in ${region}`;
  return raise(
    botPermissions,
    {
      resource: { accountId, region, type: 'AWS::IAM::Role', id: roleArn },
      fold: denied.action,
      evaluation: insufficientData(`${words} ${control} could not be judged ${what}.`),
      decision: { action: 'page', reason: `The bot cannot see: ${words}` },
      more(open) {
        const blind = open?.blind ?? [];
        const one = resource && blind.length < mostBlind ? { resource } : {};
        if (blind.some((known) => known.control === control && known.region === region && known.resource === one.resource)) return undefined;
        return { blind: [...blind, { control, accountId, region, ...one, ...(first && { first: true as const }) }] };
      },
    },
    by,
    ports,
  );
}
