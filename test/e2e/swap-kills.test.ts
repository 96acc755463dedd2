/**
 * The swap of a volume for an encrypted one, and back, through the deployed bot: its remediate is killed for real in each step.
 * Snapshots, volumes and instances are ready at once on moto; deaths while AWS takes its time are in test/remediations/ec2.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeOnMoto } from '../support/moto.ts';
import { inEachStep, type Moment, type Place, stepsOf, type Watched } from './deaths.ts';
import { asked, type Life, openWard, type Plan, type Ward } from './lives.ts';
import { plainVolume } from './volumes.ts';

const params = { stopInstances: true };
const planOf = (attached: boolean): Plan => ({ control: 'ebs-volume-encrypted', scenario: plainVolume(attached), actor: asked, params });

/** In every step before its first call, then before the second, and so on. */
const everyCall = (watched: Watched): Place[] => {
  const steps = [...stepsOf(watched).values()];
  const most = Math.max(...steps.map(({ length }) => length));
  return Array.from({ length: most }, (_, index) => () => ({ nth: index + 1, moment: 'before' }));
};

/** In every step around its first and its last write, and before its last call. */
const aroundWrites = (watched: Watched): Place[] => {
  const steps = stepsOf(watched);
  const writesIn = (step: number) => steps.get(step)!.filter(({ writes }) => writes === 'resource');
  const beside =
    (at: 0 | -1, offset: number, moment: Moment): Place =>
    (step) => {
      const write = steps.has(step) ? writesIn(step).at(at) : undefined;
      return write && { nth: write.inInvocation + offset, moment };
    };
  const last: Place = (step) => (steps.has(step) ? { nth: steps.get(step)!.length, moment: 'before' } : undefined);
  return [
    beside(0, -1, 'before'),
    beside(0, 0, 'before'),
    beside(0, 0, 'after'),
    beside(0, 1, 'before'),
    beside(-1, 0, 'before'),
    beside(-1, 0, 'after'),
    last,
  ];
};

const afterWrites = (watched: Watched): Place[] => aroundWrites(watched).filter((_, index) => index === 2 || index === 5);

describeOnMoto('remediate killed inside the swap of a volume (on moto, IAM enforced)', () => {
  let ward: Ward;
  beforeAll(async () => {
    ward = await openWard(`ebs-volume-encrypted: ${JSON.stringify({ mode: 'approve', params })}`);
  }, 240_000);
  afterAll(() => ward?.bot.stack.stop());

  /** One encrypted volume served, `right` says; undone, everything is as it began, and what the fix has made is left, marked. */
  const endOf = ({ began, before }: Life) => ({
    right: true,
    changes: [before],
    fixed: 'REMEDIATED',
    undone: 'done',
    setting: { ...(began as object), made: [{ encrypted: true, attached: false, undone: true }] },
    exceptions: 1,
    story: ['OPENED', 'ASKED', 'APPROVED', 'INTENDED', 'REMEDIATED', 'UNDO_ASKED', 'UNDO_INTENDED', 'UNDONE'],
    gapless: true,
  });

  const expectSurvived = async (attached: boolean, placesIn: (watched: Watched) => Place[]) => {
    const [calm] = await ward.live([planOf(attached)]);
    expect(calm!.seen).toEqual(endOf(calm!));
    const [fixes, undos] = [placesIn(calm!.fix), placesIn(calm!.undo)];
    const strike = (place: Place | undefined) => place && inEachStep(place);
    const plans = Array.from({ length: Math.max(fixes.length, undos.length) }, (_, index) => ({
      ...planOf(attached),
      fix: strike(fixes[index]),
      undo: strike(undos[index]),
    }));
    const lives = await ward.live(plans);
    const words = (life: Life) => [...life.fix.deaths, ...life.undo.deaths.map((death) => `undo: ${death}`)].join('; ');
    expect(lives.map((life) => ({ killed: words(life), ...life.seen }))).toEqual(lives.map((life) => ({ killed: words(life), ...endOf(life) })));
    return lives;
  };
  const deathsIn = (lives: readonly Life[], of: 'fix' | 'undo') => lives.map((life) => life[of].deaths.length);

  test('alone: before each call and after each write, of each of 4 steps and of the undo', async () => {
    const lives = await expectSurvived(false, (watched) => [...everyCall(watched), ...afterWrites(watched)]);
    expect(Math.max(...deathsIn(lives, 'fix'))).toBe(4);
  }, 600_000);

  test('serving a running instance: around each write, and before the last call, of each of 9 steps and of the 6 of the undo', async () => {
    const lives = await expectSurvived(true, aroundWrites);
    expect([Math.max(...deathsIn(lives, 'fix')), Math.max(...deathsIn(lives, 'undo'))]).toEqual([9, 6]);
  }, 600_000);
});
