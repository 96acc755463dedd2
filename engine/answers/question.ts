/** Questions to people: what is asked, for how long, and how many must say yes. */
import { randomBytes } from 'node:crypto';
import { type Actor, type Approval, type Change, type Finding, isAtLeast, type Question } from '../model.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import { approversOf, isDoubtful } from './people.ts';
import { planHash } from './plan-hash.ts';

/** 80 random bits in the letters that a Lambda execution name takes. */
export const randomId = (): string => randomBytes(10).toString('hex');

interface Asking {
  readonly about: Question['about'];
  readonly otherwise: Question['otherwise'];
  readonly expires: Date;
  readonly needs: number;
  readonly policy: Pick<CompiledPolicy, 'controls'>;
}

export function questionOf(finding: Finding, change: Change, { about, otherwise, expires, needs, policy }: Asking, now: Date): Question {
  const approvers = approversOf(finding, policy);
  return {
    id: randomId(),
    about,
    planHash: planHash(finding, change, about),
    change,
    askedAt: now.toISOString(),
    expires: expires.toISOString(),
    otherwise,
    needs,
    ...(approvers && { approvers }),
    approvals: [],
  };
}

export const needsOf = ({ severity }: Pick<Finding, 'severity'>, { approvals: { secondPerson } }: Pick<CompiledPolicy, 'approvals'>): number =>
  secondPerson !== undefined && isAtLeast(severity, secondPerson) ? 2 : 1;

/** A person can still answer it. */
export const isOpen = ({ expires }: Question, now: Date): boolean => Date.parse(expires) > now.getTime();

/** Different persons who must approve, and why more than one. */
export function required(
  { needs }: Pick<Question, 'needs'>,
  approvals: readonly Pick<Approval, 'person'>[],
  actor: Actor | undefined,
  people: CompiledPolicy['people'],
): number {
  const vouched = !isDoubtful(actor) || approvals.some(({ person }) => people[person]?.approver);
  return vouched ? needs : Math.max(needs, 2);
}
