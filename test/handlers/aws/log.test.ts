import { afterEach, expect, jest, test } from '@jest/globals';
import { lambdaLog } from '../../../handlers/aws/log.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

test('an error is logged with its code and place, never with its message, which may name a resource', () => {
  const written: string[] = [];
  // Powertools writes to a console of its own, on standard output and error.
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((chunk) => {
      written.push(String(chunk));
      return true;
    });
  }
  for (const method of ['info', 'warn', 'error'] as const) jest.spyOn(console, method).mockImplementation((line: unknown) => void written.push(String(line)));
  const cause = Object.assign(new Error('arn:aws:s3:::jane-doe-1980 is not yours'), {
    name: 'AccessDenied',
    $metadata: { requestId: 'r-1', httpStatusCode: 403 },
  });
  lambdaLog('detect').error('Event returned to the queue', { error: new Error('jane-doe-1980', { cause }) });
  const said = written.join('');
  expect(said).toContain('AccessDenied');
  expect(said).toContain('r-1');
  expect(said).toContain('log.test.ts');
  expect(said).not.toContain('jane-doe');
});
