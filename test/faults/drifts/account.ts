import { GetAccountPasswordPolicyCommand, IAMClient, UpdateAccountPasswordPolicyCommand } from '@aws-sdk/client-iam';
import type { Scenario } from './model.ts';

export const passwords: Scenario = {
  name: 'weak passwords',
  controls: ['iam-password-policy-strong'],
  fixes: true,
  alone: true,
  async make(admin) {
    const iam = admin.client(IAMClient);
    const again = async () => void (await iam.send(new UpdateAccountPasswordPolicyCommand({ MinimumPasswordLength: 8, RequireNumbers: true })));
    await again();
    return {
      broken: [
        {
          control: 'iam-password-policy-strong',
          id: `arn:aws:iam::${admin.accountId}:root`,
          region: 'us-east-1',
          right: (live) => (live as { MinimumPasswordLength: number }).MinimumPasswordLength === 14,
        },
      ],
      told: { source: 'iam', eventName: 'UpdateAccountPasswordPolicy', detail: { requestParameters: { minimumPasswordLength: 8 } } },
      marks: ['UpdateAccountPasswordPolicy'],
      again,
      repair: async () =>
        void (await iam.send(
          new UpdateAccountPasswordPolicyCommand({
            MinimumPasswordLength: 14,
            RequireUppercaseCharacters: true,
            RequireLowercaseCharacters: true,
            RequireNumbers: true,
            RequireSymbols: true,
            AllowUsersToChangePassword: true,
            MaxPasswordAge: 90,
            PasswordReusePrevention: 24,
            HardExpiry: false,
          }),
        )),
      read: async () => (await iam.send(new GetAccountPasswordPolicyCommand({}))).PasswordPolicy,
    };
  },
};
