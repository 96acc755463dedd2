/** `alert`: what the channels would be told, and whether one is reached. */
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { channelOf, every, named, previewOf, type Shown, type Skipped } from '../alert/preview.ts';
import { channelNames } from '../alert/renderers.ts';
import { isWell, testChannel, wordsOf } from '../alert/test-channel.ts';
import { colors } from '../colors.ts';
import { catalogue, defaultPolicy, policyFrom, print, say, stackNameOf } from '../context.ts';
import { type ExitCode, faultLine } from '../errors.ts';
import { openStack } from '../stack.ts';

interface PreviewOptions {
  readonly control: string;
  readonly channel: string;
  readonly outcome?: string;
  readonly policy: string;
  readonly json?: true;
}

interface TestOptions {
  readonly stack: string;
  readonly region?: string;
  readonly json?: true;
}

export function addAlert(program: Command, exit: (code: ExitCode) => void): void {
  const alert = program
    .command('alert')
    .description('what the channels would be told, and whether one is reached')
    .addHelpText(
      'after',
      '\nExamples: a Slack message as it would be sent; everything that an e-mail can say of a control; is the channel reached?\n' +
        '  npx phidelity alert preview --control s3-bucket-public-access-block --channel slack\n' +
        '  npx phidelity alert preview --control cloudtrail-logging-on --channel email --outcome all\n' +
        '  npx phidelity alert test security --stack phidelity-prod',
    );
  alert
    .command('preview')
    .description('print exactly what would be sent for an invented finding; nothing is sent')
    .requiredOption('--control <id>', `a control, or ${every}`)
    .requiredOption('--channel <kind>', `one of ${channelNames.join(', ')}`)
    .option('--outcome <name>', `what has become of the finding, or ${every}; by default what the mode in the policy leads to`)
    .option('--policy <file>', 'policy to go by', defaultPolicy)
    .option('--json', 'one JSON array: {control, outcome, sent}; sent is null where the channel would not be told')
    .action(async (options: PreviewOptions) => {
      await preview(options);
      exit(0);
    });
  alert
    .command('test')
    .description('send one alert marked TEST to a channel through the deployed bot; exit code 1 when it is not seen to leave')
    .argument('<channel>', 'name of the channel in the policy')
    .requiredOption('--stack <name>', 'the deployed stack', stackNameOf)
    .option('--region <region>', 'AWS region of the stack; by default that of the SDK')
    .option('--json', 'one JSON document')
    .action(async (channel: string, options: TestOptions) => exit(await test(channel, options)));
}

async function preview({ control, channel: word, outcome, policy: file, json }: PreviewOptions): Promise<void> {
  const channel = channelOf(word);
  const ids = catalogue.map(({ id }) => id);
  const entries = control === every ? catalogue : catalogue.filter(({ id }) => id === named('control', control, ids));
  const { policy, warnings } = await policyFrom(file);
  for (const warning of warnings) say(`${faultLine(warning)} (warning)`);
  const shown = await previewOf(entries, channel, outcome, policy);
  if (json) return print(JSON.stringify(shown.map(documentOf), null, 2));
  say(colors.dim('Samples: the findings are invented, nothing is sent.'));
  for (const one of shown) tell(one, channel, shown.length > 1);
}

const documentOf = (one: Shown | Skipped) => {
  if ('why' in one) return { control: one.control, outcome: null, sent: null };
  const { control, outcome, rendered } = one;
  return { control, outcome, sent: !rendered ? null : 'json' in rendered ? rendered.json : rendered.text };
};

/** Only what would be sent goes to standard output. */
function tell(one: Shown | Skipped, channel: string, several: boolean): void {
  if ('why' in one) say(`${one.control}: ${one.why}`);
  else if (!one.rendered) say(`${one.control}, ${one.outcome}: ${channel} is not told of it`);
  else {
    if (several) say(colors.bold(`${one.control}, ${one.outcome}`));
    print('json' in one.rendered ? JSON.stringify(one.rendered.json, null, 2) : one.rendered.text);
  }
}

async function test(channel: string, { stack, region, json }: TestOptions): Promise<ExitCode> {
  const tested = await testChannel(channel, await openStack(stack, region), () => setTimeout(1_000), new Date());
  const well = isWell(tested);
  if (json) print(JSON.stringify(tested, null, 2));
  else print((well ? colors.green : colors.red)(wordsOf(tested)));
  return well ? 0 : 1;
}
