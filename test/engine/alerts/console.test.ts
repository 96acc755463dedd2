import { expect, test } from '@jest/globals';
import { consoleOf } from '../../../engine/alerts/console.ts';

const topic = (name: string) =>
  consoleOf({ accountId: '123456789012', region: 'us-east-1', type: 'AWS::SNS::Topic', id: `arn:aws:sns:us-east-1:123456789012:${name}` });

test('the page of a resource, its name encoded', () => {
  expect(topic('a b')).toBe('https://us-east-1.console.aws.amazon.com/sns/v3/home?region=us-east-1#/topic/arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3Aa%20b');
});

// What is not seen in a number hides it from the redactor, and an address would hold it to the digit.
test.each(['ssn-123-45-6789', 'ssn-123-45\u200b-6789', 'ssn-123-\u00ad45-6789'])('%j: none', (name) => {
  expect(topic(name)).toBeUndefined();
});
