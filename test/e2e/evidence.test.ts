/** Evidence of the deployed bot on the emulator, IAM enforced: to the bucket, signed each hour, verified, tampered with, exported. */
import { readFileSync, writeFileSync } from 'node:fs';
import { GetPublicKeyCommand } from '@aws-sdk/client-kms';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { hashOf } from '../../engine/evidence/seal.ts';
import { type Desk, openDesk } from '../cli/run.ts';
import { describeOnMoto } from '../support/moto.ts';
import { roleSession } from './role-session.ts';
import { type Deployed, deployed, open, policyFile } from './world.ts';

describeOnMoto('evidence of the deployed bot (on moto, IAM enforced)', () => {
  let bot: Deployed;
  let desk: Desk;
  let Bucket: string;
  let fixed: string;
  beforeAll(async () => {
    bot = await deployed(policyFile('s3-bucket-public-access-block: fix'), { warm: true });
    desk = openDesk(bot.stack.environment);
    Bucket = bot.stack.report.outputs.EvidenceBucketName!;
    const bucket = await bot.bucket(open);
    await bot.settle(bot.opened(bucket));
    fixed = (await bot.findings()).find(({ resource }) => resource.id.endsWith(bucket))!.id;
  }, 240_000);
  afterAll(async () => {
    desk?.clear();
    await bot?.stack.stop();
  });

  const s3 = () => bot.stack.clients.s3;
  const keys = async (Prefix: string) => (await s3().send(new ListObjectsV2Command({ Bucket, Prefix }))).Contents?.map(({ Key }) => Key!) ?? [];
  const textOf = async (Key: string) => (await s3().send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString();
  const hour = async () => {
    bot.stack.clock.advance(3_601);
    await bot.settle();
  };
  const verify = async (...more: string[]) => {
    const { code, out, err } = await desk.run({ args: ['evidence', 'verify', '--stack', 'phidelity-dev', '--json', ...more] });
    if (code === 2) throw new Error(err);
    return { code, ...JSON.parse(out) };
  };

  test('each entry of a fix is in the bucket, as it is in the table but for its raw part', async () => {
    const entries = await bot.ledger.entries(fixed);
    expect(entries.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['OPENED', 'INTENDED', 'REMEDIATED', 'ALERTED']));
    const stored = (await keys('entries')).filter((key) => key.includes(fixed));
    expect(stored).toEqual(entries.map(({ seq }) => `entries/${fixed}/${String(seq).padStart(9, '0')}.json`));
    for (const [index, key] of stored.entries()) {
      const { raw: _, ...rest } = entries[index]!;
      expect(JSON.parse(await textOf(key))).toEqual(rest);
    }
    expect(hashOf(entries.at(-1)!)).toBe((await bot.ledger.get(fixed))!.chain);
  });

  test('what is there is locked for six years', async () => {
    const [Key] = await keys('entries');
    const { ObjectLockMode, ObjectLockRetainUntilDate } = await s3().send(new HeadObjectCommand({ Bucket, Key }));
    expect(ObjectLockMode).toBe('GOVERNANCE');
    const years = (ObjectLockRetainUntilDate!.getTime() - Date.now()) / (365.25 * 86_400_000);
    expect(Math.round(years)).toBe(6);
    const { VersionId } = (await s3().send(new ListObjectVersionsCommand({ Bucket, Prefix: 'entries' }))).Versions!.find((version) => version.Key === Key)!;
    await expect(s3().send(new DeleteObjectCommand({ Bucket, Key, VersionId }))).rejects.toThrow(/AccessDenied|Access Denied/);
  });

  test('an hour later a digest has signed them, and the evidence is sound; an empty hour is signed too', async () => {
    expect(await verify()).toMatchObject({ code: 0, sound: true, tail: { entries: expect.any(Number) } });
    await hour();
    const first = await verify();
    expect(first).toMatchObject({ code: 0, sound: true, faults: [], tail: { entries: 0 }, lag: 0, key: { from: 'KMS' } });
    await hour();
    const second = await verify('--deep');
    expect(second).toMatchObject({ code: 0, sound: true, digests: { last: first.digests.last + 1 } });
    expect(JSON.parse(await textOf((await keys('digests')).at(-1)!))).toMatchObject({ findings: [], oldest: null });
  });

  test('the schedule that comes twice, and a batch of the stream that comes again, change nothing that is there', async () => {
    const before = await Promise.all((await keys('entries')).map(textOf));
    const invoke = (event: object) => bot.stack.lambda.invoke('phidelity-dev-evidence', event);
    expect(await invoke({ mend: [fixed] })).toMatchObject({ ok: true });
    await Promise.all([invoke({ digest: 'now' }), invoke({ digest: 'now' })]);
    expect(await Promise.all((await keys('entries')).map(textOf))).toEqual(before);
    expect(await verify()).toMatchObject({ sound: true });
  });

  test('the roles cannot take anything away, nor put anything in its place', async () => {
    const [Key] = await keys('entries');
    for (const name of ['detect', 'remediate', 'evidence'] as const) {
      const session = await roleSession(bot.stack, name);
      try {
        await expect(session.send(new DeleteObjectCommand({ Bucket, Key }))).rejects.toThrow(/AccessDenied|Access Denied|not authorized/);
      } finally {
        session.destroy();
      }
    }
  });

  describe('an administrator', () => {
    const undo: (() => Promise<unknown>)[] = [];
    afterEach(async () => {
      for (const work of undo.splice(0)) await work();
    });
    /** Versioning keeps the true one beneath: it is put back on top. */
    const tampers = async (key: string, change: (text: string) => string) => {
      const text = await textOf(key);
      undo.push(() => s3().send(new PutObjectCommand({ Bucket, Key: key, Body: text })));
      await s3().send(new PutObjectCommand({ Bucket, Key: key, Body: change(text) }));
    };
    const deletes = async (key: string) => {
      const text = await textOf(key);
      undo.push(() => s3().send(new PutObjectCommand({ Bucket, Key: key, Body: text })));
      await s3().send(new DeleteObjectCommand({ Bucket, Key: key }));
    };
    const entry = (seq: number) => `entries/${fixed}/${String(seq).padStart(9, '0')}.json`;

    test('who changes a word is found out, by finding and entry', async () => {
      await tampers(entry(2), (text) => text.replace('HIGH', 'LOW'));
      expect(await verify()).toMatchObject({ code: 1, sound: false, faults: [{ kind: 'changed', finding: fixed, seq: 2 }] });
    });
    test('who deletes an entry', async () => {
      await deletes(entry(3));
      expect(await verify()).toMatchObject({ code: 1, faults: [{ kind: 'dropped', finding: fixed, seq: 3 }] });
    });
    test('who deletes a digest', async () => {
      await deletes('digests/000000001.json');
      expect(await verify()).toMatchObject({ code: 1, faults: [{ kind: 'digest-missing', digest: 1 }] });
    });
    test('who deletes the last digest, which only the table knows', async () => {
      const last = (await keys('digests')).at(-1)!;
      await deletes(last);
      expect(await verify()).toMatchObject({ code: 1, faults: [{ kind: 'digest-missing', digest: Number(last.slice(8, 17)) }] });
    });
    test('and nobody, once all is as it was', async () => {
      expect(await verify()).toMatchObject({ code: 0, sound: true });
    });
  });

  test('what never came to the bucket is put there by hand', async () => {
    const last = (await keys('entries')).filter((key) => key.includes(fixed)).at(-1)!;
    const versions = (await s3().send(new ListObjectVersionsCommand({ Bucket, Prefix: 'entries' }))).Versions!.filter(({ Key }) => Key === last);
    for (const { VersionId } of versions) await s3().send(new DeleteObjectCommand({ Bucket, Key: last, VersionId, BypassGovernanceRetention: true }));
    expect(await verify()).toMatchObject({ code: 1, faults: [{ kind: 'cut', finding: fixed }] });
    const { code, out } = await desk.run({ args: ['evidence', 'mend', '--stack', 'phidelity-dev'] });
    expect([code, out]).toEqual([0, 'Entries of 1 findings were put into the bucket, and a digest was signed.\n']);
    expect(await verify()).toMatchObject({ code: 0, sound: true });
  });

  test('an export is verified offline, with the key that the auditor has', async () => {
    const day = bot.stack.clock.now().toISOString().slice(0, 10);
    const file = desk.path('evidence.ndjson');
    const exported = await desk.run({ args: ['evidence', 'export', '--from', '2020-01-01', '--to', day, '--stack', 'phidelity-dev', '--out', file] });
    expect([exported.code, exported.err]).toEqual([0, expect.stringMatching(/^\d+ lines in .*evidence\.ndjson\n$/)]);
    const { PublicKey } = await bot.stack.clients.kms.send(new GetPublicKeyCommand({ KeyId: bot.stack.report.outputs.SigningKeyArn }));
    const pem = desk.path('key.pem');
    writeFileSync(pem, `-----BEGIN PUBLIC KEY-----\n${Buffer.from(PublicKey!).toString('base64')}\n-----END PUBLIC KEY-----\n`);

    const offline = { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
    const trusting = await desk.run({ args: ['evidence', 'verify', file], env: offline });
    expect(trusting.code).toBe(0);
    expect(trusting.out).toMatch(
      /^Sound: \d+ entries of 1 finding\nSigned: digests 1 to \d+, .*\nKey: arn:aws:kms:.*, from the export itself\nThe key came with/,
    );
    const pinned = await desk.run({ args: ['evidence', 'verify', file, '--public-key', pem], env: offline });
    expect([pinned.code, pinned.out]).toEqual([0, expect.stringContaining('from a file of yours')]);

    writeFileSync(file, readFileSync(file, 'utf8').replace('"seq":2', '"seq":7'));
    const tampered = await desk.run({ args: ['evidence', 'verify', file, '--public-key', pem], env: offline });
    expect([tampered.code, tampered.out]).toEqual([1, expect.stringContaining('changed')]);
  });

  test('a range of it is sound too', async () => {
    const from = bot.stack.clock.now().toISOString();
    const bucket = await bot.bucket(open);
    await bot.settle(bot.opened(bucket));
    await hour();
    const to = bot.stack.clock.now().toISOString();
    const { code, out } = await desk.run({ args: ['evidence', 'export', '--from', from, '--to', to, '--stack', 'phidelity-dev'] });
    expect(code).toBe(0);
    const file = desk.path('part.ndjson');
    writeFileSync(file, out);
    const [head, ...lines] = out.trim().split('\n');
    expect(JSON.parse(head!).export.digests[0]).toBeGreaterThan(1);
    expect(new Set(lines.flatMap((line) => JSON.parse(line).entry?.findingId ?? []))).not.toContain(fixed);
    const report = await desk.run({ args: ['evidence', 'verify', file, '--json'] });
    expect([report.code, JSON.parse(report.out)]).toEqual([0, expect.objectContaining({ sound: true, tail: { entries: 0, oldest: null, seconds: 0 } })]);
  });

  test('as OCSF: one finding a line', async () => {
    const { code, out } = await desk.run({
      args: ['evidence', 'export', '--from', '2020-01-01', '--to', '2099-01-01', '--format', 'ocsf', '--stack', 'phidelity-dev'],
    });
    expect(code).toBe(0);
    const found = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(found.find(({ finding_info }) => finding_info.uid === fixed)).toMatchObject({ class_uid: 2003, status: 'Resolved', compliance: { status: 'Pass' } });
  });
});
