/**
 * Stores one alert: what is stored and what came are merged (domain) and written under a resourceVersion.
 * Promises that `stored` and `unchanged` mean "it is in etcd"; everything it cannot promise comes back as another outcome.
 */
import type { Alert, AlertSpec } from '@funnelai/crds/generated/types';
import { ALERTS, API_VERSION, AWAITS_INBOX_ANNOTATION, DEMO_LABEL } from '@funnelai/crds/meta';
import { alertName, NAME_DIGITS } from '@funnelai/domain/fingerprint';
import { sameAlert } from '@funnelai/domain/merge';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import {
  isAdmissionAway,
  isAlreadyExists,
  isConflict,
  isInvalid,
  isNamespaceTerminating,
  isNotFound,
  KubeError,
  messageOf,
} from '@funnelai/kube/errors';
import { STORE_ATTEMPTS } from '../limits.ts';
import type { Place } from './fair-queue.ts';
import type { KeyedLock } from './keyed-lock.ts';
import { mergePatchOf } from './merge-patch.ts';
import { combined, type Report } from './report.ts';

/** All reports of one fingerprint in one body, in the order in which they stood. */
export interface StoreRequest {
  namespace: string;
  source: string;
  fingerprint: string;
  reports: readonly [Report, ...Report[]];
  demo: boolean;
  /** Of an alert that is routed here: the request that keeps it with the source that it came to, report by report. */
  keep?: () => StoreRequest;
  /** Where it stands among those that wait for a place at the API server; of those that nobody waits for absent. */
  place?: Place;
  /** It has been counted to the rate of its source. */
  isCounted?: true;
  /** It is written also where nothing changes but when it was received: what waits of the same fault came before it. */
  isOvertaking?: true;
  /** An older report of it waits in an inbox that does not take this one: its Alert is marked, and does not leave before that is drained. */
  isHeld?: true;
  /**
   * It is in etcd, and goes to the inbox only to stand behind what may wait there of the same fault. Where its Alert is there no more when it
   * comes out again, what it ends was told before.
   */
  isStored?: true | undefined;
  /** Behind what waits there of the same fault it is put only while the inbox holds fewer rows: its source has a rate. */
  mostInboxRows?: number;
  /** It ends what fires, or is its first trusted acknowledgement, and need not wait behind what waits of the same fault in the inbox. */
  mayOvertake?: true;
}
export type StoreOutcome =
  | { kind: 'created' | 'updated' | 'unchanged'; name: string; isHeld?: true }
  /** It is in the inbox, and will be in etcd. */
  | { kind: 'inbox'; isOverRate?: true }
  /** The API server will not have it, however often it is sent. */
  | { kind: 'refused'; message: string; field?: string }
  /** The namespace is going away, and its alerts with it. */
  | { kind: 'gone'; message: string }
  /**
   * Not stored, or nobody can say; the sender has to send it again. `isAnswered`: the API server is well and has refused it for now, as
   * when rights or quota are missing, or an admission webhook is. `isOverRate`: its source is over its rate. `isFull`: it is at its bound, and no Postgres took what is
   * beyond it.
   */
  | {
      kind: 'unavailable';
      message: string;
      retryAfterMs?: number;
      isAnswered?: boolean;
      isOverRate?: true;
      isFull?: boolean;
    };

export interface AlertStore {
  store(request: StoreRequest, signal: AbortSignal): Promise<StoreOutcome>;
  /**
   * All of them at once, with one outcome for all, where none of them would be asked about by itself; undefined where each has to be
   * stored by itself. Never rejects.
   */
  together?(requests: readonly StoreRequest[]): Promise<StoreOutcome> | undefined;
}
export interface AlertStoreDeps {
  client: KubeClient;
  alerts: Cache<Alert>;
  clock: Clock;
  lock: KeyedLock;
}

export const FIELD_MANAGER = 'funnelai-webhook';
const BACKOFF_MS = 20;

export function createAlertStore(deps: AlertStoreDeps): AlertStore {
  return {
    async store(request, signal) {
      for (const digits of NAME_DIGITS) {
        const name = alertName(request.source, request.fingerprint, digits);
        const outcome = await deps.lock.run(`${request.namespace}/${name}`, () =>
          storeUnder(deps, request, name, signal),
        );
        if (outcome !== 'nameTaken') return outcome;
      }
      return { kind: 'refused', message: `every name for fingerprint ${request.fingerprint} is held by another alert` };
    },
  };
}

async function storeUnder(
  deps: AlertStoreDeps,
  request: StoreRequest,
  name: string,
  signal: AbortSignal,
): Promise<StoreOutcome | 'nameTaken'> {
  const key = { namespace: request.namespace, name };
  let lastError: unknown;
  for (let attempt = 0; attempt < STORE_ATTEMPTS; attempt += 1) {
    try {
      if (signal.aborted) return outOfTime(lastError);
      if (attempt > 1) await deps.clock.sleep(BACKOFF_MS * 2 ** attempt, signal);
      // After a failed try the cache may be what was wrong; then only the API server's own answer counts.
      const stored =
        attempt === 0 && deps.alerts.fresh() ? deps.alerts.get(request.namespace, name) : await read(deps, key, signal);
      if (stored !== undefined && !isOf(stored.spec, request)) return 'nameTaken';
      if (stored?.metadata.deletionTimestamp !== undefined) {
        lastError = new Error(`alert ${name} is being deleted`);
        continue;
      }
      const merged = mergeReports(stored?.spec, request.reports);
      const next = stored === undefined && request.isStored === true ? asTold(merged) : merged;
      // Nothing to note an acknowledgement on: it is taken, and makes no alert.
      const isSame = stored !== undefined && sameAlert(stored.spec, next ?? stored.spec);
      const isLater = request.isOvertaking === true || request.isHeld === true;
      const isNoted = !isLater || next?.receivedAt === stored?.spec.receivedAt;
      const isMarked = request.isHeld !== true || stored?.metadata.annotations?.[AWAITS_INBOX_ANNOTATION] !== undefined;
      const held = request.isHeld === true ? { isHeld: true as const } : {};
      if (next === undefined) return { kind: 'unchanged', name };
      if (isSame && isNoted && isMarked) return { kind: 'unchanged', name, ...held };
      const written = await write(deps, request, key, stored, next, signal);
      deps.alerts.observe(written);
      return { kind: stored === undefined ? 'created' : 'updated', name, ...held };
    } catch (error) {
      lastError = error;
      const final = finalOutcome(error);
      if (final !== undefined) return final;
      if (signal.aborted) return outOfTime(error);
    }
  }
  return unavailable(lastError);
}

/** A name could be anyone's: two sources never write the same alert. */
function isOf({ fingerprint, sourceRef }: AlertSpec, request: StoreRequest): boolean {
  return fingerprint === request.fingerprint && sourceRef.name === request.source;
}

/** What is stored once all of them are; undefined where they make no alert. */
export function mergeReports(stored: AlertSpec | undefined, reports: StoreRequest['reports']): AlertSpec | undefined {
  return reports.reduce(combined, stored);
}

/** As one that nobody need be told of: that it had fired was told while its Alert was there. */
function asTold(spec: AlertSpec | undefined): AlertSpec | undefined {
  if (spec?.state !== 'Resolved') return spec;
  const { firingStartsAt: _, ...told } = spec;
  return told;
}

async function read(
  deps: AlertStoreDeps,
  key: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<Alert | undefined> {
  try {
    return await deps.client.get<Alert>(ALERTS, key, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function write(
  deps: AlertStoreDeps,
  request: StoreRequest,
  key: { namespace: string; name: string },
  stored: Alert | undefined,
  next: AlertSpec,
  signal: AbortSignal,
): Promise<Alert> {
  const options = { fieldManager: FIELD_MANAGER, signal };
  const mark = request.isHeld === true ? { annotations: { [AWAITS_INBOX_ANNOTATION]: 'true' } } : {};
  if (stored === undefined) {
    const labels = request.demo ? { labels: { [DEMO_LABEL]: 'true' } } : {};
    const metadata = { ...key, ...labels, ...mark };
    const alert: Alert = { apiVersion: API_VERSION, kind: 'Alert', metadata, spec: next };
    return deps.client.create<Alert>(ALERTS, alert, options);
  }
  const { uid, resourceVersion } = stored.metadata;
  const patch = { metadata: { uid, resourceVersion, ...mark }, spec: mergePatchOf(stored.spec, next) };
  return deps.client.mergePatch<Alert>(ALERTS, key, patch, options);
}

/** Undefined when reading anew and trying again may help. */
function finalOutcome(error: unknown): StoreOutcome | undefined {
  if (!(error instanceof KubeError)) return undefined;
  if (isAlreadyExists(error) || isConflict(error)) return undefined;
  if (isNamespaceTerminating(error)) return { kind: 'gone', message: error.message };
  if (isInvalid(error) || error.status === 413 || error.status === 400) {
    const cause = error.details?.causes?.[0];
    const message = cause?.message ?? error.message;
    return { kind: 'refused', message, ...(cause?.field === undefined ? {} : { field: cause.field }) };
  }
  // A patch whose object went away in between: the next round creates it. A missing namespace or CRD is said at once.
  if (isNotFound(error)) {
    const about = error.details?.kind;
    if (about === 'namespaces') return { kind: 'gone', message: error.message };
    return undefined;
  }
  if (isAdmissionAway(error)) return unavailable(error);
  if (error.retryAfterMs !== undefined && error.status !== 0) return unavailable(error);
  // Lost answers are looked up by the next round; what our own rights or a quota forbid only a person can mend.
  if (error.transient || error.perhapsStored) return undefined;
  return unavailable(error);
}

function unavailable(error: unknown): StoreOutcome {
  const retryAfterMs = error instanceof KubeError ? error.retryAfterMs : undefined;
  const isAnswered =
    !(error instanceof KubeError) ||
    (error.status >= 400 && error.status < 500 && error.status !== 429) ||
    isAdmissionAway(error);
  return {
    kind: 'unavailable',
    message: messageOf(error),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(isAnswered ? { isAnswered } : {}),
  };
}

function outOfTime(error: unknown): StoreOutcome {
  const last = error === undefined ? '' : `; last: ${messageOf(error)}`;
  return { kind: 'unavailable', message: `the API server did not take it in time${last}` };
}
