import { HistoryUnavailable } from '@funnelai/history/errors';
import type { InboxCount, InboxCounts } from '@funnelai/history/inbox-counts';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { HISTORY_REST_MS, INBOX_COUNTED_MS, INBOX_GONE_LISTED } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { createInboxBySource, noInbox } from './by-source.ts';

const count = (source: string, o: Partial<InboxCount> = {}): InboxCount => ({
  namespace: 'demo',
  source,
  waiting: 0,
  setAside: 0,
  reasons: [],
  ...o,
});
const WAITS = { waiting: 12, oldestAt: '2026-01-01T11:59:00.000000Z', setAside: 0, reasons: [] };

function aBook() {
  const clock = new FakeClock('2026-01-01T12:00:00Z');
  const registry = createRegistry();
  const book = createInboxBySource({ clock, log: silentLog(), metrics: createWebhookMetrics(registry) });
  const stage = { counts: { sources: [], isCut: false } as InboxCounts, isAway: false, tookMs: 0, asked: 0 };
  const open = () =>
    book.open({
      scope: 'cluster-1',
      store: {
        count: async () => {
          stage.asked += 1;
          if (stage.tookMs > 0) await clock.sleep(stage.tookMs);
          if (stage.isAway) throw new HistoryUnavailable('Postgres is not available: connect ECONNREFUSED');
          return stage.counts;
        },
      },
    });
  return { book, clock, stage, open, registry };
}

describe('what lies in the inbox, by source', () => {
  it('is counted once for all who look within two seconds', async () => {
    const { book, clock, stage, open } = aBook();
    open();
    stage.counts = { sources: [count('prom', WAITS)], isCut: false };
    const views = await Promise.all(Array.from({ length: 50 }, () => book.view()));
    expect(views.map((view) => view.of('demo', 'prom'))).toEqual(Array(50).fill(WAITS));
    expect(views[0]?.of('demo', 'other')).toEqual({ waiting: 0, setAside: 0, reasons: [] });
    expect(stage.asked).toBe(1);
    stage.counts = { sources: [], isCut: false };
    await clock.advance(INBOX_COUNTED_MS);
    expect((await book.view()).of('demo', 'prom')).toMatchObject({ waiting: 0 });
    expect(stage.asked).toBe(2);
  });

  it('is counted for a tenth of the time at most, however much there is', async () => {
    const { book, clock, stage, open } = aBook();
    open();
    stage.tookMs = 700;
    const looks = [book.view(), book.view()];
    await clock.advance(700);
    await Promise.all(looks);
    await clock.advance(6_000);
    await book.view();
    expect(stage.asked).toBe(1);
    await clock.advance(300);
    void book.view();
    expect(stage.asked).toBe(2);
  });

  it('is not known while Postgres is away, which is said and not asked for again at once, and is known again after it', async () => {
    const { book, clock, stage, open } = aBook();
    expect((await book.view()).state).toMatchObject({
      available: false,
      reason: expect.stringContaining('is not open'),
    });
    open();
    stage.isAway = true;
    const away = await book.view();
    expect(away.state).toMatchObject({ available: false, reason: expect.stringContaining('ECONNREFUSED') });
    expect([away.of('demo', 'prom'), away.gone(() => false, undefined)]).toEqual([undefined, []]);
    await clock.advance(INBOX_COUNTED_MS);
    await book.view();
    expect(stage.asked).toBe(1);
    stage.isAway = false;
    await clock.advance(HISTORY_REST_MS);
    expect((await book.view()).state).toEqual({ available: true, scope: 'cluster-1' });
  });

  it('of sources that are gone is told apart, of the namespace that was asked for', async () => {
    const { book, stage, open } = aBook();
    open();
    const others = Array.from({ length: 30 }, (_, n) => count(`old-${n}`, { setAside: n + 1 }));
    const theirs = count('theirs', { namespace: 'pay', setAside: 999 });
    stage.counts = { sources: [count('prom', WAITS), theirs, ...others], isCut: false };
    const view = await book.view();
    const isThere = (_namespace: string, name: string) => name === 'prom';
    const gone = view.gone(isThere, 'demo');
    expect(gone).toHaveLength(INBOX_GONE_LISTED);
    expect(gone[0]).toEqual({ namespace: 'demo', name: 'old-29', inbox: { waiting: 0, setAside: 30, reasons: [] } });
    expect(gone.some(({ name }) => name === 'theirs')).toBe(false);
    expect(view.gone((namespace) => namespace === 'demo', undefined)).toMatchObject([{ name: 'theirs' }]);
  });

  it('is not called nothing of a source that was not counted, and the bound is counted', async () => {
    const { book, stage, open, registry } = aBook();
    open();
    stage.counts = { sources: [count('prom', WAITS)], isCut: true };
    const view = await book.view();
    expect([view.of('demo', 'prom'), view.of('demo', 'other')]).toEqual([WAITS, undefined]);
    expect(await registry.metrics()).toContain('limit_reached_total{limit="INBOX_SOURCES_COUNTED"} 1');
  });

  it('without a database is said to be nowhere', async () => {
    const view = await noInbox.view();
    expect(view.state).toMatchObject({ available: false, isOff: true });
    expect(view.of('demo', 'prom')).toEqual({ waiting: 0, setAside: 0, reasons: [] });
  });
});
