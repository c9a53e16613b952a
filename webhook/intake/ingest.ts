/** Takes the alerts of one body to the store: the same fault once, all of them side by side, each with an outcome of its own. */
import type { AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { DEMO_LABEL } from '@funnelai/crds/meta';
import { toAlertSpec } from '@funnelai/domain/alert-input';
import { labelValue } from '@funnelai/domain/labels';
import { isWorse } from '@funnelai/domain/severity';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { INTAKE_DEADLINE_MS, INTAKE_SLICE_MS } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { AlertProblem } from '../receivers/problem.ts';
import type { Received } from '../receivers/receiver.ts';
import { createFairGate, type FairGate } from './fair-gate.ts';
import { noRepeats, type RepeatCounter } from './repeats.ts';
import type { Report } from './report.ts';
import type { AlertStore, StoreOutcome, StoreRequest } from './store.ts';

export interface IngestResult {
  created: number;
  updated: number;
  unchanged: number;
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
  /** Whether nothing of its kind fires yet; all is more of the same where absent. */
  isNew?: (namespace: string, spec: AlertSpec) => boolean;
}): Ingest {
  const repeats = deps.repeats ?? noRepeats;
  const gate = createFairGate(deps);
  return {
    async ingest(source, received) {
      // Before the clock of the request starts: where the machine is short of time, a body that used it up here would never get on.
      const groups = await groupByFault(source, received, deps);
      const abort = new AbortController();
      const number = gate.request();
      const isNew = deps.isNew ?? (() => false);
      const storeInTurn = async ({ request }: Group): Promise<StoreOutcome> => {
        const passed = await gate.run(placeOf(request, number, isNew), () =>
          storeSafely(deps.store, request, abort.signal, deps.log),
        );
        if (passed.kind === 'done') return passed.value;
        if (passed.kind === 'left') return { kind: 'unavailable', message: 'its turn did not come in time' };
        const { retryAfterMs } = passed;
        return { kind: 'unavailable', message: 'too many alerts wait to be stored', retryAfterMs };
      };
      // All of them wait at once: what is new in the last line of a body must not wait for the ten thousand before it.
      const running: Promise<StoreOutcome>[] = [];
      const pause = inSlices(deps.clock);
      for (const group of groups) {
        await pause();
        running.push(storeInTurn(group));
      }
      const disarm = deps.clock.after(INTAKE_DEADLINE_MS, () => {
        abort.abort(new Error('the time for this request is over'));
        gate.leave(number);
      });
      try {
        const outcomes = await Promise.all(running);
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

/** A pause when a slice of work is over; none before. */
function inSlices(clock: Clock): () => Promise<void> | undefined {
  let endsMs = clock.monotonicMs() + INTAKE_SLICE_MS;
  return () => {
    if (clock.monotonicMs() < endsMs) return undefined;
    return clock.sleep(0).then(() => {
      endsMs = clock.monotonicMs() + INTAKE_SLICE_MS;
    });
  };
}

/**
 * The same fault may stand in a body several times, under labels that the source ignores, or as a flap. In slices: a body of
 * ten thousand would hold up the probes for a second.
 */
async function groupByFault(
  source: AlertSource,
  received: readonly Received[],
  deps: { clock: Clock; log: Log },
): Promise<Group[]> {
  const pause = inSlices(deps.clock);
  const receivedAt = deps.clock.now();
  const groups = new Map<string, Group>();
  for (const { index, input } of received) {
    await pause();
    const { spec, notes } = toAlertSpec(input, source, receivedAt);
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

function placeOf(
  { namespace, source, reports }: StoreRequest,
  request: number,
  isNew: (namespace: string, spec: AlertSpec) => boolean,
): Parameters<FairGate['run']>[0] {
  const specs = reports.map(({ spec }) => spec);
  const [first] = reports;
  const { severity } = specs.reduce((a, b) => (isWorse(b.severity, a.severity) ? b : a));
  const isFiring = specs.some(({ state }) => state === 'Firing');
  return {
    source: `${namespace}/${source}`,
    name: labelValue(first.spec.labels, 'alertname'),
    request,
    severity,
    isNew: isFiring && isNew(namespace, first.spec),
  };
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
    } else {
      // Of a fault that came twice in one body, the first made the write.
      result[outcome.kind] += 1;
      result.unchanged += indices.length - 1;
    }
  }
  return result;
}
