/** Time that goes on until nothing is under way, and what the emulator tells otherwise than AWS. */
import type { Fate, Seen } from '../../cli/local-stack/gateway.ts';
import { operationOf } from '../faults/lane.ts';
import type { Deployed } from './world.ts';

/** Lets leases and waits run out until nothing is under way that does not wait for a person. */
export async function recover({ stack: { clock, drain } }: Deployed): Promise<void> {
  for (let round = 0; round < 60; round += 1) {
    const { idle, executions, messagesWaiting } = await drain(120);
    const soon = executions.filter(({ due }) => due === undefined || Date.parse(due) < clock.now().getTime() + 3_600_000);
    if (idle && soon.length + messagesWaiting === 0) return;
    clock.advance(messagesWaiting > 0 ? 361 : 121);
  }
  throw new Error('the bot does not recover');
}

/** While a person waits for the bot, its time goes on. */
export async function meanwhile(work: Promise<void>, bot: Deployed): Promise<void> {
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  do await recover(bot);
  while (!over);
  await done;
  await recover(bot);
}

/** moto tells of a version in an output by its logical id, AWS by its ARN. */
export function versionByArn(call: Seen, bot: () => Deployed): Fate | undefined {
  if (call.by || call.service !== 'cloudformation' || operationOf(call) !== 'DescribeStacks') return undefined;
  return {
    do: 'forward',
    async onAnswer(answer) {
      const body = String(answer.body).replaceAll(
        /<OutputValue>RemediateLambdaVersion\w+</g,
        `<OutputValue>${bot().stack.report.outputs.RemediateVersionArn}<`,
      );
      Object.assign(answer, { body, headers: { ...answer.headers, 'content-length': String(Buffer.byteLength(body)) } });
    },
  };
}
