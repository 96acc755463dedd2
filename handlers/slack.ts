/** Slack's interactivity, behind an HTTP API. Small on purpose: Slack waits three seconds, and the process may have to be started first. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { TerminalError } from '../engine/errors.ts';
import type { SecretRef } from '../engine/policy/channels.ts';
import { awsAccess } from './aws/access.ts';
import { clockOf } from './aws/clock.ts';
import { dynamoLedger } from './aws/ledger.ts';
import { secretsOf } from './aws/secrets.ts';
import { given, keeping, roleCredentials } from './process.ts';
import { type Reception, receive } from './slack/reception.ts';
import { slackWeb } from './slack/web.ts';

const { env } = process;
const aws = awsAccess({ credentials: roleCredentials })(
  { accountId: given('ACCOUNT_ID', env.ACCOUNT_ID), region: given('AWS_REGION', env.AWS_REGION) },
  { share: false },
);
const clock = clockOf(env.PHIDELITY_CLOCK_FILE);
/** A policy that a deploy has just stored is in force within a minute. */
const ledger = keeping(dynamoLedger({ client: aws.client(DynamoDBClient), table: given('TABLE', env.TABLE), clock }), 60_000);

/** Loaded when there is something to say. */
const log = async () => (await import('./aws/log.ts')).lambdaLog('slack');

const reception: Reception = {
  // Of the deployed policy, so that the table need not be read before the signature holds.
  signingSecret: given('SLACK_SIGNING_SECRET', env.SLACK_SIGNING_SECRET) as SecretRef,
  token: given('SLACK_TOKEN', env.SLACK_TOKEN) as SecretRef,
  secrets: secretsOf(aws),
  clock,
  ledger,
  web: slackWeb(env.PHIDELITY_OUTSIDE_URL),
  async knock(answer, work) {
    const { knockFor } = await import('./aws/knock.ts');
    await knockFor(answer, work, { ledger, aws, remediateArn: () => given('REMEDIATE_ARN', env.REMEDIATE_ARN) });
  },
  complain: async (code) => (await log()).warn('Slack did not open a form', { code }),
};

export const handler = async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
  try {
    return await receive(event, reception);
  } catch (error) {
    // Its message may quote what was sent; that of a reference that cannot be read says how to mend it.
    (await log()).error('A request of Slack could not be dealt with', { error, ...(error instanceof TerminalError && { says: error.message }) });
    throw new Error('the log tells more');
  }
};
