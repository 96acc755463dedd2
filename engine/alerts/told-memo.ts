import { createHash } from 'node:crypto';
import type { MemoKey } from '../ports.ts';
import type { Alert } from './alert.ts';

/** Where it is kept what a channel was told last of a finding, or that it was told an alert without one. */
export const toldMemo = (channel: string, { id, finding }: Alert): MemoKey =>
  `told|${channel}|${finding?.id ?? createHash('sha256').update(id).digest('base64url')}`;
