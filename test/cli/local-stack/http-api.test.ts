/** HTTP APIs on this machine: routes of a template, and events in the form that API Gateway gives them. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type HttpApis, httpApis, routesOf, servedAt } from '../../../cli/local-stack/http-api.ts';
import type { InvocationResult } from '../../../cli/local-stack/invoke.ts';
import { RefusedError } from '../../../cli/local-stack/refusals.ts';
import { slack } from '../../../infra/slack.ts';

type Event = { readonly routeKey: string; readonly body?: string; readonly isBase64Encoded: boolean; readonly headers: Record<string, string> };

let events: (Event & { readonly functionName: string })[];
let result: InvocationResult;
let apis: HttpApis;
beforeEach(async () => {
  events = [];
  result = { ok: true, payload: JSON.stringify({ statusCode: 200, headers: { 'x-a': 'b' }, body: 'fine' }) };
  const invoke = async (functionName: string, event: unknown) => {
    events.push({ functionName, ...(event as Event) });
    return result;
  };
  apis = await httpApis({ invoke, clock: { now: () => new Date() }, log() {} });
  apis.serve([{ key: 'POST /slack', functionName: 'bot-slack' }]);
});
afterEach(() => apis.stop());

const post = (path: string, body: string, type: string) =>
  fetch(`${apis.url}${path}`, { method: 'POST', headers: { 'content-type': type, 'X-Slack-Signature': 's' }, body });

test.each([
  ['application/x-www-form-urlencoded', true],
  ['application/json', false],
  ['text/plain', false],
  ['application/octet-stream', true],
])('%s comes in base64: %s', async (type, base64) => {
  const response = await post('/slack', 'a=b', type);
  expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([200, 'b', 'fine']);
  const [event] = events;
  expect(event).toMatchObject({ functionName: 'bot-slack', routeKey: 'POST /slack', isBase64Encoded: base64, headers: { 'x-slack-signature': 's' } });
  expect(base64 ? Buffer.from(event!.body!, 'base64').toString() : event!.body).toBe('a=b');
});

test('what is no route reaches no function', async () => {
  expect((await post('/other', '', 'text/plain')).status).toBe(404);
  expect((await fetch(`${apis.url}/slack`)).status).toBe(404);
  expect(events).toEqual([]);
});

test('a function that fails, and one that cannot be run', async () => {
  result = { ok: false, errorType: 'Error', errorMessage: 'secret words' };
  const failed = await post('/slack', '', 'text/plain');
  expect([failed.status, await failed.text()]).toEqual([500, '{"message":"Internal Server Error"}']);
  result = { ok: false, errorType: 'x', errorMessage: 'x', refused: new RefusedError(429, 'TooManyRequestsException', 'x') };
  expect((await post('/slack', '', 'text/plain')).status).toBe(503);
});

test('the routes of a template, and their address', () => {
  const Resources = {
    ...slack({
      channels: { slack: { slackApp: { token: 'ssm:/t', signingSecret: 'ssm:/s', channel: 'C0123' }, pages: false, minSeverity: 'LOW', timezone: 'UTC' } },
    }),
    SlackLambdaFunction: { Type: 'AWS::Lambda::Function', Properties: {} },
  };
  const physicalIds = new Map(Object.keys(Resources).map((id) => [id, id === 'SlackLambdaFunction' ? 'bot-slack' : id.toLowerCase()]));
  const deployed = { template: { Resources }, stackName: 'bot', stackId: 'bot', region: 'us-east-1', accountId: '123456789012', physicalIds };
  expect(routesOf(deployed)).toEqual([{ key: 'POST /slack', functionName: 'bot-slack' }]);
  expect(servedAt('http://127.0.0.1:1', 'https://a1b2.execute-api.us-east-1.amazonaws.com/slack')).toBe('http://127.0.0.1:1/slack');
  expect(servedAt('http://127.0.0.1:1', 'arn:aws:sns:us-east-1:123456789012:topic')).toBe('arn:aws:sns:us-east-1:123456789012:topic');
});
