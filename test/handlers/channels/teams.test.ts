/** Against a local server that enforces what Teams does. Neither moto nor aws-sdk-client-mock: nothing of AWS is called. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { teams } from '../../../handlers/channels/teams.ts';
import { hostile } from '../../support/hostile-names.ts';
import { alertIn, alertNamed, context, digest } from '../../support/lamps.ts';
import { failed } from '../../support/outside/failure.ts';
import { fakeOutside, impatiently } from '../../support/outside/fake-outside.ts';
import { type OutsideWorld, outsideWorld } from '../../support/outside/server.ts';
import { type Teams, teamsService } from '../../support/outside/teams.ts';

const path = '/workflows/1/triggers/manual/paths/invoke?sig=s3cr3t';
const channel = { teams: 'secretsmanager:teams', pages: true, minSeverity: 'INFORMATIONAL', timezone: 'UTC' } as const;
let world: OutsideWorld;
let services: { readonly workflow: Teams; readonly connector: Teams };
beforeAll(async () => {
  world = await outsideWorld({ workflow: (asked) => services.workflow.service(asked), connector: (asked) => services.connector.service(asked) });
});
beforeEach(() => {
  services = { workflow: teamsService('workflow', path), connector: teamsService('connector', path) };
});
afterAll(() => world.stop());

const send = (alert = alertIn('a page'), kind: 'workflow' | 'connector' = 'workflow', ...ends: string[]) => {
  const addresses = (ends.length > 0 ? ends : [path]).map((end) => `${world.url}/${kind}${end}`);
  return teams(fakeOutside(world.url, { 'secretsmanager:teams': addresses }))(alert, channel, context, undefined);
};

for (const kind of ['workflow', 'connector'] as const) {
  test(`a ${kind} posts a card for each state, and the longest there are`, async () => {
    const alerts = [alertIn('a page'), alertIn('fixed'), digest(500), alertNamed('one of two has approved', hostile['an ARN of 2,000 characters'])];
    for (const alert of alerts) await send(alert, kind);
    expect(services[kind].posted).toHaveLength(alerts.length);
  });
}

describe('when Teams does not take it', () => {
  const said = (code: number) => ({
    status: 200,
    body: `Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error ${code} with ContextId tcid=0,server=x,cv=y..`,
  });
  const answers = {
    'too many': [
      { status: 429, headers: { 'retry-after': '7' } },
      { failure: 'again', message: 'Microsoft Teams answers 429.', retryAfter: 7 },
    ],
    'it is broken': [{ status: 502 }, { failure: 'again', message: 'Microsoft Teams answers 502.' }],
    'the address is no longer good': [{ status: 401 }, { failure: 'refused', message: 'Microsoft Teams answers 401.' }],
    'it says 200, and 429': [said(429), { failure: 'again', message: 'Microsoft Teams answers 200, and that its own endpoint answered 429.' }],
    'it says 200, and 500': [said(500), { failure: 'again', message: 'Microsoft Teams answers 200, and that its own endpoint answered 500.' }],
    'it says 200, and 413': [said(413), { failure: 'refused', message: 'Microsoft Teams answers 200, and that its own endpoint answered 413.' }],
    'it says 200, and something else': [
      { status: 200, body: '<html>Sign in</html>' },
      { failure: 'refused', message: 'Microsoft Teams answers 200, but not as a webhook of Teams does.' },
    ],
  } as const;
  for (const [name, [answer, expected]] of Object.entries(answers))
    test(name, async () => {
      world.fail('workflow', answer);
      expect(await failed(send())).toEqual({ retryAfter: undefined, ...expected });
    });

  test('it keeps silent', async () => {
    world.fail('workflow', 'never');
    const { result, patience } = await impatiently(() => failed(send()));
    expect([result, patience]).toEqual([{ failure: 'again', message: 'Microsoft Teams has not answered within 10 s.', retryAfter: undefined }, [10_000]]);
  });

  test('a Workflow that answers 200 and nothing has taken it', async () => {
    world.fail('workflow', { status: 200 });
    await send();
  });

  test('an address that was changed since it was read', async () => {
    await send(alertIn('a page'), 'workflow', '/old?sig=gone', path);
    expect(services.workflow.posted).toHaveLength(1);
  });
});
