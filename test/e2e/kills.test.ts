/**
 * The deployed bot, its remediate killed for real inside fixes and undos of many controls: nothing is written twice or asked twice,
 * and an undo brings back the exact original. Redelivery alone takes things up: the heartbeat is off.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { scenarios } from '../faults/drifts/index.ts';
import { params } from '../faults/policy.ts';
import { describeOnMoto } from '../support/moto.ts';
import { deathsAt, type Span } from './deaths.ts';
import { asked, type Life, openWard, type Plan, type Ward } from './lives.ts';

/** Whose undo is killed from its last approval on, and by how many it is approved. */
const thoroughly = {
  's3-bucket-public-access-block': 2,
  'sqs-queue-encrypted': 1,
} as const;
const others = [
  'kms-key-rotation-enabled',
  'security-group-no-world-ssh-rdp',
  's3-bucket-tls-only',
  'sqs-queue-tls-only',
  'sns-topic-encrypted',
  'sns-topic-not-public',
  'ebs-snapshot-not-public',
  'kms-key-not-scheduled-for-deletion',
  'cloudtrail-logging-on',
  'cloudtrail-log-validation',
  'rds-snapshot-not-public',
];
const twoPersons = new Set([
  's3-bucket-public-access-block',
  'security-group-no-world-ssh-rdp',
  'sns-topic-not-public',
  'ebs-snapshot-not-public',
  'rds-snapshot-not-public',
]);

const planOf = (control: string): Plan => {
  const approvals = (thoroughly as Readonly<Record<string, number>>)[control];
  const undoing: Span | undefined = approvals ? { from: approvals > 1 ? 'APPROVED' : 'UNDO_ASKED', to: 'UNDONE' } : undefined;
  return { control, scenario: scenarios.find((scenario) => scenario.controls.includes(control))!, undoing };
};

describeOnMoto('remediate killed inside fixes and undos (on moto, IAM enforced)', () => {
  let ward: Ward;
  const when = [{ actor: `arn:aws:sts::*:assumed-role/${asked}/*`, mode: 'approve' }];
  beforeAll(async () => {
    const controls = [...Object.keys(thoroughly), ...others].map((control) => `${control}: ${JSON.stringify({ mode: 'fix', params: params[control], when })}`);
    ward = await openWard(controls.join('\n'));
  }, 240_000);
  afterAll(() => ward?.bot.stack.stop());

  const wordsOf = ({ control, fix, undo }: Life) =>
    `${control}: killed ${[...fix.deaths, ...undo.deaths.map((death) => `${death} of the undo`)].join(' and ')}`;
  /** The end without a death. */
  const endOf = (life: Life, plan: Plan) => ({
    life: wordsOf(life),
    right: true,
    changes: [life.before],
    fixed: 'REMEDIATED',
    undone: 'done',
    setting: life.began,
    exceptions: 1,
    story: [
      'OPENED',
      ...(plan.actor === asked ? ['ASKED', 'APPROVED'] : []),
      'INTENDED',
      'REMEDIATED',
      'UNDO_ASKED',
      ...(twoPersons.has(plan.control) ? ['APPROVED'] : []),
      'UNDO_INTENDED',
      'UNDONE',
    ],
    gapless: true,
  });

  const expectLives = async (plans: readonly Plan[]): Promise<Life[]> => {
    const lives = await ward.live(plans);
    const seen = lives.map((life) => ({ life: wordsOf(life), ...life.seen }));
    expect(seen).toEqual(lives.map((life, at) => endOf(life, plans[at]!)));
    return lives;
  };

  /** Learns what the fix and the undo of each call when nothing happens; then each of these calls is one death, of a resource of its own. */
  const expectSurvived = async (calm: readonly Plan[]) => {
    const learnt = await expectLives(calm);
    const plans = learnt.flatMap(({ fix, undo }, at) => {
      const [fixes, undos] = [deathsAt(fix), deathsAt(undo)];
      expect(Math.min(fixes.length, undos.length)).toBeGreaterThan(4);
      return Array.from({ length: Math.max(fixes.length, undos.length) }, (_, nth) => ({ ...calm[at]!, fix: fixes[nth], undo: undos[nth] }));
    });
    const lives = await expectLives(plans);
    for (const { control } of calm)
      for (const phase of ['fix', 'undo'] as const) {
        const those = lives.filter((life) => life.control === control);
        const died = those.filter((life) => life[phase].deaths.length === 1).length;
        // On a busy machine one life makes calls that another does not need (a second try of the SDK, another look): each that every life makes is one death.
        const spared = [...learnt, ...those].filter((life) => life.control === control && life[phase].deaths.length === 0);
        const certain = Math.min(...spared.map((life) => deathsAt(life[phase]).length));
        expect({ control, phase, enough: died >= certain && certain > 4, died, certain }).toMatchObject({ control, phase, enough: true });
      }
  };

  test('2 controls: each call from INTENDED to REMEDIATED, and each from the last approval of an undo to UNDONE, exception included', async () => {
    await expectSurvived(Object.keys(thoroughly).map(planOf));
  }, 600_000);

  test('11 more: each call from INTENDED to REMEDIATED, and each from UNDO_INTENDED to UNDONE', async () => {
    await expectSurvived(others.map(planOf));
  }, 600_000);

  test('a fix that was approved: each call from the approval to REMEDIATED; fixed once, asked once', async () => {
    await expectSurvived(['s3-bucket-public-access-block', 'sns-topic-encrypted'].map((control) => ({ ...planOf(control), actor: asked })));
  }, 600_000);
});
