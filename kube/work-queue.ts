/**
 * Keys that want work. A key is queued once, worked on by one worker at a time, and again when it was added meanwhile; failures come back
 * with growing delays. What the work is, is the reconciler's.
 */
import { backoffMs } from './backoff.ts';
import type { Clock } from './clock.ts';
import { KubeError, messageOf, TerminalError } from './errors.ts';
import type { Log } from './log.ts';
import { counter, gauge, histogram, type Metrics, noMetrics } from './metrics.ts';

export interface ReconcileResult {
  requeueAfterMs?: number | undefined;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a reconcile that has nothing to say ends without a return.
type Outcome = ReconcileResult | void;

export interface WorkQueueOptions {
  name: string;
  clock: Clock;
  log: Log;
  /** How many keys at once. */
  workers: number;
  /** After this the signal of a reconcile aborts, and it counts as failed. */
  deadlineMs: number;
  /**
   * Does the work of a key. A throw means again, later; {@link TerminalError}: not before the key is added anew. `requeueAfterMs` is a delayed add.
   */
  reconcile(key: string, signal: AbortSignal): Promise<Outcome>;
  baseDelayMs?: number | undefined;
  maxDelayMs?: number | undefined;
  metrics?: Metrics | undefined;
  random?: (() => number) | undefined;
}

export interface WorkQueue {
  /** Queues the key now; a key in work comes again after it. */
  add(key: string): void;
  /** Queues it later; of several delayed adds of a key the earliest holds. */
  addAfter(key: string, ms: number): void;
  start(): void;
  /** Takes up no more; resolves when the work in hand is done or past its deadline. */
  stop(): Promise<void>;
  /** Keys queued, without those in work or delayed. */
  depth(): number;
  /** Resolves when nothing is queued or in work; delayed keys do not count. */
  idle(): Promise<void>;
}

const BASE_DELAY_MS = 50;
const MAX_DELAY_MS = 60_000;

/** Keys may be added before `start()`. */
export function createWorkQueue(o: WorkQueueOptions): WorkQueue {
  return new KeyedQueue(o);
}

class KeyedQueue implements WorkQueue {
  readonly #o: WorkQueueOptions;
  readonly #m;
  /** In the order of their adds. */
  readonly #ready = new Set<string>();
  readonly #working = new Map<string, { dirty: boolean }>();
  readonly #delayed = new Map<string, { dueMs: number; cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  /** Workers that wait for a reconcile; those past their deadline do not. */
  #busy = 0;
  /** Reconciles that ignored their signal and still run. */
  #stuck = 0;
  #running = false;
  #stopped = false;
  #idlers: (() => void)[] = [];

  constructor(o: WorkQueueOptions) {
    this.#o = o;
    this.#m = instruments(o.metrics ?? noMetrics());
    this.#m.workers.set({ controller: o.name }, o.workers);
  }

  add(key: string): void {
    if (this.#stopped) return;
    const working = this.#working.get(key);
    if (working ? working.dirty : this.#ready.has(key)) return;
    this.#m.adds.inc({ name: this.#o.name });
    if (working) {
      working.dirty = true;
      return;
    }
    this.#ready.add(key);
    this.#pump();
  }

  addAfter(key: string, ms: number): void {
    if (this.#stopped) return;
    if (!(ms > 0)) {
      this.add(key);
      return;
    }
    const { clock } = this.#o;
    const dueMs = clock.monotonicMs() + ms;
    const there = this.#delayed.get(key);
    if (there && there.dueMs <= dueMs) return;
    there?.cancel();
    const cancel = clock.after(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueMs, cancel });
  }

  start(): void {
    this.#running = true;
    this.#pump();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ready.clear();
    this.#depth();
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    for (const working of this.#working.values()) working.dirty = false;
    await this.idle();
  }

  depth(): number {
    return this.#ready.size;
  }

  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idlers.push(resolve));
  }

  #isIdle(): boolean {
    return this.#busy === 0 && this.#ready.size === 0 && (this.#stopped || this.#working.size === 0);
  }

  #depth(): void {
    this.#m.depth.set({ name: this.#o.name }, this.#ready.size);
  }

  #pump(): void {
    while (this.#running && !this.#stopped && this.#busy < this.#o.workers) {
      const next = this.#ready.values().next();
      if (next.done) break;
      this.#ready.delete(next.value);
      this.#work(next.value);
    }
    this.#depth();
    this.#m.active.set({ controller: this.#o.name }, this.#busy);
    if (this.#isIdle()) for (const resolve of this.#idlers.splice(0)) resolve();
  }

  #work(key: string): void {
    const { clock, name, deadlineMs, log, reconcile } = this.#o;
    const state = { dirty: false };
    this.#working.set(key, state);
    this.#busy++;
    const stop = new AbortController();
    const started = clock.monotonicMs();
    let overdue = false;
    let holdsWorker = true;
    const release = () => {
      if (!holdsWorker) return;
      holdsWorker = false;
      this.#busy--;
    };
    const cancel = clock.after(deadlineMs, () => {
      overdue = true;
      this.#m.timeouts.inc({ controller: name });
      log.error({ queue: name, key, deadlineMs }, 'a reconcile is past its deadline and was told to stop');
      stop.abort(new Error(`past its deadline of ${deadlineMs} ms`));
      // Those that heed the signal end within a turn of the event loop. For one that does not, another worker takes the other keys, but
      // not without bound: its own key stays locked until it ends.
      clock.after(0, () => {
        if (!holdsWorker || this.#stuck >= this.#o.workers) {
          if (this.#stopped) release();
          this.#pump();
          return;
        }
        this.#stuck++;
        release();
        settle.stuck = true;
        this.#pump();
      });
    });
    const settle = { stuck: false };
    const done = (result: ReconcileResult | undefined, error: unknown, failed: boolean) => {
      cancel();
      if (settle.stuck) this.#stuck--;
      release();
      this.#working.delete(key);
      this.#m.seconds.observe({ controller: name }, (clock.monotonicMs() - started) / 1000);
      if (this.#stopped) return this.#pump();
      if (failed || overdue) this.#failed(key, error ?? new Error('past its deadline'));
      else this.#succeeded(key, result?.requeueAfterMs);
      if (state.dirty) this.#ready.add(key);
      this.#pump();
    };
    let running: Promise<Outcome>;
    try {
      running = reconcile(key, stop.signal);
    } catch (error) {
      running = Promise.reject(error);
    }
    Promise.resolve(running).then(
      (result) => done(result || undefined, undefined, false),
      (error: unknown) => done(undefined, error, true),
    );
  }

  #succeeded(key: string, requeueAfterMs: number | undefined): void {
    this.#failures.delete(key);
    const again = requeueAfterMs !== undefined && Number.isFinite(requeueAfterMs);
    this.#m.total.inc({ controller: this.#o.name, result: again ? 'requeue_after' : 'success' });
    if (again) this.addAfter(key, requeueAfterMs);
  }

  #failed(key: string, error: unknown): void {
    const { name, log } = this.#o;
    this.#m.total.inc({ controller: name, result: 'error' });
    this.#m.errors.inc({ controller: name });
    if (error instanceof TerminalError) {
      this.#failures.delete(key);
      this.#m.terminal.inc({ controller: name });
      log.warn({ queue: name, key, err: error }, `not tried again until it changes: ${error.message}`);
      return;
    }
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const wait = Math.max(
      backoffMs(failures, {
        baseMs: this.#o.baseDelayMs ?? BASE_DELAY_MS,
        maxMs: this.#o.maxDelayMs ?? MAX_DELAY_MS,
        ...(this.#o.random ? { random: this.#o.random } : {}),
      }),
      error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0,
    );
    this.#m.retries.inc({ name });
    // A conflict is everyday life: someone else wrote in between.
    const level = error instanceof KubeError && error.status === 409 ? 'debug' : 'warn';
    log[level]({ queue: name, key, err: error, failures, waitMs: Math.round(wait) }, `failed: ${messageOf(error)}`);
    this.addAfter(key, wait);
  }
}

function instruments(metrics: Metrics) {
  const controller = ['controller'] as const;
  return {
    depth: gauge(metrics, { name: 'workqueue_depth', help: 'Keys queued.', labelNames: ['name'] }),
    adds: counter(metrics, { name: 'workqueue_adds_total', help: 'Keys queued ever.', labelNames: ['name'] }),
    retries: counter(metrics, {
      name: 'workqueue_retries_total',
      help: 'Keys queued after a failure.',
      labelNames: ['name'],
    }),
    total: counter(metrics, {
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciles by result.',
      labelNames: ['controller', 'result'],
    }),
    errors: counter(metrics, {
      name: 'controller_runtime_reconcile_errors_total',
      help: 'Reconciles that failed.',
      labelNames: controller,
    }),
    terminal: counter(metrics, {
      name: 'controller_runtime_terminal_reconcile_errors_total',
      help: 'Failures that are not tried again.',
      labelNames: controller,
    }),
    timeouts: counter(metrics, {
      name: 'controller_runtime_reconcile_timeouts_total',
      help: 'Reconciles past their deadline.',
      labelNames: controller,
    }),
    seconds: histogram(metrics, {
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Time of a reconcile.',
      labelNames: controller,
      buckets: [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60],
    }),
    workers: gauge(metrics, {
      name: 'controller_runtime_max_concurrent_reconciles',
      help: 'Workers.',
      labelNames: controller,
    }),
    active: gauge(metrics, {
      name: 'controller_runtime_active_workers',
      help: 'Workers at work.',
      labelNames: controller,
    }),
  };
}
