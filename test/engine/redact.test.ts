import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { redact, redactDeep } from '../../engine/redact.ts';
import { around, ours, planted } from '../support/identifiers.ts';

const corpus: { pass: string[]; redacted: [string, string][] } = parse(readFileSync('test/fixtures/redaction/corpus.yaml', 'utf8'));

describe('the corpus', () => {
  test.each(corpus.pass)('stays: %s', (text) => expect(redact(text)).toBe(text));
  test.each(corpus.redacted)('%s', (text, wanted) => expect(redact(text)).toBe(wanted));
  test('is large enough, half of it stays, none is there twice', () => {
    const all = [...corpus.pass, ...corpus.redacted.map(([text]) => text)];
    expect(new Set(all).size).toBe(all.length);
    expect(all.length).toBeGreaterThanOrEqual(300);
    expect(corpus.pass.length * 2).toBeGreaterThanOrEqual(all.length);
  });
});

describe('properties', () => {
  test.each(Object.entries(ours))('%s always stays', (_, made) => {
    fc.assert(
      fc.property(made, (own) => expect(redact(own)).toBe(own)),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(made, made, (one, other) => expect(redact(`${one}, ${other}`)).toBe(`${one}, ${other}`)),
      { numRuns: 100 },
    );
  });
  test.each(Object.entries(planted))('%s is always removed, wherever it stands', (_, made) => {
    fc.assert(
      fc.property(
        made.chain(([secret, labelled]) => around(labelled).map((whole) => [secret, whole] as const)),
        ([secret, whole]) => expect(redact(whole)).not.toContain(secret),
      ),
      { numRuns: 500 },
    );
  });
  const pieces = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        ...'0123456789abcdefZ@%.-_+/:()[] "\n',
        '%40',
        '%20',
        '@x.co',
        'mrn',
        'ssn',
        'dob',
        'patient',
        'tel',
        '[ssn]',
        'born on',
        '123-45-6789',
        '2026-11-22',
      ),
    },
    { weight: 1, arbitrary: fc.oneof(...Object.values(planted).map((made) => made.map(([, labelled]) => labelled)), ...Object.values(ours)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
  );
  const jumble = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(''));
  test('done twice is done once', () => {
    for (const options of [{}, { keep: ['email'] }, { keep: ['session'] }] as const)
      fc.assert(
        fc.property(jumble, (given) => expect(redact(redact(given, options), options)).toBe(redact(given, options))),
        { numRuns: 3_000 },
      );
  });
  test('any JSON keeps its shape, and done twice is done once', () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        jumble,
        fc.double(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(jumble, tie('value'), { maxKeys: 3 }),
      ),
    })).value;
    const shape = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(shape)
        : typeof value === 'object' && value !== null
          ? Object.values(value).map(shape).length
          : typeof value === 'number'
            ? 'string'
            : typeof value;
    fc.assert(
      fc.property(json, (value) => {
        const once = redactDeep(value);
        expect(shape(once)).toEqual(shape(value));
        expect(redactDeep(once)).toEqual(once);
      }),
    );
  });
});

/** A pattern that tries again from each place would need hours for these. */
test.each([
  '1',
  'a',
  '@',
  'a@',
  'a@a.',
  '%40',
  '%40a',
  'a%40a.',
  '1-',
  '1 ',
  '+1 ',
  '(212) ',
  '4111 ',
  'mrn',
  'mrn ',
  'patient-',
  'patient 1',
  'dob-1',
  'f',
  '1f',
  'a-',
  '.a',
  ' ',
  '[',
  '2026-11-',
  'arn:aws:sts::123456789012:assumed-role/',
  '\ud800',
  'é',
])('two hundred thousand characters of %j', (piece) => {
  const long = piece.repeat(Math.ceil(200_000 / piece.length));
  expect(redact(`${long} | 123-45-6789 | a@x.example`)).toMatch(/\| \[ssn\] \| \[email\]$/);
  expect(redact(long, { keep: ['session'] }).length).toBeGreaterThan(0);
});

describe('what says who did it', () => {
  const session = 'arn:aws:sts::123456789012:assumed-role/Admin/dana@clinic.example';
  test.each<[string, Parameters<typeof redact>[1], string]>([
    [session, { keep: ['email'] }, session],
    [`${session} with 123-45-6789`, { keep: ['email'] }, `${session} with [ssn]`],
    [`Broken by ${session}, for john@example.com.`, { keep: ['session'] }, `Broken by ${session}, for [email].`],
    ['arn:aws:iam::123456789012:user/dana@clinic.example', { keep: ['session'] }, 'arn:aws:iam::123456789012:user/dana@clinic.example'],
    ['arn:aws:s3:::dana@clinic.example', { keep: ['session'] }, 'arn:aws:s3:::[email]'],
    ['arn:aws:sts::123456789012:assumed-role/Admin/123-45-6789', { keep: ['session'] }, 'arn:aws:sts::123456789012:assumed-role/Admin/[ssn]'],
  ])('%s, %j', (text, options, wanted) => expect(redact(text, options)).toBe(wanted));
});

describe('JSON', () => {
  test.each<[string, unknown, unknown]>([
    [
      'a key is the label of its value',
      { mrn: '4711', dateOfBirth: '1980-01-31', ssn: 123456789, telephone: '5550123' },
      { mrn: '[mrn]', dateOfBirth: '[date-of-birth]', ssn: '[ssn]', telephone: '[phone]' },
    ],
    ['of each value of a list too', { patientIds: ['4711234', '4711235'] }, { patientIds: ['[mrn]', '[mrn]'] }],
    [
      'the key of a tag is',
      [
        { Key: 'mrn', Value: '4711' },
        { Key: 'Name', Value: '4711' },
      ],
      [
        { Key: 'mrn', Value: '[mrn]' },
        { Key: 'Name', Value: '4711' },
      ],
    ],
    ['keys are redacted, and stay apart', { '123-45-6789': 1, '234-56-7890': 2 }, { '[ssn]': 1, '[ssn] (2)': 2 }],
    ['who acted stays', { actor: { arn: 'x/dana@clinic.example' }, by: 'dana@clinic.example' }, { actor: { arn: 'x/dana@clinic.example' }, by: '[email]' }],
    ['numbers, null and truth stay', [5368709120, 123456789, 0.5, null, true], [5368709120, 123456789, 0.5, null, true]],
    ['a key __proto__ is a key', JSON.parse('{"__proto__":{"ssn":"123456789"}}'), JSON.parse('{"__proto__":{"ssn":"[ssn]"}}')],
  ])('%s', (_, value, wanted) => expect(redactDeep(value)).toEqual(wanted));
  test('what holds itself has an end', () => {
    const ring: Record<string, unknown> = { id: '123-45-6789' };
    ring.inner = ring;
    expect(JSON.stringify(redactDeep(ring))).not.toContain('123-45');
  });
});

describe('characters that are not seen', () => {
  test.each([
    ['in a social security number', '123-45\u200b-6789', '[ssn]'],
    ['in an address', 'dana\u200b@clinic\u00ad.example', '[email]'],
    ['between a label and its number', 'mrn\u2060: 47\ufe0f11234', 'mrn: [mrn]'],
    ['beside nothing of a person: they stay', 'caf\u0301e \u200fof the clinic\u200b', 'caf\u0301e \u200fof the clinic\u200b'],
    ['in an emoji', 'the family \u{1F468}\u200D\u{1F469}\u200D\u{1F467} \u2764\ufe0f', 'the family \u{1F468}\u200D\u{1F469}\u200D\u{1F467} \u2764\ufe0f'],
  ])('%s', (_, text, told) => {
    expect(redact(text)).toBe(told);
    expect(redact(told)).toBe(told);
  });
});
