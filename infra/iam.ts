/** The roles of a plan as resources: managed policies, so that they can be read, compared and attached elsewhere; never inline. */
import type { CompiledPolicy } from '../engine/policy/model.ts';
import { logicalId, type Resources, ref } from './intrinsics.ts';
import { pack, type Statement } from './packing.ts';
import type { Roles } from './roles.ts';

export const roleId = (name: keyof Roles): string => `${logicalId(name)}Role`;

const trust = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};

export const iam = (roles: Roles, { path: Path, permissionsBoundary: PermissionsBoundary }: CompiledPolicy['iam']): Resources =>
  Object.assign(
    {},
    ...(['detect', 'remediate', 'evidence', 'deliver', 'slack'] as const).map((name): Resources => {
      const statements = roles[name];
      if (!statements) return {};
      const documents = pack(statements);
      const policyId = (index: number) => `${logicalId(name)}Policy${index + 1}`;
      return {
        [roleId(name)]: {
          Type: 'AWS::IAM::Role',
          Properties: {
            Path,
            ...(PermissionsBoundary && { PermissionsBoundary }),
            AssumeRolePolicyDocument: trust,
            ManagedPolicyArns: documents.map((_, index) => ref(policyId(index))),
          },
        },
        ...Object.fromEntries(documents.map((document, index) => [policyId(index), managedPolicy(name, Path, document)])),
      };
    }),
  );

export const managedPolicy = (name: string, Path: string, Statement: readonly Statement[]): Resources[string] => ({
  Type: 'AWS::IAM::ManagedPolicy',
  Properties: { Path, Description: `phidelity ${name}, generated from the policy`, PolicyDocument: { Version: '2012-10-17', Statement } },
});
