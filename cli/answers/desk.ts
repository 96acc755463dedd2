/** Where answers are given: to a deployed bot, which verifies them and acts, or to the embedded database, where this process does. */
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { act } from '../../engine/act.ts';
import { heed } from '../../engine/answers/heed.ts';
import { randomId, required } from '../../engine/answers/question.ts';
import { workOf } from '../../engine/answers/work.ts';
import type { Answer, Finding, Principal } from '../../engine/model.ts';
import type { CompiledPolicy } from '../../engine/policy/model.ts';
import type { Clock, Ledger } from '../../engine/ports.ts';
import { undo } from '../../engine/undo.ts';
import { knockFor } from '../../handlers/aws/knock.ts';
import { catalogue, existingState, policyFrom, say, whoAmI } from '../context.ts';
import { UsageError } from '../errors.ts';
import { openSession } from '../session.ts';

export interface DeskOptions {
  readonly stack?: string;
  readonly region?: string;
  readonly state: string;
  readonly policy: string;
}

export interface Desk {
  readonly ledger: Ledger;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly policy: CompiledPolicy;
  /** Leaves the answer where it is judged, and sees to it that it is. Comes back when it has been judged, or the wait is over. */
  give(answer: Omit<Answer, 'id' | 'at' | 'proof'>): Promise<Answer>;
  close(): void;
}

/** @throws UsageError when there is nothing at the place that the options name */
export const openDesk = (options: DeskOptions): Promise<Desk> => (options.stack ? deskOfStack(options.stack, options.region) : deskOfFolder(options));

const isDone = ({ heard }: Finding | { heard?: undefined }, { id }: Answer): boolean => heard?.includes(id) ?? false;

/** Milliseconds that a person waits for a deployed bot to judge an answer. */
const patienceMs = 60_000;

async function deskOfStack(name: string, region: string | undefined): Promise<Desk> {
  const { openStack, stackTime } = await import('../stack.ts');
  const { signAnswer } = await import('./sign.ts');
  const { stack, aws, ledger } = await openStack(name, region);
  const policy = await ledger.policy();
  if (!policy) throw new UsageError(`stack ${name} has no policy yet: deploy it to its end`, 2);
  const clock = stackTime();
  const lambda = aws.client(LambdaClient);

  /** The version that detect starts executions on. */
  async function remediateVersion(): Promise<string> {
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: `${name}-detect` }));
    const arn = Environment?.Variables?.REMEDIATE_ARN;
    if (!arn) throw new UsageError(`stack ${name} was not deployed to its end: deploy it again`, 2);
    return arn;
  }

  return {
    ledger,
    clock,
    policy,
    async give(given) {
      const now = clock.now();
      const unsigned = { ...given, id: randomId(), at: now.toISOString() };
      const answer: Answer = { ...unsigned, proof: await signAnswer(unsigned, stack.region, now) };
      await ledger.answer(answer);
      const undoing = (await ledger.get(answer.findingId))?.undo?.state === 'asked';
      await knockFor(answer, workOf(answer, undoing), { ledger, aws, remediateArn: remediateVersion });
      for (const until = performance.now() + patienceMs; performance.now() < until; await new Promise((resolve) => setTimeout(resolve, 1_000))) {
        const finding = await ledger.get(answer.findingId);
        if (finding && isDone(finding, answer) && !isMoving(finding, policy)) break;
      }
      return answer;
    },
    close() {},
  };
}

/** Something is being written, or is about to be, that will soon have come to something. */
const isMoving = (finding: Finding, { people }: CompiledPolicy): boolean => {
  const { intended, outcome, undo: undoing, question, actor } = finding;
  if ((intended !== undefined && outcome === undefined) || undoing?.state === 'intended') return true;
  if (outcome?.status !== 'AWAITING_APPROVAL' && undoing?.state !== 'asked') return false;
  return question !== undefined && question.approvals.length >= required(question, question.approvals, actor, people);
};

const works = { act, undo, heed };

async function deskOfFolder({ state, policy: file, region }: DeskOptions): Promise<Desk> {
  if (existingState(state) === undefined)
    throw new UsageError(`nothing has been recorded in ${state}: name the folder with --state, or a deployed stack with --stack`, 1);
  const caller = await whoAmI(region);
  const { policy: given } = await policyFrom(file);
  const policy = withCaller(given, caller);
  const session = openSession({ state, policy, caller, apply: true });
  const { ports } = session.detection;
  const action = { ports, catalogue, roleArn: caller.arn, leaseSeconds: 120 };
  return {
    ledger: ports.ledger,
    clock: ports.clock,
    policy,
    async give(given) {
      const answer: Answer = { ...given, id: randomId(), at: ports.clock.now().toISOString(), proof: { kind: 'caller' } };
      await ports.ledger.answer(answer);
      const work = works[workOf(answer, (await ports.ledger.get(answer.findingId))?.undo?.state === 'asked')];
      for (;;) {
        const attempt = await work(answer.findingId, action);
        if ('ended' in attempt || attempt.knock) return answer;
        say(`${attempt.note} Looking again in ${attempt.again} s; Ctrl-C is safe, the same command goes on.`);
        await ports.clock.sleep(attempt.again * 1_000);
      }
    },
    close: session.close,
  };
}

/** Whoever works on their own machine with their own rights needs no policy to say who they are; one that names people is held to. */
const withCaller = (policy: CompiledPolicy, { arn }: Principal): CompiledPolicy =>
  Object.keys(policy.people).length > 0 ? policy : { ...policy, people: { [arn.slice(arn.lastIndexOf('/') + 1)]: { arns: [arn], approver: true } } };
