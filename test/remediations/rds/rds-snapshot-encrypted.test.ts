import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  AddTagsToResourceCommand,
  CopyDBSnapshotCommand,
  CreateDBInstanceCommand,
  CreateDBSnapshotCommand,
  type DBSnapshot,
  DescribeDBSnapshotsCommand,
  RDSClient,
  type RDSClientResolvedConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from '@aws-sdk/client-rds';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AwsStub, mockClient } from 'aws-sdk-client-mock';
import { TerminalError } from '../../../engine/errors.ts';
import type { Aws } from '../../../engine/ports.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import control from '../../../remediations/rds/rds-snapshot-encrypted.ts';
import { type Arrange, accountId, region, task, testControl } from '../../support/control-tester.ts';

const database = {
  DBInstanceIdentifier: 'orders',
  DBInstanceClass: 'db.t4g.small',
  Engine: 'postgres',
  AllocatedStorage: 20,
  MasterUsername: 'keeper',
  MasterUserPassword: 'only-in-a-test',
};
const name = 'before-migration';
const copyName = `${name}-encrypted-${task.findingId}`;
const own = [{ Key: 'team', Value: 'records' }];

const made = async (admin: Aws, DBSnapshotIdentifier = name, DBInstanceIdentifier = 'orders'): Promise<string> => {
  const rds = admin.client(RDSClient);
  await rds.send(new CreateDBInstanceCommand({ ...database, DBInstanceIdentifier }));
  return (await rds.send(new CreateDBSnapshotCommand({ DBInstanceIdentifier, DBSnapshotIdentifier, Tags: own }))).DBSnapshot!.DBSnapshotArn!;
};
const snapshot: Arrange = (admin) => made(admin);

const automated: Arrange = async (admin) => {
  const rds = admin.client(RDSClient);
  await rds.send(new CreateDBInstanceCommand({ ...database, BackupRetentionPeriod: 7 }));
  return (await rds.send(new DescribeDBSnapshotsCommand({ SnapshotType: 'automated' }))).DBSnapshots![0]!.DBSnapshotArn!;
};

const snapshotAt = async (admin: Aws, DBSnapshotIdentifier: string): Promise<DBSnapshot> =>
  (await admin.client(RDSClient).send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier }))).DBSnapshots![0]!;

const tag = (admin: Aws, ResourceName: string, tags: Record<string, string>) =>
  admin.client(RDSClient).send(new AddTagsToResourceCommand({ ResourceName, Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }));

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** What a fix leaves, or somebody who forges it: each part can be another. */
const replaced =
  ({ until = inDays(20), of = 'it', encrypted = true, finding = 'f-1', undone = false } = {}): Arrange =>
  async (admin) => {
    const id = await made(admin);
    const rds = admin.client(RDSClient);
    if (of === 'another') await made(admin, 'another', 'billing');
    if (of !== 'nothing') {
      const copy = new CopyDBSnapshotCommand({
        SourceDBSnapshotIdentifier: of === 'it' ? name : 'another',
        TargetDBSnapshotIdentifier: copyName,
        ...(encrypted && { KmsKeyId: 'alias/aws/rds' }),
      });
      const arn = (await rds.send(copy)).DBSnapshot!.DBSnapshotArn!;
      await tag(admin, arn, { ...(finding && { 'phidelity:finding': finding }), 'phidelity:replaces': name, ...(undone && { 'phidelity:undone': 'true' }) });
    }
    if (!undone) await tag(admin, id, { 'phidelity:replaced-by': copyName, 'phidelity:keep-until': until });
    return id;
  };

const called = (requestParameters: unknown, responseElements: unknown = null) => ({ eventSource: 'rds.amazonaws.com', requestParameters, responseElements });
const arn = `arn:aws:rds:${region}:${accountId}:snapshot:${name}`;

testControl(control, {
  compliant: {
    encrypted: async (admin) => {
      await made(admin);
      const copy = new CopyDBSnapshotCommand({ SourceDBSnapshotIdentifier: name, TargetDBSnapshotIdentifier: 'copy', KmsKeyId: 'alias/aws/rds' });
      return (await admin.client(RDSClient).send(copy)).DBSnapshot!.DBSnapshotArn!;
    },
    'replaced, and kept a while': { given: replaced(), annotation: /^It is replaced by the encrypted before-migration-encrypted-\S+ and kept until \S+\.$/ },
  },
  notApplicable: { 'an automated snapshot': { given: automated, annotation: 'deletes it by itself' } },
  remediated: {
    'not encrypted': {
      given: snapshot,
      annotation: 'not encrypted',
      change: {
        action: 'rds:CopyDBSnapshot',
        before: { replaced: false },
        after: { replaced: true, how: { keepDays: 30, kmsKeyId: 'alias/aws/rds' } },
      },
      async then(admin) {
        const copy = await snapshotAt(admin, copyName);
        expect(copy).toMatchObject({ Encrypted: true, Status: 'available' });
        expect(copy.TagList).toEqual([...own, { Key: 'phidelity:finding', Value: task.findingId }, { Key: 'phidelity:replaces', Value: name }]);
        const { DBSnapshots } = await admin.client(RDSClient).send(new DescribeDBSnapshotsCommand({ SnapshotType: 'manual' }));
        expect(DBSnapshots).toHaveLength(2);
      },
    },
    'with a key of its own': {
      given: async (admin) => {
        const kms = admin.client(KMSClient);
        const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
        await kms.send(new CreateAliasCommand({ AliasName: 'alias/records', TargetKeyId: KeyMetadata!.KeyId }));
        return made(admin);
      },
      params: { kmsKeyId: 'alias/records', keepDays: 7 },
      async then(admin) {
        expect((await snapshotAt(admin, name)).TagList).toContainEqual({ Key: 'phidelity:keep-until', Value: inDays(7) });
      },
    },
    'an undo has left a copy: it is the copy again': {
      given: replaced({ undone: true }),
      async then(admin) {
        expect((await snapshotAt(admin, copyName)).TagList!.map(({ Key }) => Key)).not.toContain('phidelity:undone');
      },
    },
  },
  blocked: {
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
    'tagged as replaced by a snapshot that is not there': { given: replaced({ of: 'nothing' }), annotation: 'not encrypted', reason: 'remove' },
    'tagged as replaced by an encrypted snapshot of another instance': { given: replaced({ of: 'another' }), annotation: 'not encrypted', reason: 'remove' },
    'tagged as replaced by a copy that is not encrypted': { given: replaced({ encrypted: false }), annotation: 'not encrypted', reason: 'remove' },
    'replaced by a copy that no fix has made': { given: replaced({ finding: '' }), annotation: 'not encrypted', reason: 'remove' },
  },
  gone: 'no-such-snapshot',
  events: {
    CreateDBSnapshot: { detail: called({ dBSnapshotIdentifier: 'Before-Migration', dBInstanceIdentifier: 'orders' }, { dBSnapshotArn: arn }), ids: [name] },
    'CopyDBSnapshot names the copy': {
      detail: called({ sourceDBSnapshotIdentifier: name, targetDBSnapshotIdentifier: copyName, kmsKeyId: 'alias/aws/rds' }),
      ids: [copyName],
    },
    DeleteDBSnapshot: { detail: called({ dBSnapshotIdentifier: name }, { dBSnapshotIdentifier: name }), ids: [name] },
    'AddTagsToResource by a fix': { detail: called({ resourceName: arn, tags: [{ key: 'phidelity:keep-until', value: '2026-12-01' }] }), ids: [name] },
    'AddTagsToResource of others': { detail: called({ resourceName: arn, tags: [{ key: 'team', value: 'x' }] }), ids: [] },
    'AddTagsToResource of an instance': {
      detail: called({ resourceName: `arn:aws:rds:${region}:${accountId}:db:orders`, tags: [{ key: 'phidelity:undone', value: 'x' }] }),
      ids: [],
    },
    'RemoveTagsFromResource by an undo': { detail: called({ resourceName: arn, tagKeys: ['phidelity:replaced-by', 'phidelity:keep-until'] }), ids: [name] },
    'RemoveTagsFromResource with null request parameters': { detail: called(null), ids: [] },
  },
});

// moto makes no snapshots of these kinds and states.
test.each([
  [{ kind: 'awsbackup', status: 'available' }, 'the service that made it keeps it'],
  [{ kind: 'manual', status: 'failed' }, 'The snapshot is failed'],
  [{ kind: 'manual', status: 'available', noRoomForTags: 'It has no room.' }, 'It has no room'],
])('%j is blocked', (state, reason) => {
  expect(control.plan!({ encrypted: false, ...state }, control.params.parse({}))).toEqual({ kind: 'blocked', reason: expect.stringMatching(reason) });
});

// moto's copies are there at once; those of AWS take minutes to hours, and can fail.
describe('waiting for the copy, on a shaped fake', () => {
  let rds: AwsStub<ServiceInputTypes, ServiceOutputTypes, RDSClientResolvedConfig>;
  afterEach(() => rds.restore());
  const now = new Date('2026-11-01T03:00:00Z');
  const original: DBSnapshot = {
    DBSnapshotIdentifier: name,
    DBSnapshotArn: arn,
    Encrypted: false,
    SnapshotType: 'manual',
    Status: 'available',
    DbiResourceId: 'db-1',
    OriginalSnapshotCreateTime: now,
    TagList: own,
  };
  let copy: DBSnapshot | undefined;
  const written: string[] = [];
  beforeEach(() => {
    rds = mockClient(RDSClient);
    copy = undefined;
    written.length = 0;
    rds.on(DescribeDBSnapshotsCommand).callsFake(async ({ DBSnapshotIdentifier }) => {
      const found = DBSnapshotIdentifier === name ? original : copy;
      if (!found) throw Object.assign(new Error('x'), { name: 'DBSnapshotNotFound' });
      return { DBSnapshots: [found] };
    });
    rds.on(CopyDBSnapshotCommand).callsFake(async ({ Tags }) => {
      copy = { ...original, DBSnapshotIdentifier: copyName, Encrypted: true, Status: 'creating', TagList: Tags, SnapshotCreateTime: now };
      written.push('copy');
      return {};
    });
    rds.on(AddTagsToResourceCommand).callsFake(async ({ ResourceName }) => {
      written.push(`tags on ${ResourceName}`);
      return {};
    });
  });

  const aws = awsAccess({ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })({ accountId, region }, { share: false });
  const resource = { accountId, region, type: control.resourceType, id: arn };
  const plan = {
    kind: 'change',
    action: 'rds:CopyDBSnapshot',
    summary: 'x',
    before: { replaced: false },
    after: { replaced: true, how: { keepDays: 30, kmsKeyId: 'alias/aws/rds' } },
  } as const;
  const fix = () => control.remediate!(resource, plan, aws, task);

  test('one copy, waited for, and the original is tagged last', async () => {
    expect(await fix()).toEqual({ again: 60, note: expect.any(String) });
    expect(await fix()).toEqual({ again: 60, note: expect.stringMatching('is being made') });
    expect(await control.undo!(resource, plan, aws, task)).toEqual({ again: 60, note: expect.any(String) });
    expect(written).toEqual(['copy']);
    copy!.Status = 'available';
    expect(await fix()).toBeUndefined();
    expect(written).toEqual(['copy', `tags on ${arn}`]);
  });

  test.each<[string, () => void, RegExp]>([
    ['a copy that failed', () => Object.assign(copy!, { Status: 'failed' }), /is failed/],
    ['another snapshot of that name', () => Object.assign(copy!, { Status: 'available', OriginalSnapshotCreateTime: new Date(0) }), /is no encrypted copy of/],
  ])('%s is an error in words, and the original is left alone', async (_name, meddle, words) => {
    await fix();
    meddle();
    const error = await fix().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TerminalError);
    expect((error as Error).message).toMatch(words);
    expect(written).toEqual(['copy']);
  });

  test('a key that RDS cannot use for the bot is named', async () => {
    rds.on(CopyDBSnapshotCommand).rejects(Object.assign(new Error('x'), { name: 'KMSKeyNotAccessibleFault' }));
    await expect(fix()).rejects.toThrow('RDS cannot use the key alias/aws/rds for the bot');
  });
});
