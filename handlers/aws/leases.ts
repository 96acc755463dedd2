/** Leases in the ledger's table. They have no TTL: a fence that began again at 1 would let an old holder through. */
import type { Clock, Lease, Ledger } from '../../engine/ports.ts';
import { isRefused, metBy, names, type TableRequests } from './requests.ts';
import { type Item, known, leaseKey, number, schemaNumber, text } from './table.ts';

/** A ConditionCheck that the lease has not passed to another holder. */
export const held = (table: string, { key, owner, fence }: Lease) => ({
  TableName: table,
  Key: leaseKey(key),
  ConditionExpression: '#owner = :owner AND #fence = :fence',
  ExpressionAttributeNames: names('owner', 'fence'),
  ExpressionAttributeValues: { ':owner': text(owner), ':fence': number(fence) } as Item,
});

export const leases = (requests: TableRequests, table: string, clock: Pick<Clock, 'now'>): Pick<Ledger, 'lease' | 'release'> => {
  /** False when the lease has passed to another holder. */
  const setUntil = async (lease: Lease, until: number): Promise<boolean> => {
    const { ExpressionAttributeNames, ExpressionAttributeValues, ...condition } = held(table, lease);
    try {
      await requests.update(`renew or release the lease ${lease.key}`, {
        ...condition,
        UpdateExpression: 'SET #until = :until',
        ExpressionAttributeNames: { ...ExpressionAttributeNames, ...names('until') },
        ExpressionAttributeValues: { ...ExpressionAttributeValues, ':until': number(until) },
      });
      return true;
    } catch (error) {
      if (isRefused(error)) return false;
      throw error;
    }
  };

  return {
    async lease(key, owner, seconds) {
      const now = clock.now().getTime();
      const until = now + seconds * 1000;
      try {
        const { fence } = await requests.update(`take the lease ${key}`, {
          TableName: table,
          Key: leaseKey(key),
          UpdateExpression: 'SET #schema = :schema, #owner = :owner, #until = :until ADD #fence :one',
          ConditionExpression: 'attribute_not_exists(pk) OR #until <= :now',
          ExpressionAttributeNames: names('schema', 'owner', 'until', 'fence'),
          ExpressionAttributeValues: { ':schema': schemaNumber, ':owner': text(owner), ':until': number(until), ':now': number(now), ':one': number(1) },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        return { key, owner, fence: Number(fence?.N) };
      } catch (error) {
        const met = metBy(error);
        if (!met) throw error;
        const holder = { key, owner, fence: Number(known(met).fence?.N) };
        return met.owner?.S === owner && (await setUntil(holder, until)) ? holder : undefined;
      }
    },

    async release(lease) {
      await setUntil(lease, 0);
    },
  };
};
