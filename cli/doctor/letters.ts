/** What the bot could not take. */
import { countOf, dlqsOf } from '../dlq/queues.ts';
import { type Check, look, ok, plural, unseen, wrong } from './check.ts';
import type { StackGroup } from './scene.ts';

export const letters: StackGroup = ({ stack, aws, ledger }) => {
  const check = 'dead letters';
  return look(check, async () => {
    const queues = await dlqsOf({ stack, aws, ledger });
    const lines = await Promise.all(
      queues.map(async (queue): Promise<Check[]> => {
        if ('cause' in queue) return [unseen(check, queue.cause, `${queue.name}: `)];
        try {
          const count = await countOf(queue);
          return count === 0
            ? []
            : [wrong(check, `${plural(count, 'message')} in ${queue.name}`, `npx phidelity dlq list --stack ${stack.name} --region ${stack.region}`)];
        } catch (error) {
          return [unseen(check, error, `${queue.name}: `)];
        }
      }),
    );
    return lines.flat().length > 0 ? lines.flat() : ok(check, `all ${queues.length} queues are empty`);
  });
};
