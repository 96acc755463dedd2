/**
 * What identifiers of persons look like, and what looks like them but is AWS's own. Sources of regular expressions.
 * Each is tried at one place of the text and is bounded, or runs over characters that no other try at that run sees again: a pass takes time linear in the text.
 */

export const kinds = ['ssn', 'mrn', 'email', 'phone', 'date-of-birth', 'card', 'digits'] as const;
export type Kind = (typeof kinds)[number];

export const either = (...sources: readonly string[]): string => `(?:${sources.join('|')})`;

/** No digit before it; the two of an escape such as %20 do not count. */
const start = '(?:(?<![0-9])|(?<=%[0-9A-Fa-f]{2}))';
const end = '(?![0-9])';
const whole = (source: string): string => `(?<![A-Za-z0-9])${source}(?![A-Za-z0-9])`;
/** A blank or a hyphen in a URL. */
const encoded = '%2[0Dd]';
const hyphen = '[-\\u2010-\\u2015_]';

/** Letter by letter: the modifier `(?i:)` together with the flag u misses `Id` in Node 24. */
const anyCase = (words: string): string => words.replace(/[a-z]/g, (small) => `[${small}${small.toUpperCase()}]`);
/** A word begins here: no letter before it, or it is the next hump of camelCase. */
const word = (source: string): string => `${either('(?<![A-Za-z])', '(?<=[a-z])(?=[A-Z])')}${anyCase(source)}`;
const gap = '[ _.-]?';
const numbered = `(?:${gap}(?:numbers?|num|no|nr|id|ids|identifiers?|code))?`;
/** Between a label and its value: `mrn-1`, `"mrn": "1"`, `mrn%3D1`, `MRN is #1`. */
const between = '(?:[\\s:=#"\'_.,/()\\\\-]|%(?:20|22|23|2[CDFcdf]|3[ADad])){0,6}(?:(?<=\\s)(?:is|was|on)\\s)?#?';

const labels = {
  ssn: word(`${either('ssns?', `social${gap}security`, 'ss#')}${numbered}`),
  'date-of-birth': word(either('d\\.?o\\.?b\\.?', `date${gap}of${gap}birth`, `birth${gap}da(?:te|y)`, 'born', 'birth')),
  phone: word(`${either('phone', 'telephone', 'tel', '(?:mobile|cell)[ _.-]?(?:number|num|no)', 'fax')}${numbered}`),
  mrn: word(`mrns?${numbered}`),
  /** Words of bucket names too: what follows must be a longer number. */
  patient: word(`${either('(?:in|out)?patients?', 'charts?', `medical${gap}records?`)}${numbered}`),
} as const;
export type Label = keyof typeof labels;
export const labelSources: Readonly<Record<Label, string>> = labels;

/** Never issued: area 000, 666 and 900 to 999, group 00, serial 0000. https://www.ssa.gov/employer/randomization.html */
const area = '(?!000|666|9)[0-9]{3}';
const ssn = (separator: string): string => `${start}${area}(?<gap>${separator})(?!00)[0-9]{2}\\k<gap>(?!0000)[0-9]{4}${end}`;

const month = `${anyCase('(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)')}[A-Za-z]{0,6}\\.?`;
const slash = '(?:[-/._ ]|%2[DFdf])';
const clock = '(?:T[0-9:.]{4,18}(?:Z(?![A-Za-z])|[+-][0-9]{2}:?[0-9]{2})?)?';
const birthDate = either(
  `[0-9]{4}${slash}[0-9]{1,2}${slash}[0-9]{1,2}${end}${clock}`,
  `[0-9]{1,2}${slash}[0-9]{1,2}${slash}(?:[0-9]{4}|[0-9]{2})${end}`,
  `[0-9]{1,2}(?:st|nd|rd|th)?[-\\s]?${month}[-\\s]?,?\\s?[0-9]{2,4}${end}`,
  `${month}[-\\s]?[0-9]{1,2}(?:st|nd|rd|th)?,?[-\\s]?[0-9]{4}${end}`,
  `(?:[0-9]{8}|[0-9]{6})${end}${clock}`,
);

/** Hexadecimal ids and hashes by their usual lengths, at least one letter in them: load balancers, EC2, X-Ray, MD5, SHA-1, SHA-2. */
const hexId = (letters: string): string =>
  `(?=[0-9]*[${letters}])${either(...[128, 96, 64, 56, 40, 32, 24, 20, 17, 16, 12].map((length) => `[0-9${letters}]{${length}}(?![A-Za-z0-9])`))}`;
const hex = either(hexId('a-f'), hexId('A-F'));

/** Four groups of four, as on the card, or none. American Express and Diners Club have their own. */
const card = either(
  `(?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|35[0-9]{2}|6011|6[245][0-9]{2})(?<four>[ ._-]?)[0-9]{4}\\k<four>[0-9]{4}\\k<four>[0-9]{4}(?:\\k<four>[0-9]{3})?`,
  '3[47][0-9]{2}(?<six>[ ._-]?)[0-9]{6}\\k<six>[0-9]{5}',
  '3(?:0[0-5]|[689][0-9])[0-9](?<club>[ ._-]?)[0-9]{6}\\k<club>[0-9]{4}',
  '4[0-9]{12}',
);

const letter = '\\p{L}\\p{N}';
const local = `[${letter}._%+'-]`;
const at = '(?:@|%40)';
const domain = `(?:[${letter}][${letter}-]*\\.)+\\p{L}{2,}`;
/** From the very start of a run, so that a run is looked at once; what hangs on it and is an address again belongs to it. */
export const email = `(?<!${local})${local}+${at}${domain}(?:${local}*${at}${domain})*`;

/** `patient-0123456789ab` is a name that a tool has made unique. Before all others. */
export const hexByLabel = `${labels.patient}${between}${hex}`;

/** By label, before anything else may claim the number: what stands before the value is kept. */
export const labelled: readonly (readonly [Kind, label: string, value: string])[] = [
  ['ssn', labels.ssn, either(ssn('[-./ _]'), `${area}(?!00)[0-9]{2}(?!0000)[0-9]{4}${end}`)],
  ['date-of-birth', labels['date-of-birth'], birthDate],
  ['mrn', labels.mrn, `[A-Za-z]{0,3}-?(?:[0-9]{4,}|[0-9]{1,3}(?:-[0-9]{2,4}){1,4}${end})`],
  ['mrn', labels.patient, '[A-Za-z]{0,2}-?[0-9]{5,}'],
  ['phone', labels.phone, `(?!20[0-9]{2}-?[0-9]{2}-?[0-9]{2}${end})(?:\\+|%2[Bb])?\\(?[0-9](?:[-. ()]{0,2}[0-9]){6,14}${end}`],
].map(([kind, label, value]) => [kind as Kind, `${label}${between}`, value!]);

/** In this order at each place. */
export const bare: readonly (readonly [Kind, string])[] = [
  ['ssn', ssn(`${hyphen}|[/+ \\u00a0]|${encoded}`)],
  ['card', `${start}${card}${end}`],
  ['phone', `(?:\\+|%2[Bb])[1-9](?:${either(hyphen, '[. \\u00a0()]')}{0,2}[0-9]){8,14}${end}`],
  ['phone', `(?<![0-9])(?:1[-. ])?\\([0-9]{3}\\)[-. ]?[0-9]{3}[-. ]?[0-9]{4}${end}`],
  ['phone', `${start}(?:1[-.])?[0-9]{3}${either(hyphen, encoded, '\\.')}[0-9]{3}${either(hyphen, encoded, '\\.')}[0-9]{4}${end}`],
  // Between blanks only as numbers are given out, or every list of three would be one.
  ['phone', `${start}(?:1[- ])?[2-9][0-9]{2}[ \\u00a0][2-9][0-9]{2}[ \\u00a0-][0-9]{4}${end}`],
  ['digits', `${start}(?:[0-9]{9,11}|[0-9]{13,})${end}`],
];

/** Passed over whole. Twelve digits alone are an account. */
export const kept: readonly string[] = [
  `\\[${either(...kinds)}\\]`,
  whole('[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}'),
  '(?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?(?![0-9])',
  // A date and a time in one: 20260131123456, with milliseconds, and as Terraform ends the names that it makes up.
  `(?<![0-9])20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9](?:[0-9]{3}|[0-9]{4}[0-9a-f]{8})?${end}`,
  // Milliseconds of the years 2023 to 2033.
  `(?<![0-9])1[789][0-9]{11}${end}`,
  `(?<![A-Za-z0-9])${hex}`,
  // Finding ids.
  whole('f-[0-9a-z]{26}'),
  // Ids whose seventeen may be digits only. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html
  whole(
    '(?:acl|ami|aclassoc|cgw|dopt|eigw|eipalloc|eipassoc|eni|fl|fs|fsap|fsmt|i|igw|lt|mi|nat|pcx|pl|rtb|rtbassoc|sg|sgr|snap|subnet|tgw|vgw|vol|vpc|vpce|vpn)-[0-9a-f]{17}',
  ),
  // Sixteen digits where a load balancer, its listeners and target groups have their ids.
  '[0-9]{16}(?![A-Za-z0-9])(?<=(?:/(?:app|net|gwy)|targetgroup)/[A-Za-z0-9[\\]-]{1,64}/(?:[0-9a-f]{16}/){0,2}[0-9]{16})',
  whole('d-[0-9a-f]{10}'),
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
  whole('A(?:BIA|CCA|GPA|IDA|IPA|KIA|NPA|NVA|PKA|ROA|SCA|SIA)[A-Z0-9]{12,17}'),
  // Hosted zones and distributions.
  whole('[EZ](?=[0-9]*[A-Z])[A-Z0-9]{12,20}'),
  // Base64 of MD5, SHA-1, SHA-256, SHA-384 and SHA-512.
  ...['22}==', '27}=', '43}=', '86}=='].map((size) => `(?<![A-Za-z0-9+/])(?=[0-9+/]*[A-Za-z])[A-Za-z0-9+/]{${size}(?!=)`),
  // Sessions that the SDKs name by the clock.
  '(?:botocore-session-|aws-go-sdk-|aws-sdk-(?:js|java)-(?:session-)?|assumed-role/[\\w+=,.@-]{1,64}/(?=1[0-9]{18}(?![0-9])))1[0-9]{9,18}(?![0-9])',
  // Host names of classic load balancers, and the statements that the policy generator names by the clock.
  '(?<![0-9])[0-9]{9,10}(?=\\.[a-z0-9-]{1,20}\\.elb\\.amazonaws\\.com)',
  '(?<![A-Za-z0-9])[Ss]tmt[0-9]{13}(?![0-9])',
  '(?<![0-9])[0-9]{9,16}(?= ?[Bb]ytes)',
];

/** Last: it may be the plus of a phone number. */
export const escaped = '%[0-9A-Fa-f]{2}';
