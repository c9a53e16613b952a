/**
 * What requests and the drain of one replica know together of the API server: the breaker's present state, said when it changes. Where
 * nobody writes, a read now and then finds out that it is back.
 */
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import { BREAKER_READ_MS } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { ask, type Breaker, CLOSED, ended, type Verdict } from './breaker.ts';

export interface ApiServer {
  /** May it be asked? Each `try` and `probe` is to be ended. */
  ask(): Verdict;
  ended(round: number, isGood: boolean): void;
  /** For so long nobody may ask it; undefined where it may be asked. To look at that takes no probe from anyone. */
  restMs(): number | undefined;
  isAway(): boolean;
  /** Calls `listener` when it is given up; returns what ends that. */
  onOpen(listener: () => void): () => void;
  /** Calls `listener` after each change of `isAway`. */
  subscribe(listener: () => void): () => void;
  stop(): void;
}

export interface ApiServerDeps {
  /** Reads something small, past all caches. */
  read(): Promise<unknown>;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
}

export function createApiServer(deps: ApiServerDeps): ApiServer {
  const { clock, log, metrics } = deps;
  const givenUp = new Set<() => void>();
  const changed = new Set<() => void>();
  let breaker = CLOSED;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let cancel = () => {};

  function become(next: Breaker): void {
    const before = breaker.state;
    breaker = next;
    if (next.state === before) return;
    metrics.breaker(next.state);
    if (before === 'closed') {
      log.warn({}, 'the API server does not take alerts: they go to the inbox in Postgres');
      for (const listener of [...givenUp]) listener();
      arm();
    } else if (next.state === 'closed') {
      log.info({}, 'the API server takes alerts again');
      cancel();
    }
    if (before === 'closed' || next.state === 'closed') for (const listener of [...changed]) listener();
  }

  function arm(): void {
    cancel = clock.after(BREAKER_READ_MS, () => {
      if (breaker.state === 'closed') return;
      arm();
      // What is being written says more.
      if (clock.monotonicMs() - askedAtMs < BREAKER_READ_MS) return;
      const asked = ask(breaker, clock.monotonicMs());
      become(asked.breaker);
      const { verdict } = asked;
      if (verdict.may === 'not') return;
      const end = (isGood: boolean) => become(ended(breaker, verdict.round, isGood, clock.monotonicMs()));
      deps.read().then(
        () => end(true),
        () => end(false),
      );
    });
  }
  metrics.breaker(breaker.state);

  return {
    ask() {
      const asked = ask(breaker, clock.monotonicMs());
      become(asked.breaker);
      return asked.verdict;
    },
    ended(round, isGood) {
      askedAtMs = clock.monotonicMs();
      become(ended(breaker, round, isGood, askedAtMs));
    },
    restMs() {
      const { verdict } = ask(breaker, clock.monotonicMs());
      return verdict.may === 'not' ? verdict.retryAfterMs : undefined;
    },
    isAway: () => breaker.state !== 'closed',
    onOpen(listener) {
      givenUp.add(listener);
      return () => givenUp.delete(listener);
    },
    subscribe(listener) {
      changed.add(listener);
      return () => changed.delete(listener);
    },
    stop: () => cancel(),
  };
}
