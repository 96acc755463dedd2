/** HTTP APIs of API Gateway, which moto's CloudFormation skips: one local server stands in for those of the template. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StackClock } from './clock.ts';
import { splitName } from './functions.ts';
import type { InvocationResult } from './invoke.ts';
import { type Deployed, resolve } from './template.ts';
import { readBody } from './wire.ts';

/** A route and the function behind it. */
export interface HttpRoute {
  /** `POST /slack` */
  readonly key: string;
  readonly functionName: string;
}

export const differences: readonly string[] = ['HTTP APIs answer on this machine, without TLS, throttling and access log'];

/** Each route of the template whose integration is a function. */
export function routesOf(deployed: Deployed): HttpRoute[] {
  const { Resources } = deployed.template;
  return Object.values(Resources).flatMap(({ Type, Properties = {} }): HttpRoute[] => {
    if (Type !== 'AWS::ApiGatewayV2::Route') return [];
    const target = JSON.stringify(Properties.Target);
    const integration = Object.entries(Resources).find(([id, one]) => one.Type === 'AWS::ApiGatewayV2::Integration' && target.includes(`\${${id}}`))?.[1];
    const uri = resolve(integration?.Properties?.IntegrationUri, deployed);
    return uri === undefined ? [] : [{ key: String(Properties.RouteKey), functionName: splitName(String(uri)).name }];
  });
}

/** An address of API Gateway as it is on this machine. */
export const servedAt = (url: string, output: string): string => output.replace(/^https:\/\/[^/]+\.execute-api\.[^/]+/, url);

// Everything else comes to the function in base64, forms too. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
const isText = (contentType = ''): boolean => /^(text\/|application\/(json|javascript|xml))/.test(contentType);

/** The event of payload format 2.0. */
function eventOf({ method = '', url = '/', headers }: IncomingMessage, body: Buffer, key: string, now: Date): object {
  const { pathname, search } = new URL(url, 'http://localhost');
  const text = isText(headers['content-type']);
  return {
    version: '2.0',
    routeKey: key,
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value].flat().join(',')])),
    requestContext: {
      accountId: '123456789012',
      apiId: 'local',
      domainName: 'localhost',
      http: { method, path: pathname, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: headers['user-agent'] ?? '' },
      requestId: randomUUID(),
      routeKey: key,
      stage: '$default',
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: text ? body.toString() : body.toString('base64') }),
    isBase64Encoded: body.length > 0 && !text,
  };
}

interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

const message = (status: number, text: string): Reply => ({ status, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message: text }) });

function replyOf(result: InvocationResult): Reply {
  if (!result.ok) return message(result.refused ? 503 : 500, result.refused ? 'Service Unavailable' : 'Internal Server Error');
  const { statusCode, headers, body = '' } = JSON.parse(result.payload) as { statusCode?: number; headers?: Record<string, string>; body?: string };
  return statusCode === undefined ? message(500, 'Internal Server Error') : { status: statusCode, headers, body };
}

export interface HttpApis {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  serve(routes: readonly HttpRoute[]): void;
  /** Requests that are being answered. */
  readonly busy: number;
  stop(): Promise<void>;
}

export async function httpApis(options: {
  readonly invoke: (functionName: string, event: unknown) => Promise<InvocationResult>;
  readonly clock: Pick<StackClock, 'now'>;
  readonly log: (line: string) => void;
}): Promise<HttpApis> {
  let routes: readonly HttpRoute[] = [];
  let busy = 0;
  const answer = async (request: IncomingMessage): Promise<Reply> => {
    const body = await readBody(request);
    const key = `${request.method} ${new URL(request.url ?? '/', 'http://localhost').pathname}`;
    const route = routes.find((one) => one.key === key);
    return route ? replyOf(await options.invoke(route.functionName, eventOf(request, body, key, options.clock.now()))) : message(404, 'Not Found');
  };
  const server = createServer((request, response) => {
    busy += 1;
    answer(request)
      .catch((error: Error) => {
        options.log(`${request.method} ${request.url}: ${error.message}`);
        return message(500, 'Internal Server Error');
      })
      .then(({ status, headers, body }) => response.writeHead(status, headers).end(body))
      .finally(() => {
        busy -= 1;
      });
  });
  await new Promise<void>((listening, reject) => server.once('error', reject).listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve(given) {
      routes = given;
    },
    get busy() {
      return busy;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
