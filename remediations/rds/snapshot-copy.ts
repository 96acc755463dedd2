/** An encrypted copy of a DB snapshot, made and found again by a name that the finding gives it. */
import {
  AddTagsToResourceCommand,
  CopyDBSnapshotCommand,
  type DBSnapshot,
  DescribeDBSnapshotsCommand,
  RDSClient,
  RemoveTagsFromResourceCommand,
} from '@aws-sdk/client-rds';
import { TerminalError } from '../../engine/errors.ts';
import { type Again, type Aws, type Change, orUndefined, type ResourceRef, required, type Task } from '../define.ts';
import { copiedTags, dayAfter, type Kept, onOriginal, type Replaced, refusedAs, tag, tagList, tagsOf } from '../replaced.ts';
import { identifierOf } from './rds.ts';

/** Undefined = there is no such snapshot. */
export async function snapshotAt(aws: Aws, id: string): Promise<DBSnapshot | undefined> {
  const found = aws.client(RDSClient).send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id }));
  return (await orUndefined(found, 'DBSnapshotNotFound', 'DBSnapshotNotFoundFault'))?.DBSnapshots?.[0];
}

/** A copy keeps the instance and the time of the snapshot that it goes back to, which nobody can set. */
const isCopyOf = (copy: DBSnapshot, original: DBSnapshot): boolean =>
  required(copy.Encrypted, 'Encrypted') &&
  copy.DbiResourceId !== undefined &&
  copy.DbiResourceId === original.DbiResourceId &&
  copy.OriginalSnapshotCreateTime !== undefined &&
  copy.OriginalSnapshotCreateTime.getTime() === original.OriginalSnapshotCreateTime?.getTime();

export async function keptOf(aws: Aws, original: DBSnapshot): Promise<Kept | undefined> {
  const { [tag.replacedBy]: by, [tag.keepUntil]: until } = tagsOf(original.TagList);
  if (!by) return undefined;
  const copy = await snapshotAt(aws, by);
  const told = copy && tagsOf(copy.TagList);
  const stands = copy?.Status === 'available' && isCopyOf(copy, original) && told?.[tag.finding] && told[tag.replaces] === original.DBSnapshotIdentifier;
  return { by, ...(until && { until }), ...(stands && { made: required(copy.SnapshotCreateTime, 'SnapshotCreateTime').toISOString() }) };
}

/** The same name at every call: what is there is not made twice. */
const copyName = (id: string, findingId: string) => `${id.slice(0, 200).replace(/-+$/, '')}-encrypted-${findingId}`;

export async function copyEncrypted(resource: ResourceRef, { after }: Change<Replaced>, aws: Aws, { findingId }: Task): Promise<Again | void> {
  const rds = aws.client(RDSClient);
  const id = identifierOf(resource);
  const how = required(after.how, 'how the snapshot is to be copied');
  const original = await snapshotAt(aws, id);
  if (!original) return;
  if (original.Status === 'creating') return { again: 60, note: `${id} is being made.` };
  const name = copyName(id, findingId);
  const copy = await snapshotAt(aws, name);
  if (!copy) {
    const Tags = tagList({ ...copiedTags(tagsOf(original.TagList)), [tag.finding]: findingId, [tag.replaces]: id });
    const copying = new CopyDBSnapshotCommand({ SourceDBSnapshotIdentifier: id, TargetDBSnapshotIdentifier: name, KmsKeyId: how.kmsKeyId, Tags });
    await refusedAs(`RDS cannot use the key ${how.kmsKeyId} for the bot`, ['KMSKeyNotAccessibleFault'], rds.send(copying));
    return { again: 60, note: `The encrypted copy ${name} is being made.` };
  }
  if (copy.Status === 'creating' || copy.Status === 'copying')
    return { again: 60, note: `The encrypted copy ${name} is being made: ${copy.PercentProgress ?? 0} %.` };
  if (copy.Status !== 'available') throw new TerminalError(`the copy ${name} is ${copy.Status}`);
  if (!isCopyOf(copy, original)) throw new TerminalError(`${name} is no encrypted copy of ${id}: delete it, and the fix can be made again`);
  if (tagsOf(copy.TagList)[tag.undone]) {
    await rds.send(new RemoveTagsFromResourceCommand({ ResourceName: copy.DBSnapshotArn, TagKeys: [tag.undone] }));
  }
  const until = dayAfter(required(copy.SnapshotCreateTime, 'SnapshotCreateTime'), how.keepDays);
  if (tagsOf(original.TagList)[tag.keepUntil]) return;
  await rds.send(new AddTagsToResourceCommand({ ResourceName: resource.id, Tags: tagList({ [tag.replacedBy]: name, [tag.keepUntil]: until }) }));
}

/** The copy stays, for a person to delete. */
export async function forgetCopy(resource: ResourceRef, _change: Change<Replaced>, aws: Aws, { findingId }: Task): Promise<Again | void> {
  const rds = aws.client(RDSClient);
  const id = identifierOf(resource);
  const copy = await snapshotAt(aws, copyName(id, findingId));
  if (copy?.Status === 'creating' || copy?.Status === 'copying') return { again: 60, note: 'The copy is being made, and cannot be tagged before.' };
  const original = await snapshotAt(aws, id);
  const own = onOriginal.filter((key) => tagsOf(original?.TagList)[key] !== undefined);
  if (own.length > 0) await rds.send(new RemoveTagsFromResourceCommand({ ResourceName: resource.id, TagKeys: own }));
  if (copy) await rds.send(new AddTagsToResourceCommand({ ResourceName: copy.DBSnapshotArn, Tags: tagList({ [tag.undone]: 'true' }) }));
}
