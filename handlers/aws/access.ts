/** The `Aws` port on the AWS SDK: one client per class and region, calls counted, identical reads shared where asked. */
import type { HandlerExecutionContext, InitializeMiddleware, MetadataBearer } from '@smithy/types';
import { partitionOf } from '../../engine/arn.ts';
import { DeniedError, isDenied } from '../../engine/errors.ts';
import type { Place } from '../../engine/model.ts';
import type { Aws, AwsAccess, AwsOptions, ClientClass } from '../../engine/ports.ts';

// biome-ignore lint/suspicious/noExplicitAny: clients differ in their command types; controls see them through their own class.
type AnyClient = { send(command: any, ...rest: any[]): Promise<any> };

const readNames = /^(Get|List|Describe|Head|Lookup|Search|BatchGet)/;

/**
 * Clients, with their connections and rate limits, live as long as the returned function: one per process.
 * `settings` go to every client's constructor, e.g. credentials.
 */
export function awsAccess(settings: Readonly<Record<string, unknown>> = {}): AwsAccess {
  const clients = new Map<ClientClass<object>, Map<string, object>>();

  const clientOf = <Client extends object>(type: ClientClass<Client>, region: string): Client => {
    const ofType = clients.get(type) ?? new Map<string, object>();
    clients.set(type, ofType);
    // A bucket's events can name another region than its own (CreateBucket): S3 tells, the client follows.
    const client = ofType.get(region) ?? new type({ region, retryMode: 'adaptive', maxAttempts: 4, followRegionRedirects: true, ...settings });
    if (!ofType.has(region)) withPlainLocalHost(client as object as { config: Endpoints });
    ofType.set(region, client);
    return client as Client;
  };

  return (place, options) => view(place, options, clientOf);
}

interface Endpoints {
  endpointProvider(parameters: Readonly<Record<string, unknown>>, context: unknown): unknown;
}

const localHost = /^https?:\/\/(\d+\.\d+\.\d+\.\d+|localhost)[:/]/;

/** S3 Control puts the account id before the host name; an emulator's address, an IP or localhost, cannot have it there. */
function withPlainLocalHost({ config }: { config: Endpoints }): void {
  const given = config.endpointProvider;
  config.endpointProvider = (parameters, context) => {
    const { RequiresAccountId, ...others } = parameters;
    return given(RequiresAccountId && localHost.test(String(others.Endpoint)) ? others : parameters, context);
  };
}

function view({ accountId, region }: Place, options: AwsOptions, clientOf: <Client extends object>(type: ClientClass<Client>, region: string) => Client): Aws {
  const answers = new Map<string, Promise<unknown>>();
  const meet = meeting(options, answers);
  return {
    accountId,
    region,
    partition: partitionOf(region),
    client(type) {
      const client = clientOf(type, region) as AnyClient;
      // Derived, not wrapped: SDK paginators and waiters ask for an instance of the class.
      return Object.assign(Object.create(client), {
        send(command: { middlewareStack: { add(middleware: unknown, options: object): void } }, ...rest: unknown[]) {
          command.middlewareStack.add(meet, { step: 'initialize', name: 'phidelity', override: true });
          return client.send(command, ...rest);
        },
      });
    },
    in: (elsewhere) => view({ accountId, region: elsewhere }, options, clientOf),
  };
}

const meeting =
  ({ share, calls }: AwsOptions, answers: Map<string, Promise<unknown>>): InitializeMiddleware<object, MetadataBearer> =>
  (next, context) =>
  (args) => {
    const { service, operation } = named(context);
    const reads = readNames.test(operation);
    const send = () => {
      if (calls) calls[reads ? 'read' : 'write'] += 1;
      return next(args).catch((error: unknown) => {
        throw isDenied(error) ? new DeniedError(`${service}:${operation}`, { cause: error }) : error;
      });
    };
    if (!share || !reads) return send();
    const key = `${service}:${operation}:${JSON.stringify(args.input)}`;
    const known = answers.get(key) as ReturnType<typeof next> | undefined;
    if (known) return known;
    const answer = send();
    answers.set(key, answer);
    answer.catch(() => answers.delete(key));
    return answer;
  };

const named = ({ clientName = '', commandName = '' }: HandlerExecutionContext) => ({
  service: clientName.replace(/Client$/, ''),
  operation: commandName.replace(/Command$/, ''),
});
