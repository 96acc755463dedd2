/** Numbered slots in the ledger's table: one item each, so that holders of different numbers do not wait for one another. */
import { setTimeout } from 'node:timers/promises';
import { type DynamoDBClient, paginateQuery } from '@aws-sdk/client-dynamodb';
import { ConflictError } from '../../engine/errors.ts';
import { expiresAfter, slotKept } from '../../engine/ledger.ts';
import type { Brake, Clock, Ledger } from '../../engine/ports.ts';
import { names, type Step, type TableRequests } from './requests.ts';
import { hashed, type Item, known, number, slotKey, text } from './table.ts';

// Of sixty who ask at once for one scope each round has a winner; with pauses of up to a second this lasts half a minute at most.
const attempts = 60;
const pause = (attempt: number) => setTimeout(Math.random() * Math.min(1_000, 20 * 2 ** attempt));

interface Slot {
  readonly number: number;
  readonly holder: string;
}

/**
 * The number to take. Each holder begins to look at a number of its own, the same one whenever it asks: two requests of one
 * holder at once meet in it. While a lowered limit leaves numbers above it in use, free numbers are more than free places;
 * then all go for the lowest, and of those who read the same places one gets it.
 */
const vacant = (taken: readonly Slot[], holder: string, { scope, limit }: Brake): number => {
  const used = new Set(taken.map((slot) => slot.number));
  const begin = taken.some((slot) => slot.number > limit) ? 0 : hashed(`${scope} ${holder}`).readUInt32BE() % limit;
  for (let step = 0; ; step += 1) {
    const candidate = ((begin + step) % limit) + 1;
    if (!used.has(candidate)) return candidate;
  }
};

export const slots = (
  requests: TableRequests,
  { client, pageSize }: { readonly client: DynamoDBClient; readonly pageSize?: number | undefined },
  table: string,
  clock: Pick<Clock, 'now'>,
): Pick<Ledger, 'takeSlots'> => {
  const read = async (scope: string): Promise<Item[]> => {
    const items: Item[] = [];
    const pages = paginateQuery(
      { client, pageSize },
      {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: '#pk = :pk',
        ExpressionAttributeNames: names('pk'),
        ExpressionAttributeValues: { ':pk': slotKey(scope, 1).pk! },
      },
    );
    for await (const { Items = [] } of pages) items.push(...Items);
    return items;
  };

  /** A slot that was taken at or before this is free again; epoch milliseconds. */
  const cut = (now: Date, { seconds }: Brake) => now.getTime() - seconds * 1000;

  const take = (holder: string, brake: Brake, taken: readonly Slot[], now: Date): Step => ({
    refused: `a slot of ${brake.scope} is taken by another`,
    write: {
      Put: {
        ...requests.item(slotKey(brake.scope, vacant(taken, holder, brake)), {
          holder: text(holder),
          taken: number(now.getTime()),
          expires: number(expiresAfter(now, brake.seconds + slotKept)),
        }),
        // Also for one's own: its second request is refused, reads again, and finds the slot it has.
        ConditionExpression: 'attribute_not_exists(pk) OR #taken <= :cut',
        ExpressionAttributeNames: names('taken'),
        ExpressionAttributeValues: { ':cut': number(cut(now, brake)) },
      },
    },
  });

  return {
    async takeSlots(holder, brakes) {
      for (let attempt = 1; ; attempt += 1) {
        const found = await Promise.all(brakes.map(({ scope }) => read(scope)));
        const now = clock.now();
        const places = brakes.map((brake, index) => {
          const live = (found[index] ?? []).map(known).filter(({ taken }) => Number(taken?.N) > cut(now, brake));
          return { brake, taken: live.map((item): Slot => ({ number: Number(item.sk?.S?.split('#')[1]), holder: item.holder?.S ?? '' })) };
        });
        const missing = places.filter(({ taken }) => !taken.some((slot) => slot.holder === holder));
        const full = missing.find(({ brake, taken }) => taken.length >= brake.limit);
        if (full) return { full: full.brake };
        if (missing.length === 0) return {};
        try {
          await requests.transact(
            `take slots for ${holder}`,
            missing.map(({ brake, taken }) => take(holder, brake, taken, now)),
          );
          return {};
        } catch (error) {
          if (!(error instanceof ConflictError)) throw error;
          if (attempt === attempts) throw new Error(`cannot take slots for ${holder}: others were quicker ${attempts} times`, { cause: error });
          await pause(attempt);
        }
      }
    },
  };
};
