/** Images backed by snapshots, of whose encryption moto tells nothing. A copy is pending for two reads, as on AWS for much longer. */
import {
  CopyImageCommand,
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeImagesCommand,
  EC2Client,
  EC2ServiceException,
  type Image,
  type Tag,
} from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';

export interface FakeImages {
  /** Adds an image with one snapshot for each of `encrypted`. @returns its id */
  add(encrypted: readonly boolean[], parts?: Partial<Image>): string;
  all(): readonly Image[];
  restore(): void;
}

export function fakeImages(): FakeImages {
  const images = new Map<string, Image>();
  const pending = new Map<string, number>();
  const tokens = new Map<string, string>();
  const ec2 = mockClient(EC2Client);
  const named = (kind: string) => `${kind}-${String(images.size + 1).padStart(17, '0')}`;

  const add: FakeImages['add'] = (encrypted, parts = {}) => {
    const ImageId = named('ami');
    const BlockDeviceMappings = encrypted.map((Encrypted, nth) => ({
      DeviceName: `/dev/sd${'fgh'[nth]}`,
      Ebs: { SnapshotId: `${named('snap')}${nth}`, Encrypted },
    }));
    images.set(ImageId, {
      ImageId,
      Name: `clinic-${images.size}`,
      State: 'available',
      Tags: [],
      CreationDate: new Date().toISOString(),
      BlockDeviceMappings,
      ...parts,
    });
    return ImageId;
  };
  const retag = (Resources: string[] = [], change: (tags: Tag[]) => Tag[]) => {
    for (const image of Resources.map((id) => images.get(id)!)) image.Tags = change(image.Tags ?? []);
    return {};
  };
  const without =
    (gone: Tag[] = []) =>
    (tags: Tag[]) =>
      tags.filter(({ Key }) => !gone.some((tag) => tag.Key === Key));

  ec2.on(DescribeImagesCommand).callsFake(async ({ ImageIds, Filters = [], NextToken }) => {
    for (const [id, reads] of pending) {
      pending.set(id, reads - 1);
      if (reads === 0) images.get(id)!.State = 'available';
    }
    const missing = ImageIds?.find((id: string) => !images.has(id));
    if (missing) throw new EC2ServiceException({ name: 'InvalidAMIID.NotFound', message: `${missing} does not exist`, $fault: 'client', $metadata: {} });
    const found = [...images.values()].filter(
      ({ ImageId = '', Tags = [] }) =>
        (!ImageIds || ImageIds.includes(ImageId)) &&
        Filters.every(({ Name, Values }: { Name: string; Values: string[] }) =>
          Tags.some(({ Key, Value = '' }) => Name === `tag:${Key}` && Values.includes(Value)),
        ),
    );
    if (ImageIds || Filters.length > 0) return { Images: structuredClone(found) };
    return NextToken
      ? { Images: structuredClone(found.slice(1)) }
      : { Images: structuredClone(found.slice(0, 1)), ...(found.length > 1 && { NextToken: 'second' }) };
  });
  ec2.on(CopyImageCommand).callsFake(async ({ ClientToken, Encrypted, Name, SourceImageId, SourceRegion, TagSpecifications }) => {
    const known = tokens.get(ClientToken);
    if (known) return { ImageId: known };
    if ([...images.values()].some((image) => image.Name === Name)) {
      throw new EC2ServiceException({ name: 'InvalidAMIName.Duplicate', message: `${Name} is in use`, $fault: 'client', $metadata: {} });
    }
    const source = images.get(SourceImageId)!;
    const ImageId = add(
      source.BlockDeviceMappings!.map(({ Ebs }) => Encrypted || Ebs!.Encrypted!),
      { Name, SourceImageId, SourceImageRegion: SourceRegion, State: 'pending', Tags: TagSpecifications[0].Tags },
    );
    pending.set(ImageId, 2);
    tokens.set(ClientToken, ImageId);
    return { ImageId };
  });
  ec2.on(CreateTagsCommand).callsFake(async ({ Resources, Tags = [] }) => retag(Resources, (tags) => [...without(Tags)(tags), ...Tags]));
  ec2.on(DeleteTagsCommand).callsFake(async ({ Resources, Tags }) => retag(Resources, without(Tags)));

  return { add, all: () => [...images.values()], restore: () => ec2.restore() };
}
