/** A call of an AWS API as it comes over HTTP, and what is answered. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

export interface Call {
  readonly method: string;
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export const json = (value: unknown, status = 200): Answer => ({ status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });

export const parse = <T>(body: Buffer): T => JSON.parse(body.length > 0 ? body.toString() : '{}') as T;

export const readBody = async (incoming: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

/** Whose key signed the call, for which region and service; empty where it is not signed. */
export function signerOf({ authorization = '' }: IncomingHttpHeaders): { readonly accessKeyId: string; readonly region: string; readonly service: string } {
  const [, accessKeyId = '', region = '', service = ''] = /Credential=([^/]+)\/[^/]+\/([^/]+)\/([^/]+)\//.exec(authorization) ?? [];
  return { accessKeyId, region, service };
}
