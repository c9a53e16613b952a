import { systemClock } from '@funnelai/kube/clock';
import { createDatabase } from '@funnelai/test/harness/database';
import { startTcpProxy, type TcpProxy } from '@funnelai/test/harness/tcp-proxy';
import { until } from '@funnelai/test/harness/wait';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { createDrainLock, type DrainLock } from './drain-lock.ts';
import { createInboxStore } from './inbox.ts';
import { silentLog } from './log.ts';
import { createPool } from './pool.ts';

const SOON_MS = 15_000;
let database: Awaited<ReturnType<typeof createDatabase>>;
let proxy: TcpProxy;
let pools: pg.Pool[];
let locks: DrainLock[];
beforeEach(async () => {
  database = await createDatabase(inject('databaseUrl'));
  proxy = await startTcpProxy(database.url);
  pools = [];
  locks = [];
});
afterEach(async () => {
  await Promise.all(locks.map((lock) => lock.stop()));
  await Promise.all(pools.map((pool) => pool.end()));
  await proxy.stop();
  await database.drop();
});

/** Of a replica, with a pool of its own, as each process has. */
function aLock(o: { url?: string; scope?: string; clock?: typeof systemClock; onNews?: () => void } = {}): DrainLock {
  const pool = createPool(o.url ?? database.url, { connectTimeoutMs: 1_000 });
  const lock = createDrainLock({
    pool,
    clock: o.clock ?? systemClock,
    log: silentLog,
    scope: o.scope ?? 'cluster',
    ...(o.onNews && { onNews: o.onNews }),
  });
  pools.push(pool);
  locks.push(lock);
  lock.start();
  return lock;
}
const isHeld = (lock: DrainLock) => until('the lock to be held', SOON_MS, () => lock.held());

describe('the drain lock', () => {
  it('is had by one of a cluster, and by another soon after that one gives it back', async () => {
    const first = aLock();
    await isHeld(first);
    const second = aLock();
    const other = aLock({ scope: 'another cluster' });
    await isHeld(other);
    expect([first.held(), second.held()]).toEqual([true, false]);
    expect(second.holder()).toBeUndefined();
    await first.stop();
    expect(first.held()).toBe(false);
    await isHeld(second);
  });

  it('hears on its connection, held or not, what is put into the inbox of its cluster, and of no other', async () => {
    const heard: string[] = [];
    await isHeld(aLock({ onNews: () => heard.push('drains') }));
    aLock({ onNews: () => heard.push('waits') });
    await isHeld(aLock({ scope: 'another cluster', onNews: () => heard.push('other') }));
    const pool = createPool(database.url);
    pools.push(pool);
    const tell = () => createInboxStore({ pool, scope: 'cluster' }).tell();
    // The second may be connecting still.
    await until('both to hear', SOON_MS, async () => {
      await tell();
      return new Set(heard).size === 2;
    });
    expect(new Set(heard)).toEqual(new Set(['drains', 'waits']));
  });

  it('is known to be lost at once when its connection breaks, and is tried for again', async () => {
    const lock = aLock({ url: proxy.url });
    await isHeld(lock);
    const told: boolean[] = [];
    lock.subscribe((held) => told.push(held));
    const before = lock.holder();
    proxy.set({ refuse: true });
    proxy.cut();
    await until('the loss to be noticed', 1_000, () => !lock.held());
    const second = aLock();
    await isHeld(second);
    proxy.set();
    await second.stop();
    await isHeld(lock);
    expect(lock.holder()).not.toBe(before);
    expect(told).toEqual([false, true]);
  });

  it('is not believed to be held when Postgres falls silent, before another may have it', async () => {
    const lock = aLock({ url: proxy.url });
    await isHeld(lock);
    const second = aLock();
    proxy.set({ silent: true });
    await until('it to be doubted', 6_000, () => !lock.held());
    expect(second.held()).toBe(false);
    proxy.cut();
    await isHeld(second);
  });

  it('is not believed to be held by a process that was paused for long, until Postgres has said so again', async () => {
    let skipped = 0;
    const clock = { ...clockOf(), monotonicMs: () => systemClock.monotonicMs() + skipped };
    const lock = aLock({ clock });
    await isHeld(lock);
    skipped = 60_000;
    expect(lock.held()).toBe(false);
    await isHeld(lock);
  });
});

/** The system's clock with its methods as properties. */
function clockOf(): typeof systemClock {
  return {
    now: () => systemClock.now(),
    monotonicMs: () => systemClock.monotonicMs(),
    after: (ms, fn) => systemClock.after(ms, fn),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  };
}
