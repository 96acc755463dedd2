/** Persons with credentials of their own, who answer as the command line lets them: signed, verified by the deployed bot through STS. */
import { type Desk, openDesk } from '../../cli/answers/desk.ts';
import { type Keys, keysOf } from '../../cli/demo/people.ts';
import type { LocalStack } from '../../cli/local-stack/index.ts';
import { planHash } from '../../engine/answers/plan-hash.ts';
import { randomId } from '../../engine/answers/question.ts';
import type { Finding } from '../../engine/model.ts';
import { undoOf } from '../../engine/undo.ts';

const names = ['ann', 'bea'] as const;
export type Name = (typeof names)[number];

/** As the policy has it. */
export const people = `{ ${names.map((name) => `${name}: { arns: ["arn:aws:sts::*:assumed-role/${name}/*"] }`).join(', ')} }`;

export interface People {
  /** One after another, because the SDK finds a person's keys in the environment of the process; their answers are judged side by side. */
  answer(name: Name, findings: readonly Finding[], how: (desk: Desk, finding: Finding) => Promise<unknown>): Promise<void>;
}

export async function peopleOf(stack: LocalStack): Promise<People> {
  const { environment } = stack;
  const keys = new Map<Name, Keys>();
  for (const name of names) keys.set(name, await keysOf(name, stack));
  return {
    async answer(name, findings, how) {
      const kept = { ...process.env };
      const own = { ...environment, ...keys.get(name) };
      Object.assign(process.env, own);
      const desk = await openDesk({ stack: 'phidelity-dev', state: '', policy: '' });
      try {
        await Promise.all(findings.map((finding) => how(desk, finding)));
      } finally {
        desk.close();
        for (const key of Object.keys(own)) delete process.env[key];
        Object.assign(process.env, kept);
      }
    },
  };
}

export const approves = (desk: Desk, { id, question }: Finding) =>
  desk.give({ findingId: id, decision: 'approve', question: question!.id, planHash: question!.planHash });

export const asksToUndo = (desk: Desk, finding: Finding) =>
  desk.give({
    findingId: finding.id,
    decision: 'undo',
    question: randomId(),
    planHash: planHash(finding, undoOf(finding)!, 'undo'),
    reason: 'the vendor needs it',
    until: new Date(desk.clock.now().getTime() + 30 * 86_400_000).toISOString().slice(0, 10),
  });
