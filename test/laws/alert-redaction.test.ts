/**
 * No identifier of a person is in what lies in the alert queue, in what any channel is sent, or in what delivering it writes to the log,
 * wherever others may have written one. Who did it may be told by an e-mail address: there none is planted.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { samplesOf } from '../../cli/alert/samples.ts';
import type { Alert } from '../../engine/alerts/alert.ts';
import { type Delivery, DeliveryError, type Failure } from '../../engine/alerts/delivery.ts';
import type { Finding } from '../../engine/model.ts';
import { lambdaLog } from '../../handlers/aws/log.ts';
import { catalogue } from '../../remediations/index.ts';
import { channels } from '../support/alert-channels.ts';
import { everyLife, finding, lives, named } from '../support/findings.ts';
import { planted } from '../support/identifiers.ts';
import { told } from '../support/lamps.ts';
import { writtenOut } from '../support/written-out.ts';

const ways: Readonly<Record<string, (alert: Alert) => unknown>> = {
  'the alert queue': (alert): Delivery => ({ channel: 'security', alert }),
  ...Object.fromEntries(Object.entries(channels).map(([name, { render }]) => [name, render])),
};

/** Everything that others write, but for who did it and who asked for the undo. */
function writtenBy(name: string, given: Finding): Finding {
  const written = { ...given, ...named(name, given) };
  return {
    ...written,
    actor: given.actor && { ...given.actor, userAgent: name, invokedBy: numbersOf(name) },
    ...(given.undo && written.undo && { undo: { ...written.undo, by: given.undo.by } }),
  };
}

/** An e-mail address in `Who` is one of who did it. */
const numbersOf = (name: string): string => name.replace(/\S+(?:@|%40)\S+/g, 'x');

describe('a generated identifier', () => {
  /** Hashes of ours may hold any digits. */
  const withoutHashes = (text: string) => text.replace(/\b(?=[0-9]*[a-f])[0-9a-f]{12,}\b/g, '');
  const sentOf = (alert: Alert) => Object.entries(ways).map(([way, render]) => [way, withoutHashes(JSON.stringify(render(alert)) ?? '')] as const);

  test.each(Object.entries(planted))('%s', (_, identifier) => {
    fc.assert(
      fc.property(identifier, fc.constantFrom(...everyLife), ([secret, text], life) => {
        const alertFor = (name: string) => told(writtenBy(`lab-${name}`, finding(lives[life])));
        // Five digits may be those of an account or a time.
        fc.pre(sentOf(alertFor('x')).every(([, sent]) => !sent.includes(secret)));
        const sent = sentOf(alertFor(text));
        expect(sent.filter(([, words]) => words.includes(secret)).map(([way]) => way)).toEqual([]);
        // They were there.
        expect(sent.filter(([, words]) => !/\[[a-z][a-z -]*\]/.test(words)).map(([way]) => way)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('an identifier that hides', () => {
  test.each([
    ['behind a character that is not seen', 'mrn\u00ad8877665', /8877665/],
    ['behind one that turns the text around', 'mrn\u202e: 7654321', /7654321/],
    ['over several lines', '123\n45\n6789', /123(?:\s|\\+n)45(?:\s|\\+n)6789/],
  ] as const)('%s', (_, text, identifier) => {
    for (const life of everyLife)
      for (const [way, render] of Object.entries(ways)) {
        const sent = JSON.stringify(render(told(named(text, lives[life]))));
        expect([way, life, identifier.test(sent), /\[(ssn|mrn)\]/.test(sent)]).toEqual([way, life, false, true]);
      }
  });
});

const identifiers: Readonly<Record<string, readonly [name: string, secret: string]>> = {
  ssn: ['claims-123-45-6789', '123-45-6789'],
  mrn: ['mrn-00123456', '00123456'],
  email: ['lab-john.doe@example.com', 'john.doe'],
  phone: ['call-212-555-0123', '555-0123'],
  'date of birth': ['dob-19800131', '19800131'],
  card: ['pay-4111111111111111', '4111111111111111'],
  'behind a character that is not seen': ['mrn\u200b-\u206000987654', '00987654'],
};
const every = Object.values(identifiers)
  .map(([name]) => name)
  .join(' and ');
const secrets = Object.values(identifiers).map(([, secret]) => secret);

describe('everything that can become of a finding of any control', () => {
  let alerts: Alert[];
  beforeAll(async () => {
    const controls = await Promise.all(catalogue.map((entry) => entry.load()));
    const twist = (given: Finding): Finding => {
      const { id } = given.resource;
      return { ...writtenBy(every, given), resource: { ...given.resource, id: id.endsWith(':root') ? id : `${id} ${every}` } };
    };
    alerts = controls.flatMap((control) => samplesOf(control, twist).map(({ alert }) => alert));
  });

  test.each(Object.entries(ways))('%s', (_, render) => {
    const sent = alerts.map((alert) => [`${alert.control} ${alert.headline}`, JSON.stringify(render(alert)) ?? ''] as const);
    // They were there.
    expect(sent.filter(([, text]) => text.includes('[ssn]')).length).toBeGreaterThan(500);
    expect(sent.flatMap(([alert, text]) => secrets.filter((secret) => text.includes(secret)).map((secret) => `${alert}: ${secret}`))).toEqual([]);
  });

  test('tags that the policy routes by, exceptions and undos are among it', () => {
    const some = (pattern: RegExp) => alerts.filter((alert) => pattern.test(JSON.stringify(alert))).length;
    expect(some(/"tags":\{"team":"claims-\[ssn\]/)).toBeGreaterThan(500);
    expect(some(/The resource stays as it is: [^"]*claims-\[ssn\]/)).toBeGreaterThan(0);
    expect(some(/wants? it undone[^"]*claims-\[ssn\]|Undone for [^"]*claims-\[ssn\]/)).toBeGreaterThan(0);
  });
});

describe('a log line about an alert that a channel has not taken', () => {
  test.each<Failure>(['again', 'refused'])('%s', async (failure) => {
    const cause = Object.assign(new Error(every), { name: 'Throttled', data: { error: every } });
    const error = new DeliveryError(failure, `The webhook ${every} answers 400.`, { retryAfter: 30, cause });
    const delivery: Delivery = { channel: 'security', alert: told(writtenBy(every, finding(lives['a page']))), instead: every };
    const said = await writtenOut(() => lambdaLog('deliver').error('Alert returned to the queue', { error, attempt: 2, delivery }));
    expect(said).toContain('Alert returned to the queue');
    expect(said).toContain('Throttled');
    expect(secrets.filter((secret) => said.includes(secret))).toEqual([]);
  });
});
