/** An encrypted copy of an image, made and found again by the finding's id in its tags. */
import { CopyImageCommand, CreateTagsCommand, DeleteTagsCommand, DescribeImagesCommand, EC2Client, type Image } from '@aws-sdk/client-ec2';
import { TerminalError } from '../../engine/errors.ts';
import { type Again, type Aws, type Change, leafOf, orUndefined, type ResourceRef, required, type Task } from '../define.ts';
import { copiedTags, dayAfter, type Kept, noRoomForTags, onOriginal, type Replaced, tag, tagList, tagsOf } from '../replaced.ts';

export interface ImageState {
  /** Snapshots that the image is started from, and those of them that are not encrypted. */
  readonly snapshots: number;
  readonly plain: readonly string[];
  readonly status: string;
  readonly noRoomForTags?: string;
  readonly kept?: Kept;
}

const snapshotsOf = ({ BlockDeviceMappings = [] }: Image) => BlockDeviceMappings.flatMap(({ Ebs }) => (Ebs?.SnapshotId ? [Ebs] : []));

export const stateOf = (image: Image): ImageState => {
  const snapshots = snapshotsOf(image);
  const full = noRoomForTags(tagsOf(image.Tags));
  return {
    snapshots: snapshots.length,
    plain: snapshots.filter(({ Encrypted }) => !required(Encrypted, 'Encrypted')).map(({ SnapshotId }) => required(SnapshotId, 'SnapshotId')),
    status: required(image.State, 'the state of an image'),
    ...(full && { noRoomForTags: full }),
  };
};

// A deregistered image is first left out of the answer and later an error (API_DescribeImages); a disabled one is left out unless asked for.
export async function imageAt(aws: Aws, id: string): Promise<Image | undefined> {
  const found = aws.client(EC2Client).send(new DescribeImagesCommand({ ImageIds: [id], Owners: ['self'], IncludeDisabled: true }));
  const answer = await orUndefined(found, 'InvalidAMIID.NotFound', 'InvalidAMIID.Unavailable');
  return answer && required(answer.Images, 'Images')[0];
}

/** AWS tells what an image was copied from; nobody can set it. */
const isCopyOf = (copy: Image, original: Image, { region }: Aws): boolean =>
  copy.SourceImageId === original.ImageId && copy.SourceImageRegion === region && snapshotsOf(copy).length > 0 && stateOf(copy).plain.length === 0;

export async function keptOf(aws: Aws, original: Image): Promise<Kept | undefined> {
  const { [tag.replacedBy]: by, [tag.keepUntil]: until } = tagsOf(original.Tags);
  if (!by) return undefined;
  const copy = by.startsWith('ami-') ? await imageAt(aws, by) : undefined;
  const told = tagsOf(copy?.Tags);
  const stands = copy?.State === 'available' && isCopyOf(copy, original, aws) && told[tag.finding] && told[tag.replaces] === original.ImageId;
  return { by, ...(until && { until }), ...(stands && { made: new Date(required(copy.CreationDate, 'CreationDate')).toISOString() }) };
}

async function copyFor(aws: Aws, id: string, findingId: string): Promise<Image | undefined> {
  const Filters = [
    { Name: `tag:${tag.finding}`, Values: [findingId] },
    { Name: `tag:${tag.replaces}`, Values: [id] },
  ];
  const { Images } = await aws.client(EC2Client).send(new DescribeImagesCommand({ Owners: ['self'], Filters }));
  return required(Images, 'Images')[0];
}

export async function copyEncrypted(resource: ResourceRef, { after }: Change<Replaced>, aws: Aws, { findingId }: Task): Promise<Again | void> {
  const ec2 = aws.client(EC2Client);
  const id = leafOf(resource);
  const how = required(after.how, 'how the image is to be copied');
  const original = await imageAt(aws, id);
  if (!original) return;
  if (original.State === 'pending') return { again: 60, note: `${id} is being made.` };
  const copy = await copyFor(aws, id, findingId);
  if (!copy) {
    const marks = { [tag.finding]: findingId, [tag.replaces]: id };
    await ec2.send(
      new CopyImageCommand({
        SourceImageId: id,
        SourceRegion: aws.region,
        // At most 128 characters, and no other image of the account may have it.
        Name: `${required(original.Name, 'Name').slice(0, 85)} encrypted ${findingId}`,
        ...(original.Description && { Description: original.Description }),
        Encrypted: true,
        ...(how.kmsKeyId && { KmsKeyId: how.kmsKeyId }),
        ClientToken: findingId,
        TagSpecifications: [
          { ResourceType: 'image', Tags: tagList({ ...copiedTags(tagsOf(original.Tags)), ...marks }) },
          { ResourceType: 'snapshot', Tags: tagList(marks) },
        ],
      }),
    );
    return { again: 60, note: 'The encrypted copy is being made.' };
  }
  const copyId = required(copy.ImageId, 'ImageId');
  if (copy.State === 'pending') return { again: 60, note: `The encrypted copy ${copyId} is being made.` };
  if (copy.State !== 'available') {
    throw new TerminalError(`the copy ${copyId} is ${copy.State}: see whether the key can be used by EBS and by the bot's role`);
  }
  if (!isCopyOf(copy, original, aws)) throw new TerminalError(`${copyId} is no encrypted copy of ${id}: deregister it, and the fix can be made again`);
  if (tagsOf(copy.Tags)[tag.undone]) await ec2.send(new DeleteTagsCommand({ Resources: [copyId], Tags: [{ Key: tag.undone }] }));
  if (tagsOf(original.Tags)[tag.keepUntil]) return;
  const until = dayAfter(required(copy.CreationDate, 'CreationDate'), how.keepDays);
  await ec2.send(new CreateTagsCommand({ Resources: [id], Tags: tagList({ [tag.replacedBy]: copyId, [tag.keepUntil]: until }) }));
}

/** The copy stays, for a person to deregister. */
export async function forgetCopy(resource: ResourceRef, _change: Change<Replaced>, aws: Aws, { findingId }: Task): Promise<void> {
  const ec2 = aws.client(EC2Client);
  const id = leafOf(resource);
  const tags = tagsOf((await imageAt(aws, id))?.Tags);
  const own = onOriginal.filter((key) => tags[key] !== undefined);
  if (own.length > 0) await ec2.send(new DeleteTagsCommand({ Resources: [id], Tags: own.map((Key) => ({ Key })) }));
  const copy = await copyFor(aws, id, findingId);
  if (copy?.ImageId) await ec2.send(new CreateTagsCommand({ Resources: [copy.ImageId], Tags: tagList({ [tag.undone]: 'true' }) }));
}
