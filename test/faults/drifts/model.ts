/** What a scenario is: a drift made with an administrator's rights on a fresh resource, told as CloudTrail tells it, and read back without the help of the controls. */
import type { Aws } from '../../../engine/ports.ts';

/** A call as CloudTrail records it. */
export interface Told {
  readonly source: string;
  readonly eventName: string;
  readonly detail: Record<string, unknown>;
}

/** One control that the drift breaks. */
export interface Broken {
  readonly control: string;
  /** The resource's ARN. */
  readonly id: string;
  readonly region: string;
  /** Whether it is right, as last read. */
  right(live: unknown): boolean;
  /** What a write sets for this control, where one write carries the settings of several: two that differ are two effects. */
  effect?(body: string): unknown;
}

export interface Drift {
  readonly broken: readonly Broken[];
  readonly told: Told;
  /** In every write of the bot to this resource. */
  readonly marks: readonly string[];
  /** Makes it drift once more. */
  again(): Promise<void>;
  /** Of what there is one of: makes it right, so that the next schedule finds no open finding. */
  repair?(): Promise<void>;
  read(): Promise<unknown>;
}

export interface Scenario {
  readonly name: string;
  readonly controls: readonly string[];
  /** The bot may mend it; otherwise the policy has it page. */
  readonly fixes: boolean;
  /** There is one of it in the account: two schedules at a time must not have the same. */
  readonly alone?: true;
  make(admin: Aws, name: string): Promise<Drift>;
}

export const plain = (value: unknown): string => JSON.stringify(value);
export const statementsOf = (live: unknown) => (live as { Statement: readonly Record<string, unknown>[] }).Statement;
export const refusesHttp = ({ Effect, Condition }: Record<string, unknown>) => Effect === 'Deny' && plain(Condition ?? {}).includes('aws:SecureTransport');
export const letsAllIn = ({ Effect, Principal, Condition }: Record<string, unknown>) => Effect === 'Allow' && Principal === '*' && Condition === undefined;
