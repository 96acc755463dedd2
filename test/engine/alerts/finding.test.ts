import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { alertOf } from '../../../engine/alerts/finding.ts';
import { textOf } from '../../../engine/alerts/lines.ts';
import { toldKey } from '../../../engine/alerts/told.ts';
import { type Actor, compliant, type Finding, insufficientData } from '../../../engine/model.ts';
import { at, begun, control, dana, decided, done, ended, finding, named } from '../../support/findings.ts';
import { hostile } from '../../support/hostile-names.ts';

const told = (changes: Partial<Finding>) => {
  const alert = alertOf(finding(changes), control);
  return { ...alert, text: textOf(alert) };
};
/** The value of one line. */
const line = (text: string, name: string) =>
  text
    .split('\n')
    .find((each) => each.startsWith(`${name}:`))
    ?.slice(name.length + 1)
    .trim();

interface Expected {
  readonly given: Partial<Finding>;
  readonly urgency: 'page' | 'notify';
  readonly subject: string;
  readonly done: string;
  readonly lines?: Readonly<Record<string, string | undefined>>;
}

const cases: Readonly<Record<string, Expected>> = {
  notify: {
    given: decided('notify'),
    urgency: 'notify',
    subject: '[HIGH] Drift: lamp-off on hall',
    done: 'Nothing was changed.',
    lines: { Wrong: 'The lamp is on.', Proposal: 'Switch the lamp off', Impact: 'It gets dark.' },
  },
  page: {
    given: decided('page'),
    urgency: 'page',
    subject: '[HIGH] ACTION NEEDED: lamp-off on hall',
    done: 'Nothing was changed.',
    lines: { Decided: 'page - The policy says page.' },
  },
  'a page without a fix': {
    given: { ...decided('page'), proposal: undefined },
    urgency: 'page',
    subject: '[HIGH] ACTION NEEDED: lamp-off on hall',
    done: 'Nothing was changed.',
    lines: { Proposal: undefined, Impact: undefined },
  },
  'a page because the bot cannot see': {
    given: { ...decided('page'), evaluation: insufficientData('Not allowed to call lamp:Get.'), proposal: undefined },
    urgency: 'page',
    subject: '[HIGH] CANNOT SEE: lamp-off on hall',
    done: 'Nothing was changed.',
    lines: { 'Not seen': 'Not allowed to call lamp:Get.', Wrong: undefined },
  },
  approve: {
    given: decided('approve'),
    urgency: 'page',
    subject: '[HIGH] Approval needed: lamp-off on hall',
    done: 'Nothing. It waits for a person.',
    lines: { Proposal: 'Switch the lamp off', Impact: 'It gets dark.' },
  },
  'held by a brake': {
    given: { ...decided('approve'), held: { by: 'hour', until: '2026-11-01T05:00:00.000Z' } },
    urgency: 'page',
    subject: '[HIGH] Approval needed: lamp-off on hall',
    done: 'Nothing. A person may approve it or make the change; a sweep that finds it after 2026-11-01T05:00:00.000Z tries again.',
    lines: { Proposal: 'Switch the lamp off' },
  },
  'a fix planned for later': {
    given: { fixNotBefore: '2026-11-01T04:00:00.000Z' },
    urgency: 'notify',
    subject: '[HIGH] Fix planned: lamp-off on hall',
    done: 'Nothing yet. The fix is due at 2026-11-01T04:00:00.000Z, unless it is put right or excepted before.',
    lines: { Fix: 'Switch the lamp off' },
  },
  'a fix that waits for its stack': {
    given: { heldOff: { since: at, until: '2026-11-01T05:00:00.000Z', stack: 'portal', told: true }, owner: { stack: { name: 'portal', id: 'arn' } } },
    urgency: 'notify',
    subject: '[HIGH] Fix waits: lamp-off on hall',
    done: 'Nothing yet. The fix waits for CloudFormation, which is at stack portal, until 2026-11-01T05:00:00.000Z at most; then a person is called.',
    lines: { 'Defined in': 'CloudFormation stack portal: mend the template too, or its next update may bring the drift back.' },
  },
  'a fix that goes on after such a wait': {
    given: { heldOff: { since: at, until: '2026-11-01T05:00:00.000Z', stack: 'portal' }, intended: begun },
    urgency: 'notify',
    subject: '[HIGH] Fix under way: lamp-off on hall',
    done: 'The bot began a change, "Switch the lamp off". It may have been written in part; look at the resource.',
    lines: { 'Defined in': undefined },
  },
  'done and verified, but defined elsewhere': {
    given: { state: 'resolved', changes: [done], owner: { through: { kind: 'pulumi', as: 'Pulumi/1.0' } }, ...ended('REMEDIATED', 'Done.') },
    urgency: 'notify',
    subject: '[HIGH] Fixed: lamp-off on hall',
    done: `Switch the lamp off. Verified by reading the live state at ${at}.`,
    lines: { 'Defined in': 'Pulumi, perhaps: the change came through it (Pulumi/1.0). Mend the configuration too, should it be there.' },
  },
  'put right by somebody else: where it is defined is no matter any more': {
    given: {
      state: 'resolved',
      owner: { stack: { name: 'portal', id: 'arn' } },
      evaluation: compliant('The lamp is off.'),
      ...ended('COMPLIANT', 'The lamp is off.'),
    },
    urgency: 'notify',
    subject: '[HIGH] Resolved: lamp-off on hall',
    done: 'Nothing by the bot. The lamp is off.',
    lines: { 'Defined in': undefined },
  },
  'done and verified': {
    given: { state: 'resolved', changes: [done], evaluation: compliant('The lamp is off.'), ...ended('REMEDIATED', 'Switch the lamp off; verified.') },
    urgency: 'notify',
    subject: '[HIGH] Fixed: lamp-off on hall',
    done: `Switch the lamp off. Verified by reading the live state at ${at}.`,
    lines: { State: 'The lamp is off.', Proposal: undefined, Fix: undefined, Impact: undefined, Decided: 'fix - The policy says so.' },
  },
  'failed before anything was written': {
    given: ended('REMEDIATION_FAILED', '5 attempts failed'),
    urgency: 'page',
    subject: '[HIGH] FIX FAILED: lamp-off on hall',
    done: 'The fix did not succeed: 5 attempts failed. Nothing was changed.',
    lines: { Tried: 'Switch the lamp off', Wrong: 'The lamp is on.' },
  },
  'failed after something may have been written': {
    given: { intended: begun, ...ended('REMEDIATION_FAILED', 'not allowed to call lamp:Switch.') },
    urgency: 'page',
    subject: '[HIGH] FIX FAILED: lamp-off on hall',
    done: 'The fix did not succeed: not allowed to call lamp:Switch. The bot began a change, "Switch the lamp off". It may have been written in part; look at the resource.',
  },
  'turned to page after something may have been written': {
    given: { intended: begun, ...decided('page'), ...ended('PAGED', 'The policy says page.') },
    urgency: 'page',
    subject: '[HIGH] ACTION NEEDED: lamp-off on hall',
    done: 'The bot began a change, "Switch the lamp off". It may have been written in part; look at the resource.',
  },
  'put right by somebody else': {
    given: { state: 'resolved', ...decided('page'), evaluation: compliant('The lamp is off.'), ...ended('COMPLIANT', 'The lamp is off.') },
    urgency: 'notify',
    subject: '[HIGH] Resolved: lamp-off on hall',
    done: 'Nothing by the bot. The lamp is off.',
    lines: { State: 'The lamp is off.', Decided: undefined, Proposal: undefined },
  },
  'the resource is gone': {
    given: { state: 'resolved', ...decided('page'), ...ended('DOES_NOT_EXIST', 'The resource does not exist.') },
    urgency: 'notify',
    subject: '[HIGH] Resource gone: lamp-off on hall',
    done: 'Nothing by the bot. The resource does not exist.',
    lines: { 'Last seen': 'The lamp is on.', Wrong: undefined },
  },
  'closed by an exception': {
    given: { state: 'resolved', ...decided('except'), ...ended('EXCEPTED', 'Excepted until 2027-03-31: the night watch') },
    urgency: 'notify',
    subject: '[HIGH] Closed, excepted: lamp-off on hall',
    done: 'Nothing by the bot. The resource stays as it is: Excepted until 2027-03-31: the night watch',
  },
  'closed because the control was switched off': {
    given: { state: 'resolved', ...decided('off'), ...ended('OFF', 'The policy has this control off.') },
    urgency: 'notify',
    subject: '[HIGH] Closed, control off: lamp-off on hall',
    done: 'Nothing by the bot. The resource stays as it is: The policy has this control off.',
  },
  'switched off after something may have been written': {
    given: { state: 'resolved', changes: [begun], ...decided('off'), ...ended('OFF', 'The policy has this control off.') },
    urgency: 'notify',
    subject: '[HIGH] Closed, control off: lamp-off on hall',
    done: 'The bot began a change, "Switch the lamp off". It may have been written in part; look at the resource. The resource stays as it is: The policy has this control off.',
  },
};

describe('what is told', () => {
  for (const [name, { given, urgency, subject, done: doing, lines = {} }] of Object.entries(cases)) {
    test(name, () => {
      const alert = told(given);
      expect({ urgency: alert.urgency, subject: alert.subject, done: line(alert.text, 'Done') }).toEqual({ urgency, subject, done: doing });
      for (const [label, value] of Object.entries(lines)) expect([label, line(alert.text, label)]).toEqual([label, value]);
      expect(alert).toMatchObject({ id: `f-abcdefghijklmnopqrstuvwxyz:${toldKey(finding(given))}`, title: 'Lamps are off' });
    });

    test(`${name}: "fixed" and "verified" are said of nothing else`, () => {
      const { subject: head, text } = told({ ...given });
      expect(/fixed|verified/i.test(`${head}\n${text}`)).toBe(given.outcome?.status === 'REMEDIATED');
    });
  }

  test('in whole, for a person who has just been woken', () => {
    expect(told(decided('page')).text.split('\n')).toEqual([
      'Control:   Lamps are off (lamp-off, HIGH)',
      'Resource:  arn:aws:lamp:us-east-1:123456789012:lamp/hall',
      'Where:     account 123456789012, us-east-1',
      'Wrong:     The lamp is on.',
      'Done:      Nothing was changed.',
      'Proposal:  Switch the lamp off',
      'Impact:    It gets dark.',
      'Decided:   page - The policy says page.',
      'Drift by:  arn:aws:sts::123456789012:assumed-role/Admin/dana through the AWS CLI from 192.0.2.1',
      `When:      SwitchOn at ${at}`,
      'Exposed:   since 2026-11-01T03:00:00.000Z (SwitchOn); not ended when last read, at 2026-11-01T03:00:00.000Z',
      'HIPAA:     45 CFR 164.312(a)(1) (standard), 45 CFR 164.312(e)(2)(ii) (addressable)',
      'Finding:   f-abcdefghijklmnopqrstuvwxyz, episode 1, seen 1 time',
    ]);
  });

  test('a setting of the account is not taken for the root user', () => {
    const { subject } = told({ ...decided('page'), resource: { ...finding().resource, id: 'arn:aws:iam::123456789012:root' } });
    expect(subject).toBe('[HIGH] ACTION NEEDED: lamp-off on account 123456789012, us-east-1');
  });
});

describe('who and when', () => {
  const who = (actor: Partial<Actor> | undefined) => line(told({ actor: actor && { arn: dana.arn, type: 'AssumedRole', ...actor } }).text, 'Drift by');
  const tools: Readonly<Record<string, readonly [Partial<Actor>, string]>> = {
    Terraform: [{ userAgent: 'APN/1.0 HashiCorp/1.0 Terraform/1.9.0 aws-sdk-go-v2/1.30' }, 'through Terraform'],
    'the console': [{ userAgent: 'Mozilla/5.0 (X11; Linux x86_64)' }, 'through the console'],
    'an SDK': [{ userAgent: 'Boto3/1.34 md/Botocore#1.34.0' }, 'through an SDK'],
    'a service': [{ invokedBy: 'autoscaling.amazonaws.com', userAgent: 'autoscaling.amazonaws.com' }, 'through autoscaling.amazonaws.com'],
    'something else': [{ userAgent: 'curl/8' }, 'through an unknown tool'],
    'an address': [{ sourceIp: '192.0.2.7' }, 'through an unknown tool from 192.0.2.7'],
  };
  for (const [name, [actor, expected]] of Object.entries(tools)) test(name, () => expect(who(actor)).toBe(`${dana.arn} ${expected}`));

  test('root', () => {
    expect(who({ arn: 'arn:aws:iam::123456789012:root', type: 'Root' })).toBe('the root user, arn:aws:iam::123456789012:root, through an unknown tool');
  });

  test('nobody known', () => {
    const { text } = told({ actor: undefined, openedBy: { eventId: 'e', source: 'sweep', time: at } });
    expect([line(text, 'Drift by'), line(text, 'When')]).toEqual(['not known', `noticed by a sweep at ${at}`]);
  });
});

describe('names are written by strangers', () => {
  const withNames = (name: string): Partial<Finding>[] => Object.values(cases).map(({ given }) => named(name, given));
  const labels = (text: string) => text.split('\n').map((each) => each.slice(0, 11).trim());

  for (const [name, text] of Object.entries(hostile)) {
    test(`${name} forges no line`, () => {
      for (const [index, given] of withNames(text).entries()) {
        const alert = told(given);
        const honest = told(withNames('hall')[index]!);
        expect(labels(alert.text)).toEqual(labels(honest.text));
        for (const value of [alert.text, alert.subject]) {
          expect(value.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        }
        for (const each of alert.text.split('\n')) expect(each.slice(11)).not.toMatch(/\s{2}/);
      }
    });
  }

  for (const [name, text] of Object.entries(hostile)) {
    test(`${name}: the subject is ASCII under 100, the text under 8 KB, each line still there`, () => {
      for (const [index, given] of withNames(text).entries()) {
        const alert = told(given);
        expect(alert.subject).toMatch(/^[\x20-\x7e]{1,99}$/);
        expect(alert.subject).toMatch(/^\[HIGH\] /);
        expect(Buffer.byteLength(alert.text)).toBeLessThan(8_192);
        expect(labels(alert.text)).toEqual(labels(told(withNames('hall')[index]!).text));
        if (text.isWellFormed()) expect(alert.text.isWellFormed()).toBe(true);
      }
    });
  }

  test('an ARN of 2,000 characters is shown whole: a person has to find the resource', () => {
    const id = `arn:aws:lamp:us-east-1:123456789012:lamp/${'x'.repeat(1_959)}`;
    expect(line(told({ resource: { ...finding().resource, id } }).text, 'Resource')).toBe(id);
  });

  test('whatever the names: one line each, ASCII subject, under 8 KB', () => {
    const honest = Object.values(withNames('hall')).map((given) => labels(told(given).text));
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_500 }), (name) => {
        for (const [index, given] of withNames(`x${name}`).entries()) {
          const alert = told(given);
          expect(labels(alert.text)).toEqual(honest[index]);
          expect(alert.subject).toMatch(/^[\x20-\x7e]{1,99}$/);
          expect(Buffer.byteLength(alert.text)).toBeLessThan(8_192);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('what has been told', () => {
  test('is known by state and outcome, else by the decision; while it is open, another reason is another thing to tell', () => {
    expect(toldKey(finding(decided('page')))).toBe('open:page');
    expect(toldKey(finding({ ...decided('page'), ...ended('PAGED', 'x') }))).toMatch(/^open:PAGED:[0-9a-f]{8}$/);
    expect(toldKey(finding({ ...decided('page'), ...ended('PAGED', 'y') }))).not.toBe(toldKey(finding({ ...decided('page'), ...ended('PAGED', 'x') })));
    expect(toldKey(finding({ state: 'resolved', ...ended('COMPLIANT', 'x') }))).toBe('resolved:COMPLIANT');
  });
});
