/** Plays one Lambda sandbox behind Slack's endpoint: tells how long each click took, the first since the start of the process. */
import { createHmac } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const [file, secret, payload, clicks] = process.argv.slice(2) as [string, string, string, string];
const body = new URLSearchParams({ payload }).toString();
const times: number[] = Number(clicks) === 0 ? [performance.now()] : [];
const { handler } = Number(clicks) === 0 ? {} : await import(pathToFileURL(file).href);
let started = 0;
for (let click = 0; click < Number(clicks); click += 1) {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
  const headers = { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature };
  const { statusCode } = await handler({ headers, body: Buffer.from(body).toString('base64'), isBase64Encoded: true });
  times.push(performance.now() - started);
  if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
  started = performance.now();
}
process.send!(times);
