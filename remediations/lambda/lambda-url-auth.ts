import { type FunctionUrlAuthType, LambdaClient, UpdateFunctionUrlConfigCommand } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { type Aws, change, compliant, defineControl, nonCompliant, onCalls, type ResourceRef, wordAt } from '../define.ts';
import { addressable, addressOf, urlAuthOf, urlNamed, urls } from './lambda.ts';

const names = ['CreateFunctionUrlConfig', 'DeleteFunctionUrlConfig', 'UpdateFunctionUrlConfig'];

async function setAuth(aws: Aws, resource: ResourceRef, AuthType: FunctionUrlAuthType): Promise<void> {
  await aws.client(LambdaClient).send(new UpdateFunctionUrlConfigCommand({ ...addressOf(resource), AuthType }));
}

export default defineControl({
  id: 'lambda-url-auth',
  title: 'Function URLs require IAM authorization',
  rationale: 'A URL without authorization lets anybody on the internet run the function and read what it answers.',
  severity: 'CRITICAL',
  ...urls,
  scope: 'regional',
  hipaa: [
    { section: '164.312(a)(1)', specification: 'standard', rationale: 'Lets in only callers that were granted access.' },
    { section: '164.312(d)', specification: 'standard', rationale: 'Callers prove who they are before the function runs.' },
    { section: '164.308(a)(3)(i)', specification: 'standard', rationale: 'Keeps people without a need away from ePHI.' },
  ],
  related: { prowler: ['awslambda_function_url_public'] },
  triggers: [
    // Lambda has logged calls under their plain name and with the API version behind it.
    onCalls('lambda.amazonaws.com', [...names, ...names.map((name) => `${name}20211031`)], urlNamed),
    // The URL of an alias that goes with its function is found gone by the next sweep.
    onCalls('lambda.amazonaws.com', ['DeleteAlias', 'DeleteAlias20150331', 'DeleteFunction', 'DeleteFunction20150331'], urlNamed, {
      // A version has no URL, and Lambda refuses to be asked for one.
      concerns: (detail) => ![...urlNamed(detail)].some((id) => /:\d+$/.test(id ?? '')),
    }),
  ],
  params: z.strictObject({}),
  reads: 1,
  writes: ['lambda:url-auth-type'],
  permissions: {
    inspect: ['lambda:GetFunctionUrlConfig', 'lambda:ListAliases', 'lambda:ListFunctions'],
    remediate: ['lambda:UpdateFunctionUrlConfig'],
    undo: ['lambda:UpdateFunctionUrlConfig'],
  },
  impact: 'Callers without a signature of an IAM principal get 403. The address stays: deleting the URL would lose it for good.',
  defaultMode: 'approve',
  endsPublicExposure: true,
  reportTransient: true,
  opens: (detail) => wordAt(detail, 'requestParameters.authType') === 'none',
  closes: (detail) => detail.eventName.startsWith('Delete') || wordAt(detail, 'requestParameters.authType') === 'aws_iam',

  list: addressable,

  async inspect(resource, aws) {
    const auth = await urlAuthOf(aws, resource);
    return auth === undefined ? undefined : { auth };
  },

  evaluate: ({ auth }) =>
    auth === 'AWS_IAM' ? compliant('The URL asks for IAM authorization.') : nonCompliant('Anybody can call the function through its URL.'),

  plan: ({ auth }) =>
    change<FunctionUrlAuthType>({
      action: 'lambda:UpdateFunctionUrlConfig',
      summary: 'Ask callers of the function URL for IAM authorization',
      before: auth,
      after: 'AWS_IAM',
    }),

  setting: ({ auth }) => auth,
  remediate: (resource, { after }, aws) => setAuth(aws, resource, after),
  undo: (resource, { before }, aws) => setAuth(aws, resource, before),
});
