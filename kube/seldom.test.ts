import { expect, it } from 'vitest';
import { createSeldom } from './seldom.ts';
import { FakeClock } from './test-clock.ts';

it('says the first few of a reason in each minute, and how many it left out', async () => {
  const clock = new FakeClock();
  const seldom = createSeldom(clock);
  const said = (reason: string, times: number) =>
    Array.from({ length: times }, () => seldom.say(reason)).filter(Boolean);
  expect(said('403 Forbidden', 1_000)).toHaveLength(5);
  expect(said('500 InternalError', 3)).toHaveLength(3);
  await clock.advance(60_000);
  expect(said('403 Forbidden', 2)).toEqual([{ unsaid: 995 }, { unsaid: 0 }]);
});

it('is bounded whatever reasons there are', () => {
  const seldom = createSeldom(new FakeClock());
  const said = Array.from({ length: 1_000 }, (_, i) => seldom.say(`reason ${i}`)).filter(Boolean);
  expect(said.length).toBeLessThanOrEqual(105);
});
