/** What a reflector knows of its failures: how long to wait after each, and what to say of them, once for each kind of trouble. */
import type { Resource } from '@funnelai/crds/meta';
import { backoffMs } from './backoff.ts';
import type { Clock } from './clock.ts';
import { isForbidden, isNotFound, KubeError, messageOf } from './errors.ts';
import type { Log } from './log.ts';

export interface Failing {
  /** On the monotonic clock. */
  sinceMs: number;
  attempts: number;
  message: string;
}

const BACKOFF = { baseMs: 800, maxMs: 30_000 };
/** A kind that is not installed yet is asked for at least this often: someone is about to apply it. */
const NOT_FOUND_MAX_MS = 5_000;

export class Trouble {
  readonly #o: { resource: Resource; clock: Clock; log: Log; random: () => number };
  #failures = 0;
  #failing: Failing | undefined;
  /** What was logged last: the same again is nothing new. */
  #said: string | undefined;

  constructor(o: { resource: Resource; clock: Clock; log: Log; random: () => number }) {
    this.#o = o;
  }

  /** Set while attempts fail. */
  get failing(): Failing | undefined {
    return this.#failing;
  }

  /** Takes a failure that is none unless it comes again. */
  isFirst(): boolean {
    if (this.#failures > 0) return false;
    this.#failures = 1;
    return true;
  }

  recovered(): void {
    if (this.#failing) this.#o.log.info({ attempts: this.#failing.attempts }, 'the watch works again');
    this.#failures = 0;
    this.#failing = undefined;
    this.#said = undefined;
  }

  /** Takes a failure; how long to wait before the next attempt. */
  waitMs(error: unknown): number {
    const { clock, log, random } = this.#o;
    this.#failures++;
    const message = this.#explain(error);
    const kind = error instanceof KubeError ? `${error.status} ${error.reason}` : message;
    if (this.#said !== kind) log.warn({ err: error, attempt: this.#failures }, message);
    this.#said = kind;
    const sinceMs = this.#failing?.sinceMs ?? clock.monotonicMs();
    this.#failing = { sinceMs, attempts: this.#failures, message };
    const maxMs = isNotFound(error) ? NOT_FOUND_MAX_MS : BACKOFF.maxMs;
    const asked = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
    return Math.max(backoffMs(this.#failures, { ...BACKOFF, maxMs, random }), asked);
  }

  #explain(error: unknown): string {
    const { plural, group } = this.#o.resource;
    const what = `${plural}.${group || 'core'}`;
    if (isNotFound(error)) return `${what} is not served: is its definition installed? ${messageOf(error)}`;
    if (isForbidden(error)) return `${what} may not be listed or watched: are our rights in place? ${messageOf(error)}`;
    const isUnknown = error instanceof KubeError && error.status === 401;
    return isUnknown ? `the API server does not know us any more: ${messageOf(error)}` : messageOf(error);
  }
}
