/** A clock that stands still until a test moves it; due timers run in order of their time, each to completion before the next. */
import { Temporal } from 'temporal-polyfill';
import { type Clock, sleepWith } from './clock.ts';

interface Timer {
  dueMs: number;
  order: number;
  fn: () => void;
}

export class FakeClock implements Clock {
  #wall: Temporal.Instant;
  #monotonicMs = 0;
  #order = 0;
  #timers = new Set<Timer>();

  constructor(start = '2026-01-01T00:00:00Z') {
    this.#wall = Temporal.Instant.from(start);
  }

  now(): Temporal.Instant {
    return this.#wall;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { dueMs: this.#monotonicMs + Math.max(ms, 0), order: this.#order++, fn };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, ms, signal);
  }

  /** How many timers wait: lets a test see that something is asleep before it moves time. */
  pending(): number {
    return this.#timers.size;
  }

  /** Moves both clocks forward, running what falls due on the way; promises get their turn after each timer. */
  async advance(ms: number): Promise<void> {
    const target = this.#monotonicMs + ms;
    await settle();
    for (;;) {
      const next = this.#nextDue(target);
      if (!next) break;
      this.#timers.delete(next);
      this.#moveTo(next.dueMs);
      next.fn();
      await settle();
    }
    this.#moveTo(target);
    await settle();
  }

  /** Steps the wall clock alone, as an operator's hand or NTP would; timers and the monotonic clock do not notice. */
  set(instant: string | Temporal.Instant): void {
    this.#wall = Temporal.Instant.from(instant);
  }

  #nextDue(target: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > target) continue;
      if (!next || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) next = timer;
    }
    return next;
  }

  #moveTo(ms: number): void {
    if (ms <= this.#monotonicMs) return;
    const micros = Math.round((ms - this.#monotonicMs) * 1000);
    this.#wall = this.#wall.add({ microseconds: micros });
    this.#monotonicMs = ms;
  }
}

/** Lets pending promise callbacks run: a turn of the event loop drains every microtask before it. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
