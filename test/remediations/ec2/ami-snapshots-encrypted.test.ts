import type { Image } from '@aws-sdk/client-ec2';
import { expect, test } from '@jest/globals';
import { TerminalError } from '../../../engine/errors.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import control from '../../../remediations/ec2/ami-snapshots-encrypted.ts';
import { accountId, region, task, testControl } from '../../support/control-tester.ts';
import { type FakeImages, fakeImages } from '../../support/fakes/images.ts';

let images: FakeImages;
const fake = () => {
  images = fakeImages();
  return images;
};

const image =
  (encrypted: readonly boolean[], parts: Partial<Image> = {}) =>
  async () =>
    images.add(encrypted, parts);

const tags = (members: Record<string, string>) => Object.entries(members).map(([Key, Value]) => ({ Key, Value }));
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** What a fix leaves, or somebody who forges it: each part can be another. */
const replaced =
  ({ until = inDays(20), of = 'it', elsewhere = false, encrypted = [true, true], finding = 'f-1', replaces = true, state = 'available' as const } = {}) =>
  async () => {
    const id = images.add([false, true], { Tags: tags({ team: 'records' }) });
    const by =
      of === 'nothing'
        ? 'ami-0123456789abcdef0'
        : images.add(encrypted, {
            State: state,
            ...(of !== 'itself' && { SourceImageId: of === 'it' ? id : 'ami-1', SourceImageRegion: elsewhere ? 'eu-west-1' : region }),
            Tags: tags({ ...(finding && { 'phidelity:finding': finding }), ...(replaces && { 'phidelity:replaces': id }) }),
          });
    images.all()[0]!.Tags!.push(...tags({ 'phidelity:replaced-by': by, 'phidelity:keep-until': until }));
    return id;
  };

const undone = async () => {
  const id = images.add([false], {});
  const marks = tags({ 'phidelity:finding': task.findingId, 'phidelity:replaces': id, 'phidelity:undone': 'true' });
  images.add([true], { SourceImageId: id, SourceImageRegion: region, Tags: marks });
  return id;
};

const ec2 = (requestParameters: unknown, responseElements: unknown = null) => ({ eventSource: 'ec2.amazonaws.com', requestParameters, responseElements });
const tagging = (id: string, key: string) => ec2({ resourcesSet: { items: [{ resourceId: id }] }, tagSet: { items: [{ key, value: 'x' }] } });
const forged = { annotation: 'unencrypted snapshots', reason: 'remove phidelity:replaced-by' };

testControl(control, {
  fake,
  compliant: {
    'every snapshot is encrypted': image([true, true]),
    'replaced, and kept a while': { given: replaced(), annotation: /^It is replaced by the encrypted ami-\w+ and kept until \S+\.$/ },
  },
  notApplicable: {
    'no snapshot: instance store': { given: image([]), annotation: 'no EBS snapshot' },
    'no snapshot yet': { given: image([], { State: 'pending' }), annotation: 'being made' },
  },
  remediated: {
    'one of two is not encrypted': {
      given: image([true, false], { Tags: tags({ Name: 'clinic', 'aws:cloudformation:stack-name': 'x' }) }),
      annotation: /unencrypted snapshots: snap-\w+\.$/,
      change: { action: 'ec2:CopyImage', before: { replaced: false }, after: { replaced: true, how: { keepDays: 30, kmsKeyId: '' } } },
      async then(_admin, id) {
        expect(images.all()).toHaveLength(2);
        const [original, copy] = images.all();
        expect(copy).toMatchObject({ State: 'available', SourceImageId: id.split('/')[1], Name: `clinic-0 encrypted ${task.findingId}` });
        expect(copy!.BlockDeviceMappings!.map(({ Ebs }) => Ebs!.Encrypted)).toEqual([true, true]);
        expect(copy!.Tags).toEqual(tags({ Name: 'clinic', 'phidelity:finding': task.findingId, 'phidelity:replaces': original!.ImageId! }));
      },
    },
    'still being made, with the longest of names': {
      given: image([false], { Name: 'n'.repeat(128) }),
      params: { keepDays: 7 },
      async then() {
        expect(images.all()[1]!.Name!.length).toBeLessThanOrEqual(128);
        expect(images.all()[0]!.Tags).toContainEqual({ Key: 'phidelity:keep-until', Value: inDays(7) });
      },
    },
    'an undo has left a copy: it is the copy again': {
      given: undone,
      async then() {
        expect(images.all()).toHaveLength(2);
        expect(images.all()[1]!.Tags!.map(({ Key }) => Key)).not.toContain('phidelity:undone');
      },
    },
  },
  blocked: {
    disabled: { given: image([false], { State: 'disabled' }), reason: 'The image is disabled' },
    'no room for tags': {
      given: image([false], { Tags: tags(Object.fromEntries(Array.from({ length: 48 }, (_, nth) => [`k${nth}`, '']))) }),
      reason: 'no room',
    },
    'replaced, past the date': {
      given: replaced({ until: inDays(-1) }),
      annotation: /was replaced by .* kept until .*: delete it\.$/,
      reason: 'delete it if that is so',
    },
    'replaced, past the policy’s days whatever the tag says': {
      given: replaced({ until: '2099-01-01' }),
      at: new Date(Date.now() + 31 * 86_400_000),
      annotation: 'delete it',
      reason: 'delete it if that is so',
    },
    'tagged as replaced by an image that is not there': { given: replaced({ of: 'nothing' }), ...forged },
    'tagged as replaced by an encrypted image made of another': { given: replaced({ of: 'another' }), ...forged },
    'tagged as replaced by an encrypted image that is no copy': { given: replaced({ of: 'itself' }), ...forged },
    'tagged as replaced by a copy from another region': { given: replaced({ elsewhere: true }), ...forged },
    'tagged as replaced by a copy with a snapshot that is not encrypted': { given: replaced({ encrypted: [true, false] }), ...forged },
    'tagged as replaced by a copy without snapshots': { given: replaced({ encrypted: [] }), ...forged },
    'replaced by a copy that no fix has made': { given: replaced({ finding: '' }), ...forged },
    'replaced by a copy that does not say so': { given: replaced({ replaces: false }), ...forged },
    'replaced, with a date that is none': { given: replaced({ until: 'for ever' }), ...forged },
  },
  gone: 'ami-0123456789abcdef0',
  events: {
    CreateImage: { detail: ec2({ instanceId: 'i-1', name: 'clinic' }, { imageId: 'ami-1' }), ids: ['ami-1'] },
    RegisterImage: { detail: ec2({ name: 'clinic' }, { imageId: 'ami-1' }), ids: ['ami-1'] },
    CopyImage: { detail: ec2({ sourceImageId: 'ami-1', sourceRegion: 'us-east-1', encrypted: true }, { imageId: 'ami-2' }), ids: ['ami-2'] },
    DeregisterImage: { detail: ec2({ imageId: 'ami-1' }), ids: ['ami-1'] },
    RestoreImageFromRecycleBin: { detail: ec2({ RestoreImageFromRecycleBinRequest: { ImageId: 'ami-1' } }), ids: ['ami-1'] },
    ImportImage: { detail: ec2({ description: 'clinic' }, { importTaskId: 'import-ami-1' }), sweep: true },
    CreateRestoreImageTask: { detail: ec2({ CreateRestoreImageTaskRequest: { Bucket: 'b', ObjectKey: 'o' } }), sweep: true },
    'CreateImage with null response': { detail: ec2({ instanceId: 'i-1' }), sweep: true },
    'CreateTags by a fix': { detail: tagging('ami-1', 'phidelity:keep-until'), ids: ['ami-1'] },
    'CreateTags of others': { detail: tagging('ami-1', 'Name'), ids: [] },
    DeleteTags: { detail: tagging('ami-1', 'phidelity:replaced-by'), ids: ['ami-1'] },
  },
});

test.each<[string, Partial<Image>, RegExp]>([
  ['that failed', { State: 'failed' }, /is failed: see whether the key/],
  ['of something else', { State: 'available', SourceImageId: 'ami-1' }, /is no encrypted copy of/],
])('a copy %s is an error in words, and the original is left alone', async (_name, parts, words) => {
  images = fakeImages();
  try {
    const id = images.add([false]);
    images.add([true], {
      Tags: tags({ 'phidelity:finding': task.findingId, 'phidelity:replaces': id }),
      SourceImageId: id,
      SourceImageRegion: region,
      ...parts,
    });
    const aws = awsAccess({ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })({ accountId, region }, { share: false });
    const resource = { accountId, region, type: control.resourceType, id: `arn:aws:ec2:${region}::image/${id}` };
    const plan = control.plan!((await control.inspect(resource, aws))!, control.params.parse({}));
    if (plan.kind === 'blocked') throw new Error(plan.reason);
    const error = await control.remediate!(resource, plan, aws, task).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TerminalError);
    expect((error as Error).message).toMatch(words);
    expect(images.all()[0]!.Tags).toEqual([]);
  } finally {
    images.restore();
  }
});
