/**
 * Takes what waits in the inbox to etcd, on the one replica that holds the drain lock: in order for each fault, different faults side by
 * side, as many as the lane allows. A row goes only after the API server's answer that it is stored; one that can never be stored is set
 * aside with its reason and holds up no other. Killed anywhere, the next one drains the rows again, which changes nothing.
 */
import type { AlertSpec } from '@funnelai/crds/generated/types';
import { labelValue } from '@funnelai/domain/labels';
import { sourceIsGone } from '@funnelai/domain/set-aside';
import type { DrainLock } from '@funnelai/history/drain-lock';
import type { InboxStore, StoredRow } from '@funnelai/history/inbox';
import { backoffMs } from '@funnelai/kube/backoff';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import type { AlertStore, StoreOutcome } from '../intake/store.ts';
import * as limits from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { ApiServer } from './api-server.ts';
import type { Lane } from './lane.ts';
import { withPatience } from './patience.ts';
import { createPausing } from './pausing.ts';
import { keyOf, requestOf } from './rows.ts';
import { answers, isStored } from './two-stores.ts';

export interface Drain {
  /** Something may be there. */
  wake(): void;
  start(): void;
  stop(): Promise<void>;
}
export interface DrainDeps {
  inbox: InboxStore;
  lock: DrainLock;
  etcd: AlertStore;
  /** Whether a source is there; undefined while nobody can say. */
  hasSource(namespace: string, name: string): boolean | undefined;
  /** Whether nothing of an alert's kind fires yet: of those that are held it goes first. */
  isNew?: (namespace: string, spec: AlertSpec) => boolean;
  api: ApiServer;
  lane: Lane;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
}

/** Rows of one fault that are held. */
interface Fault {
  rows: StoredRow[];
  /** Set on the first of its kind that is held, where nothing of that kind fires yet. */
  newKind?: string;
  isBusy: boolean;
  isOneByOne: boolean;
  failures: number;
  notBeforeMs: number;
}
const NEW_FAULT = { isBusy: false, isOneByOne: false, failures: 0, notBeforeMs: 0 };

export function createDrain(deps: DrainDeps): Drain {
  const { inbox, lock, etcd, api, lane, clock, log, metrics } = deps;
  const faults = new Map<string, Fault>();
  /** Keys of the faults with a `newKind`, by that. */
  const first = new Map<string, string>();
  /** Ids that are held or settled and still lie in the table. */
  const known = new Set<string>();
  const settled: { id: string; reason?: string }[] = [];
  /** Of rows that are not settled. */
  let heldBytes = 0;
  const pausing = createPausing();
  const working = new Set<Promise<void>>();
  let cursor = '0';
  let isAtEnd = false;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let wrappedAtMs = Number.NEGATIVE_INFINITY;
  let isWoken = false;
  let removedAtMs = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let stopping: AbortController | undefined;
  let running: Promise<void> = Promise.resolve();
  let wakeUp = () => {};

  /** What is held belongs to whoever drains now. */
  function forget(): void {
    faults.clear();
    first.clear();
    known.clear();
    settled.length = 0;
    heldBytes = 0;
    cursor = '0';
    isAtEnd = false;
    lane.drains(false);
  }

  async function read(): Promise<void> {
    const nowMs = clock.monotonicMs();
    if (known.size >= limits.DRAIN_HELD || heldBytes >= limits.DRAIN_HELD_BYTES) return;
    if (isAtEnd && nowMs - readAtMs < limits.DRAIN_IDLE_MS) return;
    // A row may become visible after one with a higher number, and a pause may be over: now and then all is read from the first.
    if (isAtEnd && nowMs - wrappedAtMs >= limits.DRAIN_WRAP_MS) {
      cursor = '0';
      wrappedAtMs = nowMs;
    }
    readAtMs = nowMs;
    const bound = { limit: limits.DRAIN_PAGE, bytes: limits.DRAIN_PAGE_BYTES };
    const rows = await inbox.page({ after: cursor, ...bound, without: pausing.paused(nowMs) });
    isAtEnd = rows.length < bound.limit && rows.reduce((sum, row) => sum + bytesOf(row), 0) < bound.bytes;
    cursor = rows.at(-1)?.id ?? cursor;
    for (const row of rows) {
      if (known.has(row.id)) continue;
      known.add(row.id);
      heldBytes += bytesOf(row);
      const fault = faults.get(keyOf(row));
      if (fault === undefined) hold(row);
      else fault.rows.push(row);
    }
    lane.drains(faults.size > 0);
  }

  function hold(row: StoredRow): void {
    const fault: Fault = { ...NEW_FAULT, rows: [row] };
    faults.set(keyOf(row), fault);
    const spec = requestOf([row]).request?.reports[0].spec;
    if (spec === undefined || deps.isNew?.(row.namespace, spec) !== true) return;
    const kind = JSON.stringify([row.namespace, row.source, labelValue(spec.labels, 'alertname')]);
    if (first.has(kind)) return;
    fault.newKind = kind;
    first.set(kind, keyOf(row));
  }

  function letGo(key: string, fault: Fault): void {
    faults.delete(key);
    if (fault.newKind !== undefined) first.delete(fault.newKind);
  }

  /** Begins as many writes as lane and breaker allow. */
  function begin(signal: AbortSignal): void {
    const nowMs = clock.monotonicMs();
    for (const key of inTurn(first.values(), faults.keys())) {
      const fault = faults.get(key);
      const row = fault?.rows[0];
      if (fault === undefined || row === undefined || fault.isBusy || fault.notBeforeMs > nowMs) continue;
      if (pausing.isPaused(row.namespace, nowMs)) {
        // It is read again after the pause; held, it would leave no room for others.
        for (const row of fault.rows) {
          known.delete(row.id);
          heldBytes -= bytesOf(row);
        }
        letGo(key, fault);
        continue;
      }
      const hasSource = deps.hasSource(row.namespace, row.source);
      if (hasSource === undefined) continue;
      if (!hasSource) {
        done(key, fault, fault.rows, sourceIsGone(row.namespace, row.source));
        continue;
      }
      const leave = lane.enterDrain();
      if (leave === undefined) return;
      const verdict = api.ask();
      if (verdict.may === 'not') {
        leave({ isUnused: true });
        return;
      }
      fault.isBusy = true;
      const work = settle(key, fault, verdict.round, signal).finally(() => {
        leave();
        working.delete(work);
        if (!signal.aborted && lock.held()) begin(signal);
        wake();
      });
      working.add(work);
    }
  }

  /** Rows of a fault that are done with, one way or the other. */
  function done(key: string, fault: Fault, rows: readonly StoredRow[], reason?: string): void {
    for (const row of rows) {
      settled.push(reason === undefined ? { id: row.id } : { id: row.id, reason });
      heldBytes -= bytesOf(row);
    }
    fault.rows = fault.rows.filter((row) => !rows.includes(row));
    if (fault.rows.length === 0) letGo(key, fault);
  }

  async function settle(key: string, fault: Fault, round: number, signal: AbortSignal): Promise<void> {
    const rows = fault.rows.slice(0, fault.isOneByOne ? 1 : limits.DRAIN_ROWS_PER_WRITE);
    const { request, unreadable } = requestOf(rows);
    let outcome: StoreOutcome | undefined;
    try {
      if (request !== undefined)
        outcome = await withPatience({ clock, api }, signal, (within) => etcd.store(request, within));
    } catch (error) {
      // A fault of ours, which comes again with this row; the API server has no part in it.
      log.error({ err: error }, 'a row of the inbox could not be drained');
      outcome = { kind: 'refused', message: `this version fails on it: ${messageOf(error)}` };
    }
    api.ended(round, outcome === undefined || answers(outcome));
    fault.isBusy = false;
    // The lock was lost meanwhile: whoever has it now does it again.
    if (faults.get(key) !== fault) return;
    for (const { row, why } of unreadable) done(key, fault, [row], why);
    const stored = rows.filter((row) => !unreadable.some((other) => other.row === row));
    if (outcome !== undefined) learn(key, fault, stored, outcome);
  }

  function learn(key: string, fault: Fault, rows: StoredRow[], outcome: StoreOutcome): void {
    const namespace = rows[0]?.namespace ?? '';
    if (outcome.kind === 'unavailable') {
      const nowMs = clock.monotonicMs();
      fault.failures += 1;
      fault.notBeforeMs = nowMs + waitOf(fault.failures);
      if (outcome.isAnswered === true && pausing.failed(namespace, nowMs))
        log.warn({ namespace, why: outcome.message }, 'alerts of a namespace have to wait in the inbox');
      return;
    }
    pausing.succeeded(namespace);
    fault.failures = 0;
    if (isStored(outcome)) done(key, fault, rows);
    // Which of them it was that is refused is found out one by one.
    else if (outcome.kind === 'refused' && rows.length > 1) fault.isOneByOne = true;
    else done(key, fault, rows, 'message' in outcome ? outcome.message : outcome.kind);
  }

  /** Takes away what is settled. False when the lock is lost. */
  async function remove(): Promise<boolean> {
    const nowMs = clock.monotonicMs();
    const isDue = settled.length >= limits.DRAIN_PAGE / 2 || nowMs - removedAtMs >= limits.DRAIN_REMOVE_MS;
    if (settled.length === 0 || !isDue) return true;
    const holder = lock.holder();
    if (holder === undefined) return false;
    removedAtMs = nowMs;
    const now = settled.slice();
    const stored = now.filter(({ reason }) => reason === undefined).map(({ id }) => id);
    const aside = now.flatMap(({ id, reason }) => (reason === undefined ? [] : [{ id, reason }]));
    if (!(await inbox.remove(stored, holder)) || !(await inbox.setAside(aside, holder))) return false;
    settled.splice(0, now.length);
    for (const { id } of now) known.delete(id);
    metrics.drained('stored', stored.length);
    if (aside.length > 0) {
      metrics.drained('setAside', aside.length);
      log.warn(
        { rows: aside.slice(0, 20), count: aside.length },
        'rows of the inbox were set aside: see inbox_set_aside',
      );
    }
    return true;
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let waitMs = limits.DRAIN_IDLE_MS;
      try {
        if (!lock.held()) forget();
        else {
          await read();
          begin(signal);
          if (!(await remove())) forget();
          else if (faults.size > 0 || settled.length > 0) waitMs = limits.DRAIN_REMOVE_MS;
          if (faults.size === 0 && working.size === 0) lane.drains(false);
          failures = 0;
        }
      } catch (error) {
        failures += 1;
        if (failures === 1) log.warn({ why: messageOf(error) }, 'the inbox cannot be drained');
        waitMs = waitOf(failures);
      }
      await pause(waitMs, signal);
    }
  }

  function wake(): void {
    isWoken = true;
    wakeUp();
  }

  /** Until something happens, or so long; after a failure always so long. */
  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    if (isWoken && failures === 0) {
      isWoken = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        wakeUp = () => {};
        resolve();
      };
      const cancel = clock.after(ms, end);
      signal.addEventListener('abort', end, { once: true });
      if (failures === 0) wakeUp = end;
      if (signal.aborted) end();
    });
    isWoken = false;
  }

  return {
    wake() {
      readAtMs = Number.NEGATIVE_INFINITY;
      wake();
    },
    start() {
      stopping = new AbortController();
      running = run(stopping.signal);
    },
    async stop() {
      stopping?.abort();
      await running;
      await Promise.all(working);
      removedAtMs = Number.NEGATIVE_INFINITY;
      await remove().catch(() => false);
    },
  };
}

const bytesOf = ({ reports }: StoredRow): number => Buffer.byteLength(reports);

const waitOf = (failures: number): number =>
  backoffMs(failures, { baseMs: limits.DRAIN_RETRY_MS, maxMs: limits.DRAIN_RETRY_MAX_MS });

function* inTurn(...all: Iterable<string>[]): Iterable<string> {
  for (const some of all) yield* some;
}
