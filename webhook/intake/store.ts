/**
 * Stores one alert: what is stored and what came are merged (domain) and written under a resourceVersion.
 * Promises that `stored` and `unchanged` mean "it is in etcd"; everything it cannot promise comes back as another outcome.
 */
import type { Alert, AlertSpec } from '@funnelai/crds/generated/types';
import { ALERTS, API_VERSION, DEMO_LABEL } from '@funnelai/crds/meta';
import { alertName } from '@funnelai/domain/fingerprint';
import { mergeAlert, sameAlert } from '@funnelai/domain/merge';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import {
  isAlreadyExists,
  isConflict,
  isInvalid,
  isNamespaceTerminating,
  isNotFound,
  KubeError,
  messageOf,
} from '@funnelai/kube/errors';
import { STORE_ATTEMPTS } from '../limits.ts';
import type { KeyedLock } from './keyed-lock.ts';
import { mergePatchOf } from './merge-patch.ts';
import { anchored, type Report } from './report.ts';

/** All reports of one fingerprint in one body, in the order in which they stood. */
export interface StoreRequest {
  namespace: string;
  source: string;
  fingerprint: string;
  reports: readonly [Report, ...Report[]];
  demo: boolean;
}
export type StoreOutcome =
  | { kind: 'created' | 'updated' | 'unchanged'; name: string }
  /** The API server will not have it, however often it is sent. */
  | { kind: 'refused'; message: string; field?: string }
  /** The namespace is going away, and its alerts with it. */
  | { kind: 'gone'; message: string }
  /** Not stored, or nobody can say; the sender has to send it again. */
  | { kind: 'unavailable'; message: string; retryAfterMs?: number };

export interface AlertStore {
  store(request: StoreRequest, signal: AbortSignal): Promise<StoreOutcome>;
}
export interface AlertStoreDeps {
  client: KubeClient;
  alerts: Cache<Alert>;
  clock: Clock;
  lock: KeyedLock;
}

const FIELD_MANAGER = 'funnelai-webhook';
/** Hex digits of the fingerprint in a name; the next is tried when the name is held by another fingerprint. */
export const NAME_DIGITS = [16, 24, 40, 64];
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
      if (stored !== undefined && stored.spec.fingerprint !== request.fingerprint) return 'nameTaken';
      if (stored?.metadata.deletionTimestamp !== undefined) {
        lastError = new Error(`alert ${name} is being deleted`);
        continue;
      }
      const next = mergeReports(stored?.spec, request.reports);
      if (stored !== undefined && sameAlert(stored.spec, next)) return { kind: 'unchanged', name };
      const written = await write(deps, request, key, stored, next, signal);
      deps.alerts.observe(written);
      return { kind: stored === undefined ? 'created' : 'updated', name };
    } catch (error) {
      lastError = error;
      const final = finalOutcome(error);
      if (final !== undefined) return final;
      if (signal.aborted) return outOfTime(error);
    }
  }
  return unavailable(lastError);
}

/** What is stored once all of them are: their merge, in whatever order they came. */
export function mergeReports(stored: AlertSpec | undefined, reports: StoreRequest['reports']): AlertSpec {
  const [first, ...rest] = reports;
  let merged = mergeAlert(stored, anchored(first, stored));
  for (const report of rest) merged = mergeAlert(merged, anchored(report, merged));
  return merged;
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
  if (stored === undefined) {
    const labels = request.demo ? { labels: { [DEMO_LABEL]: 'true' } } : {};
    const alert: Alert = { apiVersion: API_VERSION, kind: 'Alert', metadata: { ...key, ...labels }, spec: next };
    return deps.client.create<Alert>(ALERTS, alert, options);
  }
  const { uid, resourceVersion } = stored.metadata;
  const patch = { metadata: { uid, resourceVersion }, spec: mergePatchOf(stored.spec, next) };
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
  if (error.retryAfterMs !== undefined && error.status !== 0) return unavailable(error);
  // Lost answers are looked up by the next round; what our own rights or a quota forbid only a person can mend.
  if (error.transient || error.perhapsStored) return undefined;
  return unavailable(error);
}

function unavailable(error: unknown): StoreOutcome {
  const retryAfterMs = error instanceof KubeError ? error.retryAfterMs : undefined;
  return { kind: 'unavailable', message: messageOf(error), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function outOfTime(error: unknown): StoreOutcome {
  const last = error === undefined ? '' : `; last: ${messageOf(error)}`;
  return { kind: 'unavailable', message: `the API server did not take it in time${last}` };
}
