import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Mode, modes } from '../../../engine/model.ts';
import { glob } from '../../../engine/policy/match.ts';
import { catalogue, load, today } from './fixture.ts';

const head = 'version: 1\nextends: hipaa\n';
const compiled = async (text: string, others?: Record<string, string>) => (await load(text, others)).policy;
const control = async (id: string, text: string, others?: Record<string, string>) => (await compiled(text, others)).controls[id];

test('the baseline alone', async () => {
  expect(await compiled(head)).toEqual({
    version: 1,
    id: expect.stringMatching(/^[0-9a-f]{64}$/),
    regions: ['us-east-1'],
    watch: 'all',
    people: {},
    approvals: { expires: 259_200 },
    accounts: {},
    channels: { security: { sns: true, pages: true, minSeverity: 'INFORMATIONAL', remindEvery: 14_400, timezone: 'UTC' } },
    guards: { fixesPerHour: 50, fixesPerControlPerHour: 20, repeat: { limit: 3, within: 86_400 }, ramp: { fixes: 25, hours: 24 } },
    backlog: 'tell',
    evidence: { lock: 'governance', years: 6 },
    iam: { path: '/' },
    controls: {
      'rds-instance-not-public': { mode: 'approve', params: { port: 443, owners: [] }, fixAfter: 0, when: [], exceptions: [] },
      'rds-storage-encrypted': { mode: 'page', params: {}, fixAfter: 0, when: [], exceptions: [] },
      's3-bucket-tls-only': { mode: 'fix', params: { port: 443 }, fixAfter: 0, when: [], exceptions: [] },
      'root-user-not-used': { mode: 'page', params: {}, fixAfter: 0, when: [], exceptions: [] },
    },
  });
});

describe('precedence', () => {
  const parent = (controls: string) => ({ 'base.yaml': `${head}controls:\n${controls}` });
  const child = (controls: string) => `version: 1\nextends: base.yaml\ncontrols:\n${controls}`;
  test.each<[string, string, Record<string, string> | undefined, Mode]>([
    ['an exact name beats a pattern', `${head}controls: { "s3-bucket-*": page, s3-bucket-tls-only: notify, "*": off }`, undefined, 'notify'],
    ['a longer pattern beats a shorter one', `${head}controls: { "s3-bucket-*": page, "s3-*": notify }`, undefined, 'page'],
    ['an exact name beats a pattern longer than itself', `${head}controls: { s3-bucket-tls-only: notify, "*s3-bucket-tls-only*": page }`, undefined, 'notify'],
    ['wherever it stands', `${head}controls: { "s3-*": notify, "s3-bucket-*": page }`, undefined, 'page'],
    ['a pattern here beats an exact name there', child('  "*": notify'), parent('  s3-bucket-tls-only: page'), 'notify'],
    ['what this file does not say stays', child('  s3-bucket-tls-only: { fixAfter: 1h }'), parent('  "s3-*": page'), 'page'],
    ['a pattern without mode hides nothing', child('  "s3-bucket-tls-*": { fixAfter: 1h }\n  "s3-*": off'), parent('  "s3-*": page'), 'off'],
  ])('%s', async (_, text, others, mode) => {
    expect((await control('s3-bucket-tls-only', text, others))?.mode).toBe(mode);
  });

  test('a control that no file names is off', async () => {
    const policy = await compiled('version: 1\nregions: [us-east-1]\ncontrols: { s3-bucket-tls-only: notify }\n');
    expect(Object.entries(policy.controls).map(([id, { mode }]) => [id, mode])).toEqual([
      ['rds-instance-not-public', 'off'],
      ['rds-storage-encrypted', 'off'],
      ['root-user-not-used', 'off'],
      ['s3-bucket-tls-only', 'notify'],
    ]);
  });

  test('as the rule says, for any patterns in any order', async () => {
    const names = ['*', 'r*', 'rds-*', 'rds-storage-*', '*ed', ...catalogue.map(({ id }) => id)];
    const readOnly = fc.constantFrom<Mode>('off', 'notify', 'page');
    const file = fc
      .shuffledSubarray(names)
      .chain((some) =>
        fc.array(readOnly, { minLength: some.length, maxLength: some.length }).map((said) => some.map((name, i) => [name, said[i] as Mode] as const)),
      );
    const yaml = (first: string, rules: readonly (readonly [string, Mode])[]) =>
      `version: 1\nextends: ${first}\ncontrols: { ${rules.map(([name, mode]) => `"${name}": ${mode}`).join(', ')} }\n`;
    const strength = (name: string) => (name.includes('*') ? name.length : Number.POSITIVE_INFINITY);
    await fc.assert(
      fc.asyncProperty(file, file, async (own, base) => {
        const policy = await compiled(yaml('base.yaml', own), { 'base.yaml': yaml('hipaa', base) });
        for (const { id, defaultMode } of catalogue) {
          const best = (rules: typeof own) => rules.filter(([name]) => glob(name, id)).sort(([a], [b]) => strength(b) - strength(a))[0]?.[1];
          expect([id, policy.controls[id]?.mode]).toEqual([id, best(own) ?? best(base) ?? defaultMode]);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('merging', () => {
  const others = {
    'base.yaml': `${head}watch: [us-east-1]
iam: { path: /bots/ }
channels:
  security: { sns: true, minSeverity: HIGH }
  ops: { sns: true }
controls:
  "*":
    fixAfter: 30m
    params: { port: 8080 }
    exceptions: [{ account: "000000000001", reason: all, approvedBy: a, expires: 2027-01-01 }]
  rds-instance-not-public:
    mode: fix
    fixAfter: 2d
    params: { port: 8443, owners: [dana] }
    exceptions: [{ tag: a=b=c, tagSetBy: "*", reason: base, approvedBy: a, expires: ${today} }]
    when: [{ actor: "*", mode: page }, { owner: terraform, mode: approve }]
`,
  };
  const own = `version: 1
extends: base.yaml
iam: { permissionsBoundary: "arn:aws:iam::123456789012:policy/edge" }
controls:
  rds-instance-not-public:
    mode: notify
    params: { owners: [] }
    exceptions: [{ tag: { key: k }, region: us-*, reason: own, approvedBy: a, expires: 2027-01-01 }]
  s3-bucket-tls-only: { when: [] }
`;

  test('fields of a control', async () => {
    expect(await control('rds-instance-not-public', own, others)).toEqual({
      mode: 'notify',
      params: { port: 8443, owners: [] },
      fixAfter: 172_800,
      when: [
        { actor: '*', mode: 'page' },
        { owner: 'terraform', mode: 'approve' },
      ],
      exceptions: [
        { account: '000000000001', reason: 'all', approvedBy: 'a', expires: '2027-01-01' },
        { tag: { key: 'a', value: 'b=c' }, tagSetBy: '*', reason: 'base', approvedBy: 'a', expires: today },
        { tag: { key: 'k' }, region: 'us-*', reason: 'own', approvedBy: 'a', expires: '2027-01-01' },
      ],
    });
  });

  test('a param of a pattern reaches the controls that know it', async () => {
    const { controls } = await compiled(own, others);
    expect([controls['s3-bucket-tls-only']?.params, controls['rds-storage-encrypted']?.params]).toEqual([{ port: 8080 }, {}]);
  });

  test('the rest of the file', async () => {
    expect(await compiled(own, others)).toMatchObject({
      regions: ['us-east-1'],
      watch: ['us-east-1'],
      iam: { path: '/bots/', permissionsBoundary: 'arn:aws:iam::123456789012:policy/edge' },
      channels: { security: { sns: true, pages: true, minSeverity: 'HIGH' }, ops: { sns: true, pages: false, minSeverity: 'INFORMATIONAL' } },
    });
  });

  test('channels: fields are replaced one by one, the way out as a whole', async () => {
    const below = `${head}channels:
  oncall: { pagerDuty: "ssm:/duty", minSeverity: HIGH, escalateAfter: 30m, only: { controls: ["s3-*"], tags: [owner=portal, { key: phi }] } }
`;
    const above = `version: 1
extends: base.yaml
accounts: { "123456789012": clinic-prod }
channels:
  oncall: { teams: "secretsmanager:teams/url", minSeverity: CRITICAL, remindEvery: 1h, digest: "08:00", timezone: America/New_York }
`;
    expect(await compiled(above, { 'base.yaml': below })).toMatchObject({
      accounts: { '123456789012': 'clinic-prod' },
      channels: {
        security: { sns: true, pages: true, remindEvery: 14_400 },
        oncall: {
          teams: 'secretsmanager:teams/url',
          pages: false,
          minSeverity: 'CRITICAL',
          escalateAfter: 1_800,
          remindEvery: 3_600,
          digest: '08:00',
          timezone: 'America/New_York',
          only: { controls: ['s3-*'], tags: [{ key: 'owner', value: 'portal' }, { key: 'phi' }] },
        },
      },
    });
    expect((await compiled(above, { 'base.yaml': below })).channels.oncall).not.toHaveProperty('pagerDuty');
  });

  test('off is off, also after a YAML 1.1 directive', async () => {
    expect((await control('s3-bucket-tls-only', `%YAML 1.1\n---\n${head}controls: { s3-bucket-tls-only: off }\n`))?.mode).toBe('off');
  });

  test('anchors and merge keys', async () => {
    const text = `${head}controls:\n  s3-bucket-tls-only: &x { mode: notify, fixAfter: 1h }\n  rds-instance-not-public: { <<: *x, mode: page }\n`;
    expect(await control('rds-instance-not-public', text)).toMatchObject({ mode: 'page', fixAfter: 3_600 });
  });
});

test('people and approvals: those of all files, the nearer file beats the farther', async () => {
  const base = `${head}people:\n  dana: { arns: ["arn:aws:iam::*:user/dana"] }\n  lee: { arns: ["arn:aws:iam::*:user/lee"], approver: true }\napprovals: { expires: 4h, secondPerson: HIGH }\n`;
  const text =
    'version: 1\nextends: base.yaml\npeople:\n  dana: { arns: ["arn:aws:sts::*:assumed-role/SecOps/dana"], slack: U012AB3CD }\napprovals: { expires: 1h }\n';
  expect(await compiled(text, { 'base.yaml': base })).toMatchObject({
    people: {
      dana: { arns: ['arn:aws:sts::*:assumed-role/SecOps/dana'], slack: 'U012AB3CD', approver: false },
      lee: { arns: ['arn:aws:iam::*:user/lee'], approver: true },
    },
    approvals: { expires: 3_600, secondPerson: 'HIGH' },
  });
});

describe('guards, backlog and evidence', () => {
  const said = async (text: string, others?: Record<string, string>) => {
    const { guards, backlog, evidence } = await compiled(text, others);
    return { ...guards, backlog, evidence };
  };
  const defaults = {
    fixesPerHour: 50,
    fixesPerControlPerHour: 20,
    repeat: { limit: 3, within: 86_400 },
    ramp: { fixes: 25, hours: 24 },
    backlog: 'tell',
    evidence: { lock: 'governance', years: 6 },
  };
  const base = (text: string) => ({ 'base.yaml': `${head}${text}` });
  const onBase = (text: string) => `version: 1\nextends: base.yaml\n${text}`;
  test.each<[string, string, Record<string, string> | undefined, object]>([
    ['nothing said', head, undefined, {}],
    ['nothing said under guards', `${head}guards: { repeat: {}, ramp: {} }`, undefined, {}],
    ['one limit', `${head}guards: { fixesPerHour: 1 }`, undefined, { fixesPerHour: 1 }],
    ['half of a part', `${head}guards: { repeat: { within: 90m } }`, undefined, { repeat: { limit: 3, within: 5_400 } }],
    [
      'the other half of it',
      `${head}guards: { repeat: { limit: 1 }, ramp: { hours: 720 } }`,
      undefined,
      { repeat: { limit: 1, within: 86_400 }, ramp: { fixes: 25, hours: 720 } },
    ],
    [
      'what this file does not say stays',
      onBase('guards: { fixesPerHour: 7 }'),
      base('backlog: fix\nguards: { fixesPerHour: 9, ramp: { fixes: 2 } }'),
      {
        fixesPerHour: 7,
        ramp: { fixes: 2, hours: 24 },
        backlog: 'fix',
      },
    ],
    [
      'part by part',
      onBase('guards: { repeat: { limit: 9 }, ramp: { fixes: 5 } }'),
      base('guards: { repeat: { limit: 2, within: 2d }, ramp: { hours: 3 } }'),
      {
        repeat: { limit: 9, within: 172_800 },
        ramp: { fixes: 5, hours: 3 },
      },
    ],
    ['backlog there and here', onBase('backlog: tell'), base('backlog: fix'), {}],
    ['evidence, part by part', onBase('evidence: { years: 7 }'), base('evidence: { lock: compliance }'), { evidence: { lock: 'compliance', years: 7 } }],
    ['backlog here', `${head}backlog: fix`, undefined, { backlog: 'fix' }],
  ])('%s', async (_, text, others, expected) => {
    expect(await said(text, others)).toEqual({ ...defaults, ...expected });
  });
});

describe('approvers', () => {
  const people = `people:
  dana: { arns: ["arn:aws:sts::*:assumed-role/SecOps/dana"], groups: [data] }
  kim: { arns: ["arn:aws:sts::*:assumed-role/SecOps/kim"], groups: [security, data] }
  lee: { arns: ["arn:aws:sts::*:assumed-role/SecOps/lee"] }
`;
  test.each<[string, string, readonly string[] | undefined]>([
    ['nobody is named: everybody', 'rds-instance-not-public: approve', undefined],
    ['a group', '"*": { approvers: [data] }', ['dana', 'kim']],
    ['people and groups, in the order of the people', 'rds-instance-not-public: { approvers: [security, lee, kim] }', ['kim', 'lee']],
    ['an exact name beats a pattern', '"rds-*": { approvers: [data] }, rds-instance-not-public: { approvers: [lee] }', ['lee']],
    ['a mode of its own leaves them', '"rds-*": { approvers: [data] }, rds-instance-not-public: approve', ['dana', 'kim']],
  ])('%s', async (_, rules, approvers) => {
    expect((await control('rds-instance-not-public', `${head}${people}controls: { ${rules} }\n`))?.approvers).toEqual(approvers);
  });

  test('a group is of the people of all files, and no part of the policy that runs', async () => {
    const policy = await compiled(`version: 1\nextends: base.yaml\ncontrols: { "*": { approvers: [security] } }\n`, { 'base.yaml': `${head}${people}` });
    expect(policy.controls['s3-bucket-tls-only']?.approvers).toEqual(['kim']);
    expect(policy.people.dana).toEqual({ arns: ['arn:aws:sts::*:assumed-role/SecOps/dana'], approver: false });
  });

  test.each<[string, string, readonly string[]]>([
    [
      'where two must and one may',
      `approvals: { secondPerson: HIGH }\ncontrols:\n  "*": { approvers: [lee] }\n`,
      ['account.yaml:9:21 two persons must approve a fix of rds-instance-not-public, but only lee may: none will come about'],
    ],
    ['not of what is fixed unasked', 'approvals: { secondPerson: HIGH }\ncontrols:\n  s3-bucket-tls-only: { approvers: [lee] }\n', []],
    ['not where one is enough', 'controls:\n  "*": { approvers: [lee] }\n', []],
    ['not where nothing is written', 'approvals: { secondPerson: HIGH }\ncontrols:\n  "*": { mode: page, approvers: [lee] }\n', []],
    ['not where two may', 'approvals: { secondPerson: HIGH }\ncontrols:\n  "*": { approvers: [data] }\n', []],
  ])('a warning %s', async (_, rest, expected) => {
    const { warnings } = await load(`${head}${people}${rest}`);
    expect(warnings.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`)).toEqual(expected);
  });
});

describe('warnings', () => {
  const warned = async (text: string, others?: Record<string, string>) =>
    (await load(text, others)).warnings.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`);

  test('an exception past its day is left out', async () => {
    const text = `${head}controls:\n  "s3-*":\n    exceptions: [{ account: "*", reason: r, approvedBy: a, expires: 2026-11-21 }]\n`;
    expect(await warned(text)).toEqual(['account.yaml:5:69 this exception ended on 2026-11-21 and no longer holds']);
    expect((await control('s3-bucket-tls-only', text))?.exceptions).toEqual([]);
  });

  test('on its last day an exception holds', async () => {
    const text = `${head}controls:\n  "s3-*":\n    exceptions: [{ account: "*", reason: r, approvedBy: a, expires: ${today} }]\n`;
    expect(await warned(text)).toEqual([]);
    expect((await control('s3-bucket-tls-only', text))?.exceptions).toHaveLength(1);
  });

  test('a pattern lowers controls without a fix to page', async () => {
    const text = `${head}controls:\n  "*": fix\n  "rds-*":\n    mode: notify\n    when: [{ actor: "*", mode: approve }]\n`;
    expect(await warned(text)).toEqual([
      'account.yaml:4:3 "*" matches controls that have no fix; these page instead: root-user-not-used',
      'account.yaml:5:3 "rds-*" matches controls that have no fix; these page instead: rds-storage-encrypted',
    ]);
    const { controls } = await compiled(text);
    expect([controls['root-user-not-used']?.mode, controls['rds-storage-encrypted']?.when, controls['s3-bucket-tls-only']?.mode]).toEqual([
      'page',
      [{ actor: '*', mode: 'page' }],
      'fix',
    ]);
  });

  test('a pattern that decides nothing for such a control says nothing', async () => {
    expect(await warned(`${head}controls: { "*": fix, "ro*": page, "rds-*": off }`)).toEqual([]);
  });
});

describe('paging', () => {
  const policy = (pages: boolean, rule: string) => `version: 1\nregions: [us-east-1]\nchannels: { a: { sns: true, pages: ${pages} } }\ncontrols: { ${rule} }\n`;
  test.each<[string, boolean]>([
    ...modes.map((mode): [string, boolean] => [`s3-bucket-tls-only: ${mode}`, mode !== 'off' && mode !== 'notify']),
    ['s3-bucket-tls-only: { mode: notify, when: [{ actor: "*", mode: page }] }', true],
    ['root-user-not-used: page', true],
    ['root-user-not-used: notify', true],
    ['root-user-not-used: off', false],
  ])('%s needs a channel that takes pages: %s', async (rule, needed) => {
    await expect(load(policy(true, rule))).resolves.toBeDefined();
    const without = load(policy(false, rule));
    await (needed ? expect(without).rejects.toThrow('no channel has pages: true') : expect(without).resolves.toBeDefined());
  });
});

describe('id', () => {
  const text = `${head}watch: all\ncontrols:\n  "rds-*": notify\n  s3-bucket-tls-only:\n    mode: page\n    params: { port: 1 }\n`;
  test.each<[string, string, boolean]>([
    ['comments', `# why\n${text}# end\n`, true],
    ['the order of keys', 'extends: hipaa\ncontrols:\n  s3-bucket-tls-only: { params: { port: 1 }, mode: page }\n  "rds-*": notify\nversion: 1\n', true],
    ['the same said otherwise', text.replace('"rds-*": notify', 'rds-instance-not-public: notify\n  rds-storage-encrypted: notify'), true],
    ['a mode', text.replace('page', 'notify'), false],
    ['a param', text.replace('port: 1', 'port: 2'), false],
    ['where to look', text.replace('all', '[us-east-1]'), false],
    ['a guard', `${text}guards: { ramp: { hours: 25 } }\n`, false],
    ['a guard that says the default', `${text}guards: { repeat: { within: 1440m } }\nbacklog: tell\n`, true],
    ['the lock of evidence', `${text}evidence: { lock: none }\n`, false],
    ['the backlog', `${text}backlog: fix\n`, false],
  ])('%s', async (_, other, same) => {
    expect((await compiled(other)).id === (await compiled(text)).id).toBe(same);
  });
});
