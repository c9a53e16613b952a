/** Takes the alerts of one body to the store: the same fault once, all of them side by side, each with an outcome of its own. */
import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import { DEMO_LABEL } from '@funnelai/crds/meta';
import { toAlertSpec } from '@funnelai/domain/alert-input';
import { alertName } from '@funnelai/domain/fingerprint';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import * as limits from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { AlertProblem } from '../receivers/problem.ts';
import type { Received } from '../receivers/receiver.ts';
import { createGate, mapBounded } from './gate.ts';
import { noRepeats, type RepeatCounter } from './repeats.ts';
import { type Report, receivedAfter } from './report.ts';
import type { AlertStore, StoreOutcome, StoreRequest } from './store.ts';

export interface IngestResult {
  created: number;
  updated: number;
  unchanged: number;
  /** Alerts that are in the inbox; none when absent. */
  inbox?: number;
  /** What the API server will never take, by alert. */
  refused: AlertProblem[];
  /** Alerts that are not stored, or of which nobody can say. */
  unavailable: number;
  why?: string;
  retryAfterMs?: number;
  /** The namespace is being deleted. */
  gone?: string;
}

export interface Ingest {
  /** Never throws; returns when each alert has its outcome or the deadline is over. */
  ingest(source: AlertSource, received: readonly Received[]): Promise<IngestResult>;
}

export function createIngest(deps: {
  store: AlertStore;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
  repeats?: RepeatCounter;
  /** When alerts are received; the clock's own time when absent. */
  receipt?: Pick<Clock, 'now'>;
  /** What is known of an alert when a report of it comes. */
  alerts?: Pick<Cache<Alert>, 'get'>;
  /** The store bounds by itself how much it does at once: then many alerts of a body are given to it together. */
  isBounded?: boolean;
}): Ingest {
  const repeats = deps.repeats ?? noRepeats;
  const gate = createGate(deps.isBounded === true ? Number.POSITIVE_INFINITY : limits.STORES_IN_FLIGHT);
  const atOnce = deps.isBounded === true ? limits.STORES_PER_REQUEST_BOUNDED : limits.STORES_PER_REQUEST;
  return {
    async ingest(source, received) {
      // Before the clock of the request starts: where the machine is short of time, a body that used it up here would never get on.
      const groups = await groupByFault(source, received, deps);
      const abort = new AbortController();
      const disarm = deps.clock.after(limits.INTAKE_DEADLINE_MS, () =>
        abort.abort(new Error('the time for this request is over')),
      );
      try {
        const outcomes = await mapBounded(groups, atOnce, (group) =>
          gate.run(() => storeSafely(deps.store, group.request, abort.signal, deps.log)),
        );
        for (const [position, outcome] of outcomes.entries()) {
          const namespace = groups[position]?.request.namespace;
          if (outcome.kind === 'unchanged' && namespace !== undefined) repeats.count(namespace, outcome.name);
        }
        return sum(groups, outcomes, deps.metrics);
      } finally {
        disarm();
      }
    },
  };
}

interface Group {
  request: StoreRequest;
  indices: number[];
}

/**
 * The same fault may stand in a body several times, under labels that the source ignores, or as a flap. In slices: a body of
 * ten thousand would hold up the probes for a second.
 */
async function groupByFault(
  source: AlertSource,
  received: readonly Received[],
  deps: { clock: Clock; log: Log; receipt?: Pick<Clock, 'now'>; alerts?: Pick<Cache<Alert>, 'get'> },
): Promise<Group[]> {
  let sliceEndsMs = deps.clock.monotonicMs() + limits.INTAKE_SLICE_MS;
  const receivedAt = (deps.receipt ?? deps.clock).now();
  const groups = new Map<string, Group>();
  for (const { index, input } of received) {
    if (deps.clock.monotonicMs() >= sliceEndsMs) {
      await deps.clock.sleep(0);
      sliceEndsMs = deps.clock.monotonicMs() + limits.INTAKE_SLICE_MS;
    }
    const { spec: said, notes } = toAlertSpec(input, source, receivedAt);
    const name = alertName(source.metadata.name, said.fingerprint);
    const spec = receivedAfter(said, deps.alerts?.get(source.metadata.namespace ?? '', name)?.spec);
    if (notes.length > 0) deps.log.debug({ source: source.metadata.name, notes }, 'alert was fitted to its bounds');
    const report: Report = { spec, startNamed: input.startsAt !== undefined, endNamed: input.endsAt !== undefined };
    const group = groups.get(spec.fingerprint);
    if (group === undefined) {
      const request: StoreRequest = {
        namespace: source.metadata.namespace ?? '',
        source: source.metadata.name,
        fingerprint: spec.fingerprint,
        reports: [report],
        demo: source.metadata.labels?.[DEMO_LABEL] === 'true',
      };
      groups.set(spec.fingerprint, { request, indices: [index] });
    } else {
      group.request.reports = [...group.request.reports, report];
      group.indices.push(index);
    }
  }
  return [...groups.values()];
}

async function storeSafely(
  store: AlertStore,
  request: StoreRequest,
  signal: AbortSignal,
  log: Log,
): Promise<StoreOutcome> {
  try {
    return await store.store(request, signal);
  } catch (error) {
    // Nothing that goes wrong here may become a 2xx, nor a 4xx that the sender does not retry.
    log.error({ err: error, source: request.source }, 'an alert could not be stored');
    return { kind: 'unavailable', message: messageOf(error) };
  }
}

function sum(groups: readonly Group[], outcomes: readonly StoreOutcome[], metrics: WebhookMetrics): IngestResult {
  const result: IngestResult = { created: 0, updated: 0, unchanged: 0, refused: [], unavailable: 0 };
  for (const [position, outcome] of outcomes.entries()) {
    const indices = groups[position]?.indices ?? [];
    for (const _ of indices) metrics.alert(outcome.kind === 'gone' ? 'refused' : outcome.kind);
    if (outcome.kind === 'refused') {
      for (const index of indices) {
        result.refused.push({
          index,
          field: outcome.field ?? '',
          found: 'a value that the API server refuses',
          expected: outcome.message,
        });
      }
    } else if (outcome.kind === 'gone') {
      result.gone = outcome.message;
    } else if (outcome.kind === 'unavailable') {
      result.unavailable += indices.length;
      result.why ??= outcome.message;
      if (outcome.retryAfterMs !== undefined)
        result.retryAfterMs = Math.max(result.retryAfterMs ?? 0, outcome.retryAfterMs);
    } else if (outcome.kind === 'inbox') {
      result.inbox = (result.inbox ?? 0) + indices.length;
    } else {
      // Of a fault that came twice in one body, the first made the write.
      result[outcome.kind] += 1;
      result.unchanged += indices.length - 1;
    }
  }
  return result;
}
