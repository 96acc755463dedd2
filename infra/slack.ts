/** Where answers from Slack come in: an HTTP API with one route, and the function behind it. There only while the policy has a Slack app. */
import type { CompiledPolicy } from '../engine/policy/model.ts';
import { slackAppOf } from '../engine/policy/slack-app.ts';
import { account, getAtt, localArn, partition, type Resources, ref, region, stack, sub } from './intrinsics.ts';
import { dataKeyArn } from './keys.ts';

/** What the function finds in its environment beside what all do: references, never a secret. */
export function slackEnvironmentOf(policy: Pick<CompiledPolicy, 'channels'>): Readonly<Record<string, string>> {
  const app = slackAppOf(policy);
  return app ? { SLACK_SIGNING_SECRET: app.signingSecret, SLACK_TOKEN: app.token } : {};
}

const route = 'POST /slack';

/** Who asked, and what came of it: nothing of what was said. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html */
const accessLog = JSON.stringify({
  requestId: '$context.requestId',
  time: '$context.requestTime',
  ip: '$context.identity.sourceIp',
  route: '$context.routeKey',
  status: '$context.status',
  milliseconds: '$context.responseLatency',
  error: '$context.error.responseType',
});

const resources: Resources = {
  SlackApi: {
    Type: 'AWS::ApiGatewayV2::Api',
    Properties: { Name: sub(`${stack}-slack`), ProtocolType: 'HTTP', Description: 'phidelity: answers from Slack', DisableExecuteApiEndpoint: false },
  },
  SlackIntegration: {
    Type: 'AWS::ApiGatewayV2::Integration',
    Properties: {
      ApiId: ref('SlackApi'),
      IntegrationType: 'AWS_PROXY',
      IntegrationUri: getAtt('SlackLambdaFunction', 'Arn'),
      PayloadFormatVersion: '2.0',
    },
  },
  SlackRoute: {
    Type: 'AWS::ApiGatewayV2::Route',
    // Slack's signature is what lets a request in; API Gateway knows no authorizer for it.
    Properties: { ApiId: ref('SlackApi'), RouteKey: route, AuthorizationType: 'NONE', Target: sub(`integrations/\${SlackIntegration}`) },
  },
  SlackStage: {
    Type: 'AWS::ApiGatewayV2::Stage',
    Properties: {
      ApiId: ref('SlackApi'),
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingBurstLimit: 10, ThrottlingRateLimit: 5 },
      AccessLogSettings: { DestinationArn: localArn('logs', `log-group:\${SlackAccessLogGroup}`), Format: accessLog },
    },
  },
  // One statement of CloudWatch's own covers the delivery to all names that begin so: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
  SlackAccessLogGroup: {
    Type: 'AWS::Logs::LogGroup',
    Properties: { LogGroupName: sub(`/aws/vendedlogs/${stack}-slack`), RetentionInDays: 365, KmsKeyId: dataKeyArn },
  },
  SlackLogGroup: { Type: 'AWS::Logs::LogGroup', Properties: { KmsKeyId: dataKeyArn } },
  SlackPermission: {
    Type: 'AWS::Lambda::Permission',
    Properties: {
      Action: 'lambda:InvokeFunction',
      FunctionName: getAtt('SlackLambdaFunction', 'Arn'),
      Principal: 'apigateway.amazonaws.com',
      SourceAccount: ref('AWS::AccountId'),
      SourceArn: sub(`arn:${partition}:execute-api:${region}:${account}:\${SlackApi}/*/${route.replace(' ', '')}`),
    },
  },
};

export const slack = (policy: Pick<CompiledPolicy, 'channels'>): Resources => (slackAppOf(policy) ? resources : {});

export const slackOutputs = (policy: Pick<CompiledPolicy, 'channels'>) =>
  slackAppOf(policy)
    ? {
        SlackEndpoint: {
          Description: 'Request URL of the Slack app, under Interactivity & Shortcuts',
          Value: sub(`https://\${SlackApi}.execute-api.${region}.\${AWS::URLSuffix}/slack`),
        },
      }
    : {};
