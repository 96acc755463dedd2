/** Entries that have not come through the stream: the bot's own function takes them from the table. The command line writes no evidence. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { entryName } from '../../engine/evidence/form.ts';
import { unchained } from '../../engine/evidence/seal.ts';
import { UsageError } from '../errors.ts';
import { openStack, outputOf, partsOf } from '../stack.ts';
import { keysIn } from './bucket.ts';

/** Findings that one invocation has time for. */
const atOnce = 25;

/** How many findings had entries missing. @throws UsageError when the function fails */
export async function mend(name: string, region: string | undefined): Promise<number> {
  const open = await openStack(name, region);
  const { stack, aws, ledger } = open;
  const seen = new Map<string, number>();
  for await (const { name: entry } of keysIn(open, outputOf(stack, 'EvidenceBucketName'), 'entries', entryName))
    seen.set(entry.finding, (seen.get(entry.finding) ?? 0) + 1);
  const wanting: string[] = [];
  for await (const { id, chain } of ledger.findings({})) {
    if (chain === unchained) continue;
    const chained = (await ledger.entries(id)).filter(({ hash }) => hash !== unchained);
    if (chained.length > (seen.get(id) ?? 0)) wanting.push(id);
  }
  const FunctionName = (await partsOf(stack.name, aws)).find(({ logicalId }) => logicalId === 'EvidenceLambdaFunction')?.id;
  const ask = async (event: object) => {
    const { FunctionError } = await aws.client(LambdaClient).send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
    if (FunctionError) throw new UsageError(`the function ${FunctionName} failed: its log tells why`, 2);
  };
  for (let from = 0; from < wanting.length; from += atOnce) await ask({ mend: wanting.slice(from, from + atOnce) });
  await ask({ digest: 'now' });
  return wanting.length;
}
