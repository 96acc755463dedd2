/**
 * Whether a statement of a resource policy is public, by S3's own meaning of the word: open to everybody, and no condition
 * holds it to a fixed principal, account, organisation, network or resource. Denies beside it are not weighed, as S3 weighs none.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 */
import { allowsEverybody, type Condition, conditionsOf, type Statement } from './resource-policy.ts';

type Known = (accountId: string) => boolean;

const isFixed = (value: string): boolean => value !== '' && !/[*?]|\$\{/.test(value);

const isKnown = (account: string, known: Known): boolean => /^\d{12}$/.test(account) && known(account);

/** An ARN with a fixed account is narrow even where its last part has a wildcard. A bucket's has no account, but its name is unique. */
const isKnownArn = (value: string, known: Known): boolean => {
  const [arn, , service, , account = '', ...resource] = value.split(':');
  if (arn !== 'arn') return false;
  return service === 's3' && !/^\d{12}$/.test(account) ? isFixed(resource.join(':')) && !value.includes('/') : isKnown(account, known);
};

/** As broad as /8 and /32 is not "broader than". A sum of narrow ranges can still be the world; nobody writes 256 of them. */
const isNarrowRange = (value: string): boolean => {
  const [address = '', prefix] = value.split('/');
  if (!/^[\da-f.:]+$/i.test(address)) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) >= (address.includes(':') ? 32 : 8);
};

const holders: readonly (readonly [keys: readonly string[], holds: (value: string, known: Known) => boolean])[] = [
  [['aws:sourceaccount', 'aws:sourceowner', 'aws:principalaccount', 'aws:vpceaccount', 's3:dataaccesspointaccount', 'kms:calleraccount'], isKnown],
  [['aws:sourcearn', 'aws:principalarn', 'aws:sourcevpcarn', 's3:dataaccesspointarn'], isKnownArn],
  [['aws:principalorgid', 'aws:sourceorgid', 'aws:vpceorgid', 'aws:sourcevpc', 'aws:sourcevpce'], isFixed],
  [['aws:principalorgpaths', 'aws:sourceorgpaths', 'aws:vpceorgpaths'], (value) => /^o-[a-z0-9]{10,32}\//.test(value)],
  // An id of its own, or the sessions of one role (`AROA…:*`).
  [['aws:userid'], (value, known) => /^A[A-Z0-9]{15,}(:|$)/.test(value) || isKnown(value.split(':')[0]!, known)],
];

// Without the key a negated operator and every IfExists and ForAllValues hold, so an anonymous request gets past them.
const comparing = /^(foranyvalue:)?(string(equals|equalsignorecase|like)|arn(equals|like))$/;

const narrows = ({ operator, key, values }: Condition, known: Known): boolean => {
  if (values.length === 0) return false;
  if (key === 'aws:sourceip') return operator === 'ipaddress' && values.every(isNarrowRange);
  const holds = holders.find(([keys]) => keys.includes(key))?.[1];
  return holds !== undefined && comparing.test(operator) && values.every((value) => holds(value, known));
};

/** `known` tells which accounts a condition may hold the statement to; any, unless told. */
export const isPublicStatement = (statement: Statement, known: Known = () => true): boolean =>
  allowsEverybody(statement) && !conditionsOf(statement).some((condition) => narrows(condition, known));
