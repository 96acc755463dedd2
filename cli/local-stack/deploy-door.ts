/**
 * The way of the framework's calls to the emulator, whose templates are changed here where moto would go wrong. Made by moto's CloudFormation, the mapping of a stream to a function has moto
 * run that function in a container at each write to the table: such mappings are taken out of the template, and kept for the stack.
 */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Template, TemplateResource } from '../../infra/template-values.ts';
import { withKeysMade } from './asymmetric.ts';
import type { Clients } from './clients.ts';
import { readBody } from './wire.ts';

export const differences: readonly string[] = ['KMS: a key that signs is made by API; it is no part of the stack (moto makes a symmetric one)'];

/** What was taken out, by the name of the stack. */
export type TakenOut = Map<string, Readonly<Record<string, TemplateResource>>>;

export interface Door {
  readonly endpoint: string;
  close(): void;
}

const ofStream = ({ Type, Properties }: TemplateResource): boolean =>
  Type === 'AWS::Lambda::EventSourceMapping' && JSON.stringify(Properties?.EventSourceArn ?? '').includes('StreamArn');

/** While the door is open, the emulator must not check signatures. */
export async function openDoor(emulator: string, { s3, kms }: Pick<Clients, 's3' | 'kms'>, taken: TakenOut): Promise<Door> {
  const { hostname, port } = new URL(emulator);

  const takeOut = async (stack: string, url: string) => {
    const [, Bucket, ...key] = new URL(url).pathname.split('/').map(decodeURIComponent);
    const object = { Bucket, Key: key.join('/') };
    const { Body, Metadata, ContentType } = await s3.send(new GetObjectCommand(object));
    const template = JSON.parse(await Body!.transformToString()) as Template;
    const withKeys = await withKeysMade(template, stack, kms);
    const { Resources } = withKeys ?? template;
    const streams = Object.fromEntries(Object.entries(Resources).filter(([, resource]) => ofStream(resource)));
    if (Object.keys(streams).length > 0) taken.set(stack, streams);
    else if (!withKeys) return;
    const left = Object.fromEntries(Object.entries(Resources).filter(([, resource]) => !ofStream(resource)));
    await s3.send(new PutObjectCommand({ ...object, Metadata, ContentType, Body: JSON.stringify({ ...(withKeys ?? template), Resources: left }) }));
  };

  const server = createServer(async (incoming, outgoing) => {
    try {
      const body = await readBody(incoming);
      const form = body.includes('TemplateURL=') ? new URLSearchParams(body.toString()) : undefined;
      // What only asks after the template must not be the one that takes out: the stack's name is not in it.
      if (form?.get('TemplateURL') && form.get('StackName')) await takeOut(form.get('StackName')!, form.get('TemplateURL')!);
      const headers = { ...incoming.headers, host: `${hostname}:${port}` };
      const forward = request({ hostname, port, method: incoming.method, path: incoming.url, headers }, (reply) => {
        outgoing.writeHead(reply.statusCode!, reply.headers);
        reply.pipe(outgoing);
      });
      forward.once('error', () => outgoing.destroy());
      forward.end(body);
    } catch {
      outgoing.destroy();
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
