/** The one endpoint of the stack: what the stand-in does not answer passes on to the emulator. Every call goes through one hook that may do worse to it. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { callerIdOf, type Invocation } from './invoke.ts';
import { readRefusal, refusalOf } from './refusals.ts';
import { type Answer, type Call, readBody, signerOf } from './wire.ts';

/** A call as the hook sees it. */
export interface Seen extends Call {
  /** The role that signed it; undefined for everybody but the deployed functions. */
  readonly role?: string;
  /** The invocation that makes it; undefined for everybody but the deployed functions. */
  readonly by?: Invocation;
  /** As in the signature: `s3`, `dynamodb`. */
  readonly service: string;
  /** The `x-amz-target` header, else method and path. */
  readonly target: string;
}

interface Forwarded {
  /** Done before the caller hears the answer. */
  readonly onAnswer?: (answer: Answer) => Promise<void>;
}

/** What happens to a call. */
export type Fate =
  | ({ readonly do: 'forward' } & Forwarded)
  /** Answered from here; never done. */
  | { readonly do: 'answer'; readonly answer: Answer }
  /** The connection ends; never done. */
  | { readonly do: 'cut' }
  /** Done, then the connection ends: nobody hears the answer. */
  | ({ readonly do: 'forwardThenCut' } & Forwarded)
  /** Done, but so many milliseconds late. */
  | ({ readonly do: 'delay'; readonly milliseconds: number } & Forwarded)
  /**
   * SIGKILL of the process that calls: before the call is done, and then it never is; after it is done, unheard; or just after it was answered.
   * With `milliseconds` the call hangs first: so ends a process at its function's timeout.
   */
  | ({ readonly do: 'kill'; readonly when: 'before' | 'after' | 'answered'; readonly milliseconds?: number } & Forwarded);

/** Asked of each call of the deployed functions and of everybody else; undefined is `forward`. */
export type OnCall = (call: Seen) => Fate | undefined | Promise<Fate | undefined>;

export interface Serving {
  /** Undefined for the calls that are the emulator's. */
  answer(call: Call): Promise<Answer | undefined>;
  roleOf(accessKeyId: string): string | undefined;
  invocationOf?(callerId: string): Invocation | undefined;
  readonly onCall?: OnCall;
  /** Told of each call that was answered, whether or not the caller hears it. */
  readonly observe?: (call: Seen, answer: Answer) => void;
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
  if (refusal) return refusalOf(refusal);
  const { 'transfer-encoding': _chunked, ...headers } = reply.headers;
  return { status: reply.statusCode!, headers: headers as Record<string, string>, body: content };
}

function kill({ by, service, target }: Seen): void {
  if (!by) throw new Error(`${service} ${target} was not called by a function: there is nobody to kill`);
  try {
    process.kill(by.pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function exchange(emulator: URL, serving: Serving, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { answer, roleOf, invocationOf, onCall, observe, log } = serving;
  const { headers } = incoming;
  const method = incoming.method!;
  const body = await readBody(incoming);
  const url = new URL(incoming.url!, 'http://lambda');
  const send = ({ status, headers, body }: Answer) => void outgoing.writeHead(status, headers).end(body);
  const cut = () => void outgoing.destroy();
  const refused = (error: unknown): Answer => {
    const refusal = refusalOf(error);
    if (refusal.status === 500) log(`${method} ${url.pathname}: ${(error as Error).stack}`);
    return refusal;
  };
  const answerOr = async (call: Call, other: () => Promise<Answer>) => {
    try {
      return (await answer(call)) ?? (await other());
    } catch (error) {
      return refused(error);
    }
  };
  try {
    const path = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
    const { accessKeyId, service } = signerOf(headers);
    const call: Seen = {
      method,
      path,
      query: url.searchParams,
      headers,
      body,
      role: roleOf(accessKeyId),
      by: invocationOf?.(callerIdOf(headers)),
      service,
      target: String(headers['x-amz-target'] ?? `${method} ${url.pathname}${url.search}`),
    };
    const fate: Fate = (await onCall?.(call)) ?? { do: 'forward' };
    if (fate.do === 'answer') return send(fate.answer);
    if (fate.do === 'cut') return cut();
    if ((fate.do === 'delay' || fate.do === 'kill') && fate.milliseconds) await pause(fate.milliseconds);
    if (fate.do === 'kill' && fate.when === 'before') return kill(call);
    const reply = await answerOr(call, () => passOn(emulator, incoming, body));
    observe?.(call, reply);
    await fate.onAnswer?.(reply);
    if (fate.do === 'forwardThenCut') return cut();
    if (fate.do === 'kill' && fate.when === 'after') return kill(call);
    send(reply);
    if (fate.do === 'kill') outgoing.once('finish', () => kill(call));
  } catch (error) {
    send(refused(error));
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
