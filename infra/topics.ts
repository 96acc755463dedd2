/** The ways out: a topic for each channel of the policy, and one for the alarms about the bot itself. */
import type { CompiledPolicy } from '../engine/policy/model.ts';
import { localArn, logicalId, type Resources, ref, stack } from './intrinsics.ts';
import { alarmKeyArn, dataKeyArn } from './keys.ts';

export const topicId = (channel: string): string => `Channel${logicalId(channel)}`;

/** Channels that are topics of the stack. */
export const topicNames = (channels: CompiledPolicy['channels']): string[] =>
  Object.entries(channels).flatMap(([name, channel]) => ('sns' in channel ? [name] : []));

const topic = (DisplayName: string, KmsMasterKeyId: object): Resources[string] => ({ Type: 'AWS::SNS::Topic', Properties: { DisplayName, KmsMasterKeyId } });

function channelTopics(channels: readonly string[]): Resources {
  const ids = Map.groupBy(channels, topicId);
  const clash = [...ids.values()].find(({ length }) => length > 1);
  if (clash) throw new Error(`the channels ${clash.join(' and ')} would share a topic: rename one`);
  return Object.fromEntries(channels.map((channel) => [topicId(channel), topic(`phidelity ${channel}`, dataKeyArn)]));
}

export const topics = ({ channels }: Pick<CompiledPolicy, 'channels'>): Resources => ({
  ...channelTopics(topicNames(channels)),
  OwnHealth: topic('phidelity own health', alarmKeyArn),
  OwnHealthPolicy: {
    Type: 'AWS::SNS::TopicPolicy',
    Properties: {
      Topics: [ref('OwnHealth')],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'OwnAlarms',
            Effect: 'Allow',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Action: 'sns:Publish',
            Resource: ref('OwnHealth'),
            Condition: {
              ArnLike: { 'aws:SourceArn': localArn('cloudwatch', `alarm:${stack}-*`) },
              StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') },
            },
          },
        ],
      },
    },
  },
});
