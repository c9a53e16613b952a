/** Takes the alerts of one body to the store: the same fault once, all of them side by side, each with an outcome of its own. */
import type { Alert, AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { DEMO_LABEL } from '@funnelai/crds/meta';
import { type AlertInput, toAlertSpec } from '@funnelai/domain/alert-input';
import { alertName } from '@funnelai/domain/fingerprint';
import { isSignOfLife } from '@funnelai/domain/heartbeat';
import { formatMicros } from '@funnelai/domain/instants';
import { labelValue } from '@funnelai/domain/labels';
import { isWorse } from '@funnelai/domain/severity';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { type LeaseBook, noLeaseBook } from '../leases/collector.ts';
import * as limits from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { AlertProblem } from '../receivers/problem.ts';
import type { Received } from '../receivers/receiver.ts';
import { createFairGate } from './fair-gate.ts';
import type { Place } from './fair-queue.ts';
import { noRepeats, type RepeatCounter } from './repeats.ts';
import { type Report, receivedAfter, receivedAs, reportOf } from './report.ts';
import { noRouting, type Routing } from './routing.ts';
import { inSlices } from './slices.ts';
import type { AlertStore, StoreOutcome, StoreRequest } from './store.ts';
import { createWarningList, type Warnings } from './warnings.ts';

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
  /** What was wrong with alerts that were taken. */
  warnings?: Warnings | undefined;
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
  routing?: Routing;
  /** When alerts are received; the clock's own time when absent. */
  receipt?: Pick<Clock, 'now'>;
  /** What is known of an alert when a report of it comes. */
  alerts?: Pick<Cache<Alert>, 'get'>;
  /** The store bounds by itself how much it does at once, and in which order: then all alerts of a body are given to it together. */
  isBounded?: boolean;
  leases?: LeaseBook;
  /** Whether nothing of its kind fires yet; all is more of the same where absent. */
  isNew?: (namespace: string, spec: AlertSpec) => boolean;
}): Ingest {
  const leases = deps.leases ?? noLeaseBook;
  const repeats = deps.repeats ?? noRepeats;
  const routing = deps.routing ?? noRouting;
  const gate = deps.isBounded === true ? undefined : createFairGate(deps);
  let requests = 0;
  return {
    async ingest(source, received) {
      // Before the clock of the request starts: where the machine is short of time, a body that used it up here would never get on.
      const { groups, warnings } = await groupByFault(source, received, { ...deps, routing });
      for (const one of livingSources(source, groups)) leases.heard(one, formatMicros(deps.clock.now()));
      const abort = new AbortController();
      requests += 1;
      const number = requests;
      const isNew = deps.isNew ?? (() => false);
      const storeInTurn = async (group: Group): Promise<StoreOutcome> => {
        const place = placeOf(group.request, number, isNew);
        group.request.place = place;
        if (group.doubt !== undefined) return { kind: 'unavailable', message: group.doubt };
        const store = () => storeOrKeep(deps.store, group, abort.signal, deps);
        if (gate === undefined) return store();
        const passed = await gate.run(place, store);
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
      const disarm = deps.clock.after(limits.INTAKE_DEADLINE_MS, () => {
        abort.abort(new Error('the time for this request is over'));
        gate?.leave(number);
      });
      try {
        const outcomes = await Promise.all(running);
        for (const [position, outcome] of outcomes.entries()) {
          const request = groups[position]?.request;
          if (request === undefined) continue;
          if (outcome.kind === 'unchanged') repeats.count(request.namespace, outcome.name);
          // What was written says itself when it was heard of; what waits, or could not be stored, was heard of all the same.
          else if (outcome.kind !== 'unavailable' && outcome.kind !== 'inbox') continue;
          const firing = request.reports.findLast(({ spec }) => spec.state === 'Firing');
          if (firing !== undefined) leases.seen(request.namespace, firing.spec);
        }
        return { ...sum(groups, outcomes, deps.metrics), ...(warnings === undefined ? {} : { warnings }) };
      } finally {
        disarm();
      }
    },
  };
}

/** Sources for which this body is a sign of life: the one that it came to, and those that took of it what was routed to them. */
function livingSources(source: AlertSource, groups: readonly Group[]): AlertSource[] {
  const specsOf = (one: AlertSource) =>
    groups.filter(({ place }) => one === source || place === one).map(({ request }) => request.reports[0].spec);
  return [...new Set([source, ...groups.map(({ place }) => place)])].filter(
    (one) => one.spec.heartbeat !== undefined && isSignOfLife(one, specsOf(one)),
  );
}

interface Group {
  /** The source whose alert it is. */
  place: AlertSource;
  request: StoreRequest;
  /** What its reports were made of. */
  inputs: [AlertInput, ...AlertInput[]];
  indices: number[];
  /** It fires in another place as well, which is told of it, too, and not counted twice. */
  isSecond: boolean;
  /** Why nobody can say who else has to be told of its end: then nobody is, and it has to be sent again. */
  doubt?: string;
}

/**
 * The same fault may stand in a body several times, under labels that the source ignores, or as a flap: what stands later was said
 * later. In slices: a body of ten thousand would hold up the probes for a second.
 */
async function groupByFault(
  source: AlertSource,
  received: readonly Received[],
  deps: { clock: Clock; log: Log; routing: Routing; receipt?: Pick<Clock, 'now'>; alerts?: Pick<Cache<Alert>, 'get'> },
): Promise<{ groups: Group[]; warnings: Warnings | undefined }> {
  const pause = inSlices(deps.clock);
  const receivedAt = (deps.receipt ?? deps.clock).now();
  const groups = new Map<string, Group>();
  const placesOf = await deps.routing.of(
    source,
    received.map(({ input }) => input),
  );
  const warnings = createWarningList();
  /** What stands later in the body stays later there, too. */
  const keptOf = ({ reports }: StoreRequest, [first, ...more]: Group['inputs']) => {
    const here = (input: AlertInput, i: number) => {
      const kept = toAlertSpec(input, source, receivedAt);
      const at = reports[i]?.spec.receivedAt ?? kept.spec.receivedAt;
      return reportOf(input, { ...kept, spec: receivedAs(kept.spec, at) });
    };
    return requestFor(source, [here(first, 0), ...more.map((input, i) => here(input, i + 1))]);
  };
  for (const { index, input } of received) {
    await pause();
    const { places, doubt } = placesOf(input);
    for (const [rank, place] of places.entries()) {
      const made = toAlertSpec(input, place, receivedAt, source);
      const { namespace = '', name } = place.metadata;
      const { fingerprint } = made.spec;
      const key = `${namespace}/${name}/${fingerprint}`;
      const group = groups.get(key);
      const before =
        group === undefined
          ? deps.alerts?.get(namespace, alertName(name, fingerprint))?.spec
          : group.request.reports.at(-1)?.spec;
      const spec = receivedAfter(made.spec, before);
      if (made.notes.length > 0)
        deps.log.debug({ source: source.metadata.name, notes: made.notes }, 'alert was fitted to its bounds');
      warnings.add(index, made.odd);
      const request = requestFor(place, [reportOf(input, { ...made, spec })]);
      if (group === undefined) {
        const inputs: Group['inputs'] = [input];
        const fresh: Group = { place, request, inputs, indices: [index], isSecond: rank > 0 };
        if (place !== source) request.keep = () => keptOf(request, inputs);
        groups.set(key, doubt === undefined ? fresh : { ...fresh, doubt });
      } else {
        if (doubt !== undefined) group.doubt = doubt;
        group.request.reports = [...group.request.reports, ...request.reports];
        group.inputs.push(input);
        group.indices.push(index);
        group.isSecond &&= rank > 0;
      }
    }
  }
  return { groups: [...groups.values()], warnings: warnings.all() };
}

function requestFor({ metadata }: AlertSource, reports: readonly [Report, ...Report[]]): StoreRequest {
  return {
    namespace: metadata.namespace ?? '',
    source: metadata.name,
    fingerprint: reports[0].spec.fingerprint,
    reports,
    demo: metadata.labels?.[DEMO_LABEL] === 'true',
  };
}

/** What is routed into a namespace that is going away stays where it came. */
async function storeOrKeep(
  store: AlertStore,
  group: Group,
  signal: AbortSignal,
  { log }: { log: Log },
): Promise<StoreOutcome> {
  const outcome = await storeSafely(store, group.request, signal, log);
  if (outcome.kind !== 'gone' || group.request.keep === undefined) return outcome;
  group.request = group.request.keep();
  return storeSafely(store, group.request, signal, log);
}

function placeOf(
  { namespace, source, reports }: StoreRequest,
  request: number,
  isNew: (namespace: string, spec: AlertSpec) => boolean,
): Place {
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
    const { indices = [], isSecond = false } = groups[position] ?? {};
    if (isSecond && outcome.kind !== 'unavailable') continue;
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
