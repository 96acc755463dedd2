import { expect, test } from '@jest/globals';
import { arnOf, sub } from '../../infra/intrinsics.ts';
import { dropImpliedDependsOn } from '../../infra/plugin/template.ts';

const after = (resource: Record<string, unknown>) => {
  const template = { Resources: { It: resource } };
  dropImpliedDependsOn(template);
  return (template.Resources.It as { DependsOn?: unknown }).DependsOn;
};

const cases: Record<string, [resource: Record<string, unknown>, left: unknown]> = {
  'implied by Ref': [{ DependsOn: 'Table', Properties: { Name: { Ref: 'Table' } } }, undefined],
  'implied by GetAtt': [{ DependsOn: ['Queue'], Properties: { Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] } } }, undefined],
  'implied by GetAtt as text': [{ DependsOn: ['Queue'], Properties: { Arn: { 'Fn::GetAtt': 'Queue.Arn' } } }, undefined],
  'implied by Sub': [{ DependsOn: ['Role'], Properties: { Role: sub(arnOf('Role')) } }, undefined],
  'implied by Sub with variables': [{ DependsOn: ['Role'], Properties: { Role: { 'Fn::Sub': [`x\${Role}`, {}] } } }, undefined],
  'not implied': [{ DependsOn: 'LogGroup', Properties: {} }, ['LogGroup']],
  'one of two': [{ DependsOn: ['LogGroup', 'Role'], Properties: { Role: [{ Ref: 'Role' }] } }, ['LogGroup']],
  none: [{ Properties: { Name: { Ref: 'Table' } } }, undefined],
};

test.each(Object.entries(cases))('%s', (_, [resource, left]) => {
  expect(after(resource)).toEqual(left);
});
