/** What an operator and the clock do for the bot: dead letters are sent back, the heartbeat is stopped and started. */
import { GetScheduleCommand, ListSchedulesCommand, UpdateScheduleCommand } from '@aws-sdk/client-scheduler';
import { DeleteMessageCommand, paginateListQueues, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import type { Clients } from '../../cli/local-stack/clients.ts';

export interface Chores {
  /** Sends every dead letter back into the queue it came from; returns how many there were. */
  redrive(onMoved: (body: string) => void): Promise<number>;
  setHeartbeat(on: boolean): Promise<void>;
}

export async function choresOf(clients: Pick<Clients, 'sqs' | 'scheduler'>): Promise<Chores> {
  const urls = async (): Promise<{ readonly dlq: string; readonly queue: string }[]> => {
    const found: string[] = [];
    for await (const { QueueUrls = [] } of paginateListQueues({ client: clients.sqs }, { QueueNamePrefix: 'phidelity-dev-' })) found.push(...QueueUrls);
    return found
      .filter((url) => /dlq/i.test(url.split('/').at(-1)!))
      .flatMap((dlq) => {
        const kind = /-([a-z]+)dlq/i.exec(dlq)?.[1]?.toLowerCase();
        const queue = found.find((url) => url !== dlq && !/dlq/i.test(url) && url.split('/').at(-1)!.toLowerCase().startsWith(`phidelity-dev-${kind}queue`));
        return queue ? [{ dlq, queue }] : [];
      });
  };

  const redrive = async (onMoved: (body: string) => void): Promise<number> => {
    let moved = 0;
    for (const { dlq, queue } of dlqs) {
      for (;;) {
        const { Messages = [] } = await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl: dlq, MaxNumberOfMessages: 10 }));
        if (Messages.length === 0) break;
        for (const { Body, ReceiptHandle } of Messages) {
          await clients.sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: Body }));
          await clients.sqs.send(new DeleteMessageCommand({ QueueUrl: dlq, ReceiptHandle }));
          onMoved(Body!);
          moved += 1;
        }
      }
    }
    return moved;
  };
  const dlqs = await urls();
  if (dlqs.length === 0) throw new Error('the stack has no dead-letter queue');

  const { Schedules = [] } = await clients.scheduler.send(new ListSchedulesCommand({}));
  const setHeartbeat = async (on: boolean) => {
    for (const { GroupName, Name } of Schedules) {
      const { Target, ScheduleExpression, FlexibleTimeWindow } = await clients.scheduler.send(new GetScheduleCommand({ GroupName, Name }));
      const State = on ? 'ENABLED' : 'DISABLED';
      await clients.scheduler.send(new UpdateScheduleCommand({ GroupName, Name, Target, ScheduleExpression, FlexibleTimeWindow, State }));
    }
  };

  return { redrive, setHeartbeat };
}
