/** Adds evidence to its bucket: entries as the table's stream brings them, a signed digest each hour, and what somebody finds missing. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { RetryLaterError } from '../engine/errors.ts';
import { signEvidence, storeEntries } from '../engine/evidence/store.ts';
import type { Entry } from '../engine/model.ts';
import { awsAccess } from './aws/access.ts';
import { clockOf } from './aws/clock.ts';
import { bucketStore, kmsSigner } from './aws/evidence.ts';
import { dynamoLedger } from './aws/ledger.ts';
import { lambdaLog } from './aws/log.ts';
import { marksIn } from './aws/marks.ts';
import { type Item, unpack } from './aws/table.ts';
import { environmentOf, given, roleCredentials } from './runtime.ts';

const environment = environmentOf(process.env);
const log = lambdaLog('evidence');
const aws = awsAccess({ credentials: roleCredentials })(environment, { share: false });
const client = aws.client(DynamoDBClient);
const clock = clockOf(environment.clockFile);
const ledger = dynamoLedger({ client, table: environment.table, clock });
const ports = {
  store: bucketStore(given('EVIDENCE_BUCKET', process.env.EVIDENCE_BUCKET), aws),
  marks: marksIn(client, environment.table),
  signer: kmsSigner(given('SIGNING_KEY', process.env.SIGNING_KEY), aws),
  ledger,
  clock,
};

/** `mend`: ids of findings of which entries are missing in the bucket. */
type Asked = DynamoDBStreamEvent | { readonly digest: string } | { readonly mend: readonly string[] };

export const handler = async (event: Asked): Promise<DynamoDBBatchResponse | object> => {
  try {
    if ('Records' in event) return await storeBatch(event.Records);
    if ('mend' in event) return await mend(event.mend);
    return await sign();
  } finally {
    log.flush();
  }
};

/** A schedule may come twice: whoever finds the other at it leaves it to him. */
async function sign(): Promise<{ readonly number?: number }> {
  try {
    const { number, findings } = await signEvidence(ports);
    log.info('Digest signed', { number, findings: findings.length });
    log.count('Digests');
    return { number };
  } catch (error) {
    if (!(error instanceof RetryLaterError)) throw error;
    log.warn('Digest left to another process', { error });
    return {};
  }
}

/** What has failed comes back with all that follows it in the stream: Lambda goes on from the first of these. */
async function storeBatch(records: readonly DynamoDBRecord[]): Promise<DynamoDBBatchResponse> {
  const groups = [...Map.groupBy(records, ({ dynamodb }) => dynamodb?.Keys?.pk?.S).values()];
  const failed = await Promise.all(
    groups.map(async (group) => {
      try {
        await storeEntries(group.map(entryOf), ports);
        return [];
      } catch (error) {
        log.error('Entries returned to the stream', { error });
        return group;
      }
    }),
  );
  return { batchItemFailures: failed.flat().map(({ dynamodb }) => ({ itemIdentifier: dynamodb!.SequenceNumber! })) };
}

const entryOf = ({ dynamodb }: DynamoDBRecord): Entry => unpack<Entry>('entry', itemOf(dynamodb?.NewImage ?? {}));

/** In the event binary values are base64. */
const itemOf = (image: NonNullable<NonNullable<DynamoDBRecord['dynamodb']>['NewImage']>): Item =>
  Object.fromEntries(Object.entries(image).map(([name, value]) => [name, value.B === undefined ? value : { B: Buffer.from(value.B, 'base64') }])) as Item;

async function mend(findings: readonly string[]): Promise<{ readonly mended: number }> {
  for (const id of findings) await storeEntries(await ledger.entries(id), ports);
  return { mended: findings.length };
}
