/** Time that goes on until nothing is under way. */
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
