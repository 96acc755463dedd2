/**
 * The way of the framework's calls to the emulator, whose templates are changed here where moto would go wrong: a key that signs,
 * and streams of tables. Made by moto's CloudFormation, the mapping of a stream to a function has moto
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

/** moto copies all of a stream at each transaction. */
const withoutStreams = (resources: Template['Resources']): Template['Resources'] =>
  Object.fromEntries(
    Object.entries(resources).map(([logicalId, resource]) => {
      const { StreamSpecification: _, ...Properties } = resource.Properties ?? {};
      return [logicalId, resource.Type === 'AWS::DynamoDB::Table' ? { ...resource, Properties } : resource];
    }),
  );

/** A stream that is not there has a name all the same. */
const named = (template: Template): unknown =>
  JSON.parse(
    JSON.stringify(template, (_, value: unknown) => {
      const [table, attribute] = (value as { readonly 'Fn::GetAtt'?: readonly string[] } | null)?.['Fn::GetAtt'] ?? [];
      return attribute === 'StreamArn' ? { 'Fn::Sub': `\${${table}.Arn}/stream/2026-01-01T00:00:00.000` } : value;
    }),
  );

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
    const left = withoutStreams(Object.fromEntries(Object.entries(Resources).filter(([, resource]) => !ofStream(resource))));
    await s3.send(new PutObjectCommand({ ...object, Metadata, ContentType, Body: JSON.stringify(named({ ...(withKeys ?? template), Resources: left })) }));
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
