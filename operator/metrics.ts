/** The operator's own figures, beside those of the process and of the queues. Names and labels are listed in docs/operations.md. */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface Metrics {
  answered(answer: string): void;
  phaseMoved(from: string, to: string): void;
  mirrored(kind: 'Incident' | 'Alert', outcome: 'stored' | 'refused' | 'conflict'): void;
  /** Undefined: nothing is written here, so nobody knows. */
  historyAvailable(up: boolean | undefined): void;
  historyBacklog(kind: 'Incident' | 'Alert', waiting: number): void;
  /** Asked at each scrape for how long the oldest object has waited for Postgres. */
  historyLag(seconds: () => number): void;
  /** Objects that Postgres refuses now. */
  historyPoisoned(kind: 'Incident' | 'Alert', count: number): void;
  /** A later term writes history: this one may not any more. */
  historyFenced(): void;
  /** What the comparison of both sides set right. */
  historyRepaired(kind: 'Incident' | 'Alert', how: 'written' | 'vanished' | 'living', count: number): void;
  /** Changes that got new numbers because history had others under theirs. */
  historyRenumbered(count: number): void;
  /** Changes that neither side knows any more. */
  historyLost(count: number): void;
  /** What history forgot by its retention. */
  historyPruned(tables: number, rows: number): void;
  /** Asked at each scrape. */
  deletionsHeld(count: () => number): void;
  left(kind: string): void;
  brokenRules(count: number): void;
  leading(yes: boolean): void;
  bounded(bound: string): void;
}

export function createMetrics(registry: Registry): Metrics {
  const registers = [registry];
  const answers = new Counter({
    name: 'funnelai_alerts_answered_total',
    help: 'Answers of the correlation, by kind: Opened, Joined, Reopened, Recorded, Moved, ResolvedFirst, Refused.',
    labelNames: ['answer'],
    registers,
  });
  const moves = new Counter({
    name: 'funnelai_incident_phase_changes_total',
    help: 'Recorded changes of phase.',
    labelNames: ['from', 'to'],
    registers,
  });
  const rows = new Counter({
    name: 'funnelai_history_writes_total',
    help: 'Objects handed to Postgres, by kind and outcome: stored, refused, conflict.',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const available = new Gauge({
    name: 'funnelai_history_available',
    help: '1 while Postgres takes writes; there on the leader alone.',
    registers,
  });
  available.remove();
  const backlog = new Gauge({
    name: 'funnelai_history_backlog',
    help: 'Objects that wait to be written to Postgres.',
    labelNames: ['kind'],
    registers,
  });
  let lag = () => 0;
  new Gauge({
    name: 'funnelai_history_lag_seconds',
    help: 'How long the oldest object has waited to be written to Postgres; 0 when none does.',
    registers,
    collect() {
      this.set(lag());
    },
  });
  const poisoned = new Gauge({
    name: 'funnelai_history_poisoned',
    help: 'Objects that Postgres refuses as they are.',
    labelNames: ['kind'],
    registers,
  });
  const fenced = new Counter({
    name: 'funnelai_history_fenced_total',
    help: 'How often a later term was found to write history.',
    registers,
  });
  const repaired = new Counter({
    name: 'funnelai_history_repaired_total',
    help: 'What the comparison of cluster and Postgres set right: rows written, marked as vanished, marked as living.',
    labelNames: ['kind', 'how'],
    registers,
  });
  const renumbered = new Counter({
    name: 'funnelai_history_renumbered_total',
    help: 'Changes that got new numbers because history had others under theirs.',
    registers,
  });
  const lost = new Counter({
    name: 'funnelai_history_lost_changes_total',
    help: 'Changes that neither the cluster nor Postgres knew any more.',
    registers,
  });
  const pruned = new Counter({
    name: 'funnelai_history_pruned_total',
    help: 'What history forgot by --history-retention: tables of whole months, rows.',
    labelNames: ['what'],
    registers,
  });
  let held = () => 0;
  new Gauge({
    name: 'funnelai_incident_deletions_held',
    help: 'Deleted incidents whose finalizer waits for the mirror.',
    registers,
    collect() {
      this.set(held());
    },
  });
  const gone = new Counter({
    name: 'funnelai_retention_deleted_total',
    help: 'Objects that have ended and were deleted from etcd once history had them, by kind.',
    labelNames: ['kind'],
    registers,
  });
  const broken = new Gauge({
    name: 'funnelai_correlation_rules_broken',
    help: 'CorrelationRules that do not compile and are skipped.',
    registers,
  });
  const leader = new Gauge({ name: 'funnelai_leader', help: '1 while this replica holds the Lease.', registers });
  const bounds = new Counter({
    name: 'funnelai_bounds_reached_total',
    help: 'How often a bound was reached, by its name.',
    labelNames: ['bound'],
    registers,
  });
  return {
    answered: (answer) => answers.inc({ answer }),
    phaseMoved: (from, to) => moves.inc({ from, to }),
    mirrored: (kind, outcome) => rows.inc({ kind, outcome }),
    historyAvailable: (up) => (up === undefined ? available.remove() : available.set(up ? 1 : 0)),
    historyBacklog: (kind, waiting) => backlog.set({ kind }, waiting),
    historyLag: (seconds) => {
      lag = seconds;
    },
    historyPoisoned: (kind, count) => poisoned.set({ kind }, count),
    historyFenced: () => fenced.inc(),
    historyRepaired: (kind, how, count) => repaired.inc({ kind, how }, count),
    historyRenumbered: (count) => renumbered.inc(count),
    historyLost: (count) => lost.inc(count),
    historyPruned: (tables, rows) => {
      pruned.inc({ what: 'table' }, tables);
      pruned.inc({ what: 'row' }, rows);
    },
    deletionsHeld: (count) => {
      held = count;
    },
    left: (kind) => gone.inc({ kind }),
    brokenRules: (count) => broken.set(count),
    leading: (yes) => leader.set(yes ? 1 : 0),
    bounded: (bound) => bounds.inc({ bound }),
  };
}
