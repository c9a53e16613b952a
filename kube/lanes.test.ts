import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LANES, type Lane, MOST_PASSED_OVER, NONE_PASSED_OVER, nextLane } from './lanes.ts';

it('lets people go before news, and news before routine', () => {
  const among = (...waiting: Lane[]) => nextLane((lane) => waiting.includes(lane), NONE_PASSED_OVER)?.lane;
  expect([among('routine', 'human', 'news'), among('routine', 'news'), among('routine'), among()]).toEqual([
    'human',
    'news',
    'routine',
    undefined,
  ]);
});

it('keeps no lane waiting for longer than its bound, whatever comes, and people for no more than two turns', () => {
  const waiting = fc.subarray([...LANES]);
  fc.assert(
    fc.property(fc.array(waiting, { minLength: 50, maxLength: 300 }), (rounds) => {
      let passed = { ...NONE_PASSED_OVER };
      const inARow: Record<Lane, number> = { human: 0, news: 0, routine: 0 };
      for (const round of rounds) {
        const next = nextLane((lane) => round.includes(lane), passed);
        if (round.length === 0) {
          expect(next).toBeUndefined();
          continue;
        }
        expect(round).toContain(next?.lane);
        for (const lane of LANES) {
          inARow[lane] = round.includes(lane) && next?.lane !== lane ? inARow[lane] + 1 : 0;
          const bound = lane === 'human' ? 2 : MOST_PASSED_OVER[lane] + 1;
          expect(inARow[lane]).toBeLessThanOrEqual(bound);
        }
        passed = next?.passed ?? passed;
      }
    }),
  );
});
