/** Names and reads that the controls of Lambda functions share. */
import { type FunctionUrlAuthType, GetFunctionUrlConfigCommand, LambdaClient, paginateListAliases, paginateListFunctions } from '@aws-sdk/client-lambda';
import {
  type Aws,
  arnFrom,
  idsAt,
  type Listing,
  orUndefined,
  type Page,
  pagesOf,
  type ResourceIds,
  type ResourceRef,
  refTo,
  required,
  resourcePart,
} from '../define.ts';

export const functionArn = 'arn:{partition}:lambda:{region}:{account}:function:{id}';

/** A URL has no ARN: it is named by the function, or the alias, that it calls. */
export const urls = { resourceType: 'AWS::Lambda::Url', arn: functionArn };

const nameIn = idsAt('requestParameters.functionName');
// DeleteAlias has the alias under another name.
const qualifierIn = idsAt('requestParameters.qualifier', 'requestParameters.name');
const answeredArn = idsAt('responseElements.functionArn');

/** `123456789012:function:intake`, with or without a region before it and a qualifier behind it. */
const partialArn = /^(?:(?<region>[a-z0-9-]+):)?(?<accountId>\d{12}):function:(?<id>.+)$/;

/**
 * The function, or the alias of it, that a call on function URLs names. Lambda takes a name, a partial ARN or an ARN.
 * https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html
 */
export const urlNamed: ResourceIds = (detail) => {
  const [name] = nameIn(detail);
  if (name === undefined) return answeredArn(detail);
  const { region = detail.awsRegion, accountId, id } = partialArn.exec(name)?.groups ?? {};
  const whole = accountId && id ? arnFrom(functionArn, { accountId, region }, id) : name.replace(/^function:/, '');
  const [qualifier] = qualifierIn(detail);
  const qualified = whole.startsWith('arn:') ? whole.split(':').length > 7 : whole.includes(':');
  return [qualifier === undefined || qualifier === '$LATEST' || qualified ? whole : `${whole}:${qualifier}`];
};

/** What FunctionName and Qualifier are called in every request. */
export function addressOf(resource: ResourceRef): { readonly FunctionName: string; readonly Qualifier?: string } {
  const [, FunctionName = '', Qualifier] = resourcePart(resource).split(':');
  return Qualifier ? { FunctionName, Qualifier } : { FunctionName };
}

/** Undefined: the function is gone, or it has no URL. */
export async function urlAuthOf(aws: Aws, resource: ResourceRef): Promise<FunctionUrlAuthType | undefined> {
  const answer = await orUndefined(aws.client(LambdaClient).send(new GetFunctionUrlConfigCommand(addressOf(resource))), 'ResourceNotFoundException');
  return answer && required(answer.AuthType, 'AuthType');
}

/** Every function of the place and every alias of it: each can have a URL of its own. */
export function addressable(aws: Aws, { from: startingToken }: Pick<Listing, 'from'>): AsyncGenerator<Page<never>> {
  const client = aws.client(LambdaClient);
  return pagesOf(
    paginateListFunctions({ client, startingToken }, { MaxItems: 50 }),
    ({ NextMarker }) => NextMarker,
    async ({ Functions }) => {
      const found: [ResourceRef][] = [];
      // One function after the other: Lambda allows 15 such calls a second, of everybody in the account together.
      for (const { FunctionName, FunctionArn } of required(Functions, 'Functions')) {
        found.push([refTo(urls, aws, FunctionArn)]);
        for await (const { Aliases } of paginateListAliases({ client }, { FunctionName })) {
          for (const { AliasArn } of required(Aliases, 'Aliases')) found.push([refTo(urls, aws, AliasArn)]);
        }
      }
      return found;
    },
  );
}
