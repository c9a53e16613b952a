/** Takes the alerts of one body to the store: the same fault once, all of them side by side, each with an outcome of its own. */
import type { Alert, AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { isSignOfLife } from '@funnelai/domain/heartbeat';
import { formatMicros } from '@funnelai/domain/instants';
import { labelValue } from '@funnelai/domain/labels';
import { isWorse } from '@funnelai/domain/severity';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { type Heard, heardOf, type LeaseBook, noLeaseBook } from '../leases/collector.ts';
import * as limits from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { AlertProblem } from '../receivers/problem.ts';
import type { Received } from '../receivers/receiver.ts';
import { createFairGate } from './fair-gate.ts';
import type { Place } from './fair-queue.ts';
import { type Group, groupByFault } from './grouping.ts';
import type { RatedStore } from './rated-store.ts';
import { noRepeats, type RepeatCounter } from './repeats.ts';
import { noRouting, type Routing } from './routing.ts';
import { inSlices } from './slices.ts';
import type { AlertStore, StoreOutcome, StoreRequest } from './store.ts';
import type { Warnings } from './warnings.ts';

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
  /** Of all those, the alerts that were over the rate of their source; none when absent. */
  overRate?: number;
  /** Its sender holds what it is told to send later: nothing of the body was stored, as it is over the rate. */
  isTooMany?: true;
  /** What was wrong with alerts that were taken. */
  warnings?: Warnings | undefined;
}

export interface IngestOptions {
  holdsAt429?: boolean;
  /** Not its sender said it but somebody here: it is no sign that the sender lives. */
  isOurs?: boolean;
}

export interface Ingest {
  /** Never throws; returns when each alert has its outcome or the deadline is over. */
  ingest(source: AlertSource, received: readonly Received[], o?: IngestOptions): Promise<IngestResult>;
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
  /** Asked of senders that hold what they are told to: is this body more than may come now? */
  admit?: RatedStore['admit'];
  leases?: LeaseBook;
  /** Whether nothing of its kind fires yet; all is more of the same where absent. */
  isNew?: (namespace: string, spec: AlertSpec) => boolean;
}): Ingest {
  const leases = deps.leases ?? noLeaseBook;
  const repeats = deps.repeats ?? noRepeats;
  const routing = deps.routing ?? noRouting;
  const isNew = deps.isNew ?? (() => false);
  const gate = deps.isBounded === true ? undefined : createFairGate(deps);
  let requests = 0;
  return {
    async ingest(source, received, o = {}) {
      const begun = await begin(source, received, o);
      const disarm = deps.clock.after(limits.INTAKE_DEADLINE_MS, () => {
        begun.abort.abort(new Error('the time for this request is over'));
        gate?.leave(begun.number);
      });
      try {
        const ended = (await Promise.all(begun.running)).flat();
        for (const { namespace, firing, outcome } of ended) {
          if (outcome.kind === 'unchanged') repeats.count(namespace, outcome.name);
          // What was written says itself when it was heard of; what waits, or could not be stored, was heard of all the same.
          else if (outcome.kind !== 'unavailable' && outcome.kind !== 'inbox') continue;
          if (firing !== undefined) leases.seen(namespace, firing);
        }
        const { warnings, isTooMany } = begun;
        return {
          ...sum(ended, deps.metrics),
          ...(isTooMany ? { isTooMany } : {}),
          ...(warnings === undefined ? {} : { warnings }),
        };
      } finally {
        disarm();
      }
    },
  };

  /** What of a body is under way, and of its alerts no more than is asked for when they are stored: they are many, and wait for a disk. */
  async function begin(source: AlertSource, received: readonly Received[], o: IngestOptions): Promise<Begun> {
    // Before the clock of the request starts: where the machine is short of time, a body that used it up here would never get on.
    const { groups, warnings } = await groupByFault(source, received, {
      ...deps,
      receipt: deps.receipt ?? deps.clock,
      routing,
    });
    const living = o.isOurs === true ? [] : livingSources(source, groups);
    for (const one of living) leases.heard(one, formatMicros(deps.clock.now()));
    const abort = new AbortController();
    requests += 1;
    const number = requests;
    const tooMany = o.holdsAt429 === true ? await deps.admit?.(groups.map(({ request }) => request)) : undefined;
    if (tooMany !== undefined) {
      const outcome: StoreOutcome = { kind: 'unavailable', isOverRate: true, ...tooMany };
      const ended = groups.map((group) => ({ ...toldOf(group), outcome }));
      return { warnings, running: [Promise.resolve(ended)], number, abort, isTooMany: true };
    }
    // All of them wait at once: what is new in the last line of a body must not wait for the ten thousand before it.
    const running: Promise<Ended[]>[] = [];
    const pause = inSlices(deps.clock);
    for (let first = 0; first < groups.length; first += TOGETHER) {
      const some = groups.slice(first, first + TOGETHER);
      for (const { request } of some) {
        await pause();
        request.place = placeOf(request, number, isNew);
      }
      running.push(start(some, abort.signal));
    }
    return { warnings, running, number, abort };
  }

  function start(groups: readonly Group[], signal: AbortSignal): Promise<Ended[]> {
    const isSure = groups.every(({ doubt }) => doubt === undefined);
    const together = isSure ? deps.store.together?.(groups.map(({ request }) => request)) : undefined;
    if (together !== undefined) {
      const told = groups.map(toldOf);
      return together.then((outcome) => told.map((one) => ({ ...one, outcome })));
    }
    return Promise.all(
      groups.map(async (group) => {
        const outcome = await storeInTurn(group, signal);
        return { ...toldOf(group), outcome };
      }),
    );
  }

  async function storeInTurn(group: Group, signal: AbortSignal): Promise<StoreOutcome> {
    const { request, doubt } = group;
    if (doubt !== undefined) return { kind: 'unavailable', message: doubt };
    const store = () => storeOrKeep(deps.store, group, signal, deps);
    if (gate === undefined || request.place === undefined) return store();
    const passed = await gate.run(request.place, store);
    if (passed.kind === 'done') return passed.value;
    if (passed.kind === 'left') return { kind: 'unavailable', message: 'its turn did not come in time' };
    const { retryAfterMs } = passed;
    return { kind: 'unavailable', message: 'too many alerts wait to be stored', retryAfterMs };
  }
}

/** Alerts that are given to the store at once, where it takes several. */
const TOGETHER = 128;

interface Begun {
  warnings: Warnings | undefined;
  running: readonly Promise<Ended[]>[];
  number: number;
  abort: AbortController;
  isTooMany?: true;
}
/** What of a fault is asked for once it has its outcome. */
interface Told extends Pick<Group, 'indices' | 'isSecond'> {
  namespace: string;
  /** Its last report that fires. */
  firing: Heard | undefined;
}

interface Ended extends Told {
  outcome: StoreOutcome;
}

function toldOf({ indices, isSecond, request: { namespace, reports } }: Group): Told {
  const firing = reports.findLast(({ spec }) => spec.state === 'Firing')?.spec;
  return { indices, isSecond, namespace, firing: firing && heardOf(firing) };
}

/** Sources for which this body is a sign of life: the one that it came to, and those that took of it what was routed to them. */
function livingSources(source: AlertSource, groups: readonly Group[]): AlertSource[] {
  const specsOf = (one: AlertSource) =>
    groups.filter(({ place }) => one === source || place === one).map(({ request }) => request.reports[0].spec);
  return [...new Set([source, ...groups.map(({ place }) => place)])].filter(
    (one) => one.spec.heartbeat !== undefined && isSignOfLife(one, specsOf(one)),
  );
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
  const [first] = reports;
  let { severity } = first.spec;
  for (const { spec } of reports) if (isWorse(spec.severity, severity)) severity = spec.severity;
  const isFiring = reports.some(({ spec }) => spec.state === 'Firing');
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

function sum(ended: readonly Ended[], metrics: WebhookMetrics): IngestResult {
  const result: IngestResult = { created: 0, updated: 0, unchanged: 0, refused: [], unavailable: 0 };
  for (const { indices, isSecond, outcome } of ended) {
    if (isSecond && outcome.kind !== 'unavailable') continue;
    if ('isOverRate' in outcome) result.overRate = (result.overRate ?? 0) + indices.length;
    metrics.alert(outcome.kind === 'gone' ? 'refused' : outcome.kind, indices.length);
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
