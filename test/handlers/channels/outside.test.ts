/** Neither moto nor aws-sdk-client-mock: what AWS answers is thrown. */
import { expect, test } from '@jest/globals';
import { DeniedError, TerminalError } from '../../../engine/errors.ts';
import { outsideOf } from '../../../handlers/channels/outside.ts';

const words = 'User: arn:aws:sts::123456789012:assumed-role/x/y on key/abc with the value xoxb-1';
const named = (name: string) => Object.assign(new Error(words), { name });

test.each([
  ['throttled', named('ThrottlingException'), 'again', 'The secret ssm:/slack/token cannot be read: ThrottlingException'],
  ['denied', named('AccessDeniedException'), 'refused', 'The secret ssm:/slack/token cannot be read: AccessDeniedException'],
  ['denied, as the bot says it', new DeniedError('ssm:GetParameter', { cause: named('AccessDenied') }), 'refused', /not allowed to call ssm:GetParameter$/],
  ['not there', new TerminalError('ssm:/slack/token is empty'), 'refused', /is empty$/],
])('a secret that cannot be read, %s: the code alone of what AWS says', async (_, error, failure, message) => {
  const { secret } = outsideOf({ read: () => Promise.reject(error), forget() {} });
  await expect(secret('ssm:/slack/token')).rejects.toMatchObject({ name: 'DeliveryError', failure, message: expect.stringMatching(message) });
});
