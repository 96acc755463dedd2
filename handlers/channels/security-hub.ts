/** Findings to AWS Security Hub, in the home region of the bot. */
import { BatchImportFindingsCommand, type ImportFindingsError, SecurityHubClient } from '@aws-sdk/client-securityhub';
import { DeliveryError, type Send } from '../../engine/alerts/delivery.ts';
import { type AsffFinding, asffFinding } from '../../engine/alerts/render/security-hub.ts';
import type { CompiledChannel } from '../../engine/policy/channels.ts';
import type { Aws } from '../../engine/ports.ts';
import { deliveryErrorOf } from './refusal.ts';

export type SecurityHubChannel = Extract<CompiledChannel, { readonly securityHub: true }>;

/** What Security Hub has no place for (digests, the bot's own messages) is not sent. Keeps nothing: the finding's id is known. */
export const securityHub =
  (aws: Aws): Send<SecurityHubChannel> =>
  async (alert, _channel, context) => {
    const finding = asffFinding(alert, context);
    if (finding) await imported(finding, aws);
    return undefined;
  };

/** https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html */
async function imported(finding: AsffFinding, aws: Aws): Promise<void> {
  const notEnabled = `Security Hub is not enabled in ${aws.region} of this account: enable it, or take the channel out of the policy.`;
  try {
    const { FailedCount = 0, FailedFindings = [] } = await aws.client(SecurityHubClient).send(new BatchImportFindingsCommand({ Findings: [finding] }));
    if (FailedCount > 0) throw failureOf(FailedFindings, notEnabled);
  } catch (error) {
    throw deliveryErrorOf(error, 'Security Hub', {
      // Both are what an account that has not enabled it is told.
      InvalidAccessException: notEnabled,
      ResourceNotFoundException: notEnabled,
      InvalidInputException: 'Security Hub does not take the finding: this is a fault of the bot.',
    });
  }
}

const lasting = new Set(['InvalidInput', 'FindingSizeExceeded', 'DuplicatedFindingIdentifier']);

/** The codes are documented for BatchUpdateFindings; the texts may quote what was sent, and are not passed on. */
function failureOf(failed: readonly ImportFindingsError[], notEnabled: string): DeliveryError {
  const codes = [...new Set(failed.map(({ ErrorCode = '' }) => ErrorCode))].sort();
  // https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html#batchimportfindings-accounts-batch-size
  if (codes.some((code) => code.startsWith('InvalidAccess'))) return new DeliveryError('refused', notEnabled);
  const refused = codes.length > 0 && codes.every((code) => lasting.has(code));
  return new DeliveryError(
    refused ? 'refused' : 'again',
    `Security Hub did not take ${failed.length || 'a'} finding${failed.length > 1 ? 's' : ''} (${codes.join(', ') || 'no code'}).`,
  );
}
