/** The world outside AWS for tests: one local HTTP server, behind whose first path segment each service enforces what the real one does. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  /** Behind the segment of the service. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface Answered {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Answers as the real service would; what it refuses, it refuses in the same words where they matter. */
export type Service = (asked: Asked) => Answered;

export interface OutsideWorld {
  /** `http://127.0.0.1:PORT`; a service is at `URL/NAME`. */
  readonly url: string;
  /** All requests by name of the service, in order. */
  readonly asked: Map<string, Asked[]>;
  /** The next answers of a service, instead of its own; `never`: it keeps silent. */
  fail(service: string, ...answers: (Answered | 'never')[]): void;
  stop(): Promise<void>;
}

export async function outsideWorld(services: Readonly<Record<string, Service>>): Promise<OutsideWorld> {
  const asked = new Map<string, Asked[]>(Object.keys(services).map((name) => [name, []]));
  const failures = new Map<string, (Answered | 'never')[]>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [, name = '', ...rest] = (request.url ?? '').split('/');
    const service = services[name];
    const one = {
      method: request.method ?? '',
      path: `/${rest.join('/')}`,
      headers: request.headers as Asked['headers'],
      body: Buffer.concat(chunks).toString(),
    };
    asked.get(name)?.push(one);
    const answer = service ? (failures.get(name)?.shift() ?? service(one)) : { status: 404 };
    if (answer === 'never') return;
    const { status, headers = {}, body = '' } = answer;
    const isText = typeof body === 'string';
    response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...headers });
    response.end(isText ? body : JSON.stringify(body));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    fail(service, ...answers) {
      failures.set(service, [...(failures.get(service) ?? []), ...answers]);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
