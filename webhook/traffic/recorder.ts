/**
 * Remembers what comes to each source and what was refused: of this replica in memory, of all of them in Postgres, in batches. About
 * right on purpose: what a killed process held is lost, what was in doubt may be counted twice. Never holds up an answer.
 */
import type { Rejection, SourceTraffic, TrafficOrigin } from '@funnelai/domain/wire-sources';
import { type SourceTrafficStore, TRAFFIC_ROWS_PER_WRITE, type TrafficRow } from '@funnelai/history/source-traffic';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { Temporal } from 'temporal-polyfill';
import { createAsk, OFF } from '../api/history-reader.ts';
import * as limits from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { Arrival, ArrivalListener } from './arrival.ts';
import { addTo, type Buckets, bucketOf, type Cell, prune, summarize, TAKEN, windowStart } from './counts.ts';
import { createRejectionBook } from './rejection-book.ts';
import { mergeRejections } from './rejections.ts';

export interface TrafficView {
  counted: TrafficOrigin;
  of(namespace: string, name: string): SourceTraffic;
  /** As far as this replica knows. */
  lastReceivedAt(namespace: string, name: string): string | undefined;
}
export interface TrafficRecorder extends ArrivalListener {
  view(): Promise<TrafficView>;
  /** The last few refusals of one source, newest first. */
  rejectionsOf(namespace: string, name: string): Promise<Rejection[]>;
  start(): void;
  /** Writes what is held, once. */
  stop(): Promise<void>;
}

interface Entry {
  /** Of this replica, for when Postgres is away or there is none. */
  buckets: Buckets;
  /** What Postgres does not have yet. */
  unwritten: Buckets;
  lastReceivedAt?: Temporal.Instant;
}

export interface TrafficDeps {
  /** Absent: no database was named. */
  store: SourceTrafficStore | undefined;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
}

const REJECTIONS_PER_WRITE = 500;
const MOST = { known: limits.REJECTIONS_PER_SOURCE, strangers: limits.REJECTIONS_BY_STRANGERS };

export function createTrafficRecorder({ store, clock, log, metrics }: TrafficDeps): TrafficRecorder {
  const entries = new Map<string, Entry>();
  const book = createRejectionBook({ clock, metrics });
  const ask = createAsk({ clock, log });
  /** Being written: neither in `unwritten` nor surely in Postgres. */
  let inFlight = new Map<string, Buckets>();
  let lastRead: { rows: Promise<Awaited<ReturnType<typeof readAll>>>; atMs: number } | undefined;
  let isAway = false;
  let prunedMs = Number.NEGATIVE_INFINITY;
  let cancel = () => {};
  let writing: Promise<void> = Promise.resolve();

  function entryOf(key: string): Entry | undefined {
    const held = entries.get(key);
    if (held !== undefined) return held;
    if (entries.size >= limits.TRAFFIC_SOURCES) {
      metrics.limitReached('TRAFFIC_SOURCES');
      return undefined;
    }
    const entry: Entry = { buckets: new Map(), unwritten: new Map() };
    entries.set(key, entry);
    return entry;
  }

  function saw(arrival: Arrival): void {
    const { source, refusal, alerts, stored } = arrival;
    if (source === undefined || arrival.isDryRun) return;
    const key = keyOf(source.metadata.namespace ?? '', source.metadata.name);
    const now = clock.now();
    const entry = entryOf(key);
    if (entry !== undefined) {
      const cell: Cell = { bodies: 1, alerts, stored };
      addTo(entry.buckets, bucketOf(now), refusal?.reason ?? TAKEN, cell);
      if (store !== undefined) addTo(entry.unwritten, bucketOf(now), refusal?.reason ?? TAKEN, cell);
      if (refusal === undefined || stored > 0) entry.lastReceivedAt = now;
    }
    if (refusal !== undefined) book.note(key, arrival, refusal);
  }

  async function flush(to: SourceTrafficStore): Promise<void> {
    const now = clock.now();
    inFlight = new Map();
    const rows: TrafficRow[] = [];
    for (const [key, entry] of entries) {
      if (entry.unwritten.size > 0) {
        inFlight.set(key, entry.unwritten);
        rows.push(...rowsOf(key, entry.unwritten));
        entry.unwritten = new Map();
      }
      prune(entry.buckets, now);
      if (entry.buckets.size === 0 && entry.unwritten.size === 0 && !inFlight.has(key)) entries.delete(key);
    }
    let written = 0;
    try {
      for (; written < rows.length; written += TRAFFIC_ROWS_PER_WRITE)
        await to.add(rows.slice(written, written + TRAFFIC_ROWS_PER_WRITE));
      await flushRejections(to);
      if (clock.monotonicMs() - prunedMs >= limits.TRAFFIC_PRUNE_MS) {
        prunedMs = clock.monotonicMs();
        const oldest = now.subtract({ hours: 24 * limits.REJECTION_DAYS });
        await to.prune(instantText(windowStart(now)), oldest.toString());
      }
      isAway = false;
    } catch (error) {
      if (!isAway) log.warn({ why: messageOf(error) }, 'the traffic of sources cannot be written; it is held');
      isAway = true;
      for (const row of rows.slice(written)) {
        const { unwritten } = entries.get(keyOf(row.namespace, row.source)) ?? {};
        // Held only as long as it would be shown, so that what waits has a bound.
        if (unwritten === undefined) continue;
        addTo(unwritten, Temporal.Instant.from(row.startsAt).epochMilliseconds, row.outcome, row);
        prune(unwritten, now);
      }
    } finally {
      inFlight = new Map();
      lastRead = undefined;
    }
  }

  async function flushRejections(to: SourceTrafficStore): Promise<void> {
    const waiting = book.unwritten();
    for (let first = 0; first < waiting.length; first += REJECTIONS_PER_WRITE) {
      const batch = waiting.slice(first, first + REJECTIONS_PER_WRITE);
      await to.reject(
        batch.map(({ key, rejection }) => ({ ...placeOf(key), ...rejection })),
        MOST,
      );
      book.written(batch);
    }
  }

  async function readAll(from: SourceTrafficStore): Promise<{ origin: TrafficOrigin; bySource: Map<string, Buckets> }> {
    const now = clock.now();
    const recent = bucketOf(now) - limits.TRAFFIC_BUCKET_MS;
    const answer = await ask(() => from.read(instantText(windowStart(now)), instantText(recent)));
    const bySource = new Map<string, Buckets>();
    if (!answer.available) return { origin: { of: 'ThisReplica', reason: answer.reason }, bySource };
    for (const row of answer.value) {
      const key = keyOf(row.namespace, row.source);
      const buckets: Buckets = bySource.get(key) ?? new Map();
      bySource.set(key, buckets);
      addTo(buckets, Temporal.Instant.from(row.startsAt).epochMilliseconds, row.outcome, row);
    }
    return { origin: { of: 'AllReplicas' }, bySource };
  }

  /** One reading serves all who look on at the time. */
  function readShared(from: SourceTrafficStore) {
    if (lastRead === undefined || clock.monotonicMs() - lastRead.atMs >= limits.TRAFFIC_READ_MS)
      lastRead = { rows: readAll(from), atMs: clock.monotonicMs() };
    return lastRead.rows;
  }

  function arm(): void {
    cancel = clock.after(limits.TRAFFIC_FLUSH_MS, () => {
      if (store !== undefined) writing = flush(store).then(arm);
      else {
        for (const [key, entry] of entries) {
          prune(entry.buckets, clock.now());
          if (entry.buckets.size === 0) entries.delete(key);
        }
        arm();
      }
    });
  }

  return {
    saw,
    async view() {
      const read =
        store === undefined
          ? { origin: { of: 'ThisReplica', reason: OFF.reason } as const, bySource: new Map<string, Buckets>() }
          : await readShared(store);
      const isOfAll = read.origin.of === 'AllReplicas';
      const now = clock.now();
      return {
        counted: read.origin,
        of(namespace, name) {
          const key = keyOf(namespace, name);
          const entry = entries.get(key);
          const parts = isOfAll ? [read.bySource.get(key), inFlight.get(key), entry?.unwritten] : [entry?.buckets];
          return summarize(
            parts.filter((part) => part !== undefined),
            now,
          );
        },
        lastReceivedAt: (namespace, name) =>
          entries.get(keyOf(namespace, name))?.lastReceivedAt?.toString({ smallestUnit: 'millisecond' }),
      };
    },
    async rejectionsOf(namespace, name) {
      const key = keyOf(namespace, name);
      const answer = store === undefined ? OFF : await ask(() => store.rejectionsOf(namespace, name));
      if (!answer.available) return book.of(key);
      const written = answer.value.map(({ namespace: _n, source: _s, ...one }): Rejection => one);
      const unwritten = book.unwritten().filter((one) => one.key === key);
      return mergeRejections([...written, ...unwritten.map(({ rejection }) => rejection)]);
    },
    start: arm,
    async stop() {
      await writing;
      cancel();
      if (store !== undefined) await flush(store);
    },
  };
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;
function placeOf(key: string): { namespace: string; source: string } {
  const at = key.indexOf('/');
  return { namespace: key.slice(0, at), source: key.slice(at + 1) };
}
const instantText = (ms: number): string => Temporal.Instant.fromEpochMilliseconds(ms).toString();

function rowsOf(key: string, buckets: Buckets): TrafficRow[] {
  return [...buckets].flatMap(([startsAtMs, outcomes]) =>
    [...outcomes].map(([outcome, cell]) => ({ ...placeOf(key), startsAt: instantText(startsAtMs), outcome, ...cell })),
  );
}
