/** The dead-letter queues of a deployed stack, and where what lies in them belongs. */
import type { Aws, Deployment } from '../../engine/ports.ts';
import { depthOf } from '../../handlers/aws/queue.ts';
import { forwarderName } from '../../infra/forwarders.ts';
import { UsageError } from '../errors.ts';
import { type OpenStack, outputOf, partsOf } from '../stack.ts';

export interface Dlq {
  /** `intake`, `sweep`, `target`, `alert`; `forwarder REGION` for what could not be sent home from there. */
  readonly name: string;
  readonly url: string;
  /** Of the queue's own region. */
  readonly aws: Aws;
}

/** A dead-letter queue that cannot be found: what lies in it is not seen. */
export interface Unseen {
  readonly name: string;
  readonly cause: unknown;
}

const outputs = { intake: 'IntakeDlqUrl', sweep: 'SweepDlqUrl', target: 'TargetDlqUrl', alert: 'AlertDlqUrl' };

/** The regions that a forwarder covers, as the last deploy left them. */
export const forwarded = (deployment: Deployment | undefined, home: string): string[] => (deployment?.regions ?? []).filter((region) => region !== home);

export async function dlqsOf({ stack, aws, ledger }: OpenStack): Promise<(Dlq | Unseen)[]> {
  const home = Object.entries(outputs).map(([name, output]): Dlq => ({ name, url: outputOf(stack, output), aws }));
  const deployment = await ledger.recall<Deployment>('deployment');
  const elsewhere = forwarded(deployment, stack.region).map(async (region): Promise<Dlq | Unseen> => {
    const name = `forwarder ${region}`;
    try {
      const there = aws.in(region);
      const queue = (await partsOf(forwarderName(stack.name), there)).find(({ logicalId }) => logicalId === 'TargetDlq');
      if (!queue) throw new UsageError(`stack ${forwarderName(stack.name)} in ${region} has no TargetDlq: it was not deployed by this project`, 2);
      return { name, url: queue.id, aws: there };
    } catch (cause) {
      return { name, cause };
    }
  });
  return [...home, ...(await Promise.all(elsewhere))];
}

export const countOf = ({ url, aws }: Dlq): Promise<number> => depthOf(url, aws);
