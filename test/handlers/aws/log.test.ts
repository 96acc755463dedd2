import { expect, test } from '@jest/globals';
import { lambdaLog } from '../../../handlers/aws/log.ts';
import { writtenOut } from '../../support/written-out.ts';

test('an error is logged with its code and place, never with its message, which may name a resource', async () => {
  const cause = Object.assign(new Error('arn:aws:s3:::jane-doe-1980 is not yours'), {
    name: 'AccessDenied',
    $metadata: { requestId: 'r-1', httpStatusCode: 403 },
  });
  const said = await writtenOut(() => lambdaLog('detect').error('Event returned to the queue', { error: new Error('jane-doe-1980', { cause }) }));
  expect(said).toContain('AccessDenied');
  expect(said).toContain('r-1');
  expect(said).toContain('log.test.ts');
  expect(said).not.toContain('jane-doe');
});

test('what holds itself is logged as far as it is told', async () => {
  const ring: Record<string, unknown> = { at: new Date(0), name: 'mrn\u00ad8877665' };
  ring.again = ring;
  const said = await writtenOut(() => lambdaLog('detect').info('Seen', { ring }));
  expect(said).toContain('1970-01-01');
  expect(said).toContain('too deep');
  expect(said).not.toContain('8877665');
});
