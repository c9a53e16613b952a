/** What the API's routes stand on, as one typed object. */
import type { Alert, AlertSource, CorrelationRule, Incident } from '@funnelai/crds/generated/types';
import type { KubeObject } from '@funnelai/crds/meta';
import type { Welcome } from '@funnelai/domain/wire';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import type { AccessChecks } from '../auth/access.ts';
import type { Identities } from '../auth/identity.ts';
import type { RateBound } from '../auth/rate.ts';
import type { SignInLinks } from '../auth/sign-in-link.ts';
import type { InboxBySource } from '../inbox/by-source.ts';
import type { Spare } from '../inbox/spare.ts';
import type { Foresight } from '../intake/foresight.ts';
import type { Ingest } from '../intake/ingest.ts';
import type { Routing } from '../intake/routing.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { Receivers } from '../receivers/registry.ts';
import { HttpProblem, retryAfter } from '../server/problems.ts';
import type { TrafficRecorder } from '../traffic/recorder.ts';
import type { HistoryReader } from './history-reader.ts';

export interface ApiContext {
  incidents: Cache<Incident>;
  alerts: Cache<Alert>;
  sources: Cache<AlertSource>;
  rules: Cache<CorrelationRule>;
  namespaces: Pick<Cache<KubeObject>, 'list'>;
  identities: Identities;
  access: AccessChecks;
  links: SignInLinks;
  signInRate: RateBound;
  history: HistoryReader;
  traffic: TrafficRecorder;
  /** What of each source waits in the inbox, or was set aside. */
  inbox: InboxBySource;
  receivers: Receivers;
  ingest: Ingest;
  routing: Routing;
  foresight: Foresight;
  welcome(): Promise<Welcome | undefined>;
  /** Whether alerts go by the inbox now. */
  spare: Spare;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
}

/** Indexes of the caches: who reads them, and who builds them, mean the same. */
export const BY_NAMESPACE = 'namespace';
export const BY_INCIDENT = 'incident';

/** Value of an alert under BY_INCIDENT. */
export function incidentKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** Objects of one namespace, or all. Throws HttpProblem Unavailable while the first list is not in. */
export function objectsIn<T extends KubeObject>(cache: Cache<T>, namespace: string | undefined): T[] {
  if (!cache.synced) {
    throw new HttpProblem(
      'Unavailable',
      'funnelAI has just started and has not read everything yet. Try again in a moment.',
      {
        headers: retryAfter(1_000),
      },
    );
  }
  return namespace === undefined ? [...cache.list()] : cache.byIndex(BY_NAMESPACE, namespace);
}
