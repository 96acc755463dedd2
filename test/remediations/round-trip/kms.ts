/** Keys: rotation on a shaped fake, for moto forgets the period. */
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
  ListResourceTagsCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import fc from 'fast-check';
import { type FakeKms, fakeKms } from '../../support/fakes/kms.ts';
import type { RoundTrip } from '../../support/round-trip.ts';

interface Scheduled {
  readonly days: number;
  readonly disabledBefore: boolean;
  readonly tags: readonly string[];
}

const day = 24 * 60 * 60 * 1000;

const deletion: RoundTrip<Scheduled> = {
  prior: fc.record({ days: fc.integer({ min: 7, max: 30 }), disabledBefore: fc.boolean(), tags: fc.subarray(['team', 'may-delete']) }),
  async arrange(aws, { days, disabledBefore, tags }) {
    const kms = aws.client(KMSClient);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'records', Tags: tags.map((TagKey) => ({ TagKey, TagValue: 'true' })) }));
    const { KeyId, Arn } = KeyMetadata!;
    if (disabledBefore) await kms.send(new DisableKeyCommand({ KeyId }));
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: days }));
    return Arn!;
  },
  async told(aws, KeyId) {
    const kms = aws.client(KMSClient);
    const { KeyState, Enabled, DeletionDate, ...other } = (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata!;
    const { Tags } = await kms.send(new ListResourceTagsCommand({ KeyId }));
    // The clock of a schedule starts anew with each: its length is what comes back.
    return { own: { KeyState, Enabled, days: DeletionDate && Math.ceil((DeletionDate.getTime() - Date.now()) / day) }, other: { ...other, Tags } };
  },
};

interface Rotating {
  /** Days; `null` = off. */
  readonly period: number | null;
  readonly wanted: number;
  readonly multiRegion: boolean;
}

let kms: FakeKms;
const rotation: RoundTrip<Rotating> = {
  prior: fc
    .record({ period: fc.option(fc.integer({ min: 91, max: 2_560 }), { nil: null }), wanted: fc.integer({ min: 90, max: 2_560 }), multiRegion: fc.boolean() })
    .map(({ period, wanted, multiRegion }) => ({ period, wanted: period === null ? wanted : Math.min(wanted, period - 1), multiRegion })),
  fake() {
    kms = fakeKms();
    return kms;
  },
  params: ({ wanted }) => ({ rotationPeriodInDays: wanted }),
  arrange: async (_aws, { period, multiRegion }) =>
    kms.add(multiRegion ? { MultiRegion: true, MultiRegionConfiguration: { MultiRegionKeyType: 'PRIMARY' } } : {}, period ?? undefined),
  async told(aws, KeyId) {
    const { $metadata: _, KeyId: __, ...own } = await aws.client(KMSClient).send(new GetKeyRotationStatusCommand({ KeyId }));
    return { own, other: (await aws.client(KMSClient).send(new DescribeKeyCommand({ KeyId }))).KeyMetadata };
  },
};

export const keys = { 'kms-key-not-scheduled-for-deletion': deletion, 'kms-key-rotation-enabled': rotation };
