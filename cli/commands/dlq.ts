/** `dlq`: what the bot could not take, why, and the way back. */
import type { Message } from '@aws-sdk/client-sqs';
import type { Command } from 'commander';
import { colors } from '../colors.ts';
import { print, say, stackNameOf } from '../context.ts';
import { bodyOf, type Letter, letterOf, redacted } from '../dlq/letter.ts';
import { countOf, type Dlq, dlqsOf, type Unseen } from '../dlq/queues.ts';
import { takeFrom } from '../dlq/read.ts';
import { type Failed, redrive } from '../dlq/redrive.ts';
import { type ExitCode, explain, printable, UsageError } from '../errors.ts';
import { type OpenStack, openStack } from '../stack.ts';

interface Options {
  readonly stack: string;
  readonly region?: string;
  readonly json?: true;
  readonly raw?: true;
  readonly all?: true;
}

/** Messages of one queue that `list` names; the count is of all of them. */
const most = 100;

export function addDlq(program: Command, exit: (code: ExitCode) => void): void {
  const dlq = program
    .command('dlq')
    .description('the dead-letter queues of a deployed stack: what the bot could not take, and the way back')
    .addHelpText(
      'after',
      '\nExamples: what lies there; send it all back\n  npx phidelity dlq list --stack phidelity-prod\n  npx phidelity dlq redrive --all --stack phidelity-prod',
    );
  const command = (name: string, description: string) =>
    dlq
      .command(name)
      .description(description)
      .requiredOption('--stack <name>', 'the deployed stack', stackNameOf)
      .option('--region <region>', 'AWS region of the stack; by default that of the SDK')
      .option('--json', 'one JSON document');
  command('list', 'count and name the messages; exit code 1 when there are any')
    .option('--raw', 'with the bodies, which may hold resource ids and request parameters')
    .action(async (options: Options) => exit(await list(options)));
  command('show', 'one message')
    .argument('<id>', 'as `list` names it')
    .option('--raw', 'the body as it is, with resource ids and request parameters')
    .action(async (id: string, options: Options) => exit(await show(id, options)));
  command('redrive', 'send messages back to where they are dealt with; exit code 1 when one stays')
    .argument('[id...]', 'as `list` names them')
    .option('--all', 'every message of every dead-letter queue')
    .action(async (ids: string[], options: Options) => {
      if (ids.length === 0 && !options.all) throw new UsageError('name the messages to send back, or say --all', 2);
      if (ids.length > 0 && options.all) throw new UsageError('--all is every message: name none beside it', 2);
      exit(await sendBack(ids, options));
    });
}

interface Listed {
  readonly queue: string;
  readonly region: string;
  readonly url: string;
  readonly count: number;
  readonly messages: readonly (Letter & { readonly body?: string })[];
}

interface NotListed {
  readonly queue: string;
  readonly error: string;
}

const isUnseen = (queue: Dlq | Unseen): queue is Unseen => 'cause' in queue;
const unread = ({ name, cause }: Unseen): NotListed => ({ queue: name, error: explain(cause).message });

async function list({ stack: name, region, json, raw }: Options): Promise<ExitCode> {
  const queues = await Promise.all(
    (await dlqsOf(await openStack(name, region))).map(async (queue): Promise<Listed | NotListed> => {
      if (isUnseen(queue)) return unread(queue);
      try {
        return await listed(queue, raw);
      } catch (cause) {
        return unread({ name: queue.name, cause });
      }
    }),
  );
  if (json) print(JSON.stringify({ queues }, null, 2));
  else for (const queue of queues) tell(queue);
  if (queues.some((queue) => 'error' in queue)) return 2;
  return queues.some((queue) => 'count' in queue && queue.count > 0) ? 1 : 0;
}

async function listed(dlq: Dlq, raw: true | undefined): Promise<Listed> {
  const found: Message[] = [];
  await takeFrom(dlq, new Set(), async (messages) => {
    found.push(...messages);
    return found.length < most ? 'more' : 'enough';
  });
  const messages = found
    .map((message) => ({ ...letterOf(message, raw), ...(raw && { body: message.Body }) }))
    .toSorted((a, b) => (`${a.since}` < `${b.since}` ? -1 : 1));
  // SQS counts approximately, and late; what was read is there.
  return { queue: dlq.name, region: dlq.aws.region, url: dlq.url, count: Math.max(found.length, await countOf(dlq)), messages };
}

function tell(queue: Listed | NotListed): void {
  if ('error' in queue) {
    say(`${queue.queue}: ${queue.error}`);
    return;
  }
  print(
    `${colors.bold(queue.queue)}  ${queue.count === 0 ? colors.green('empty') : colors.red(`${queue.count} ${queue.count === 1 ? 'message' : 'messages'}`)}`,
  );
  for (const { id, since, source, name, region, why, body } of queue.messages) {
    print(`  ${id}  ${printable(`${since ?? 'since when is not known'}  ${source ?? 'no event'} ${name ?? ''} ${region ?? ''}`).trimEnd()}`);
    print(`    ${colors.dim(printable(why))}`);
    if (body !== undefined) print(`    ${printable(body)}`);
  }
  if (queue.count > queue.messages.length) print(`  ... and ${queue.count - queue.messages.length} more`);
}

async function show(id: string, { stack: name, region, json, raw }: Options): Promise<ExitCode> {
  const { queues, unseen } = await queuesOf(await openStack(name, region));
  const found = await Promise.all(
    queues.map(async (queue) => {
      let match: Message | undefined;
      await takeFrom(queue, new Set(), async (messages) => {
        match = messages.find(({ MessageId }) => MessageId === id);
        return match ? 'enough' : 'more';
      });
      return match && { queue, message: match };
    }),
  );
  const [hit] = found.filter((one) => one !== undefined);
  if (!hit) throw notThere([id], name, unseen);
  const { queue, message } = hit;
  const body = bodyOf(message);
  const shown = body ? redacted(body) : `no JSON object, ${message.Body?.length ?? 0} characters; --raw shows it`;
  if (json) print(JSON.stringify({ queue: queue.name, ...letterOf(message, raw), body: raw ? message.Body : shown }, null, 2));
  else if (raw) print(printable(message.Body ?? ''));
  else {
    const { since, why } = letterOf(message, raw);
    print(`${id} in ${queue.name}, since ${since}`);
    print(printable(why));
    for (const line of typeof shown === 'string' ? [shown] : JSON.stringify(shown, null, 2).split('\n')) print(printable(line));
  }
  return 0;
}

async function sendBack(ids: readonly string[], { stack: name, region, json }: Options): Promise<ExitCode> {
  const open = await openStack(name, region);
  const { queues, unseen } = await queuesOf(open);
  const wanted = ids.length > 0 ? new Set(ids) : undefined;
  const outcomes = await Promise.all(queues.map((queue) => redrive(queue, open.stack, open.aws, wanted)));
  const sent = outcomes.flatMap((outcome) => outcome.sent);
  const failed = outcomes.flatMap((outcome) => outcome.failed);
  const missing = ids.filter((id) => !sent.includes(id) && !failed.some((failure) => failure.id === id));
  if (json) {
    const failures = failed.map(({ id, queue, sent, cause }) => ({ id, queue, sent, error: explain(cause).message }));
    print(JSON.stringify({ sent, failed: failures, missing, unread: unseen.map(unread) }, null, 2));
  } else {
    print(`${sent.length} ${sent.length === 1 ? 'message' : 'messages'} sent back`);
    for (const failure of failed) say(stays(failure));
    for (const { queue, error } of unseen.map(unread)) say(`${queue}: ${error}`);
    if (missing.length > 0) say(notThere(missing, name, unseen).message);
  }
  return failed.length + missing.length + unseen.length > 0 ? 1 : 0;
}

const stays = ({ id, queue, sent, cause }: Failed): string =>
  `${id} stays in ${queue}${sent ? ', though it was sent back: it will be sent again' : ''}: ${explain(cause).message}`;

const notThere = (ids: readonly string[], stack: string, unseen: readonly Unseen[]): UsageError => {
  const blind = unseen.length > 0 ? `, as far as can be seen (not ${unseen.map(({ name }) => name).join(', ')})` : '';
  return new UsageError(`there is no message ${ids.join(', ')} in the dead-letter queues of ${stack}${blind}; another reader may hold it for two minutes`, 2);
};

async function queuesOf(open: OpenStack): Promise<{ readonly queues: readonly Dlq[]; readonly unseen: readonly Unseen[] }> {
  const all = await dlqsOf(open);
  return { queues: all.filter((queue): queue is Dlq => !isUnseen(queue)), unseen: all.filter(isUnseen) };
}
