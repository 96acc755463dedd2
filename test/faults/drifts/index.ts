/** Every scenario. Schedules name them by their number: new ones go to the end. */

import { passwords } from './account.ts';
import { publicDatabaseSnapshot } from './databases.ts';
import { clearVolume, defaultEncryption, publicVolumeSnapshot, worldSsh } from './ec2.ts';
import { dyingKey, keyRotation } from './keys.ts';
import { publicTopic, queueByHttp, queueInClear, topicInClear } from './messages.ts';
import type { Scenario } from './model.ts';
import { accessBlock, bucketPolicy, versioning } from './s3.ts';
import { trail } from './trails.ts';

export type { Broken, Drift, Scenario } from './model.ts';

export const scenarios: readonly Scenario[] = [
  accessBlock,
  versioning,
  bucketPolicy,
  queueInClear,
  queueByHttp,
  topicInClear,
  publicTopic,
  worldSsh,
  publicVolumeSnapshot,
  clearVolume,
  defaultEncryption,
  keyRotation,
  dyingKey,
  trail('stopped trail', 'cloudtrail-logging-on', 'logging'),
  trail('trail without digests', 'cloudtrail-log-validation', 'validation'),
  publicDatabaseSnapshot,
  passwords,
];
