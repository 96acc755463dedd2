import {
  GetAccountPasswordPolicyCommand,
  IAMClient,
  UpdateAccountPasswordPolicyCommand,
  type UpdateAccountPasswordPolicyCommandInput,
} from '@aws-sdk/client-iam';
import { expect } from '@jest/globals';
import control from '../../../remediations/iam/iam-password-policy-strong.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';

const account = 'arn:aws:iam::123456789012:root';

const strong = {
  MinimumPasswordLength: 14,
  RequireUppercaseCharacters: true,
  RequireLowercaseCharacters: true,
  RequireNumbers: true,
  RequireSymbols: true,
  AllowUsersToChangePassword: true,
  MaxPasswordAge: 90,
  PasswordReusePrevention: 24,
  HardExpiry: false,
};

const policy =
  (document?: UpdateAccountPasswordPolicyCommandInput): Arrange =>
  async (admin) => {
    if (document) await admin.client(IAMClient).send(new UpdateAccountPasswordPolicyCommand(document));
    return account;
  };

const called = (requestParameters: unknown) => ({ eventSource: 'iam.amazonaws.com', requestParameters, responseElements: null });

testControl(control, {
  compliant: {
    'as asked': policy(strong),
    'stricter than asked': policy({ ...strong, MinimumPasswordLength: 20, MaxPasswordAge: 30 }),
    'strong enough, with an expiry that locks out': policy({ ...strong, HardExpiry: true }),
    'what the policy asks for': {
      given: policy({ ...strong, MinimumPasswordLength: 8, MaxPasswordAge: 365, PasswordReusePrevention: 5 }),
      params: { minimumPasswordLength: 8, maxPasswordAge: 365, passwordReusePrevention: 5 },
    },
  },
  remediated: {
    'no policy: undo deletes ours': { given: policy(), annotation: 'no password policy of its own', change: { before: null, after: strong } },
    'an empty document': {
      given: policy({}),
      annotation: 'passwords never expire',
      change: { before: { ...strong, MinimumPasswordLength: 6, ...allOff() }, after: strong },
    },
    'stricter values stay, weaker ones rise': {
      given: policy({ ...strong, MinimumPasswordLength: 20, MaxPasswordAge: 30, RequireSymbols: false, PasswordReusePrevention: 3 }),
      annotation: 'RequireSymbols is off, only 3 earlier passwords are refused',
      change: { after: { ...strong, MinimumPasswordLength: 20, MaxPasswordAge: 30 } },
    },
    'passwords last too long': { given: policy({ ...strong, MaxPasswordAge: 91 }), annotation: 'last 91 days', change: { after: strong } },
    'an expiry that locks out stays as its owner set it': {
      given: policy({ ...strong, HardExpiry: true, MinimumPasswordLength: 8 }),
      change: { after: { ...strong, HardExpiry: true } },
      async then(admin) {
        const { PasswordPolicy } = await admin.client(IAMClient).send(new GetAccountPasswordPolicyCommand({}));
        expect(PasswordPolicy).toMatchObject({ HardExpiry: true, MinimumPasswordLength: 14 });
      },
    },
  },
  blocked: {
    'expiry would begin, and lock out': { given: policy({ ...strong, MaxPasswordAge: undefined, HardExpiry: true }), reason: 'locked out' },
    'expiry would come earlier, and lock out': { given: policy({ ...strong, MaxPasswordAge: 180, HardExpiry: true }), reason: 'Turn it off first' },
  },
  events: {
    UpdateAccountPasswordPolicy: { detail: called({ minimumPasswordLength: 6, hardExpiry: false }), ids: [account] },
    DeleteAccountPasswordPolicy: { detail: called(null), ids: [account] },
  },
});

function allOff() {
  return {
    RequireUppercaseCharacters: false,
    RequireLowercaseCharacters: false,
    RequireNumbers: false,
    RequireSymbols: false,
    AllowUsersToChangePassword: false,
    MaxPasswordAge: null,
    PasswordReusePrevention: null,
  };
}
