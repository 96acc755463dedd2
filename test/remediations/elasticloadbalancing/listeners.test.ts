/** Listeners that tell less than others: a gateway's has no protocol; of any other, what is missing is never read as harmless. */
import type { Listener } from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { AnyStateControl } from '../../../engine/control.ts';
import { TerminalError } from '../../../engine/errors.ts';
import { awsAccess } from '../../../handlers/aws/access.ts';
import redirects from '../../../remediations/elasticloadbalancing/alb-http-redirects-to-https.ts';
import encrypted from '../../../remediations/elasticloadbalancing/elbv2-listeners-encrypted.ts';
import policy from '../../../remediations/elasticloadbalancing/elbv2-tls-policy.ts';
import { accountId, region } from '../../support/control-tester.ts';
import { type FakeBalancer, fakeBalancer, targetGroup } from '../../support/fakes/elasticloadbalancing.ts';

const controls: [string, AnyStateControl][] = [redirects, encrypted, policy].map((control) => [control.id, control]);
const aws = () => awsAccess({ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } })({ accountId, region }, { share: false });
const refTo = (control: AnyStateControl, id: string) => ({ accountId, region, type: control.resourceType, id });
const forward: Listener = { DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroup }] };

let fake: FakeBalancer;
afterEach(() => fake.restore());

// moto gives a gateway load balancer the ARN of an application one.
test.each(controls)('%s does not concern a gateway load balancer', async (_, control) => {
  fake = fakeBalancer('gwy');
  const id = fake.listen(forward);
  const params = control.params.parse({});
  expect(control.evaluate(await control.inspect(refTo(control, id), aws()), params, new Date()).complianceType).toBe('NOT_APPLICABLE');
  const [page] = await Array.fromAsync(control.list(aws(), { params }));
  expect(control.evaluate(page!.resources[0]![1], params, new Date()).complianceType).toBe('NOT_APPLICABLE');
});

describe.each(controls)('%s', (_, control) => {
  test.each([
    ['protocol', { ...forward, Port: 80 }],
    ['port', { ...forward, Protocol: 'TCP' }],
  ] as [string, Listener][])('without its %s a listener is an error of its own, and hides no other', async (_member, listener) => {
    fake = fakeBalancer('net');
    const id = fake.listen(listener);
    fake.listen({ ...forward, Protocol: 'TCP', Port: 5432 });
    await expect(control.inspect(refTo(control, id), aws())).rejects.toThrow(TerminalError);
    const [page] = await Array.fromAsync(control.list(aws(), { params: control.params.parse({}) }));
    expect(page!.resources.map((pair) => pair.length)).toEqual([1, 2]);
  });
});

test('a protocol that AWS has yet to make is not taken for encrypted', async () => {
  fake = fakeBalancer('net');
  const id = fake.listen({ ...forward, Protocol: 'SCTP' as Listener['Protocol'], Port: 443 });
  const state = await encrypted.inspect(refTo(encrypted, id), aws());
  expect(encrypted.evaluate(state!, encrypted.params.parse({}), new Date())).toEqual({
    complianceType: 'INSUFFICIENT_DATA',
    annotation: expect.stringMatching('SCTP'),
  });
});
