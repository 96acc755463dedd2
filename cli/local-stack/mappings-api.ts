/** Lambda's ListEventSourceMappings of one function: https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html */
import { type EventSourceMappingConfiguration, paginateListEventSourceMappings } from '@aws-sdk/client-lambda';
import type { Authorise } from './authorise.ts';
import type { Clients } from './clients.ts';
import { splitName } from './functions.ts';
import type { Poller } from './poller.ts';
import { type Answer, type Call, json, signerOf } from './wire.ts';

export const differences: readonly string[] = [
  'Lambda: the event source mappings of a function are found by its name (moto finds those only that were made with the very words)',
];

/** The emulator has those disabled that are polled here; seconds since 1970, as on the wire. */
const onTheWire = ({ LastModified, ...mapping }: EventSourceMappingConfiguration, { polls }: Pick<Poller, 'polls'>) => ({
  ...mapping,
  ...(polls(mapping.UUID!) && { State: 'Enabled' }),
  ...(LastModified && { LastModified: LastModified.getTime() / 1_000 }),
});

export const mappingsApi =
  (authorise: Authorise, clients: Clients, poller: () => Pick<Poller, 'polls'>) =>
  async (call: Call): Promise<Answer | undefined> => {
    const [version, kind, ...rest] = call.path;
    const named = call.query.get('FunctionName');
    if (call.method !== 'GET' || version !== '2015-03-31' || kind !== 'event-source-mappings' || rest.length > 0 || named === null) return undefined;
    await authorise(call, 'lambda:ListEventSourceMappings');
    const client = clients.in(signerOf(call.headers).region).lambda;
    const EventSourceArn = call.query.get('EventSourceArn') ?? undefined;
    const found: EventSourceMappingConfiguration[] = [];
    for await (const { EventSourceMappings = [] } of paginateListEventSourceMappings({ client }, { EventSourceArn }))
      found.push(...EventSourceMappings.filter(({ FunctionArn = '' }) => splitName(FunctionArn).name === splitName(named).name));
    return json({ EventSourceMappings: found.map((mapping) => onTheWire(mapping, poller())) });
  };
