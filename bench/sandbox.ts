/** Plays one Lambda sandbox: imports the packaged handler and tells how long each event took, the first since the start of the process. */
import { pathToFileURL } from 'node:url';

const [file, ...events] = process.argv.slice(2) as [string, ...string[]];
const context = { functionName: 'detect', awsRequestId: 'bench', invokedFunctionArn: '', getRemainingTimeInMillis: () => 60_000 };
const { handler } = await import(pathToFileURL(file).href);
const times: number[] = [];
let started = 0;
for (const event of events) {
  const { batchItemFailures } = await handler(
    { Records: [{ messageId: '1', body: event, attributes: { ApproximateFirstReceiveTimestamp: String(Date.now()) } }] },
    context,
  );
  times.push(performance.now() - started);
  if (batchItemFailures.length > 0) throw new Error('the event went back to the queue');
  started = performance.now();
}
process.send!(times);
