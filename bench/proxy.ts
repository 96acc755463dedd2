/** Passes requests on to the emulator and counts them by what they are for. Used for counting only, never while time is taken. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Requests {
  /** To the resources of the account. */
  readonly resource: number;
  /** To the bot's own table. */
  readonly ledger: number;
  /** Alerts and whatever else. */
  readonly other: number;
}

export interface Proxy {
  readonly endpoint: string;
  /** Since the last call. */
  take(): Requests;
  stop(): Promise<void>;
}

const kindOf = (authorization = ''): keyof Requests => {
  const [, service] = /\/([a-z0-9-]+)\/aws4_request/.exec(authorization) ?? [];
  return service === 'dynamodb' ? 'ledger' : service === 'sqs' ? 'other' : 'resource';
};

export async function countingProxy(target: string): Promise<Proxy> {
  let counts = { resource: 0, ledger: 0, other: 0 };
  const server = createServer((incoming, outgoing) => {
    counts[kindOf(incoming.headers.authorization)] += 1;
    const onward = request(new URL(incoming.url ?? '/', target), { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take() {
      const taken = counts;
      counts = { resource: 0, ledger: 0, other: 0 };
      return taken;
    },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
