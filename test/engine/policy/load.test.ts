import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PolicyError } from '../../../engine/errors.ts';
import { faultsOf, load } from './fixture.ts';

const onBaseline = (controls: string) => `version: 1\nextends: hipaa\ncontrols:\n${controls}`;

describe('a wrong text', () => {
  test.each<[string, string, string[]]>([
    ['empty', '', ['account.yaml:1:1 the file is empty']],
    ['comments only', '# nothing\n', ['account.yaml:1:1 the file is empty']],
    ['a list', '\n- version: 1\n', ['account.yaml:2:1 a policy is a map; it begins with version: 1']],
    ['a word', 'hipaa', ['account.yaml:1:1 a policy is a map; it begins with version: 1']],
    ['a tab', 'version: 1\ncontrols:\n\ta: fix\n', ['account.yaml:3:1 not valid YAML: Tabs are not allowed as indentation']],
    ['an open quote', 'version: "1', ['account.yaml:1:12 not valid YAML: Missing closing "quote']],
    ['bad indentation', 'version: 1\n regions: [us-east-1]\n', ['account.yaml:1:10 not valid YAML: Nested mappings are not allowed in compact mappings']],
    ['two documents', 'version: 1\n---\nversion: 1\n', ['account.yaml:2:1 a policy is one YAML document; here a second one begins']],
    ['an unknown tag', 'version: !number 1\n', ['account.yaml:1:10 not valid YAML: Unresolved tag: !number']],
    ['an alias without anchor', 'version: 1\nregions: *r\n', ['account.yaml:2:10 *r refers to nothing: no &r stands before it']],
    ['an alias inside its own value', 'version: 1\nregions: &r [*r]\n', ['account.yaml:2:14 *r refers to a value that holds it']],
    ['a merge of a word', 'version: 1\niam:\n  <<: word\n', ['account.yaml:3:7 << takes a map, or a list of maps']],
    ['a list as a key', 'version: 1\n? [a]\n: b\n', ['account.yaml:2:3 this cannot be a key']],
    ['__proto__', 'version: 1\ncontrols:\n  __proto__: fix\n', ['account.yaml:3:3 this cannot be a key']],
    [
      'double keys',
      onBaseline('  s3-bucket-tls-only: fix\n  s3-bucket-tls-only: off\nversion: 1\n'),
      ['account.yaml:5:3 "s3-bucket-tls-only" is there twice', 'account.yaml:6:1 "version" is there twice'].toSorted(),
    ],
    ['too long', '#'.repeat(300_000), ['account.yaml:1:1 the file is longer than 262144 characters']],
  ])('%s', async (_, text, faults) => {
    expect(await faultsOf(text)).toEqual(faults);
  });
});

describe('a wrong policy: every fault at once, each at its node', () => {
  test.each<[string, string, string[]]>([
    [
      'keys, modes, controls and params mistyped',
      `version: 2
extends: hipaa
chanels: {}
controls:
  s3-bucket-tls-onyl: fix
  rds-instance-not-public:
    mode: fxi
    parms: {}
    params:
      prot: 1
      owners: dana
  rds-storage-encrypted: fix
  "ecs-*": page
  s3-bucket-tls-only: { params: { port: "8443" } }
`,
      [
        'account.yaml:1:10 expected 1, found 2',
        'account.yaml:3:1 unknown key "chanels"; did you mean "channels"?',
        'account.yaml:5:3 unknown control "s3-bucket-tls-onyl"; did you mean "s3-bucket-tls-only"?',
        'account.yaml:7:11 "fxi" is not one of off, notify, page, approve, fix; did you mean "fix"?',
        'account.yaml:8:5 unknown key "parms"; did you mean "params"?',
        'account.yaml:10:7 "rds-instance-not-public" has no param "prot"; did you mean "port"?',
        'account.yaml:11:15 expected a list, found "dana"',
        'account.yaml:12:26 "rds-storage-encrypted" has no fix, so its mode cannot be fix; use page, notify or off',
        'account.yaml:13:3 no control matches "ecs-*"',
        'account.yaml:14:41 expected a number, found "8443"',
      ],
    ],
    [
      'ways out',
      `version: 1
extends: hipaa
channels:
  slack: { slackApp: { token: xoxb-1-secret, signingSecret: "ssm:slack", channel: general } }
  both: { sns: true, securityHub: true }
  hook: { webhook: { url: "http://example.com/in", secret: "secretsmanager:hook" } }
  late: { sns: true, quietHours: { from: "22:00", to: "22:00" }, digest: "8 am", timezone: Mars/Base, escalateAfter: 0m }
  duty: { pagerDuty: "ssm:/duty", only: { controls: [], tags: [owner] } }
`,
      [
        'account.yaml:4:31 must be a reference, ssm:/PATH or secretsmanager:NAME: secrets do not belong in a policy',
        'account.yaml:4:61 must be a reference, ssm:/PATH or secretsmanager:NAME: secrets do not belong in a policy',
        'account.yaml:4:83 "general" is not the id of a Slack channel such as C012AB3CD',
        'account.yaml:5:9 is both sns and securityHub: make a channel of each',
        'account.yaml:6:27 must be an https address, or a reference to one: ssm:/PATH or secretsmanager:NAME',
        'account.yaml:7:34 must end at another time than it begins',
        'account.yaml:7:74 "8 am" is not a time of day such as 08:00',
        'account.yaml:7:92 "Mars/Base" is not a time zone such as America/New_York',
        'account.yaml:7:118 must be longer than nothing',
        'account.yaml:8:53 must name at least one control',
        'account.yaml:8:64 expected key=value or a map with key and value',
      ],
    ],
    [
      'integration keys of PagerDuty',
      `version: 1
extends: hipaa
channels:
  a: { pagerDuty: R0123456789abcdefR0123456789abcd }
  b: { pagerDuty: { key: R0123456789abcdefR0123456789abcd, region: us } }
  c: { pagerDuty: { key: "ssm:/duty", region: asia } }
  d: { pagerDuty: { key: "ssm:/duty" } }
  e: { pagerDuty: { key: "ssm:/duty", regoin: eu } }
`,
      [
        'account.yaml:4:19 must be a reference, ssm:/PATH or secretsmanager:NAME: secrets do not belong in a policy',
        'account.yaml:5:26 must be a reference, ssm:/PATH or secretsmanager:NAME: secrets do not belong in a policy',
        'account.yaml:6:47 "asia" is not one of us, eu',
        'account.yaml:7:19 "region" is missing',
        'account.yaml:8:19 "region" is missing',
        'account.yaml:8:39 unknown key "regoin"; did you mean "region"?',
      ],
    ],
    [
      'channels that cannot do together',
      'version: 1\nregions: [us-east-1]\nchannels:\n  slack: { slackWebhook: "ssm:/hook", pages: true, only: { controls: ["s3-*"] } }\ncontrols: { s3-bucket-tls-only: page }\n',
      [
        'account.yaml:4:3 no channel is sns: true, which slack would fall back to when it cannot be reached',
        'account.yaml:4:3 every channel with pages: true takes only some of them ("only", "escalateAfter"): one must take all',
      ],
    ],
    [
      'a channel for controls that there are none of',
      'version: 1\nextends: hipaa\nchannels:\n  a: { sns: true, only: { controls: ["s9-*", s3-bucket-tls-onyl, bot-brakes, "rds-*"] } }\n',
      ['account.yaml:4:38 no control matches "s9-*"', 'account.yaml:4:46 no control matches "s3-bucket-tls-onyl"; did you mean "s3-bucket-tls-only"?'],
    ],
    [
      'two Slack apps',
      'version: 1\nextends: hipaa\nchannels:\n  a: { slackApp: { token: "ssm:/a/token", signingSecret: "ssm:/a/signing", channel: C0123 } }\n  b: { slackApp: { token: "ssm:/b/token", signingSecret: "ssm:/b/signing", channel: C0456 } }\n',
      ['account.yaml:4:3 the channels belong to more than one Slack app: answers come to one address, and one signing secret guards it'],
    ],
    [
      'one member of Slack under two names',
      'version: 1\nextends: hipaa\npeople:\n  dana: { arns: ["arn:aws:sts::*:assumed-role/SecOps/dana"], slack: U012 }\n  kim: { arns: ["arn:aws:sts::*:assumed-role/SecOps/kim"], slack: U012 }\n  lee: { arns: ["arn:aws:sts::*:assumed-role/SecOps/lee"] }\n',
      ['account.yaml:4:3 dana and kim have the same member id in Slack, U012: each person has one of their own'],
    ],
    [
      'people and approvals',
      `version: 1
extends: hipaa
people:
  dana: { arns: [], slack: dana }
  1st: { arns: ["arn:aws:iam::*:user/x"] }
  lee: { arns: ["lee"], approvr: true }
approvals: { expires: 0m, secondPerson: high }
`,
      [
        'account.yaml:4:17 must name at least one ARN',
        'account.yaml:4:28 "dana" is not a Slack member id such as U012AB3CD',
        'account.yaml:5:3 the name of a person is 1 to 64 letters, digits, dots, hyphens, _ and @ and begins with a letter',
        'account.yaml:6:17 "lee" is not the ARN of a user or of a session, such as arn:aws:sts::*:assumed-role/SecOps/dana',
        'account.yaml:6:25 unknown key "approvr"; did you mean "approver"?',
        'account.yaml:7:23 must be longer than nothing',
        'account.yaml:7:41 "high" is not one of INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL',
      ],
    ],
    [
      'approvers whom nobody is',
      `version: 1
extends: hipaa
people:
  dana: { arns: ["arn:aws:sts::*:assumed-role/SecOps/dana"], groups: [security, 2nd] }
  kim: { arns: ["arn:aws:sts::*:assumed-role/SecOps/kim"], groups: [security] }
  lee: { arns: ["arn:aws:sts::*:assumed-role/SecOps/lee"], groups: [kim] }
controls:
  "rds-*": { approvers: [securty, dana] }
  s3-bucket-tls-only: { approvers: [] }
`,
      [
        'account.yaml:4:3 "kim" is a person and a group: approvers that name it could mean either',
        'account.yaml:4:81 the name of a group is 1 to 64 letters, digits, dots, hyphens, _ and @ and begins with a letter',
        'account.yaml:8:26 no person and no group is named "securty"; did you mean "security"?',
        'account.yaml:9:36 must name at least one person or group',
      ],
    ],
    ['a key with line breaks and colours', 'version: 1\nextends: hipaa\n"a\\n\\u001b[31mb": 1\n', ['account.yaml:3:1 unknown key "a [31mb"']],
    ['no version', 'extends: hipaa\n', ['account.yaml:1:1 "version" is missing']],
    [
      'no regions anywhere',
      'version: 1\nchannels: { a: { sns: true } }\n',
      ['account.yaml:1:1 "regions" is missing: neither this file nor one it extends says where workloads may run'],
    ],
    [
      'regions and watch',
      'version: 1\nextends: hipaa\nregions: [us-east-1, US_EAST]\nwatch: everything\n',
      ['account.yaml:3:22 "US_EAST" is not the name of a region', 'account.yaml:4:8 expected all or a list of regions'],
    ],
    [
      'watch as a list with a slip, no regions',
      'version: 1\nextends: hipaa\nregions: []\nwatch: [us-east-1, 5]\n',
      ['account.yaml:3:10 must name at least one region', 'account.yaml:4:20 expected a string, found 5; put it in quotes'],
    ],
    [
      'channels',
      'version: 1\nextends: hipaa\nchannels:\n  1st: { sns: true }\n  b: { sns: no, pages: yes, minSeverity: HIHG }\n  c: {}\n',
      [
        'account.yaml:4:3 the name of a channel is 1 to 32 letters, digits and hyphens and begins with a letter',
        'account.yaml:5:13 expected true, found "no"',
        'account.yaml:5:24 expected true or false, found "yes"',
        'account.yaml:5:42 "HIHG" is not one of INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL; did you mean "HIGH"?',
        'account.yaml:6:6 names no way out: one of sns, slackApp, slackWebhook, pagerDuty, teams, webhook, securityHub',
      ],
    ],
    [
      'iam',
      'version: 1\nextends: hipaa\niam:\n  path: bots\n  permissionsBoundary: boundary\n',
      ['account.yaml:4:9 must begin and end with /', 'account.yaml:5:24 must be the ARN of an IAM policy'],
    ],
    [
      'guards and backlog',
      `version: 1
extends: hipaa
backlog: fxi
guards:
  fixesPerHuor: 5
  fixesPerHour: 0
  fixesPerControlPerHour: "20"
  repeat: { limit: 2.5, within: 1w, hours: 3 }
  ramp: 25
`,
      [
        'account.yaml:3:10 "fxi" is not one of tell, fix; did you mean "fix"?',
        'account.yaml:5:3 unknown key "fixesPerHuor"; did you mean "fixesPerHour"?',
        'account.yaml:6:17 must be at least 1; to stop fixing, use the modes or the kill switch',
        'account.yaml:7:27 expected a number, found "20"',
        'account.yaml:8:20 expected a whole number, found 2.5',
        'account.yaml:8:33 "1w" is not a duration such as 30m, 1h or 2d',
        'account.yaml:8:37 unknown key "hours"',
        'account.yaml:9:9 expected a map, found 25',
      ],
    ],
    [
      'guards out of reach',
      'version: 1\nextends: hipaa\nguards: { fixesPerHour: 1001, repeat: { within: 0m, limit: 101 }, ramp: { hours: 721, fixes: -1 } }\n',
      [
        'account.yaml:3:25 must be at most 1000',
        'account.yaml:3:49 must be longer than nothing',
        'account.yaml:3:60 must be at most 100',
        'account.yaml:3:82 must be at most 720',
        'account.yaml:3:94 must be at least 1; to stop fixing, use the modes or the kill switch',
      ],
    ],
    [
      'repeat over more than 30 days',
      'version: 1\nextends: hipaa\nguards: { repeat: { within: 31d } }\nbacklog: off\n',
      ['account.yaml:3:29 must be at most 30d', 'account.yaml:4:10 "off" is not one of tell, fix'],
    ],
    [
      'evidence',
      'version: 1\nextends: hipaa\nevidence: { lock: compliants, years: 0, for: ever }\n',
      [
        'account.yaml:3:19 "compliants" is not one of governance, compliance, none; did you mean "compliance"?',
        'account.yaml:3:38 must be at least 1; without a lock, set lock to none',
        'account.yaml:3:41 unknown key "for"',
      ],
    ],
    [
      'empty values',
      'version: 1\nextends:\ncontrols:\n  s3-bucket-tls-only:\n',
      ['account.yaml:2:9 expected a string, found nothing', 'account.yaml:4:22 nothing is not one of off, notify, page, approve, fix'],
    ],
    [
      'fixAfter',
      onBaseline('  s3-bucket-tls-only: { fixAfter: 1w }\n  rds-instance-not-public: { fixAfter: 31d }\n  rds-storage-encrypted: { fixAfter: 60 }\n'),
      [
        'account.yaml:4:35 "1w" is not a duration such as 30m, 1h or 2d',
        'account.yaml:5:40 must be at most 30d',
        'account.yaml:6:38 expected a string, found 60; put it in quotes',
      ],
    ],
    [
      'exceptions',
      onBaseline(`  s3-bucket-tls-only:
    exceptions:
      - { reason: r, approvedBy: a, expires: 2027-01-01 }
      - { resource: "*", tagSetBy: x, expires: 2027-02-30 }
      - { account: 123456789012, reason: r, approvedBy: a, expires: soon }
      - { tag: public, reason: "", approvedBy: a, expires: 2027-01-01 }
      - { tag: { kye: a }, reason: r, approvedBy: a, expires: 2027 }
`),
      [
        'account.yaml:6:9 an exception must match on at least one of resource, account, region, tag',
        'account.yaml:7:9 "reason" is missing',
        'account.yaml:7:9 "approvedBy" is missing',
        'account.yaml:7:9 tagSetBy means nothing without tag',
        'account.yaml:7:48 "2027-02-30" is not a date of the form YYYY-MM-DD',
        'account.yaml:8:20 expected a string, found 123456789012; put it in quotes',
        'account.yaml:8:69 "soon" is not a date of the form YYYY-MM-DD',
        'account.yaml:9:16 expected key=value or a map with key and value',
        'account.yaml:9:32 must not be empty',
        'account.yaml:10:16 "key" is missing',
        'account.yaml:10:18 unknown key "kye"; did you mean "key"?',
        'account.yaml:10:63 expected a string, found 2027; put it in quotes',
      ],
    ],
    [
      'when',
      onBaseline('  rds-storage-encrypted:\n    when: [{ actor: "*", mode: fix }]\n  s3-bucket-tls-only:\n    when: [{ mode: ask }]\n'),
      [
        'account.yaml:5:32 "rds-storage-encrypted" has no fix, so its mode cannot be fix; use page, notify or off',
        'account.yaml:7:12 a when rule must name an actor, an owner or both',
        'account.yaml:7:20 "ask" is not one of off, notify, page, approve, fix',
      ],
    ],
    [
      'owners',
      onBaseline(
        '  s3-bucket-tls-only:\n    when: [{ owner: terrafrom, mode: notify }, { owner: any, mode: notify }, { actor: "", owner: any, mode: page }, notify]\n',
      ),
      [
        'account.yaml:5:21 "terrafrom" is not one of cloudformation, terraform, pulumi, any; did you mean "terraform"?',
        'account.yaml:5:87 must not be empty',
        'account.yaml:5:117 expected a map, found "notify"',
      ],
    ],
    [
      'params of a pattern',
      onBaseline('  "*":\n    params: { port: 70000, owner: dana }\n'),
      ['account.yaml:5:21 Too big: expected number to be <=65535', 'account.yaml:5:28 no control that "*" matches has a param "owner"; did you mean "owners"?'],
    ],
    [
      'inside a param',
      onBaseline('  rds-instance-not-public:\n    params:\n      owners:\n        - dana\n        - 7\n'),
      ['account.yaml:8:11 expected a string, found 7; put it in quotes'],
    ],
    [
      'inside an anchor',
      'version: 1\nextends: hipaa\ncontrols:\n  rds-instance-not-public: &x { fixAfter: 1h, params: { prt: 1 } }\n  s3-bucket-tls-only: { <<: *x, mode: fixx }\n',
      [
        'account.yaml:4:57 "s3-bucket-tls-only" has no param "prt"; did you mean "port"?',
        'account.yaml:4:57 "rds-instance-not-public" has no param "prt"; did you mean "port"?',
        'account.yaml:5:39 "fixx" is not one of off, notify, page, approve, fix; did you mean "fix"?',
      ],
    ],
    [
      'two patterns of one length that meet',
      onBaseline('  "rds-*": notify\n  "*blic": page\n  "s3-b*": page\n'),
      ['account.yaml:5:3 "rds-*" and "*blic" are equally long and both match "rds-instance-not-public": neither beats the other; make one longer'],
    ],
    [
      'no channel takes pages',
      'version: 1\nregions: [us-east-1]\nchannels:\n  a: { sns: true }\ncontrols:\n  "*": page\n',
      [
        'account.yaml:4:3 no channel has pages: true, but these controls may page: rds-instance-not-public, rds-storage-encrypted, s3-bucket-tls-only and 1 more',
      ],
    ],
    [
      'a fix may be blocked, and no channel takes pages',
      'version: 1\nregions: [us-east-1]\ncontrols: { s3-bucket-tls-only: fix }\n',
      ['account.yaml:1:1 no channel has pages: true, but these controls may page: s3-bucket-tls-only'],
    ],
    [
      'a control with settings and no mode',
      'version: 1\nregions: [us-east-1]\ncontrols:\n  s3-bucket-tls-only: { fixAfter: 1h }\n',
      ['account.yaml:4:3 "s3-bucket-tls-only" has no mode: neither this file nor one it extends gives it one'],
    ],
  ])('%s', async (_, text, faults) => {
    expect(await faultsOf(text)).toEqual(faults);
  });
});

describe('extends', () => {
  test.each<[string, string, Record<string, string>, string[]]>([
    ['no such file', 'version: 1\nextends: hippa\n', {}, ['account.yaml:2:10 there is no file hippa; did you mean "hipaa"?']],
    ['itself', 'version: 1\nextends: ./account.yaml\n', {}, ['account.yaml:2:10 these files extend each other in a circle: account.yaml -> account.yaml']],
    [
      'a circle of two',
      'version: 1\nextends: team/base.yaml\n',
      { 'team/base.yaml': 'version: 1\nextends: ../team/../account.yaml\n' },
      ['team/base.yaml:2:10 these files extend each other in a circle: account.yaml -> team/base.yaml -> account.yaml'],
    ],
    [
      'faults of both files, the own ones first',
      'version: 1\nextends: base.yaml\nx: 1\n',
      { 'base.yaml': 'version: 1\nextends: hipaa\ncontrols: { s3-bucket-tls: fix }\n' },
      ['account.yaml:3:1 unknown key "x"', 'base.yaml:3:13 unknown control "s3-bucket-tls"'],
    ],
    [
      'a param of each file, each at its own place',
      'version: 1\nextends: base.yaml\ncontrols:\n  rds-instance-not-public:\n    params: { port: 0 }\n',
      { 'base.yaml': 'version: 1\nextends: hipaa\ncontrols: { rds-instance-not-public: { params: { port: 1, owners: 2 } } }\n' },
      ['account.yaml:5:21 Too small: expected number to be >=1', 'base.yaml:3:67 expected a list, found 2'],
    ],
    ['an unreadable parent', 'version: 1\nextends: base.yaml\n', { 'base.yaml': '' }, ['base.yaml:1:1 the file is empty']],
  ])('%s', async (_, text, others, faults) => {
    expect(await faultsOf(text, others)).toEqual(faults);
  });

  test('a chain that never ends', async () => {
    const folders = Array.from({ length: 30 }, (_, depth) => [`${'a/'.repeat(depth + 1)}b.yaml`, 'version: 1\nextends: a/b.yaml\n']);
    const [fault, ...rest] = await faultsOf('version: 1\nextends: a/b.yaml\n', Object.fromEntries(folders));
    expect(rest).toEqual([]);
    expect(fault).toBe('a/a/a/a/a/a/a/a/a/b.yaml:2:10 a chain of more than 10 files that extend each other');
  });

  test('the file itself is missing', async () => {
    const { loadPolicy } = await import('../../../engine/policy/load.ts');
    const missing = loadPolicy({ file: 'none.yaml', read: () => undefined, catalogue: [], today: '2026-01-01', baseline: 'hipaa.yaml' });
    await expect(missing).rejects.toThrow(new PolicyError([{ file: 'none.yaml', line: 1, column: 1, message: 'there is no such file' }]));
  });
});

describe('any text', () => {
  const settles = async (text: string) => {
    const begun = performance.now();
    const result = await load(text).catch((error: unknown) => error);
    expect(performance.now() - begun).toBeLessThan(2_000);
    if (result instanceof Error) {
      expect(result).toBeInstanceOf(PolicyError);
      const told = result.message.split(/[\r\n]/);
      expect(told).toHaveLength((result as PolicyError).faults.length);
      for (const line of told) expect(line).toMatch(/^[a-z]+\.yaml:[1-9]\d*:[1-9]\d* ./);
    }
  };

  test('ends as a policy or a PolicyError', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 400 }), settles), { numRuns: 300 });
  });

  test('made of YAML', async () => {
    const pieces = fc.constantFrom(
      ...[
        'version: 1',
        'extends: hipaa',
        'controls:',
        'channels:',
        'params:',
        'mode: fix',
        's3-bucket-tls-only:',
        '"*":',
        'fix',
        '- ',
        '? ',
        ': ',
        '&a ',
        '*a',
      ],
      ...['<<: ', '{', '}', '[', ']', ',', '\n', '\n  ', '\n    ', '"', "'", '|', '>', '#', '!', '%', '---', '...', '\t', '__proto__', 'constructor', '1', '~'],
    );
    const texts = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));
    await fc.assert(fc.asyncProperty(texts, settles), { numRuns: 1_500 });
  });

  test('wrong in one place of a right policy', async () => {
    const right = onBaseline(
      '  s3-bucket-tls-only:\n    mode: fix\n    params: { port: 8443 }\n    exceptions: [{ tag: a=b, reason: r, approvedBy: a, expires: 2027-01-01 }]\n',
    );
    const wrong = fc.tuple(fc.nat(right.length), fc.nat(8), fc.string({ maxLength: 6 }));
    await fc.assert(
      fc.asyncProperty(wrong, ([at, cut, put]) => settles(right.slice(0, at) + put + right.slice(at + cut))),
      { numRuns: 500 },
    );
  });

  test.each([
    ['nested deep', '['.repeat(100_000)],
    ['many keys', `controls:\n${Array.from({ length: 20_000 }, (_, index) => `  k${index}:`).join('\n')}`],
    ['aliases that multiply', `a0: &a0 [x]\n${Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(9)}]`).join('\n')}`],
    ['one alias often', `a: &a [x]\nb: [${'*a, '.repeat(40_000)}]`],
    ['many stars', `version: 1\ncontrols:\n  "${'*a'.repeat(10_000)}": fix\n`],
  ])('large: %s', async (_, text) => {
    const begun = performance.now();
    await expect(load(text)).rejects.toBeInstanceOf(PolicyError);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});
