/**
 * Takes what waits in the inbox to etcd, on the one replica that holds the drain lock: in order for each fault, different faults side by
 * side, as many as the lane allows. A row goes only after the API server's answer that it is stored; one that can never be stored is set
 * aside with its reason and holds up no other. Killed anywhere, the next one drains the rows again, which changes nothing.
 */
import type { AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { accepts } from '@funnelai/domain/route';
import { sourceIsGone } from '@funnelai/domain/set-aside';
import type { DrainLock } from '@funnelai/history/drain-lock';
import type { InboxStore, StoredRow } from '@funnelai/history/inbox';
import { backoffMs } from '@funnelai/kube/backoff';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { noRates, type SourceRates } from '../intake/source-rates.ts';
import type { AlertStore, StoreOutcome, StoreRequest } from '../intake/store.ts';
import * as limits from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { ApiServer } from './api-server.ts';
import { createAwaiting, mayAwait } from './awaiting.ts';
import { createHeld, type Fault } from './held.ts';
import type { Lane } from './lane.ts';
import { withPatience } from './patience.ts';
import { createPausing, type Kind } from './pausing.ts';
import { createRatedTurns } from './rated-turns.ts';
import { fires, type Home, type Plan, planOf, untilItEnds, type Way } from './rows.ts';
import { createSettled } from './settled.ts';
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
  /** The source as it is now; null when it is gone, undefined while nobody can say. */
  sourceOf(namespace: string, name: string): AlertSource | null | undefined;
  /** Whether nothing of an alert's kind fires yet: of those that are held it goes first. */
  isNew?: (namespace: string, spec: AlertSpec) => boolean;
  /** How much of each source may be drained now, which is counted apart from what of it comes straight. */
  rates?: SourceRates;
  /** Whether the operator has answered the episode that an Alert is in; absent where nobody waits for it. */
  isAnswered?: (namespace: string, name: string) => boolean;
  api: ApiServer;
  lane: Lane;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
}

export function createDrain(deps: DrainDeps): Drain {
  const { inbox, lock, etcd, api, lane, clock, log } = deps;
  const rates = deps.rates ?? noRates;
  const turns = createRatedTurns(rates);
  const held = createHeld({ inbox, isNew: deps.isNew ?? (() => false), paceOf: rates.paceOf, clock });
  const settled = createSettled({ ...deps, gone: (ids) => held.forget(ids) });
  const pausing = createPausing();
  const awaiting = createAwaiting(deps);
  const working = new Set<Promise<void>>();
  let isWoken = false;
  let failures = 0;
  let stopping: AbortController | undefined;
  let running: Promise<void> = Promise.resolve();
  let wakeUp = () => {};

  /** What is held belongs to whoever drains now. */
  function forget(): void {
    held.clear();
    settled.clear();
    lane.drains(false);
  }

  /** Begins as many writes as lane, breaker and rates allow. What cannot be written now is not counted to its rate either. */
  function begin(signal: AbortSignal): void {
    const nowMs = clock.monotonicMs();
    turns.begin();
    const fresh = pausing.withFresh(() => ready(nowMs));
    for (const [key, fault] of held.inTurn()) {
      const [row] = fault.rows;
      if (row === undefined || fault.isBusy || fault.notBeforeMs > nowMs) continue;
      const kind = kindOf(fault, row);
      const why = pausing.waits(kind, nowMs);
      // It is read again later; held, it would leave no room for others.
      const isLeftAlone = api.restMs() === undefined && api.restMs(row.namespace) !== undefined;
      if (why === 'paused' || isLeftAlone) held.putBack(key, fault);
      if (why !== undefined || isLeftAlone || (fresh.has(kind.place) && !pausing.isFresh(kind))) continue;
      if (deps.sourceOf(row.namespace, row.source) === undefined || awaiting.waits(fault, nowMs)) continue;
      const leave = api.restMs() === undefined ? lane.enterDrain() : undefined;
      if (leave === undefined) return;
      const most = fault.rows.slice(0, fault.isOneByOne ? 1 : limits.DRAIN_ROWS_PER_WRITE);
      const rows = deps.isAnswered !== undefined && mayAwait(fault, nowMs) ? untilItEnds(most) : most;
      const plan = planOf(rows, wayOf);
      if (plan.requests.length === 0) {
        leave({ isUnused: true });
        for (const { row, why } of plan.unreadable) done(key, fault, [row], why);
        continue;
      }
      if (!turns.mayGo(fault, row, plan.requests, nowMs)) {
        leave({ isUnused: true });
        held.waitsForRate(key, fault);
        continue;
      }
      const asked = api.ask(row.namespace);
      if (asked.may === 'not') {
        leave({ isUnused: true });
        return;
      }
      fault.isBusy = true;
      pausing.began(kind);
      const work = settle(key, fault, { rows, plan, asked }, signal).finally(() => {
        leave();
        working.delete(work);
        if (!signal.aborted && lock.held()) begin(signal);
        wake();
      });
      working.add(work);
    }
  }

  function* ready(nowMs: number): Iterable<Kind> {
    for (const [, fault] of held.inTurn())
      if (!fault.isBusy && fault.notBeforeMs <= nowMs) yield kindOf(fault, fault.rows[0]);
  }

  /** Rows of a fault that are done with, one way or the other. */
  function done(key: string, fault: Fault, rows: readonly StoredRow[], reason?: string): void {
    for (const { id } of rows) settled.add(id, reason);
    held.done(key, fault, rows);
  }

  /** As the intake has it, which knows of no source that is gone, nor of one that accepts no more: what was routed there stays where it came. */
  function wayOf({ namespace, source: name }: StoredRow, home: Home | undefined): Way {
    const source = deps.sourceOf(namespace, name) ?? undefined;
    const from = home && { metadata: { namespace: home.namespace, name: home.source } };
    if (source !== undefined && (from === undefined || accepts(source, from))) return 'here';
    if (home !== undefined && deps.sourceOf(home.namespace, home.source)) return 'home';
    if (source === undefined) return { why: sourceIsGone(namespace, name) };
    return { why: `AlertSource ${name} in namespace ${namespace} does not accept it any more` };
  }

  async function store(requests: readonly StoreRequest[], signal: AbortSignal): Promise<StoreOutcome | undefined> {
    let outcome: StoreOutcome | undefined;
    for (const request of requests) {
      const { namespace } = request;
      outcome = await withPatience({ clock, api, namespace }, signal, (within) => etcd.store(request, within));
      if (!isStored(outcome)) break;
    }
    return outcome;
  }

  async function settle(
    key: string,
    fault: Fault,
    { rows, plan, asked }: { rows: readonly StoredRow[]; plan: Plan; asked: { ended(isGood: boolean): void } },
    signal: AbortSignal,
  ): Promise<void> {
    let { unreadable, requests } = plan;
    let outcome: StoreOutcome | undefined;
    try {
      outcome = await store(requests, signal);
      if (outcome?.kind === 'gone') {
        // The namespace goes away: what was routed into it stays where it came, too.
        const why = outcome.message;
        const kept = planOf(rows, (_row, home) =>
          home && deps.sourceOf(home.namespace, home.source) ? 'home' : { why },
        );
        if (kept.requests.length > 0) {
          ({ unreadable, requests } = kept);
          outcome = await store(requests, signal);
        }
      }
    } catch (error) {
      // A fault of ours, which comes again with this row; the API server has no part in it.
      log.error({ err: error }, 'a row of the inbox could not be drained');
      outcome = { kind: 'refused', message: `this version fails on it: ${messageOf(error)}` };
    }
    asked.ended(outcome === undefined || answers(outcome));
    fault.isBusy = false;
    heed(kindOf(fault, rows[0]), outcome);
    // The lock was lost meanwhile: whoever has it now does it again.
    if (!held.has(key, fault)) return;
    for (const { row, why } of unreadable) done(key, fault, [row], why);
    const stored = rows.filter((row) => !unreadable.some((other) => other.row === row));
    if (outcome !== undefined) learn(key, fault, stored, requests.at(-1)?.namespace ?? '', outcome);
  }

  /** What no answer came to is no fault of a source, where the API server is given up. */
  function heed(kind: Kind, outcome: StoreOutcome | undefined): void {
    const isBad = outcome?.kind === 'unavailable';
    const isGood = isBad && outcome.isAnswered !== true && api.isAway() ? undefined : !isBad;
    if (pausing.ended(kind, isGood, clock.monotonicMs()) && isBad)
      log.warn({ source: kind.place, why: outcome.message }, 'alerts of a source have to wait in the inbox');
  }

  function learn(key: string, fault: Fault, rows: StoredRow[], place: string, outcome: StoreOutcome): void {
    if (outcome.kind === 'unavailable') {
      fault.failures += 1;
      fault.notBeforeMs = clock.monotonicMs() + waitOf(fault.failures);
      return;
    }
    fault.failures = 0;
    if (isStored(outcome)) {
      done(key, fault, rows);
      if (fault.rows.length > 0 && 'name' in outcome && fires(rows.at(-1))) {
        fault.awaited = { namespace: place, name: outcome.name };
        fault.awaitedSinceMs ??= clock.monotonicMs();
      }
    }
    // Which of them it was that is refused is found out one by one.
    else if (outcome.kind === 'refused' && rows.length > 1) fault.isOneByOne = true;
    else done(key, fault, rows, 'message' in outcome ? outcome.message : outcome.kind);
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let waitMs = limits.DRAIN_IDLE_MS;
      try {
        if (!lock.held()) forget();
        else {
          await held.read(pausing.paused(clock.monotonicMs()));
          begin(signal);
          // What only waits for the rate of its source keeps no place from what comes straight.
          lane.drains(held.hasWork || working.size > 0);
          if (!(await settled.remove())) forget();
          else if (held.size > 0 || settled.size > 0) waitMs = limits.DRAIN_REMOVE_MS;
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
      held.hurry();
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
      await settled.remove(true).catch(() => false);
    },
  };
}

const kindOf = ({ name }: Fault, row: StoredRow | undefined): Kind => ({
  place: `${row?.namespace}/${row?.source}`,
  name,
});

const waitOf = (failures: number): number =>
  backoffMs(failures, { baseMs: limits.DRAIN_RETRY_MS, maxMs: limits.DRAIN_RETRY_MAX_MS });
