import { expect, test } from '@jest/globals';
import control from '../../../remediations/elasticloadbalancing/elbv2-tls-policy.ts';
import { type Arrange, testControl } from '../../support/control-tester.ts';
import { balancer } from '../../support/load-balancers.ts';
import { listener, listenerEvents } from './listener-events.ts';

const good = 'ELBSecurityPolicy-TLS13-1-2-2021-06';

const https =
  (SslPolicy?: string): Arrange =>
  async (admin) =>
    (await balancer(admin)).listen({ Protocol: 'HTTPS', Port: 443, SslPolicy });

const tls =
  (SslPolicy: string): Arrange =>
  async (admin) =>
    (await balancer(admin, 'network')).listen({ Protocol: 'TLS', Port: 443, SslPolicy });

testControl(control, {
  compliant: {
    'TLS 1.2 and 1.3': https(good),
    'the policy that the console sets': https('ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09'),
    'a network load balancer, FIPS': tls('ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04'),
    'a policy that the owner allows': {
      given: https('ELBSecurityPolicy-FS-1-2-Res-2020-10'),
      params: { allowedPolicies: [good, 'ELBSecurityPolicy-FS-1-2-Res-2020-10'] },
    },
  },
  notApplicable: {
    'an HTTP listener, for which moto shows a policy': async (admin) => (await balancer(admin)).listen({ Protocol: 'HTTP', Port: 80 }),
    'a TCP listener': async (admin) => (await balancer(admin, 'network')).listen({ Protocol: 'TCP', Port: 443 }),
  },
  remediated: {
    'made by API without a policy': {
      given: https(),
      annotation: 'Port 443 uses ELBSecurityPolicy-2016-08, which is not allowed',
      change: { before: 'ELBSecurityPolicy-2016-08', after: good },
    },
    'TLS 1.3 down to TLS 1.0': { given: https('ELBSecurityPolicy-TLS13-1-0-2021-06'), change: { before: 'ELBSecurityPolicy-TLS13-1-0-2021-06' } },
    'ciphers without forward secrecy': { given: https('ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06') },
    'a network load balancer': { given: tls('ELBSecurityPolicy-TLS-1-1-2017-01') },
    'to a policy of the owner': {
      given: https(good),
      params: { policy: 'ELBSecurityPolicy-TLS13-1-3-2021-06', allowedPolicies: ['ELBSecurityPolicy-TLS13-1-3-2021-06'] },
      change: { before: good, after: 'ELBSecurityPolicy-TLS13-1-3-2021-06' },
    },
  },
  blocked: {
    'FIPS would be lost': { given: https('ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04'), reason: 'is a FIPS policy' },
  },
  gone: listener,
  events: listenerEvents,
});

test('a policy that would itself be drift is refused', () => {
  expect(control.params.safeParse({ policy: 'ELBSecurityPolicy-2016-08' }).error?.issues[0]?.path).toEqual(['policy']);
});
