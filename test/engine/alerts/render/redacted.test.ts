import { expect, test } from '@jest/globals';
import { pagerDutyEvent } from '../../../../engine/alerts/render/pagerduty.ts';
import { teamsMessage } from '../../../../engine/alerts/render/teams.ts';
import { webhookBody } from '../../../../engine/alerts/render/webhook.ts';
import { alertNamed, context, type Life, lives } from '../../../support/lamps.ts';

const planted = {
  plain: ['ssn 123-45-6789', /123-45-6789/],
  'behind a character that is not seen': ['mrn\u00ad8877665', /8877665/],
  'behind one that turns the text around': ['mrn\u202e: 7654321', /7654321/],
  'over several lines': ['123\n45\n6789', /123\s45\s6789/],
} as const;

for (const [name, [text, identifier]] of Object.entries(planted))
  test(`an identifier in a name reaches no channel: ${name}`, () => {
    for (const life of Object.keys(lives) as Life[]) {
      const alert = alertNamed(life, text);
      const sent = [pagerDutyEvent(alert, context, new Date()), teamsMessage(alert, context), webhookBody(alert, context)].map((message) =>
        JSON.stringify(message),
      );
      expect([life, sent.filter((json) => identifier.test(json))]).toEqual([life, []]);
      // The test would see it: that it stood there is told by its marker.
      for (const json of sent) expect(json).toMatch(/\[(ssn|mrn)\]/);
    }
  });
