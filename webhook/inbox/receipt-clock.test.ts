import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import { expect, it } from 'vitest';
import { createReceiptClock } from './receipt-clock.ts';

/** A replica whose clock is so many seconds wrong, asking a Postgres that takes its time to answer. */
function aReplica(secondsWrong: number, roundTripMs = 4) {
  const clock = new FakeClock('2026-01-01T12:00:00Z');
  const right = clock.now().subtract({ milliseconds: secondsWrong * 1_000 });
  const receipt = createReceiptClock({ clock, log: silentLog() });
  const elapsed = () => BigInt(Math.round(clock.monotonicMs() * 1_000));
  const compare = async (ms = roundTripMs) => {
    const done = receipt.compare(async () => {
      await clock.sleep(ms / 2);
      const now = right.epochNanoseconds / 1_000n + elapsed();
      await clock.sleep(ms / 2);
      return now;
    });
    await clock.advance(ms);
    await done;
  };
  const errorMs = () =>
    Number(receipt.now().epochNanoseconds / 1_000n - right.epochNanoseconds / 1_000n - elapsed()) / 1_000;
  return { compare, errorMs };
}

it('two replicas whose clocks differ say the same time once each has compared with Postgres', async () => {
  for (const seconds of [5, -5, 0.2]) {
    const { compare, errorMs } = aReplica(seconds);
    expect(errorMs()).toBe(seconds * 1_000);
    await compare();
    expect(Math.abs(errorMs())).toBeLessThan(1);
    // An answer that took long says less than what is known.
    await compare(4_000);
    expect(Math.abs(errorMs())).toBeLessThan(1);
  }
});

it('a clock that is right is left as it is, and so is one that Postgres contradicts by minutes', async () => {
  const right = aReplica(0.001);
  await right.compare();
  expect(right.errorMs()).toBe(1);
  const far = aReplica(3_600);
  await far.compare();
  expect(far.errorMs()).toBe(3_600_000);
});
