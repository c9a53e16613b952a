/** Holds writes back until the budget has room for them, those of people never behind those of machines. What is room is budget.ts's. */
import { admit, type Budget, NEW_BUDGET, type Outcome, settle } from './budget.ts';
import type { Clock } from './clock.ts';
import { LANES, type Lane, PRIORITY } from './lanes.ts';
import { counter, gauge, histogram, type Metrics, noMetrics } from './metrics.ts';

export interface WriteBudget {
  /** Resolves once a write of that lane may be sent; rejects when the signal aborts first. */
  enter(lane: Lane, signal: AbortSignal): Promise<Ticket>;
}

export interface Ticket {
  /** To be called once, when the answer is in or will not come. */
  leave(outcome: Outcome): void;
}

interface Waiter {
  since: number;
  admit(): void;
}

export function createWriteBudget(o: { clock: Clock; metrics?: Metrics | undefined }): WriteBudget {
  const { clock } = o;
  const m = instruments(o.metrics ?? noMetrics());
  const waiting: Record<Lane, Set<Waiter>> = { human: new Set(), news: new Set(), routine: new Set() };
  let budget: Budget = NEW_BUDGET;
  let resume: (() => void) | undefined;
  show();

  function pump(): void {
    const now = clock.monotonicMs();
    for (;;) {
      const next = admit(budget, (lane) => waiting[lane].size > 0, now);
      if (next === undefined) break;
      const [first] = waiting[next.lane];
      if (first === undefined) break;
      waiting[next.lane].delete(first);
      budget = next.budget;
      m.waited.observe({ priority: PRIORITY[next.lane] }, (now - first.since) / 1000);
      first.admit();
    }
    const left = budget.pausedUntilMs - now;
    if (left > 0 && resume === undefined && waiting.news.size + waiting.routine.size > 0) {
      resume = clock.after(left, () => {
        resume = undefined;
        pump();
      });
    }
    show();
  }

  function show(): void {
    m.limit.set(Math.floor(budget.limit));
    m.inFlight.set({ priority: PRIORITY.human }, budget.inFlight.people);
    m.inFlight.set({ priority: PRIORITY.news }, budget.inFlight.machines);
    for (const lane of LANES) m.waiting.set({ priority: PRIORITY[lane] }, waiting[lane].size);
  }

  function ticket(lane: Lane): Ticket {
    const began = clock.monotonicMs();
    return {
      leave(outcome) {
        const now = clock.monotonicMs();
        const settled = settle(budget, lane, outcome, now - began, now);
        budget = settled.budget;
        if (settled.shrunk) m.shrunk.inc({ reason: settled.shrunk });
        pump();
      },
    };
  }

  return {
    enter(lane, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const onAbort = () => {
          waiting[lane].delete(waiter);
          show();
          reject(signal.reason);
        };
        const waiter: Waiter = {
          since: clock.monotonicMs(),
          admit() {
            signal.removeEventListener('abort', onAbort);
            resolve(ticket(lane));
          },
        };
        waiting[lane].add(waiter);
        signal.addEventListener('abort', onAbort, { once: true });
        pump();
      });
    },
  };
}

function instruments(metrics: Metrics) {
  const labelNames = ['priority'] as const;
  return {
    limit: gauge(metrics, {
      name: 'funnelai_write_budget_limit',
      help: 'Machine writes that may be under way at once, as the API server bears them now.',
    }),
    inFlight: gauge(metrics, {
      name: 'funnelai_write_budget_in_flight',
      help: 'Writes under way; priority 100: of people, 0: of machines.',
      labelNames,
    }),
    waiting: gauge(metrics, { name: 'funnelai_write_budget_waiting', help: 'Writes held back.', labelNames }),
    shrunk: counter(metrics, {
      name: 'funnelai_write_budget_shrunk_total',
      help: 'How often the limit was lowered, by reason: refused (429), failed, slow.',
      labelNames: ['reason'],
    }),
    waited: histogram(metrics, {
      name: 'rest_client_rate_limiter_duration_seconds',
      help: 'How long a write was held back.',
      labelNames,
      buckets: [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15],
    }),
  };
}
