/** approve, deny, undo and exceptions without a stack: the embedded database, the caller's own rights, on moto. */
import { writeFileSync } from 'node:fs';
import { CreateBucketCommand, DeletePublicAccessBlockCommand, GetPublicAccessBlockCommand, PutPublicAccessBlockCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { everythingBlocked } from '../../remediations/s3/s3.ts';
import { describeOnMoto, type Moto, startMoto } from '../support/moto.ts';
import { delivered, openBucket } from './events.ts';
import { type Desk, openDesk } from './run.ts';

const control = 's3-bucket-public-access-block';

describeOnMoto('answers without a stack', () => {
  let moto: Moto;
  let desk: Desk;
  let s3: S3Client;
  beforeAll(async () => {
    moto = await startMoto();
    s3 = new S3Client({
      endpoint: moto.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'testing', secretAccessKey: 'testing' },
    });
  });
  beforeEach(async () => {
    await moto.reset();
    desk?.clear();
    desk = openDesk({ AWS_ENDPOINT_URL: moto.endpoint, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'testing', AWS_SECRET_ACCESS_KEY: 'testing' });
    writeFileSync(desk.path('open.json'), JSON.stringify(delivered({ ...openBucket('records'), eventID: 'e-1', recipientAccountId: '123456789012' })));
  });
  afterAll(async () => {
    s3?.destroy();
    await moto?.stop();
    desk?.clear();
  });

  const policyFile = (mode: string, more = '') => {
    writeFileSync(desk.path('policy.yaml'), `version: 1\nextends: hipaa\n${more}controls:\n  "*": off\n  ${control}: ${mode}\n`);
  };
  const blockOf = () =>
    s3.send(new GetPublicAccessBlockCommand({ Bucket: 'records' })).then(
      ({ PublicAccessBlockConfiguration }) => PublicAccessBlockConfiguration,
      ({ name }) => name,
    );
  const phidelity = (...args: string[]) => desk.run({ args });
  const withPolicy = (...args: string[]) => phidelity(...args, '--policy', 'policy.yaml');
  /** A bucket without its block, noticed; gives the finding's id. */
  const drift = async (mode: string, more?: string): Promise<string> => {
    policyFile(mode, more);
    await s3.send(new CreateBucketCommand({ Bucket: 'records' }));
    await s3.send(new DeletePublicAccessBlockCommand({ Bucket: 'records' }));
    await withPolicy('replay', 'open.json', '--apply');
    return JSON.parse((await phidelity('findings', '--json')).out)[0].id;
  };

  test('approve: what would be written, then the fix with the rights of the caller', async () => {
    const id = await drift('approve');
    expect(await blockOf()).toBe('NoSuchPublicAccessBlockConfiguration');
    const approved = await withPolicy('approve', id, '--json');
    expect(approved).toMatchObject({ code: 0 });
    expect(JSON.parse(approved.out)).toMatchObject({ findingId: id, decision: 'approve', heard: true, refused: false, outcome: { status: 'REMEDIATED' } });
    expect(await blockOf()).toEqual(everythingBlocked);
    expect(await withPolicy('approve', id)).toMatchObject({ code: 1, err: expect.stringMatching(/has ended \(REMEDIATED\)/) });
  });

  test('deny: nothing is written, and the next run does not ask again', async () => {
    const id = await drift('approve');
    expect(await withPolicy('deny', id, '--reason', 'a public site')).toMatchObject({ code: 0, out: expect.stringContaining('denied it: a public site') });
    await withPolicy('replay', 'open.json', '--apply');
    await withPolicy('sweep', '--control', control, '--apply');
    expect(await blockOf()).toBe('NoSuchPublicAccessBlockConfiguration');
  });

  test('undo of a public exposure waits for a second person; one of a policy that names none of them is refused', async () => {
    const id = await drift('fix');
    expect(await blockOf()).toEqual(everythingBlocked);
    const asked = await withPolicy('undo', id, '--reason', 'a public site', '--for', '7d');
    expect(asked).toMatchObject({ code: 0 });
    expect(await blockOf()).toEqual(everythingBlocked);
    expect(await withPolicy('approve', id)).toMatchObject({ code: 1, out: expect.stringContaining('another person must') });
    policyFile('fix', 'people: { lee: { arns: ["arn:aws:iam::*:user/lee"] } }\n');
    expect(await withPolicy('deny', id)).toMatchObject({ code: 1, out: expect.stringContaining('none of the people of the policy') });
  });

  test('undo: an exception, the setting as it was, and no new fix; its end is new drift', async () => {
    policyFile('off');
    writeFileSync(desk.path('policy.yaml'), 'version: 1\nextends: hipaa\ncontrols:\n  "*": off\n  ebs-encryption-by-default: fix\n');
    await withPolicy('sweep', '--control', 'ebs-encryption-by-default', '--apply');
    const { id } = JSON.parse((await phidelity('findings', '--json')).out)[0];
    expect(await withPolicy('undo', id, '--reason', 'costs', '--for', '7d')).toMatchObject({ code: 0, out: expect.stringContaining('Undone for') });
    await withPolicy('sweep', '--control', 'ebs-encryption-by-default', '--apply');
    expect(JSON.parse((await phidelity('findings', '--json')).out)).toMatchObject([{ state: 'resolved', outcome: { status: 'EXCEPTED' } }]);
    const exported = await withPolicy('exceptions', 'export');
    expect(exported.out).toContain('reason: costs');
    expect(await withPolicy('undo', id, '--reason', 'again')).toMatchObject({ code: 1, err: expect.stringContaining(`exceptions end ${id}`) });
    expect(await withPolicy('exceptions', 'end', id)).toMatchObject({ code: 0 });
    await withPolicy('sweep', '--control', 'ebs-encryption-by-default', '--apply');
    const later = JSON.parse((await phidelity('findings', '--json')).out) as { episode: number; outcome: { status: string } }[];
    expect(later.map(({ episode, outcome }) => [episode, outcome.status]).sort()).toEqual([
      [1, 'EXCEPTED'],
      [2, 'REMEDIATED'],
    ]);
  });

  test.each<[string, readonly string[], number, RegExp]>([
    ['no such finding', ['approve', 'f-aaaaaaaaaaaaaaaaaaaaaaaaaa'], 1, /there is no finding f-a+ here/],
    ['no finding at all', ['undo', '../../etc/passwd', '--reason', 'x'], 1, /there is no finding/],
    ['no reason', ['undo', 'f-aaaaaaaaaaaaaaaaaaaaaaaaaa'], 2, /--reason/],
    ['a blank reason', ['undo', 'ID', '--reason', ' '], 1, /say why with --reason/],
    ['more than 90 days', ['undo', 'ID', '--reason', 'x', '--for', '91d'], 1, /1d to 90d/],
    ['no number of days', ['undo', 'ID', '--reason', 'x', '--for', 'ever'], 1, /1d to 90d/],
    ['nothing to approve', ['approve', 'ID'], 1, /has ended/],
    ['an empty folder', ['approve', 'ID', '--state', 'nowhere'], 1, /nothing has been recorded in nowhere/],
    ['no exception', ['exceptions', 'end', 'ID'], 1, /no exception comes from/],
  ])('refused: %s', async (_, args, code, words) => {
    const id = await drift('fix');
    const result = await withPolicy(...args.map((arg) => (arg === 'ID' ? id : arg)));
    expect(result).toMatchObject({ code, out: '', err: expect.stringMatching(words) });
    expect(result.err.trim().split('\n').length).toBeLessThanOrEqual(2);
  });

  test('a setting that somebody has changed since is not overwritten', async () => {
    const id = await drift('fix');
    await s3.send(new PutPublicAccessBlockCommand({ Bucket: 'records', PublicAccessBlockConfiguration: { ...everythingBlocked, BlockPublicAcls: false } }));
    writeFileSync(desk.path('policy.yaml'), `version: 1\nextends: hipaa\npeople: {}\ncontrols:\n  "*": off\n  ${control}: fix\n`);
    await withPolicy('undo', id, '--reason', 'x');
    expect(await blockOf()).toMatchObject({ BlockPublicAcls: false, RestrictPublicBuckets: true });
  });
});
