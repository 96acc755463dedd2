/** Generated: what AWS writes and must stay, identifiers of persons, and the places where these hide. Nothing in them is of a person. */
import fc from 'fast-check';

const text = (alphabet: string, minLength: number, maxLength: number) => fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });
const digits = (count: number) => text('0123456789', count, count);
const padded = (size: number, min: number, max: number) => fc.integer({ min, max }).map((value) => String(value).padStart(size, '0'));
const joined = (...parts: (fc.Arbitrary<string> | string)[]) =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((found) => found.join(''));
const [hex, lower] = ['0123456789abcdef', 'abcdefghijklmnopqrstuvwxyz'];

const region = fc.constantFrom('us-east-1', 'us-west-2', 'eu-central-1', 'us-gov-west-1');
const account = digits(12);
/** No word of a name is the label of a number. */
const name = fc
  .array(fc.constantFrom('lab', 'results', 'intake', 'prod', 'v2', 'x1', 'web', 'db'), { minLength: 1, maxLength: 4 })
  .map((words) => words.join('-'));
const time = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }).map((date) => date.toISOString());
const withLetter = (hash: string) => /[a-f]/.test(hash);
const hash = fc
  .constantFrom(16, 32, 40, 64)
  .chain((count) => text(hex, count, count))
  .filter(withLetter);
const resourceId = joined(fc.constantFrom('vol', 'snap', 'i', 'sg', 'ami', 'eni', 'vpc', 'subnet', 'fl'), '-', text(hex, 17, 17));
const arn = fc.oneof(
  joined('arn:aws:s3:::', name),
  joined('arn:aws:ec2:', region, ':', account, ':volume/', resourceId),
  joined('arn:aws:iam::', account, ':role/', name),
  joined('arn:aws:sts::', account, ':assumed-role/', name, '/', name),
  joined('arn:aws:kms:', region, ':', account, ':key/', fc.uuid()),
  joined('arn:aws:sqs:', region, ':', account, ':', name),
  joined('arn:aws:elasticloadbalancing:', region, ':', account, ':loadbalancer/app/', name, '/', text(hex, 16, 16)),
  joined('arn:aws:cloudformation:', region, ':', account, ':stack/', name, '/', fc.uuid()),
);
export const ours: Readonly<Record<string, fc.Arbitrary<string>>> = {
  arn,
  account,
  'an IPv4 network': joined(fc.ipV4(), '/', padded(1, 0, 32)),
  'an IPv6 address': fc.ipV6(),
  time,
  hash,
  'a resource id': resourceId,
  uuid: fc.uuid(),
  'a finding id': joined('f-', text('abcdefghijklmnopqrstuvwxyz234567', 26, 26)),
  'base64 of SHA-256': fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  'a file of CloudTrail': joined(account, '_CloudTrail_', region, '_20261122T1845Z_', text(lower, 16, 16), '.json.gz'),
};

const luhn = (body: string): string =>
  [...'0123456789']
    .map((check) => body + check)
    .find((card) => [...card].reverse().reduce((sum, digit, at) => sum + ((at % 2 ? 2 : 1) * Number(digit) - (at % 2 && digit > '4' ? 9 : 0)), 0) % 10 === 0)!;
const separator = fc.constantFrom('-', ' ');
const area = fc.oneof(padded(3, 1, 665), padded(3, 667, 899));
const [year, month, day] = [padded(4, 1900, 2026), padded(2, 1, 12), padded(2, 1, 28)];
const us = fc.tuple(padded(3, 200, 999), padded(3, 200, 999), digits(4));

/** The identifier, and the same with the label that it needs. */
export const planted: Readonly<Record<string, fc.Arbitrary<readonly [secret: string, text: string]>>> = {
  ssn: fc
    .tuple(area, padded(2, 1, 99), padded(4, 1, 9999), separator)
    .map(([a, b, c, s]) => [a, b, c].join(s))
    .map((secret) => [secret, secret]),
  'ssn by label': fc
    .tuple(area, padded(2, 1, 99), padded(4, 1, 9999), fc.constantFrom('ssn-', 'SSN: ', 'ssn='))
    .map(([a, b, c, label]) => [a + b + c, label + a + b + c]),
  mrn: fc
    .tuple(fc.integer({ min: 5, max: 11 }).chain(digits), fc.constantFrom('mrn-', 'MRN_', 'mrn: ', 'patient-', 'patientId=', 'chart/', 'medical_record_'))
    .map(([secret, label]) => [secret, label + secret]),
  email: joined(
    text(`${lower}0123456789`, 4, 12),
    fc.constantFrom('', '.x', '+lab', '_y'),
    fc.constantFrom('@', '%40'),
    text(lower, 1, 9),
    fc.constantFrom('.example', '.example.com'),
  ).map((secret) => [secret, secret]),
  phone: fc
    .tuple(us, separator)
    .map(([parts, s]) => parts.join(s))
    .map((secret) => [secret, secret]),
  'phone of the world': joined('+', padded(2, 20, 99), digits(9)).map((secret) => [secret, secret]),
  'date of birth': fc
    .tuple(
      fc.oneof(joined(year, '-', month, '-', day), joined(month, '/', day, '/', year), joined(year, month, day)),
      fc.constantFrom('dob-', 'DOB: ', 'birth_date=', 'born on '),
    )
    .map(([secret, label]) => [secret, label + secret]),
  card: fc
    .tuple(fc.constantFrom('4', '51', '2300', '6011'), digits(15), fc.constantFrom('', ' ', '-'))
    .map(([prefix, rest, s]) =>
      luhn((prefix + rest).slice(0, 15))
        .match(/.{4}/g)!
        .join(s),
    )
    .map((secret) => [secret, secret]),
  'long digits': fc
    .constantFrom(9, 10, 11, 13, 15, 18, 20)
    .chain(digits)
    .filter((run) => !/^(20\d{12}(\d{3})?|1[789]\d{11})$/.test(run))
    .map((secret) => [secret, secret]),
};
/** Where it stands: nothing in these is the label of a number. */
export const around = (inner: string): fc.Arbitrary<string> =>
  fc.oneof(
    joined('arn:aws:s3:::', name, '-', inner),
    joined('arn:aws:s3:::', inner),
    joined('arn:aws:sts::', account, ':assumed-role/', name, '/', inner),
    joined('arn:aws:rds:', region, ':', account, ':db:', name, '-', inner, '-', name),
    joined('arn:aws:s3:::', name, '/', inner, '/', name, '.dcm'),
    joined('PutBucketPolicy by ', inner, ' at ', time),
    joined('{"Key":"', name, '","Value":"', inner, '"}'),
    joined(account, ' ', inner, ', ', time),
    joined(hash, '/', inner, '/', resourceId),
  );
