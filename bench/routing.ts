/** Offline routing beside plain JSON.parse of the same bytes, in turn. */
import { readdirSync, readFileSync } from 'node:fs';
import { eventsIn, normalise } from '../engine/normalise.ts';
import { route, routerOf } from '../engine/route.ts';
import { catalogue } from '../remediations/index.ts';

const fixtures = new URL('../test/fixtures/events/', import.meta.url);

export async function routing({ rounds }: { readonly rounds: number }) {
  const events = readdirSync(fixtures)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => eventsIn(JSON.parse(readFileSync(new URL(file, fixtures), 'utf8'))));
  const texts = Array.from({ length: Math.ceil(20_000 / events.length) }, () => events.map((event) => JSON.stringify(event))).flat();
  const router = routerOf(catalogue);
  const controls = new Map(await Promise.all(catalogue.map(async (entry) => [entry.id, await entry.load()] as const)));

  const timed = (work: (text: string) => void): number => {
    const started = performance.now();
    for (const text of texts) work(text);
    return (texts.length / (performance.now() - started)) * 1_000;
  };
  let items = 0;
  const routeOne = (text: string) => {
    for (const trigger of normalise(JSON.parse(text)).triggers) {
      items += route(
        trigger,
        router.select(trigger).map(({ id }) => controls.get(id)!),
        { watch: 'all' },
      ).items.length;
    }
  };
  timed(JSON.parse);
  timed(routeOne);
  const parseOnly: number[] = [];
  const routed: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    parseOnly.push(timed(JSON.parse));
    routed.push(timed(routeOne));
  }
  if (items === 0) throw new Error('nothing was routed: the figures would mean nothing');
  return { events: texts.length, megabytes: texts.reduce((sum, text) => sum + text.length, 0) / 1e6, parseOnly, routed };
}
