/**
 * What requests and the drain of one replica know together of the API server: whether it is given up, as a whole or for one namespace in
 * which nothing is answered while it answers elsewhere; said when it changes. Where nobody writes, a read now and then finds out that it is back.
 */
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import { BREAKER_READ_MS, NAMESPACES_FAILING } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { blamed, type Failing } from './blame.ts';
import { ask, type Breaker, CLOSED, ended, opened } from './breaker.ts';

export type Asked =
  /** What was asked is to be ended, once; a `try` that came to nothing need not be. */
  { may: 'try' | 'probe'; ended(isGood: boolean): void } | { may: 'not'; retryAfterMs: number };

export interface ApiServer {
  /** May it be asked for something in this namespace? */
  ask(namespace: string): Asked;
  /** For so long nobody may ask it, or not there; undefined where it may be asked. To look at that takes no probe from anyone. */
  restMs(namespace?: string): number | undefined;
  /** Is it given up, as a whole or there? */
  isAway(namespace?: string): boolean;
  /** Calls `listener` when it is given up, as a whole or there; returns what ends that. */
  onOpen(namespace: string, listener: () => void): () => void;
  /** Calls `listener` after each change of whether it is away as a whole. */
  subscribe(listener: () => void): () => void;
  stop(): void;
}

export interface ApiServerDeps {
  /** Reads something small, past all caches, that has nothing to do with any one namespace. */
  read(): Promise<unknown>;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
}

export function createApiServer(deps: ApiServerDeps): ApiServer {
  const { clock, log, metrics } = deps;
  const givenUp = new Map<() => void, string>();
  const changed = new Set<() => void>();
  let breaker = CLOSED;
  /** Of namespaces in which something failed since something went well there. */
  const own = new Map<string, Breaker>();
  let failing: Failing = [];
  let isAsking = false;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let cancel = () => {};

  function become(next: Breaker): void {
    const before = breaker.state;
    breaker = next;
    if (next.state === before) return;
    metrics.breaker(next.state);
    if (before === 'closed') {
      log.warn({}, 'the API server does not take alerts: they go to the inbox in Postgres');
      // What failed there was its fault.
      own.clear();
      failing = [];
      metrics.namespacesGivenUp(0);
      for (const listener of [...givenUp.keys()]) listener();
      arm();
    } else if (next.state === 'closed') {
      log.info({}, 'the API server takes alerts again');
      cancel();
    }
    if (before === 'closed' || next.state === 'closed') for (const listener of [...changed]) listener();
  }

  function becomeIn(namespace: string, next: Breaker): void {
    const before = own.get(namespace) ?? CLOSED;
    if (next.state === 'closed' && next.failures === 0) own.delete(namespace);
    else if (own.has(namespace) || own.size < NAMESPACES_FAILING) own.set(namespace, next);
    else {
      metrics.limitReached('NAMESPACES_FAILING');
      return;
    }
    if (before.state === next.state) return;
    metrics.namespacesGivenUp([...own.values()].filter(({ state }) => state !== 'closed').length);
    if (next.state === 'closed') log.info({ namespace }, 'the API server takes alerts of a namespace again');
    if (before.state !== 'closed') return;
    for (const [listener, where] of [...givenUp]) if (where === namespace) listener();
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

  /** Whether it answers at all: where it does, what failed is the namespace's own trouble. */
  function askWhose(namespace: string): void {
    if (isAsking) return;
    isAsking = true;
    const { round } = breaker;
    deps
      .read()
      .then(
        () =>
          log.warn({ namespace }, 'writes of alerts in a namespace are not answered: they go to the inbox in Postgres'),
        () => {
          if (breaker.round === round) become(opened(breaker, clock.monotonicMs()));
        },
      )
      .finally(() => {
        isAsking = false;
      });
  }

  function wasBad(namespace: string, before: Breaker): void {
    const isGivenUp = (own.get(namespace) ?? CLOSED).state !== 'closed';
    const now = blamed(failing, namespace, { before: before.state !== 'closed', now: isGivenUp });
    failing = now.failing;
    if (now.blame === 'apiServer') become(opened(breaker, clock.monotonicMs()));
    else if (now.blame === 'ask') askWhose(namespace);
  }

  /** A probe failed: of itself it does not tell whether that is back. */
  function probedInVain(namespace: string, rounds: { all: number; there: number }): void {
    const judge = (isBack: boolean) => {
      const nowMs = clock.monotonicMs();
      const there = own.get(namespace) ?? CLOSED;
      if (isBack || there.state !== 'closed') becomeIn(namespace, ended(there, rounds.there, false, nowMs));
      become(ended(breaker, rounds.all, isBack, nowMs));
    };
    deps.read().then(
      () => judge(true),
      () => judge(false),
    );
  }
  metrics.breaker(breaker.state);

  return {
    ask(namespace) {
      const nowMs = clock.monotonicMs();
      const there = ask(own.get(namespace) ?? CLOSED, nowMs);
      if (there.verdict.may === 'not') return there.verdict;
      const asked = ask(breaker, nowMs);
      become(asked.breaker);
      const { verdict } = asked;
      if (verdict.may === 'not') return verdict;
      if (own.has(namespace)) becomeIn(namespace, there.breaker);
      const { round } = verdict;
      const { may, round: roundThere } = there.verdict;
      return {
        may: verdict.may === 'probe' ? 'probe' : may,
        ended(isGood) {
          askedAtMs = clock.monotonicMs();
          const before = own.get(namespace) ?? CLOSED;
          // What was begun before it was given up, or taken up again, tells nothing of now; but that a probe there has ended.
          const isOld = round !== breaker.round;
          if (isOld && before.state === 'closed') return;
          if (!isOld && !isGood && breaker.state !== 'closed') {
            probedInVain(namespace, { all: round, there: roundThere });
            return;
          }
          becomeIn(namespace, ended(before, roundThere, isGood, askedAtMs));
          if (isOld) return;
          if (isGood) {
            failing = [];
            become(ended(breaker, round, true, askedAtMs));
          } else wasBad(namespace, before);
        },
      };
    },
    restMs(namespace) {
      const nowMs = clock.monotonicMs();
      const there = namespace === undefined ? undefined : own.get(namespace);
      const verdicts = [breaker, there ?? CLOSED].map((one) => ask(one, nowMs).verdict);
      return verdicts.find((one) => one.may === 'not')?.retryAfterMs;
    },
    isAway: (namespace) =>
      breaker.state !== 'closed' || (namespace !== undefined && (own.get(namespace) ?? CLOSED).state !== 'closed'),
    onOpen(namespace, listener) {
      givenUp.set(listener, namespace);
      return () => givenUp.delete(listener);
    },
    subscribe(listener) {
      changed.add(listener);
      return () => changed.delete(listener);
    },
    stop: () => cancel(),
  };
}
