/**
 * Opens an alert for each source that has been silent for longer than its heartbeat allows, and resolves it when it is heard of again or
 * nobody asks any more. Silence counts only while the intake was there to hear. Storing and merging are the intake's.
 */
import type { Alert, AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { DEMO_LABEL } from '@funnelai/crds/meta';
import { alertName } from '@funnelai/domain/fingerprint';
import { HEARTBEAT_FINGERPRINT, heardReport, heartbeatFault, silentReport } from '@funnelai/domain/heartbeat';
import { compareInstants, formatMicros, parseDuration, parseInstant } from '@funnelai/domain/instants';
import type { LeaseStore, Sign } from '@funnelai/history/leases';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import type { AlertStore } from '../intake/store.ts';
import { INTAKE_DEADLINE_MS } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { type Known, silenceOf } from './decide.ts';

export type Heartbeat =
  | { kind: 'nothing' }
  /** Nobody has heard of it yet: from now on it counts, or while its alert is open from before that opened, so that no beginning closes it. */
  | { kind: 'begin'; before?: string }
  | { kind: 'open' }
  | { kind: 'close'; why: string };

export interface HeartbeatFacts {
  /** Undefined when it is gone. */
  source: AlertSource | undefined;
  sign: Sign | undefined;
  /** Its alert of silence as it is stored. */
  alert: Pick<AlertSpec, 'state' | 'startsAt' | 'latestStartsAt'> | undefined;
}

/** Returns what the heartbeat of a source asks for. Pure. */
export function heartbeatVerdict({ source, sign, alert }: HeartbeatFacts, known: Known): Heartbeat {
  const isOpen = alert !== undefined && alert.state !== 'Resolved';
  const close = (why: string): Heartbeat => (isOpen ? { kind: 'close', why } : { kind: 'nothing' });
  const begin = (): Heartbeat => ({ kind: 'begin', ...(isOpen && { before: openedAt(alert) }) });
  if (source === undefined || source.metadata.deletionTimestamp !== undefined) return close('the source is gone');
  const everyMs = everyOf(source);
  if (everyMs === undefined) return close('the source has no heartbeat any more');
  // With matchers that cannot be read nobody knows what a sign of life would be.
  if (heartbeatFault(source) !== undefined) return { kind: 'nothing' };
  if (sign === undefined || sign.sourceUid !== source.metadata.uid) return begin();
  const heardMs = parseInstant(sign.lastHeard)?.epochMilliseconds;
  if (heardMs === undefined) return begin();
  if (isOpen && compareInstants(sign.lastHeard, openedAt(alert)) >= 0) return close('the source was heard of again');
  const isSilent = silenceOf(heardMs, everyMs, known).kind === 'ranOut';
  return isSilent && !isOpen ? { kind: 'open' } : { kind: 'nothing' };
}

const openedAt = ({ startsAt, latestStartsAt }: Pick<AlertSpec, 'startsAt' | 'latestStartsAt'>): string =>
  latestStartsAt ?? startsAt;

function everyOf({ spec }: AlertSource): number | undefined {
  try {
    return spec.heartbeat === undefined ? undefined : parseDuration(spec.heartbeat.every);
  } catch {
    return undefined;
  }
}

export interface Heartbeats {
  /** @param mayGoOn asked before each write. */
  pass(known: Known, mayGoOn: () => boolean): Promise<void>;
}
export interface HeartbeatsDeps {
  store: LeaseStore;
  alerts: Cache<Alert>;
  sources: Cache<AlertSource>;
  intake: AlertStore;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
}

export function createHeartbeats(deps: HeartbeatsDeps): Heartbeats {
  const { store, alerts, sources, clock, log, metrics } = deps;

  async function write(namespace: string, source: string, spec: AlertSpec): Promise<boolean> {
    const abort = new AbortController();
    const disarm = clock.after(INTAKE_DEADLINE_MS, () => abort.abort(new Error('the time for this write is over')));
    try {
      const report = { spec, startNamed: true, endNamed: true };
      const fingerprint = HEARTBEAT_FINGERPRINT;
      const demo = sources.get(namespace, source)?.metadata.labels?.[DEMO_LABEL] === 'true';
      const request = { namespace, source, fingerprint, reports: [report] as [typeof report], demo };
      const outcome = await deps.intake.store(request, abort.signal);
      if (outcome.kind === 'created' || outcome.kind === 'updated') return true;
      if ('message' in outcome)
        log.warn(
          { source: `${namespace}/${source}`, why: outcome.message },
          'the silence of a source could not be written',
        );
      return false;
    } finally {
      disarm();
    }
  }

  async function act(namespace: string, name: string, facts: HeartbeatFacts, known: Known): Promise<void> {
    const verdict = heartbeatVerdict(facts, known);
    const now = clock.now();
    const { source, sign } = facts;
    if (verdict.kind === 'begin' && source !== undefined) {
      const sourceUid = source.metadata.uid ?? '';
      const since = parseInstant(verdict.before)?.subtract({ microseconds: 1 }) ?? now;
      await store.putSigns([{ namespace, source: name, sourceUid, lastHeard: formatMicros(since) }]);
    }
    if (verdict.kind === 'open' && source !== undefined) {
      if (await write(namespace, name, silentReport(source, sign?.lastHeard ?? '', now)))
        metrics.expired('sourceSilent');
    }
    if (verdict.kind === 'close') {
      const stored = alertOf(namespace, name)?.spec;
      if (stored === undefined) return;
      const began = openedAt(stored);
      const heard =
        sign !== undefined && compareInstants(sign.lastHeard, began) >= 0 ? sign.lastHeard : formatMicros(now);
      if (await write(namespace, name, heardReport(stored, verdict.why, heard, now))) metrics.expired('sourceHeard');
    }
  }

  function alertOf(namespace: string, source: string): Alert | undefined {
    const found = alerts.get(namespace, alertName(source, HEARTBEAT_FINGERPRINT));
    return found?.spec.fingerprint === HEARTBEAT_FINGERPRINT ? found : undefined;
  }

  return {
    async pass(known, mayGoOn) {
      const signs = new Map((await store.signs()).map((sign) => [`${sign.namespace}/${sign.source}`, sign]));
      const asked = new Map<string, { namespace: string; name: string }>();
      for (const { metadata, spec } of sources.list()) {
        const { namespace = '', name } = metadata;
        if (spec.heartbeat !== undefined) asked.set(`${namespace}/${name}`, { namespace, name });
      }
      const idle = [...signs].filter(([key]) => !asked.has(key)).map(([, sign]) => sign);
      for (const alert of alerts.list()) {
        const { namespace = '' } = alert.metadata;
        const { name } = alert.spec.sourceRef;
        if (alert.spec.fingerprint !== HEARTBEAT_FINGERPRINT || alert.spec.state === 'Resolved') continue;
        asked.set(`${namespace}/${name}`, { namespace, name });
      }
      for (const [key, { namespace, name }] of asked) {
        if (!mayGoOn()) return;
        const alert = alertOf(namespace, name)?.spec;
        await act(namespace, name, { source: sources.get(namespace, name), sign: signs.get(key), alert }, known);
      }
      if (idle.length > 0 && mayGoOn()) await store.forgetSigns(idle);
    },
  };
}
