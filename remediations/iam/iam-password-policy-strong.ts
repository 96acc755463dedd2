import {
  DeleteAccountPasswordPolicyCommand,
  GetAccountPasswordPolicyCommand,
  IAMClient,
  type PasswordPolicy as Live,
  UpdateAccountPasswordPolicyCommand,
} from '@aws-sdk/client-iam';
import * as z from 'zod';
import {
  type Aws,
  account,
  blocked,
  change,
  compliant,
  defineControl,
  listAccount,
  nonCompliant,
  onCalls,
  orUndefined,
  required,
  theAccount,
} from '../define.ts';

/**
 * Every field of the document: the API replaces it whole and puts its own default where one is left out.
 * `null`: passwords never expire; they may be used again.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html
 */
interface PasswordPolicy {
  readonly MinimumPasswordLength: number;
  readonly RequireUppercaseCharacters: boolean;
  readonly RequireLowercaseCharacters: boolean;
  readonly RequireNumbers: boolean;
  readonly RequireSymbols: boolean;
  readonly AllowUsersToChangePassword: boolean;
  readonly MaxPasswordAge: number | null;
  readonly PasswordReusePrevention: number | null;
  readonly HardExpiry: boolean;
}

const params = z.strictObject({
  minimumPasswordLength: z.int().min(6).max(128).default(14).describe('Shortest password'),
  maxPasswordAge: z.int().min(1).max(1_095).default(90).describe('Days after which a password must be changed'),
  passwordReusePrevention: z.int().min(1).max(24).default(24).describe('Earlier passwords that may not be used again'),
});
type Params = z.output<typeof params>;

const classes = ['RequireUppercaseCharacters', 'RequireLowercaseCharacters', 'RequireNumbers', 'RequireSymbols'] as const;

const documentOf = (live: Live): PasswordPolicy => ({
  MinimumPasswordLength: required(live.MinimumPasswordLength, 'MinimumPasswordLength'),
  RequireUppercaseCharacters: required(live.RequireUppercaseCharacters, 'RequireUppercaseCharacters'),
  RequireLowercaseCharacters: required(live.RequireLowercaseCharacters, 'RequireLowercaseCharacters'),
  RequireNumbers: required(live.RequireNumbers, 'RequireNumbers'),
  RequireSymbols: required(live.RequireSymbols, 'RequireSymbols'),
  AllowUsersToChangePassword: required(live.AllowUsersToChangePassword, 'AllowUsersToChangePassword'),
  MaxPasswordAge: live.MaxPasswordAge || null,
  PasswordReusePrevention: live.PasswordReusePrevention || null,
  HardExpiry: live.HardExpiry ?? false,
});

/** `null`: the account has none of its own, and AWS's weaker one holds. */
async function policyOf(aws: Aws): Promise<PasswordPolicy | null> {
  const answer = await orUndefined(aws.client(IAMClient).send(new GetAccountPasswordPolicyCommand({})), 'NoSuchEntity', 'NoSuchEntityException');
  return answer ? documentOf(required(answer.PasswordPolicy, 'PasswordPolicy')) : null;
}

async function write(aws: Aws, { MaxPasswordAge, PasswordReusePrevention, ...rest }: PasswordPolicy): Promise<void> {
  const optional = { ...(MaxPasswordAge !== null && { MaxPasswordAge }), ...(PasswordReusePrevention !== null && { PasswordReusePrevention }) };
  await aws.client(IAMClient).send(new UpdateAccountPasswordPolicyCommand({ ...rest, ...optional }));
}

const expiresLate = (policy: PasswordPolicy | null, { maxPasswordAge }: Params) => (policy?.MaxPasswordAge ?? Number.POSITIVE_INFINITY) > maxPasswordAge;

function faults(policy: PasswordPolicy | null, params: Params): string[] {
  if (!policy) return ['the account has no password policy of its own'];
  return [
    ...(policy.MinimumPasswordLength < params.minimumPasswordLength ? [`passwords may have ${policy.MinimumPasswordLength} characters`] : []),
    ...classes.filter((name) => !policy[name]).map((name) => `${name} is off`),
    ...(expiresLate(policy, params) ? [policy.MaxPasswordAge === null ? 'passwords never expire' : `passwords last ${policy.MaxPasswordAge} days`] : []),
    ...((policy.PasswordReusePrevention ?? 0) < params.passwordReusePrevention
      ? [`only ${policy.PasswordReusePrevention ?? 0} earlier passwords are refused`]
      : []),
  ];
}

const always = {
  RequireUppercaseCharacters: true,
  RequireLowercaseCharacters: true,
  RequireNumbers: true,
  RequireSymbols: true,
  // A password that expires and cannot be changed by its user ends as a call to the help desk.
  AllowUsersToChangePassword: true,
};

/** The stricter of both in every field. HardExpiry is nobody's but the owner's: it locks out whoever comes back late. */
const stricter = (live: PasswordPolicy | null, wanted: PasswordPolicy): PasswordPolicy => ({
  MinimumPasswordLength: Math.max(live?.MinimumPasswordLength ?? 0, wanted.MinimumPasswordLength),
  ...always,
  MaxPasswordAge: Math.min(live?.MaxPasswordAge ?? Number.POSITIVE_INFINITY, wanted.MaxPasswordAge ?? Number.POSITIVE_INFINITY),
  PasswordReusePrevention: Math.max(live?.PasswordReusePrevention ?? 0, wanted.PasswordReusePrevention ?? 0),
  HardExpiry: live?.HardExpiry ?? false,
});

const wanted = ({ minimumPasswordLength, maxPasswordAge, passwordReusePrevention }: Params): PasswordPolicy => ({
  MinimumPasswordLength: minimumPasswordLength,
  ...always,
  MaxPasswordAge: maxPasswordAge,
  PasswordReusePrevention: passwordReusePrevention,
  HardExpiry: false,
});

export default defineControl({
  id: 'iam-password-policy-strong',
  title: 'The account password policy is strong',
  rationale: 'Console users reach ePHI with a password: short, simple or ancient ones are guessed or already sold.',
  severity: 'MEDIUM',
  ...account,
  scope: 'global',
  hipaa: [
    { section: '164.308(a)(5)(ii)(D)', specification: 'addressable', rationale: 'Sets how passwords are made and changed.' },
    { section: '164.312(d)', specification: 'standard', rationale: 'Makes it harder to sign in as somebody else.' },
  ],
  related: {
    securityHub: ['IAM.7', 'IAM.10', 'IAM.11', 'IAM.12', 'IAM.13', 'IAM.14', 'IAM.15', 'IAM.16', 'IAM.17'],
    configRule: ['iam-password-policy'],
    prowler: [
      'iam_password_policy_expires_passwords_within_90_days_or_less',
      'iam_password_policy_lowercase',
      'iam_password_policy_minimum_length_14',
      'iam_password_policy_number',
      'iam_password_policy_reuse_24',
      'iam_password_policy_symbol',
      'iam_password_policy_uppercase',
    ],
  },
  triggers: [
    onCalls('iam.amazonaws.com', ['DeleteAccountPasswordPolicy', 'UpdateAccountPasswordPolicy'], theAccount, { breaks: ['DeleteAccountPasswordPolicy'] }),
  ],
  params,
  reads: 1,
  writes: ['iam:account-password-policy'],
  permissions: {
    inspect: ['iam:GetAccountPasswordPolicy'],
    remediate: ['iam:GetAccountPasswordPolicy', 'iam:UpdateAccountPasswordPolicy'],
    undo: ['iam:DeleteAccountPasswordPolicy', 'iam:UpdateAccountPasswordPolicy'],
  },
  impact: 'Passwords in use stay valid until they are older than the limit; their users must then choose a new one at the next sign-in.',
  // An account default, yet one that reaches into what exists: old passwords have to be changed.
  defaultMode: 'approve',

  list: listAccount(account),
  inspect: async (_resource, aws) => ({ policy: await policyOf(aws) }),

  evaluate({ policy }, params) {
    const found = faults(policy, params);
    return found.length === 0 ? compliant('The password policy is as strong as asked.') : nonCompliant(`The password policy is weak: ${found.join(', ')}.`);
  },

  plan({ policy }, params) {
    if (policy?.HardExpiry && expiresLate(policy, params)) {
      return blocked(
        `HardExpiry is on: with a limit of ${params.maxPasswordAge} days, users with older passwords are locked out until an administrator resets them. Turn it off first, or set the limit by hand.`,
      );
    }
    return change<PasswordPolicy | null>({
      action: 'iam:UpdateAccountPasswordPolicy',
      summary: `Strengthen the password policy: ${faults(policy, params).join(', ')}`,
      before: policy,
      after: stricter(policy, wanted(params)),
    });
  },

  setting: ({ policy }) => policy,

  // Read afresh: the call replaces the document, and somebody may have made it stricter meanwhile.
  async remediate(_resource, { after }, aws) {
    if (after) await write(aws, stricter(await policyOf(aws), after));
  },

  async undo(_resource, { before }, aws) {
    if (before) await write(aws, before);
    else await orUndefined(aws.client(IAMClient).send(new DeleteAccountPasswordPolicyCommand({})), 'NoSuchEntity', 'NoSuchEntityException');
  },
});
