/** When what went wrong is tried again. */
import { describe, expect, test } from '@jest/globals';
import { RetryLaterError, waitFor } from '../../engine/errors.ts';

const throttled = Object.assign(new Error('Rate exceeded'), { name: 'Throttling' });
const told = (seconds: string) => Object.assign(new Error('SlowDown'), { $response: { headers: { 'retry-after': seconds } } });
const broken = new Error('socket hang up');

describe('a message that is kept by an error comes back', () => {
  test.each<[string, unknown[], (number | undefined)[]]>([
    ['throttled', [throttled], [30, 120, 360, 360]],
    ['told when', [told('7')], [7, 28, 112, 360]],
    ['told later than the queue would', [told('600')], [600, 600, 600, 600]],
    ['not settled yet', [new RetryLaterError('denied', 15)], [15, 60, 240, 360]],
    ['of several, after the longest', [throttled, new RetryLaterError('no time', 1)], [30, 120, 360, 360]],
    ['with anything else, when the queue says', [throttled, broken], [undefined, undefined, undefined, undefined]],
  ])('%s', (_, errors, waits) => {
    expect([1, 2, 3, 4].map((received) => waitFor(errors, received))).toEqual(waits);
  });
});
