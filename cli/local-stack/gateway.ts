/** The one endpoint of the stack: what the stand-in does not answer passes on to the emulator. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { readRefusal, refusalOf } from './refusals.ts';
import { type Answer, type Call, readBody, signerOf } from './wire.ts';

/** Told of each call of the deployed functions and of everybody else. `drop`: the call is not done, or its answer is lost. */
export type OnCall = (call: { readonly role?: string; readonly service: string; readonly target: string }, moment: 'before' | 'after') => 'drop' | undefined;

export interface Serving {
  /** Undefined for the calls that are the emulator's. */
  answer(call: Call): Promise<Answer | undefined>;
  roleOf(accessKeyId: string): string | undefined;
  readonly onCall?: OnCall;
  readonly log: (line: string) => void;
}

export interface Gateway {
  readonly endpoint: string;
  serve(serving: Serving): void;
  stop(): Promise<void>;
}

// Headers go on as they came, Host too: the signature is over them.
async function passOn(emulator: URL, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const { hostname, port } = emulator;
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    const forward = request({ hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers }, resolve);
    forward.once('error', reject);
    forward.end(body);
  });
  const content = await readBody(reply);
  const refusal = readRefusal(incoming.headers, reply.statusCode!, content);
  if (refusal) throw refusal;
  const { 'transfer-encoding': _chunked, ...headers } = reply.headers;
  return { status: reply.statusCode!, headers: headers as Record<string, string>, body: content };
}

async function exchange(emulator: URL, { answer, roleOf, onCall, log }: Serving, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { headers } = incoming;
  const method = incoming.method!;
  const body = await readBody(incoming);
  const url = new URL(incoming.url!, 'http://lambda');
  const send = ({ status, headers, body }: Answer) => void outgoing.writeHead(status, headers).end(body);
  try {
    const path = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
    const { accessKeyId, service } = signerOf(headers);
    const call = { role: roleOf(accessKeyId), service, target: String(headers['x-amz-target'] ?? `${method} ${url.pathname}${url.search}`) };
    if (onCall?.(call, 'before') === 'drop') return void outgoing.destroy();
    const reply = (await answer({ method, path, query: url.searchParams, headers, body })) ?? (await passOn(emulator, incoming, body));
    if (onCall?.(call, 'after') === 'drop') return void outgoing.destroy();
    send(reply);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal.status === 500) log(`${method} ${url.pathname}: ${(error as Error).stack}`);
    send(refusal);
  }
}

/** Listens on a free port; answers once it is told to `serve`. */
export async function openGateway(emulatorEndpoint: string): Promise<Gateway> {
  const emulator = new URL(emulatorEndpoint);
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    serve(serving) {
      server.on('request', (incoming, outgoing) => {
        exchange(emulator, serving, incoming, outgoing).catch((error: Error) => {
          serving.log(`${incoming.method} ${incoming.url}: ${error.message}`);
          outgoing.destroy(error);
        });
      });
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
