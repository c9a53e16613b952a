import { HistoryFenced, HistoryUnavailable } from '@funnelai/history/errors';
import type { Mirror } from '@funnelai/history/mirror';
import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { createMirrorTerm, FENCED_REST_MS } from './term.ts';

/** A term whose mirrors are numbered as they are opened; `epoch` is what they say. */
function setUp() {
  const clock = new FakeClock();
  const seen = { opened: 0, renewed: 0, fenced: 0, anew: 0, available: [] as (boolean | undefined)[] };
  const state = { epoch: undefined as number | undefined, server: 1, renewedAtMs: Number.NEGATIVE_INFINITY };
  const term = createMirrorTerm({
    clock,
    log: silentLog(),
    metrics: { historyAvailable: (up) => seen.available.push(up), historyFenced: () => (seen.fenced += 1) },
    leadsSince: (ms) => state.renewedAtMs > ms,
    onOtherEpoch: () => (seen.anew += 1),
    openMirror: () => {
      seen.opened += 1;
      return {
        number: seen.opened,
        epoch: () => state.epoch,
        server: () => state.server,
        renewEpoch: async () => {
          seen.renewed += 1;
        },
      } as unknown as Mirror;
    },
  });
  return { clock, seen, state, term };
}
const number = async (mirror: Mirror) => (mirror as unknown as { number: number }).number;
const fenced = () => Promise.reject(new HistoryFenced('cluster', 1, 2));

describe('a term of the mirror', () => {
  it('stops when another term writes, says so once, and takes the next epoch if it still leads after a minute', async () => {
    const { clock, seen, term } = setUp();
    for (let n = 0; n < 3; n += 1) await expect(term.use(fenced)).rejects.toBeInstanceOf(HistoryFenced);
    expect(seen).toMatchObject({ fenced: 1, opened: 1 });
    await clock.advance(FENCED_REST_MS - 1);
    expect(await term.use(number)).toBe(1);
    await clock.advance(1);
    expect(await term.use(number)).toBe(2);
    expect(seen.anew).toBe(1);
  });

  it('takes the next epoch as soon as its Lease is renewed after that: the other was late; but once only', async () => {
    const { clock, seen, state, term } = setUp();
    await clock.advance(5_000);
    state.renewedAtMs = 4_000;
    await expect(term.use(fenced)).rejects.toBeInstanceOf(HistoryFenced);
    await clock.advance(3_000);
    expect(seen.opened).toBe(1);
    state.renewedAtMs = 8_100;
    await clock.advance(1_000);
    expect(seen).toMatchObject({ opened: 2, anew: 1 });
    await expect(term.use(fenced)).rejects.toBeInstanceOf(HistoryFenced);
    const againMs = clock.monotonicMs();
    while (clock.monotonicMs() < againMs + FENCED_REST_MS - 1_000) {
      state.renewedAtMs = clock.monotonicMs();
      await clock.advance(1_000);
    }
    expect(seen.opened).toBe(2);
    await clock.advance(1_000);
    expect(seen.opened).toBe(3);
  });

  it('takes no epoch once it has ended', async () => {
    const { clock, seen, term } = setUp();
    await expect(term.use(fenced)).rejects.toBeInstanceOf(HistoryFenced);
    term.stop();
    await clock.advance(FENCED_REST_MS * 2);
    expect(seen.opened).toBe(1);
  });

  it('asks anew for all that it knew when its epoch is another one: the database was set back', async () => {
    const { seen, state, term } = setUp();
    state.epoch = 4;
    await term.use(number);
    await term.use(number);
    expect(seen.anew).toBe(0);
    state.epoch = 7;
    await term.use(number);
    expect(seen.anew).toBe(1);
  });

  it('asks anew likewise when another server answers: a standby may lack the last that was written', async () => {
    const { seen, state, term } = setUp();
    await term.use(number);
    await term.use(number);
    expect(seen.anew).toBe(0);
    state.server = 2;
    await term.use(number);
    await term.use(number);
    expect(seen.anew).toBe(1);
  });

  it('renews its epoch before the next write when versions went backwards, until that has worked', async () => {
    const { seen, term } = setUp();
    expect([term.wentBack(), term.wentBack()]).toEqual([true, false]);
    await term.use(number);
    await term.use(number);
    expect(seen.renewed).toBe(1);
    expect(term.wentBack()).toBe(true);
  });

  it('ends what hangs when it is cut, and says nothing of Postgres once it is over', async () => {
    const { seen, term } = setUp();
    const hanging = term.use(() => new Promise<never>(() => {}));
    term.stop();
    term.cut();
    await expect(hanging).rejects.toBeInstanceOf(HistoryUnavailable);
    await expect(term.use(number)).rejects.toBeInstanceOf(HistoryUnavailable);
    expect(seen.available).toEqual([]);
  });

  it('says whether Postgres takes writes', async () => {
    const { seen, term } = setUp();
    await expect(term.use(() => Promise.reject(new HistoryUnavailable('away')))).rejects.toThrow('away');
    await term.use(number);
    expect(seen.available).toEqual([false, true]);
  });
});
