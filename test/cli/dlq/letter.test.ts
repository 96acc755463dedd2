import { describe, expect, test } from '@jest/globals';
import { alarmText, homeOf, type Letter, letterOf, redacted, withheld } from '../../../cli/dlq/letter.ts';
import { delivered, openBucket } from '../events.ts';

const event = delivered(openBucket('jane-roe-records'));
const message = (body: unknown, more: object = {}) => ({ MessageId: 'm-1', Body: typeof body === 'string' ? body : JSON.stringify(body), ...more });
const attributes = (given: Record<string, string>) => ({
  MessageAttributes: Object.fromEntries(Object.entries(given).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }])),
});
const sweep = {
  source: 'phidelity',
  'detail-type': 'Sweep',
  region: 'us-west-2',
  detail: { control: 'x', began: '2026-03-01T00:00:00Z', from: 'arn:aws:s3:::jane-roe' },
};
const alarm = {
  source: 'aws.cloudwatch',
  'detail-type': 'CloudWatch Alarm State Change',
  region: 'us-west-2',
  detail: {
    alarmName: 'bot-forwarder-dlq',
    state: { value: 'ALARM', timestamp: '2026-03-01T08:00:00.000+0000' },
    configuration: { description: 'phidelity: an event stays behind' },
  },
};

describe('a letter', () => {
  test.each<[string, ReturnType<typeof message>, Partial<Letter> & { readonly because?: RegExp }]>([
    [
      'of detect',
      message(event, { Attributes: { SentTimestamp: '1772352000000', ApproximateReceiveCount: '5' } }),
      {
        since: '2026-03-01T08:00:00.000Z',
        source: 's3.amazonaws.com',
        name: 'DeleteBucketPublicAccessBlock',
        region: 'us-east-1',
        because: /^detect failed on it each time: the log of the function detect tells more$/,
      },
    ],
    [
      'of EventBridge',
      message(
        event,
        attributes({ ERROR_CODE: 'NO_PERMISSIONS', ERROR_MESSAGE: 'not allowed to send', RULE_ARN: 'arn:aws:events:us-east-1:123456789012:rule/bot-s3-api' }),
      ),
      { name: 'DeleteBucketPublicAccessBlock', because: /^NO_PERMISSIONS: not allowed to send \(rule\/bot-s3-api\)$/ },
    ],
    [
      'of Scheduler',
      message(sweep, attributes({ ERROR_CODE: 'AccessDenied', SCHEDULE_ARN: 'arn:aws:scheduler:us-east-1:123456789012:schedule/bot/bot-tick' })),
      { source: 'phidelity', name: 'Sweep', region: 'us-west-2', because: /^AccessDenied \(schedule\/bot\/bot-tick\)$/ },
    ],
    ['that is no JSON', message('patient Jane Roe'), { source: null, name: null, region: null, since: null }],
    ['that is a list', message([event]), { source: null, name: null }],
    ['whose detail is no object', message({ source: 'aws.s3', detail: 'x' }), { source: 'aws.s3', name: null }],
  ])('%s', (_, given, { because = /./, ...letter }) => {
    const read = letterOf(given);
    expect(read).toMatchObject(letter);
    expect(read.why).toMatch(because);
    expect(JSON.stringify(read)).not.toMatch(/jane/i);
  });

  test.each([
    ['an event of AWS', event, 'intake'],
    ['a sweep', sweep, 'sweep'],
    ['a tick', { ...sweep, 'detail-type': 'Tick' }, 'sweep'],
    ['an alarm of a forwarder', alarm, 'ownHealth'],
    ['no JSON', 'x', 'intake'],
  ])('%s goes home', (_, body, home) => {
    expect(homeOf(message(body))).toBe(home);
  });

  test('an alarm is told as its rule tells it', () => {
    expect(alarmText(message(alarm))).toBe('ALARM: alarm bot-forwarder-dlq in us-west-2, 2026-03-01T08:00:00.000+0000. phidelity: an event stays behind');
  });
});

describe('redacted', () => {
  test.each([
    ['an event of AWS', event],
    ['a sweep from a page on', sweep],
    [
      'a configuration item',
      {
        source: 'aws.config',
        resources: ['arn:aws:s3:::jane-roe'],
        detail: { configurationItem: { resourceType: 'AWS::S3::Bucket', resourceId: 'jane-roe', configuration: { a: 'jane' } } },
      },
    ],
    ['a finding of Security Hub', { source: 'aws.securityhub', detail: { findings: [{ Resources: [{ Id: 'jane' }] }] } }],
    ['plain words that hold more', { source: { name: 'jane' }, detail: { eventName: ['jane'] } }],
  ])('%s names no resource', (_, body) => {
    expect(JSON.stringify(redacted(body as never))).not.toMatch(/jane/i);
  });

  test('what may be shown is redacted; who made the call is told', () => {
    const body = {
      ...event,
      detail: { ...event.detail, eventName: 'Put 123-45-6789', userIdentity: { arn: 'arn:aws:sts::123456789012:assumed-role/Dev/jo@clinic.example' } },
    };
    expect(redacted(body as never)).toMatchObject({ detail: { eventName: 'Put [ssn]', userIdentity: { arn: expect.stringMatching(/jo@clinic\.example$/) } } });
    const why = attributes({ ERROR_CODE: 'X', ERROR_MESSAGE: 'mrn-00123456 is not yours' });
    expect(letterOf(message(body, why))).toMatchObject({ name: 'Put [ssn]', why: 'X: mrn-[mrn] is not yours' });
    expect(letterOf(message(body, why), true)).toMatchObject({ name: 'Put 123-45-6789', why: 'X: mrn-00123456 is not yours' });
  });

  test('who did what and when stays, and the shape of the rest', () => {
    expect(redacted(event as never)).toMatchObject({
      source: 'aws.s3',
      'detail-type': 'AWS API Call via CloudTrail',
      detail: { eventName: 'DeleteBucketPublicAccessBlock', userIdentity: { arn: expect.stringContaining('arn:aws:') }, requestParameters: withheld },
    });
  });
});
