/**
 * Kubernetes Events about objects, for people who ask `kubectl describe` or `kubectl events`. Best effort by design: nothing waits for an
 * Event, nothing fails for want of one; what is dropped is counted.
 */
import { randomBytes } from 'node:crypto';
import type { KubeObject, Resource } from '@funnelai/crds/meta';
import { backoffMs } from './backoff.ts';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import { isNamespaceTerminating, isNotFound, KubeError, messageOf } from './errors.ts';
import type { Log } from './log.ts';
import { counter, type Metrics, noMetrics } from './metrics.ts';
import { microTime } from './micro-time.ts';

export const EVENTS: Resource = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

export interface EventRecorderOptions {
  client: Pick<KubeClient, 'create' | 'mergePatch'>;
  /** `reportingController`, as in `funnelai.dev/operator`. */
  component: string;
  /** `reportingInstance`, as the pod's name. */
  instance: string;
  clock: Clock;
  log: Log;
  metrics?: Metrics | undefined;
  random?: (() => number) | undefined;
}

export interface EventRecorder {
  /** Records without waiting; never throws. The same event about the same object within six minutes becomes a series with a count. */
  event(object: KubeObject, type: 'Normal' | 'Warning', reason: string, note: string, action?: string): void;
  /** Sends what is held back, counts of series included; resolves when all is sent or dropped. */
  flush(): Promise<void>;
}

interface EventObject extends KubeObject {
  eventTime: string;
  type: string;
  reason: string;
  action: string;
  note: string;
  regarding: Record<string, string | undefined>;
  reportingController: string;
  reportingInstance: string;
  series?: { count: number; lastObservedTime: string };
}

interface Series {
  object: EventObject;
  count: number;
  /** Count that the API server has. */
  sent: number;
  lastAt: string;
  lastMs: number;
  stored: boolean;
  queued: boolean;
  sentAtMs: number;
}

/** After this long without a repeat, the next one is a new Event. */
const SERIES_ENDS_MS = 6 * 60_000;
/** The count of a series is written no more often than this. */
const SERIES_WRITE_MS = 10_000;
/** Events waiting to be sent. */
const MOST_QUEUED = 1_000;
/** Series remembered; the oldest goes. */
const MOST_SERIES = 4_096;
const MOST_ATTEMPTS = 5;
const BACKOFF = { baseMs: 500, maxMs: 10_000 };
/** Limits of the API, in bytes. */
const LONGEST_NOTE = 1024;
const LONGEST_WORD = 128;

/** Sends in the background, one Event at a time. */
export function createEventRecorder(o: EventRecorderOptions): EventRecorder {
  return new Recorder(o);
}

class Recorder implements EventRecorder {
  readonly #o: EventRecorderOptions;
  readonly #dropped;
  readonly #series = new Map<string, Series>();
  #queue: Series[] = [];
  #sending: Promise<void> | undefined;
  #held = new Set<() => void>();

  constructor(o: EventRecorderOptions) {
    this.#o = o;
    this.#dropped = counter(o.metrics ?? noMetrics(), {
      name: 'funnelai_events_dropped_total',
      help: 'Kubernetes Events that were not written, by reason.',
      labelNames: ['reason'],
    });
  }

  event(object: KubeObject, type: 'Normal' | 'Warning', reason: string, note: string, action = reason): void {
    try {
      this.#record(object, type, reason, note, action);
    } catch (error) {
      this.#dropped.inc({ reason: 'malformed' });
      this.#o.log.warn({ err: error, reason }, 'an Event could not be made');
    }
  }

  async flush(): Promise<void> {
    for (const send of [...this.#held]) send();
    await this.#sending;
  }

  #record(object: KubeObject, type: string, reason: string, note: string, action: string): void {
    const { clock } = this.#o;
    const now = microTime(clock.now());
    const cut = cutBytes(note, LONGEST_NOTE);
    const { uid, namespace, name } = object.metadata;
    const key = JSON.stringify([uid ?? [object.kind, namespace, name], type, reason, action, cut]);
    const known = this.#series.get(key);
    if (known && clock.monotonicMs() - known.lastMs < SERIES_ENDS_MS) {
      known.count++;
      known.lastAt = now;
      known.lastMs = clock.monotonicMs();
      this.#soon(known);
      return;
    }
    const series: Series = {
      object: this.#make(object, type, reason, cut, action, now),
      count: 1,
      sent: 0,
      lastAt: now,
      lastMs: clock.monotonicMs(),
      stored: false,
      queued: false,
      sentAtMs: Number.NEGATIVE_INFINITY,
    };
    this.#series.delete(key);
    this.#series.set(key, series);
    if (this.#series.size > MOST_SERIES) {
      const oldest = this.#series.keys().next();
      if (!oldest.done) this.#series.delete(oldest.value);
    }
    this.#enqueue(series);
  }

  #make(object: KubeObject, type: string, reason: string, note: string, action: string, now: string): EventObject {
    const { name, namespace = 'default', uid, resourceVersion } = object.metadata;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `${name.slice(0, 230)}.${randomBytes(8).toString('hex')}`, namespace },
      eventTime: now,
      type,
      reason: cutBytes(reason, LONGEST_WORD),
      action: cutBytes(action, LONGEST_WORD),
      note,
      regarding: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name,
        namespace: object.metadata.namespace,
        uid,
        resourceVersion,
      },
      reportingController: this.#o.component,
      reportingInstance: cutBytes(this.#o.instance, LONGEST_WORD),
    };
  }

  /** A repeat: the first is written at once, those of the next seconds together. */
  #soon(series: Series): void {
    if (series.queued) return;
    const { clock } = this.#o;
    const wait = series.sentAtMs + SERIES_WRITE_MS - clock.monotonicMs();
    if (wait <= 0 || series.sent <= 1) {
      this.#enqueue(series);
      return;
    }
    series.queued = true;
    const send = () => {
      cancel();
      this.#held.delete(send);
      series.queued = false;
      this.#enqueue(series);
    };
    const cancel = clock.after(wait, send);
    this.#held.add(send);
  }

  #enqueue(series: Series): void {
    if (this.#queue.length >= MOST_QUEUED) {
      this.#dropped.inc({ reason: 'queue-full' });
      return;
    }
    series.queued = true;
    this.#queue.push(series);
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = undefined;
    });
  }

  async #drain(): Promise<void> {
    for (let series = this.#queue.shift(); series; series = this.#queue.shift()) await this.#send(series);
  }

  async #send(series: Series): Promise<void> {
    const { clock, log, random } = this.#o;
    for (let attempt = 1; ; attempt++) {
      try {
        const count = series.count;
        series.queued = false;
        await this.#write(series, count);
        series.sent = count;
        series.sentAtMs = clock.monotonicMs();
        return;
      } catch (error) {
        if (isNamespaceTerminating(error)) return this.#drop(series, 'namespace-terminating');
        const again = error instanceof KubeError && error.transient && attempt < MOST_ATTEMPTS;
        if (!again) {
          log.warn({ err: error, reason: series.object.reason }, `an Event was not written: ${messageOf(error)}`);
          return this.#drop(series, error instanceof KubeError && error.transient ? 'gave-up' : 'refused');
        }
        series.queued = true;
        const wait = backoffMs(attempt, { ...BACKOFF, ...(random ? { random } : {}) });
        await clock.sleep(Math.max(wait, error.retryAfterMs ?? 0));
      }
    }
  }

  async #write(series: Series, count: number): Promise<void> {
    const { client } = this.#o;
    const repeat = count > 1 ? { series: { count, lastObservedTime: series.lastAt } } : {};
    if (series.stored) {
      try {
        await client.mergePatch(EVENTS, series.object.metadata, repeat, { lane: 'routine' });
        return;
      } catch (error) {
        // Events live for an hour: the old one is gone, so this is the first of a new series.
        if (!isNotFound(error)) throw error;
      }
    }
    try {
      await client.create(EVENTS, { ...series.object, ...repeat }, { lane: 'routine' });
    } catch (error) {
      // An attempt that seemed to fail had been stored.
      if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
    }
    series.stored = true;
  }

  #drop(series: Series, reason: string): void {
    series.queued = false;
    this.#dropped.inc({ reason });
  }
}

/** The text, cut to at most `most` bytes of UTF-8 with a mark; never within a character. */
function cutBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const mark = '…';
  const room = most - Buffer.byteLength(mark);
  let size = 0;
  let cut = '';
  for (const character of text) {
    size += Buffer.byteLength(character);
    if (size > room) break;
    cut += character;
  }
  return cut + mark;
}
