/** `demo`: the whole thing on this machine. Every line is printed from a record of the bot or from a read of the live state. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Finding } from '../../engine/model.ts';
import { awsAccess } from '../../handlers/aws/access.ts';
import { dynamoLedger } from '../../handlers/aws/ledger.ts';
import { colors, errorColors } from '../colors.ts';
import { print, root, say } from '../context.ts';
import { type Person, personOf } from '../demo/people.ts';
import { type Drifted, scenes } from '../demo/scenes.ts';
import type { ExitCode } from '../errors.ts';
import { type Alerted, type LocalStack, startLocalStack, type TopicReader } from '../local-stack/index.ts';

interface Options {
  readonly keep?: true;
  readonly port?: number;
  readonly verbose?: true;
}

export function addDemo(program: Command, exit: (code: ExitCode) => void): void {
  program
    .command('demo')
    .description('deploy the bot into an AWS emulator on this machine, make three drifts, show what it does, and take one back; needs no AWS account')
    .option('--keep', 'leave it running, and print the environment to use it')
    .option('--port <number>', 'port of the emulator; a free one without it', portOf)
    .option('--verbose', 'print what the deploy and the functions print')
    .action(async (options: Options) => exit(await demo(options)));
}

const portOf = (text: string): number => {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new InvalidArgumentError('a port is a number from 1 to 65535');
  return port;
};

async function demo({ keep, port, verbose }: Options): Promise<ExitCode> {
  const started = performance.now();
  const log = verbose ? (line: string) => say(errorColors.dim(line)) : undefined;
  say('Starting the AWS emulator, and deploying with the real `serverless deploy` ...');
  const stack = await startLocalStack({ policy: `${root}cli/demo/policy.yaml`, port, log, onLog: log && (({ line }) => log(line)) });
  try {
    say(`Deployed in ${seconds(started)}: ${stack.report.applied.length} parts that the emulator's CloudFormation skips were applied by API.`);
    const told = await show(stack);
    if (keep) await wait(stack);
    say(`\nDone in ${seconds(started)}.`);
    return told ? 0 : 2;
  } finally {
    await stack.stop();
  }
}

const seconds = (since: number) => `${Math.round((performance.now() - since) / 100) / 10} s`;

async function show(stack: LocalStack): Promise<boolean> {
  const { accountId, region, clients, clock } = stack;
  const admin = awsAccess({ endpoint: stack.endpoint, forcePathStyle: true, credentials: credentialsOf(stack) })({ accountId, region }, { share: false });
  const ledger = dynamoLedger({ client: clients.dynamoDb, table: stack.report.outputs.LedgerTableName!, clock });
  const reader = await stack.subscribe(stack.report.outputs.ChannelSecurityTopic!);
  const made: Drifted[] = [];
  for (const [index, scene] of scenes.entries()) {
    const drifted = await scene.drift(admin);
    made.push(drifted);
    const { event, control, readBack } = drifted;
    print(`\n${colors.bold(`${index + 1}. ${scene.title}`)}`);
    print(row('Before', await readBack()));
    await stack.putEvents([event]);
    const { idle } = await stack.drain(60);
    const alert = await reader.next(20);
    const finding = await findingOf(ledger, control);
    if (!idle || !finding) throw new Error(`the bot did not come to an end with ${control}; run with --verbose to see why`);
    for (const line of told(finding)) print(line);
    print(row('After', await readBack()));
    print(alertBox(alert));
  }
  const bucket = made.find(({ control }) => control === 's3-bucket-public-access-block')!;
  return takenBack(scenes.length + 1, bucket, (await findingOf(ledger, bucket.control))!.id, reader, stack);
}

/** Bringing back a public exposure takes two persons; then what is on record is verified. */
async function takenBack(number: number, { readBack }: Drifted, id: string, reader: TopicReader, stack: LocalStack): Promise<boolean> {
  print(`\n${colors.bold(`${number}. The bucket again: somebody needs it public`)}`);
  const [lee, kim] = [await personOf('lee', stack), await personOf('kim', stack)];
  const steps: readonly (readonly [Person, readonly string[]])[] = [
    [lee, ['undo', id, '--for', '14d', '--reason', 'a public site, no PHI']],
    [lee, ['approve', id]],
    [kim, ['approve', id]],
    [kim, ['exceptions', 'list']],
  ];
  const ended: boolean[] = [];
  for (const [person, args] of steps) {
    const { said, ok } = await person.says(...args);
    ended.push(ok);
    print(`   ${colors.cyan(`${person.name}$`)} npx phidelity ${args.map((arg) => (/[^\w-]/.test(arg) ? JSON.stringify(arg) : arg)).join(' ')}`);
    for (const line of said.split('\n')) print(`   ${colors.dim('|')} ${line}`);
  }
  await stack.drain(60);
  print(row('After', await readBack()));
  for (const { subject } of await reader.read()) print(row('Alert', colors.bold(subject ?? '')));
  // Who asked is not the second person.
  return ended.join() === 'true,false,true,true';
}

const credentialsOf = ({ environment }: LocalStack) => ({ accessKeyId: environment.AWS_ACCESS_KEY_ID!, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY! });

async function findingOf(ledger: ReturnType<typeof dynamoLedger>, control: string): Promise<Finding | undefined> {
  for await (const finding of ledger.findings({})) if (finding.control === control) return finding;
  return undefined;
}

const row = (name: string, value: string) => `   ${colors.cyan(name.padEnd(9))}${value}`;

/** From the record alone. */
const told = ({ actor, openedBy, wrong, decision, outcome }: Finding): string[] => [
  row('Who', `${actor?.arn} (${openedBy.eventName}, noticed by ${openedBy.source})`),
  row('Wrong', wrong),
  row('Decided', `${decision.action}: ${decision.reason}`),
  row('Done', outcome ? `${outcome.status}: ${outcome.reason}` : 'nothing was written; a person was paged'),
];

const alertBox = ({ subject, message }: Alerted): string =>
  [row('Alert', colors.bold(subject ?? '')), ...message.split('\n').map((line) => `   ${colors.dim('|')} ${line}`)].join('\n');

async function wait(stack: LocalStack): Promise<void> {
  print(`\n${colors.bold('Left running; Ctrl-C ends it. In another terminal:')}\n`);
  for (const [name, value] of Object.entries(stack.environment)) print(`export ${name}='${value}'`);
  print(`\n# for example: npx phidelity findings --stack ${stack.report.stacks[0]}`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}
