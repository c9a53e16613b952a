import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import { Temporal } from 'temporal-polyfill';
import { expect, it } from 'vitest';
import { createReceiptClock } from './receipt-clock.ts';

/** A replica whose clock is so many seconds wrong, asking a Postgres that takes its time to answer. */
function aReplica(secondsWrong: number, roundTripMs = 4) {
  const clock = new FakeClock('2026-01-01T12:00:00Z');
  const right = clock.now().subtract({ milliseconds: secondsWrong * 1_000 });
  const receipt = createReceiptClock({ clock, log: silentLog() });
  const elapsed = () => BigInt(Math.round(clock.monotonicMs() * 1_000));
  /** `there`: what of the time is gone when Postgres looks at its clock. */
  const compare = async (ms = roundTripMs, there = 0.5) => {
    const done = receipt.compare(async () => {
      await clock.sleep(ms * there);
      const now = right.epochNanoseconds / 1_000n + elapsed();
      await clock.sleep(ms * (1 - there));
      return now;
    });
    await clock.advance(ms);
    await done;
  };
  const errorMs = () =>
    Number(receipt.now().epochNanoseconds / 1_000n - right.epochNanoseconds / 1_000n - elapsed()) / 1_000;
  return { clock, receipt, compare, errorMs };
}

it('two replicas whose clocks differ say the same time once each has compared with Postgres', async () => {
  for (const seconds of [5, -5, 0.2]) {
    expect(aReplica(seconds).errorMs()).toBe(seconds * 1_000);
    const { compare, errorMs } = aReplica(seconds);
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

it('a clock that is right stays right, however long the answer took, and on whichever way', async () => {
  for (const there of [0, 0.1, 0.9, 1]) {
    const { compare, errorMs } = aReplica(0);
    await compare(1_600, there);
    expect(errorMs()).toBe(0);
  }
});

it('what comes later is later, also while the clock is put right: an end never comes before its firing', async () => {
  for (const seconds of [5, -5, 0.7]) {
    const { clock, receipt, compare } = aReplica(seconds);
    const said = [receipt.now()];
    const hear = async (work: Promise<void>) => {
      await work;
      said.push(receipt.now(), receipt.now());
      await clock.advance(120);
      said.push(receipt.now());
    };
    await hear(compare(1_600, 0.1));
    await hear(compare(800, 0.9));
    await hear(compare(4));
    await hear(clock.advance(10_000));
    expect(said).toEqual([...said].sort((a, b) => Temporal.Instant.compare(a, b)));
    expect(new Set(said.map(String)).size).toBe(said.length);
  }
});

it('a clock that somebody has set back by an hour is not waited for', () => {
  const { clock, receipt } = aReplica(0);
  const before = receipt.now();
  clock.set(before.subtract({ hours: 1 }));
  expect(receipt.now().until(before).total('minutes')).toBeGreaterThan(59);
});
