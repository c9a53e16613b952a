/** What the HTTP edge counts. Never labelled by object or person. */
import type { ExpiryReason } from '@funnelai/domain/expiry';
import { SEVERITIES } from '@funnelai/domain/severity';
import { counter, gauge, histogram, type Metrics } from '@funnelai/kube/metrics';

export type Outcome = 'created' | 'updated' | 'unchanged' | 'inbox' | 'refused' | 'unavailable' | 'unreadable';

export interface WebhookMetrics {
  /** Alerts of an intake body, by what became of them; one where no count is named. */
  alert(outcome: Outcome, count?: number): void;
  /** Repeats of stored alerts that were added to their episodes in Postgres, or given up. */
  repeats(outcome: 'written' | 'dropped', count: number): void;
  /** Alerts that expired, were brought back because a report had been under way, or were opened and closed for a silent source. */
  expired(what: ExpiryReason | 'broughtBack' | 'sourceSilent' | 'sourceHeard', count?: number): void;
  /** One look for leases that ran out. */
  expiryPass(outcome: 'done' | 'unavailable' | 'notFresh'): void;
  /** Alerts of one class (see fair-queue.ts) that wait to be stored now. */
  waiting(rank: number, count: number): void;
  /** How long one of the class has waited. */
  waited(rank: number, seconds: number): void;
  /** A report of an alert for which there was no room as an object; `unfolded`: one for which there was room again. */
  folded(outcome: 'created' | 'updated' | 'unchanged' | 'unfolded'): void;
  /** Alerts over the rate of their source: put into the inbox, left with a sender that holds them, or refused as there is no inbox now. */
  overRate(outcome: 'inbox' | 'held' | 'refused', count: number): void;
  /** A named bound was reached. */
  limitReached(limit: string): void;
  /** One answered request, by route pattern. */
  request(method: string, route: string, status: number, seconds: number): void;
  streams(open: number): void;
  streamEnded(reason: string): void;
  signIn(outcome: 'ok' | 'refused' | 'limited' | 'unavailable'): void;
  /** One fault that was stored, by the store that has it. */
  stored(store: 'etcd' | 'inbox', faults?: number): void;
  /** Rows of the inbox and of those set aside, as last seen. */
  inbox(rows: number, oldestAgeSeconds: number, setAside: number): void;
  /** Rows that left the inbox. */
  drained(outcome: 'stored' | 'setAside', rows: number): void;
  breaker(state: 'closed' | 'open' | 'halfOpen'): void;
  /** Namespaces in which it does not answer, while it answers elsewhere. */
  namespacesGivenUp(namespaces: number): void;
  /** Does this replica drain the inbox? */
  drains(isDraining: boolean): void;
  /** Migrations that the database lacks. */
  schemaBehind(migrations: number): void;
}

const classOf = (rank: number): string => (rank < SEVERITIES.length ? 'new' : 'more');
const severityOf = (rank: number): string => SEVERITIES[rank % SEVERITIES.length] ?? '';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Registers the edge's instruments, or finds them again, in a process's registry. */
export function createWebhookMetrics(registry: Metrics): WebhookMetrics {
  const alerts = counter(registry, {
    name: 'funnelai_webhook_alerts_total',
    help: 'Alerts of intake bodies, by what became of each.',
    labelNames: ['outcome'],
  });
  const repeats = counter(registry, {
    name: 'funnelai_webhook_repeats_total',
    help: 'Repeats of stored alerts: added to their episodes in Postgres, or dropped.',
    labelNames: ['outcome'],
  });
  const expired = counter(registry, {
    name: 'funnelai_webhook_alerts_expired_total',
    help: 'Alerts written because of silence: expired (by reason), brought back, and those of silent sources.',
    labelNames: ['what'],
  });
  const passes = counter(registry, {
    name: 'funnelai_webhook_expiry_passes_total',
    help: 'Looks for alerts whose lease ran out, by outcome. Only the webhook that holds the drain lock looks.',
    labelNames: ['outcome'],
  });
  const waiting = gauge(registry, {
    name: 'funnelai_webhook_stores_waiting',
    help: 'Alerts that wait to be stored now: new ones, or more of the same, by severity.',
    labelNames: ['class', 'severity'],
  });
  const waited = histogram(registry, {
    name: 'funnelai_webhook_store_wait_seconds',
    help: 'How long alerts waited for their turn to be stored.',
    labelNames: ['class'],
    buckets: SECONDS,
  });
  const folded = counter(registry, {
    name: 'funnelai_webhook_folded_total',
    help: 'Reports of alerts that are kept in Postgres alone because their source has reached maxLiveAlerts, and alerts that left it.',
    labelNames: ['outcome'],
  });
  const overRate = counter(registry, {
    name: 'funnelai_webhook_over_rate_total',
    help: 'Alerts over limits.ratePerSecond of their source: in the inbox, held by their sender after 429, or refused with 503.',
    labelNames: ['outcome'],
  });
  const limits = counter(registry, {
    name: 'funnelai_webhook_limit_reached_total',
    help: 'How often a named bound of the webhook was reached.',
    labelNames: ['limit'],
  });
  const requests = histogram(registry, {
    name: 'funnelai_webhook_request_seconds',
    help: 'Time from request to answer, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
  });
  const open = gauge(registry, { name: 'funnelai_webhook_streams', help: 'Event streams open now.' });
  const ended = counter(registry, {
    name: 'funnelai_webhook_streams_ended_total',
    help: 'Event streams that ended, by reason.',
    labelNames: ['reason'],
  });
  const signIns = counter(registry, {
    name: 'funnelai_webhook_sign_ins_total',
    help: 'Attempts to sign in, by outcome.',
    labelNames: ['outcome'],
  });
  const stored = counter(registry, {
    name: 'funnelai_webhook_stored_total',
    help: 'Faults that were stored and answered 2xx, by store.',
    labelNames: ['store'],
  });
  const depth = gauge(registry, { name: 'funnelai_webhook_inbox_depth', help: 'Rows that wait in the inbox.' });
  const age = gauge(registry, {
    name: 'funnelai_webhook_inbox_oldest_age_seconds',
    help: 'Age of the row that has waited longest in the inbox.',
  });
  const aside = gauge(registry, {
    name: 'funnelai_webhook_inbox_set_aside',
    help: 'Rows of the inbox that cannot be drained as they are and wait for a person.',
  });
  const drained = counter(registry, {
    name: 'funnelai_webhook_inbox_drained_total',
    help: 'Rows that left the inbox: stored in etcd, or set aside.',
    labelNames: ['outcome'],
  });
  const breaker = gauge(registry, {
    name: 'funnelai_webhook_api_server_breaker',
    help: 'Whether alerts are written to the API server: 0 yes, 1 it is being probed, 2 no.',
  });
  const namespacesGivenUp = gauge(registry, {
    name: 'funnelai_webhook_namespaces_given_up',
    help: 'Namespaces whose alerts go to the inbox because writes there are not answered, while the API server answers elsewhere.',
  });
  const behind = gauge(registry, {
    name: 'funnelai_webhook_schema_behind',
    help: 'Migrations that this webhook needs and the history database lacks.',
  });
  const draining = gauge(registry, {
    name: 'funnelai_webhook_inbox_draining',
    help: '1 on the one replica that drains the inbox.',
  });
  return {
    alert: (outcome, count = 1) => alerts.inc({ outcome }, count),
    repeats: (outcome, count) => repeats.inc({ outcome }, count),
    expired: (what, count = 1) => expired.inc({ what }, count),
    expiryPass: (outcome) => passes.inc({ outcome }),
    waiting: (rank, count) => waiting.set({ class: classOf(rank), severity: severityOf(rank) }, count),
    waited: (rank, seconds) => waited.observe({ class: classOf(rank) }, seconds),
    folded: (outcome) => folded.inc({ outcome }),
    overRate: (outcome, count) => overRate.inc({ outcome }, count),
    limitReached: (limit) => limits.inc({ limit }),
    request: (method, route, status, seconds) => requests.observe({ method, route, status: String(status) }, seconds),
    streams: (n) => open.set(n),
    streamEnded: (reason) => ended.inc({ reason }),
    signIn: (outcome) => signIns.inc({ outcome }),
    stored: (store, faults = 1) => stored.inc({ store }, faults),
    inbox(rows, oldestAgeSeconds, setAside) {
      depth.set(rows);
      age.set(oldestAgeSeconds);
      aside.set(setAside);
    },
    drained: (outcome, rows) => drained.inc({ outcome }, rows),
    namespacesGivenUp: (namespaces) => namespacesGivenUp.set(namespaces),
    breaker: (state) => breaker.set({ closed: 0, halfOpen: 1, open: 2 }[state]),
    drains: (isDraining) => draining.set(isDraining ? 1 : 0),
    schemaBehind: (migrations) => behind.set(migrations),
  };
}
