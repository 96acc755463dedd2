/**
 * `npm run bench`: the deployed artifact of detect, started cold and kept warm, on the three drifts of the demo;
 * how soon Slack's form opens, and how fast events are routed offline. Absolute times belong to the machine; ratios are measured in one run.
 */
import { arch, cpus } from 'node:os';
import { coldAndWarm } from './artifact.ts';
import { verifying } from './evidence.ts';
import { routing } from './routing.ts';
import { forms } from './slack.ts';
import { sweeping } from './sweeping.ts';

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const range = (values: readonly number[]): string => `${Math.round(median(values))} (${Math.round(Math.min(...values))}-${Math.round(Math.max(...values))})`;

console.log(`${cpus().length} x ${cpus()[0]?.model.trim()}, ${arch()}, Node ${process.version}; median (lowest-highest)\n`);

const { zipBytes, rows } = await coldAndWarm({ colds: 5, warms: 10 });
console.log(`artifact: ${(zipBytes / 1e6).toFixed(2)} MB zipped, all functions\n`);
console.log('| event | cold start to first event handled, ms | warm, ms an event | requests to resources | requests to the ledger | other requests |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const { name, cold, warm, requests } of rows) {
  console.log(`| ${name} | ${range(cold)} | ${range(warm)} | ${requests.resource} | ${requests.ledger} | ${requests.other} |`);
}

const { cold, warm, bare } = await forms({ colds: 40, warms: 40 });
const p99 = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1]!;
console.log(
  `\nform in Slack, from the click to the first reply, of the 3,000 ms that Slack waits: process started for it ${range(cold)} ms, p99 ${Math.round(p99(cold))} ms; kept warm ${range(warm)} ms, p99 ${Math.round(p99(warm))} ms; an empty process alone ${range(bare)} ms`,
);

const { events, megabytes, parseOnly, routed } = await routing({ rounds: 7 });
console.log(
  `\noffline routing of ${events} events (${megabytes.toFixed(1)} MB of JSON): ${Math.round(median(routed))} events/s; JSON.parse of the same bytes alone: ${Math.round(median(parseOnly))} events/s; ratio ${(median(routed.map((rate, index) => rate / parseOnly[index]!))).toFixed(2)}`,
);

console.log('\n| sweep | resources | requests | seconds | the same requests one after the other, seconds |\n| --- | --- | --- | --- | --- |');
for (const { name, resources, requests, seconds, bareSeconds } of await sweeping({ volumes: 1_000, buckets: 200 })) {
  console.log(`| ${name} | ${resources} | ${requests} | ${seconds.toFixed(2)} | ${bareSeconds.toFixed(2)} |`);
}

const verified = await verifying({ entries: 10_000, rounds: 5 });
console.log(
  `\nevidence verify: ${verified.entries} entries and ${verified.digests} digests (${verified.megabytes.toFixed(1)} MB) in ${median(verified.seconds).toFixed(2)} s`,
);
