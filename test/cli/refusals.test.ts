import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { account, boring, delivered, record, stopLogging } from './events.ts';
import { type Desk, openDesk, type Result, type Run, runAll } from './run.ts';

const identity = (id: string) =>
  `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::${id}:user/jo</Arn><UserId>AIDA</UserId><Account>${id}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;
const fault = (code: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>refused,\nin two lines</Message></Error></ErrorResponse>`;
/** One address, several AWS: the path chooses what it answers. */
const answers: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/expired/': (response) => response.writeHead(403, { 'content-type': 'text/xml' }).end(fault('ExpiredToken')),
  '/unknown-key/': (response) => response.writeHead(403, { 'content-type': 'text/xml' }).end(fault('InvalidClientTokenId')),
  '/website/': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html><p>Welcome<br></html>'),
  '/account/': (response) => response.writeHead(200, { 'content-type': 'text/xml' }).end(identity(account)),
  '/silent/': () => {},
};

let desk: Desk;
let server: Server;
let results: Record<string, Result>;

const keys = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'us-east-1' };
const at = (path: string) => ({ ...keys, AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}` });

const policy = (controls: string) => `version: 1\nextends: hipaa\ncontrols:\n${controls}`;
const exception = (expires: string) =>
  policy(
    `  s3-bucket-tls-only:\n    mode: notify\n    exceptions:\n      - { resource: "arn:aws:s3:::x", reason: no PHI, approvedBy: a@example.com, expires: ${expires} }\n`,
  );

const files = {
  'good.json': JSON.stringify(delivered(stopLogging())),
  'empty.json': '',
  'blank.json': ' \n\n',
  'junk.json': '{not json',
  'secret.json': 'patient Jane Roe',
  'cut.json': `[\n${JSON.stringify(record(boring))},\n{"eventName": `,
  'line-two.ndjson': `${JSON.stringify(record(boring))}\n{"eventName":\n`,
  'no-event.json': '{"hello": "world"}',
  'number.json': '5',
  'half.json': '{"detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": {"eventSource": "s3.amazonaws.com"}}',
  'forged.json': JSON.stringify({ ...delivered(stopLogging()), source: 'my.app' }),
  'many-wrong.json': JSON.stringify(Array.from({ length: 50 }, () => ({ hello: 'world' }))),
  'other-account.json': JSON.stringify(delivered({ ...stopLogging(), recipientAccountId: '444455556666' })),
  'good.yaml': policy('  s3-bucket-tls-only: fix\n'),
  'unknown.yaml': policy('  s3-bucket-tls-onyl: fix\n  cloudtrail-logging-on: fxi\n'),
  'param.yaml': policy('  alb-http-redirects-to-https:\n    mode: fix\n    params: { httpsPort: many }\n'),
  'slip.yaml': `${policy('  s3-bucket-tls-only: fix\n')}watch: [us-esat-1, us-west-2]\n`,
  'twice.yaml': policy('  s3-bucket-tls-only: fix\n  s3-bucket-tls-only: page\n'),
  'expired.yaml': exception('2020-01-31'),
  'parent.yaml': 'version: 1\nextends: ./nowhere.yaml\n',
  'list.yaml': '- fix\n',
};

interface Refusal {
  /** Evaluated when the server is up. */
  readonly run: () => Run;
  /** 0: a warning only. */
  readonly code: 0 | 1 | 2;
  readonly err: RegExp;
  /** What standard output holds; nothing by default. */
  readonly out?: RegExp;
  readonly lines?: number;
}

const offline = (...args: string[]) => ({ args: ['replay', ...args, '--offline'] });
const check = (...args: string[]) => ({ args: ['policy', 'check', ...args] });
const live = (env: () => Record<string, string>) => () => ({ args: ['sweep', '--control', 's3-bucket-tls-only'], env: env() });

const refusals: Record<string, Refusal> = {
  'no such event file': { run: () => offline('gone.json'), code: 2, err: /^gone\.json: no such file$/ },
  'an event file that is a folder': { run: () => offline('folder'), code: 2, err: /^folder: is a directory, not a file$/ },
  'one good file and one that is not there': { run: () => offline('good.json', 'gone.json', '--json'), code: 2, err: /^gone\.json: no such file$/ },
  'an empty event file': { run: () => offline('empty.json'), code: 1, err: /^empty\.json: is empty; it must hold JSON events$/ },
  'a blank event file': { run: () => offline('blank.json'), code: 1, err: /^blank\.json: is empty/ },
  'nothing on standard input': { run: () => offline('-'), code: 1, err: /^standard input: is empty/ },
  'no JSON': { run: () => offline('junk.json'), code: 1, err: /^junk\.json: not JSON: .* position 1 / },
  'no JSON, whose text stays off the terminal': { run: () => offline('secret.json'), code: 1, err: /^secret\.json: not JSON: (?!.*Jane)/ },
  'JSON that is cut off': { run: () => offline('cut.json'), code: 1, err: /^cut\.json: not JSON: Unexpected end/ },
  'NDJSON with a wrong line': { run: () => offline('line-two.ndjson'), code: 1, err: /^line-two\.ndjson:2: not JSON: / },
  'a gzip file that is cut off': { run: () => offline('cut.json.gz'), code: 1, err: /^cut\.json\.gz: the gzip file is cut off$/ },
  'a gzip file that is damaged': { run: () => offline('damaged.json.gz'), code: 1, err: /^damaged\.json\.gz: not a sound gzip file: / },
  'a gzip file of no JSON': { run: () => offline('junk.json.gz'), code: 1, err: /^junk\.json\.gz: not JSON: / },
  'JSON that is no event': {
    run: () => offline('no-event.json'),
    code: 1,
    err: /^no-event\.json: not an event\n\n1 events: 0 routed, 1 dropped \(1 not an event\)/,
  },
  'a number': { run: () => offline('number.json'), code: 1, err: /^number\.json: not an event\n/ },
  'half an event': { run: () => offline('half.json'), code: 1, err: /^half\.json: incomplete event\n/ },
  'an event that only looks like one of AWS': { run: () => offline('forged.json'), code: 1, err: /^forged\.json: unknown kind of event\n/ },
  'no event, as JSON': {
    run: () => offline('no-event.json', '--json'),
    code: 1,
    err: /^no-event\.json: not an event$/,
    out: /^\{"summary":\{"events":1,"dropped":1,"droppedBy":\{"not an event":1\}.*\}\}\n$/,
  },
  'fifty that are no events': {
    run: () => offline('many-wrong.json'),
    code: 1,
    err: /^many-wrong\.json, event 1: not an event\n[\s\S]*event 5: not an event\n\.\.\. and more; the summary counts them\n\n50 events: 0 routed, 50 dropped/,
    lines: 8,
  },
  'an event of another account': {
    run: () => ({ args: ['replay', 'other-account.json'], env: at('/account') }),
    code: 1,
    err: /^other-account\.json: another account: the credentials are those of 111122223333\n\n1 events: 0 routed, 1 dropped \(1 another account\)/,
  },
  '--apply and --offline': { run: () => offline('good.json', '--apply'), code: 2, err: /^--apply .* --offline .*: choose one$/ },

  'no such policy': { run: () => check('gone.yaml'), code: 2, err: /^gone\.yaml: no such file$/ },
  'a policy that is a folder': { run: () => check('folder'), code: 2, err: /^folder: is a directory, not a file$/ },
  'an empty policy': { run: () => check('empty.json'), code: 1, err: /^empty\.json:1:1 the file is empty$/ },
  'a policy that is a list': { run: () => check('list.yaml'), code: 1, err: /^list\.yaml:1:1 a policy is a map/ },
  'a policy that extends nothing': { run: () => check('parent.yaml'), code: 1, err: /^parent\.yaml:2:10 there is no file nowhere\.yaml/ },
  'an unknown control and an unknown mode': {
    run: () => check('unknown.yaml'),
    code: 1,
    err: /^unknown\.yaml:4:3 unknown control "s3-bucket-tls-onyl"; did you mean "s3-bucket-tls-only"\?\nunknown\.yaml:5:\d+ .*did you mean "fix"\?$/,
  },
  'a wrong policy, as JSON': {
    run: () => check('unknown.yaml', '--json'),
    code: 1,
    err: /^$/,
    out: /^\{"ok":false,"faults":\[\{"file":"unknown\.yaml","line":4,"column":3,.*"line":5,.*\],"warnings":\[\]\}\n$/,
  },
  'a parameter of the wrong type': { run: () => check('param.yaml'), code: 1, err: /^param\.yaml:6:\d+ .*(number|int)/ },
  'a policy that watches a region that is nearly one': {
    run: () => check('slip.yaml'),
    code: 0,
    err: /^slip\.yaml: us-esat-1 is no region that this version knows; did you mean us-east-1\? \(warning\)$/,
    out: /^slip\.yaml: fine\. /,
  },
  'a key twice': { run: () => check('twice.yaml'), code: 1, err: /^twice\.yaml:5:3 "s3-bucket-tls-only" is there twice$/ },
  'an exception that has expired': {
    run: () => check('expired.yaml'),
    code: 0,
    err: /^expired\.yaml:7:\d+ .*2020-01-31.* \(warning\)$/,
    out: /^expired\.yaml: fine\. /,
  },
  'replay with a wrong policy': { run: () => offline('good.json', '--policy', 'unknown.yaml', '--json'), code: 1, err: /^unknown\.yaml:4:3 / },
  'sweep with a wrong policy, before AWS is asked': { run: () => ({ args: ['sweep', '--policy', 'twice.yaml'] }), code: 1, err: /^twice\.yaml:5:3 / },
  'plan with a wrong policy': { run: () => ({ args: ['plan', '--policy', 'twice.yaml', '--json'] }), code: 1, err: /^twice\.yaml:5:3 / },
  'plan against a wrong policy': { run: () => ({ args: ['plan', '--against', 'gone.yaml', '--json'] }), code: 2, err: /^gone\.yaml: no such file$/ },

  'an empty region': { run: live(() => ({ ...keys, AWS_REGION: '' })), code: 2, err: /^No AWS region is set\. Use --region or AWS_REGION\.$/ },
  'no region at all': { run: live(() => ({ AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' })), code: 2, err: /^No AWS region is set\. / },
  'no credentials': { run: live(() => ({ AWS_REGION: 'us-east-1' })), code: 2, err: /^No AWS credentials were found\. Set AWS_PROFILE / },
  'no credentials, and a metadata service that never answers': {
    run: live(() => ({ AWS_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: at('').AWS_ENDPOINT_URL })),
    code: 2,
    err: /^No AWS credentials were found\. Set AWS_PROFILE /,
  },
  'a profile that does not exist': {
    run: live(() => ({ AWS_REGION: 'us-east-1', AWS_PROFILE: 'nobody' })),
    code: 2,
    err: /^No AWS credentials were found in profile nobody\. Set AWS_PROFILE /,
  },
  'credentials that have expired': { run: live(() => at('/expired')), code: 2, err: /^The AWS credentials have expired \(ExpiredToken\)\. Sign in again/ },
  'credentials that AWS does not know': {
    run: live(() => at('/unknown-key')),
    code: 2,
    err: /^AWS does not accept the credentials \(InvalidClientTokenId\): refused, in two lines$/,
  },
  'nobody at the endpoint': {
    run: live(() => ({ ...keys, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' })),
    code: 2,
    err: /^AWS cannot be reached \(connect ECONNREFUSED 127\.0\.0\.1:9\)\. Check the network and the region and AWS_ENDPOINT_URL \(http:\/\/127\.0\.0\.1:9\)\.$/,
  },
  'an endpoint that never answers': { run: live(() => at('/silent')), code: 2, err: /^AWS cannot be reached \(/ },
  'an endpoint that is a website': {
    run: live(() => at('/website')),
    code: 2,
    err: /^What answered is not AWS: .*[^.]\. Check the network and the region and AWS_ENDPOINT_URL/,
  },
  'no such stack, because nobody answers': {
    run: () => ({ args: ['findings', '--stack', 'bot', '--json'], env: { ...keys, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' } }),
    code: 2,
    err: /^AWS cannot be reached \(/,
  },

  'a region that is none': {
    run: () => ({ args: ['sweep', '--region', 'mars'], env: keys }),
    code: 2,
    err: /^there is no AWS region "mars": a region is written like us-east-1\. Known are af-south-1, .*us-west-2\.$/,
  },
  'a region that is none, to replay in': {
    run: () => ({ args: ['replay', 'good.json', '--region', 'mars'], env: keys }),
    code: 2,
    err: /^there is no AWS region "mars"/,
  },
  'a region that is nearly one': {
    run: () => ({ args: ['doctor', '--region', 'US-East-1'], env: keys }),
    code: 2,
    err: /^there is no AWS region "US-East-1"; did you mean us-east-1\?/,
  },
  'a region of the environment that is none': {
    run: live(() => ({ ...keys, AWS_REGION: 'us-east1' })),
    code: 2,
    err: /^there is no AWS region "us-east1"; did you mean us-east-1\?/,
  },

  'a doctor of a stack without a name': {
    run: () => ({ args: ['doctor', '--stack', ''], env: keys }),
    code: 2,
    err: /^error: option '--stack <name>' argument '' is invalid\. a stack has a name such as phidelity-dev\n/,
  },
  'findings of a stack without a name': { run: () => ({ args: ['findings', '--stack', ''], env: keys }), code: 2, err: /^error: .*a stack has a name/ },
  'dead letters of a stack without a name': { run: () => ({ args: ['dlq', 'list', '--stack', ''], env: keys }), code: 2, err: /^error: .*a stack has a name/ },
  'dead letters of no stack': { run: () => ({ args: ['dlq', 'list'] }), code: 2, err: /^error: required option '--stack <name>' not specified/ },
  'dead letters, what of them': { run: () => ({ args: ['dlq'] }), code: 2, err: /^Usage: phidelity dlq /, lines: 20 },
  'an unknown command of dlq': { run: () => ({ args: ['dlq', 'lst'] }), code: 2, err: /^error: unknown command 'lst'\n\(Did you mean list\?\)/ },
  'nothing to send back': { run: () => ({ args: ['dlq', 'redrive', '--stack', 'bot'] }), code: 2, err: /^name the messages to send back, or say --all$/ },
  'all and one to send back': {
    run: () => ({ args: ['dlq', 'redrive', 'm', '--all', '--stack', 'bot'] }),
    code: 2,
    err: /^--all is every message: name none beside it$/,
  },
  'dead letters without credentials': {
    run: () => ({ args: ['dlq', 'list', '--stack', 'bot'], env: { AWS_REGION: 'us-east-1' } }),
    code: 2,
    err: /^No AWS credentials were found\./,
  },
  'a doctor without credentials': {
    run: () => ({ args: ['doctor', '--json'], env: { AWS_REGION: 'us-east-1' } }),
    code: 2,
    err: /^No AWS credentials were found\./,
  },
  'a doctor for a policy that is not there': {
    run: () => ({ args: ['doctor', '--policy', 'gone.yaml'], env: at('/account') }),
    code: 2,
    err: /^gone\.yaml: no such file$/,
  },

  'a state folder that is a file': { run: () => ({ args: ['findings', '--state', 'good.json'] }), code: 2, err: /^cannot keep state in good\.json .*--state$/ },
  'a state folder under a file': {
    run: () => ({ args: ['replay', 'good.json', '--apply', '--state', 'good.json/x'], env: at('/account') }),
    code: 2,
    err: /^cannot keep state in good\.json\/x .*--state$/,
  },
  'a state folder with something else in it': {
    run: () => ({ args: ['findings', '--state', 'notes'] }),
    code: 2,
    err: /^notes\/state\.sqlite is not a database/,
  },

  'an unknown command': { run: () => ({ args: ['reply'] }), code: 2, err: /^error: unknown command 'reply'\n\(Did you mean replay\?\)/ },
  'an unknown command of policy': { run: () => ({ args: ['policy', 'chek'] }), code: 2, err: /^error: unknown command 'chek'\n\(Did you mean check\?\)/ },
  'an unknown option': {
    run: () => ({ args: ['replay', '--ofline', 'good.json'] }),
    code: 2,
    err: /^error: unknown option '--ofline'\n\(Did you mean --offline\?\)/,
  },
  'an unknown option of policy check': { run: () => check('--jsn'), code: 2, err: /^error: unknown option '--jsn'\n\(Did you mean --json\?\)/ },
  'an option without its value': { run: () => ({ args: ['plan', '--policy'] }), code: 2, err: /^error: option '--policy <file>' argument missing/ },
  'replay of nothing': { run: () => ({ args: ['replay'] }), code: 2, err: /^error: missing required argument 'file'/ },
  'too much': { run: () => ({ args: ['controls', 's3'] }), code: 2, err: /^error: too many arguments for 'controls'/ },
  'a control to sweep that does not exist': {
    run: () => ({ args: ['sweep', '--control', 's3-bucket-tls-onyl'] }),
    code: 2,
    err: /^there is no control s3-bucket-tls-onyl to sweep; did you mean s3-bucket-tls-only\?$/,
  },
  'a service to sweep that does not exist': {
    run: () => ({ args: ['sweep', '--service', 's4'] }),
    code: 2,
    err: /^there is no service s4 to sweep; did you mean s3\?$/,
  },
};

beforeAll(async () => {
  desk = openDesk();
  for (const [name, text] of Object.entries(files)) writeFileSync(desk.path(name), text);
  const zipped = gzipSync(JSON.stringify([record(stopLogging())]));
  writeFileSync(desk.path('cut.json.gz'), zipped.subarray(0, -20));
  writeFileSync(desk.path('damaged.json.gz'), Buffer.from(zipped).fill(0xff, 20, 30));
  writeFileSync(desk.path('junk.json.gz'), gzipSync('{not json'));
  mkdirSync(desk.path('folder'));
  mkdirSync(desk.path('notes'));
  writeFileSync(desk.path('notes/state.sqlite'), 'notes '.repeat(500));
  server = createServer((request, response) => {
    const answer = answers[new URL(request.url ?? '', 'http://local').pathname];
    // The metadata service is silent, too.
    answer?.(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  results = await runAll(desk, Object.fromEntries(Object.entries(refusals).map(([name, { run }]) => [name, run()])));
}, 300_000);

afterAll(() => {
  server.closeAllConnections();
  server.close();
  desk.clear();
});

describe('a wrong input is told in a few words, with the way out', () => {
  test.each(Object.entries(refusals))('%s', (name, { code, err, out = /^$/, lines = 3 }) => {
    const result = results[name]!;
    expect(result.err.trim()).toMatch(err);
    expect(result.code).toBe(code);
    expect(result.out).toMatch(out);
    expect(result.err.trim().split('\n').length).toBeLessThanOrEqual(lines);
    expect(result.err).not.toMatch(/\n\s+at /);
  });
});
