/**
 * Writes what comes to a source into its status: once a minute at most, by server-side apply under a name of its own, so that it owns
 * these fields alone and the operator the rest. What cannot be written is tried again with the next round.
 */
import type { AlertSource } from '@funnelai/crds/generated/types';
import { ALERT_SOURCES, API_VERSION } from '@funnelai/crds/meta';
import { compareInstants } from '@funnelai/domain/instants';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { isNotFound, messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { createSeldom } from '@funnelai/kube/seldom';
import { mapBounded } from '../intake/gate.ts';
import {
  RECEIVING_EVERY_MS,
  RECEIVING_ROUND_MS,
  RECEIVING_WRITES_AT_ONCE,
  RECEIVING_WRITES_PER_ROUND,
  TRAFFIC_SOURCES,
} from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { Arrival, ArrivalListener } from './arrival.ts';
import { type ReceivingStatus, receivingStatus, type SinceSaid } from './receiving.ts';

export const RECEIVING_MANAGER = 'funnelai-webhook-receiving';

export interface StatusWriter extends ArrivalListener {
  start(): void;
  stop(): Promise<void>;
}

export function createStatusWriter(deps: {
  client: KubeClient;
  sources: Cache<AlertSource>;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
}): StatusWriter {
  const { client, sources, clock, log, metrics } = deps;
  const pending = new Map<string, SinceSaid>();
  /** When this replica wrote last, by uid. */
  const writtenMs = new Map<string, number>();
  const seldom = createSeldom(clock);
  let cancel = () => {};
  let writing: Promise<void> = Promise.resolve();
  let stopped = false;

  function saw({ source, isDryRun, refusal, stored, overRate = 0 }: Arrival): void {
    const uid = source?.metadata.uid;
    if (uid === undefined || isDryRun) return;
    if (!pending.has(uid) && pending.size >= TRAFFIC_SOURCES) {
      metrics.limitReached('TRAFFIC_SOURCES');
      return;
    }
    const since = pending.get(uid) ?? {};
    pending.set(uid, since);
    if (refusal === undefined || stored > 0) since.takenAt = clock.now();
    if (overRate > 0) since.overRateAt = clock.now();
    if (refusal !== undefined) since.lastRefusal = refusal;
  }

  async function round(): Promise<void> {
    const now = clock.now();
    const due: { source: AlertSource; status: ReceivingStatus; since: SinceSaid | undefined }[] = [];
    const seen = new Set<string>();
    for (const source of sources.list()) {
      const { uid = '' } = source.metadata;
      seen.add(uid);
      if (clock.monotonicMs() - (writtenMs.get(uid) ?? Number.NEGATIVE_INFINITY) < RECEIVING_EVERY_MS) continue;
      const since = pending.get(uid);
      const status = receivingStatus(source, since, now);
      if (status !== undefined && due.length < RECEIVING_WRITES_PER_ROUND) {
        // What comes while it is written is for the next round.
        pending.delete(uid);
        due.push({ source, status, since });
      } else if (status !== undefined) metrics.limitReached('RECEIVING_WRITES_PER_ROUND');
      else settle(source, since);
    }
    for (const held of [pending, writtenMs]) for (const uid of held.keys()) if (!seen.has(uid)) held.delete(uid);
    await mapBounded(due, RECEIVING_WRITES_AT_ONCE, (one) => write(one));
  }

  /** The status says it already, or it is not time yet: times that it does not say are kept until they are written. */
  function settle({ metadata: { uid = '' }, status }: AlertSource, since: SinceSaid | undefined): void {
    const isSaid = (at: SinceSaid['takenAt'], said: string | undefined) => compareInstants(at?.toString(), said) <= 0;
    const { takenAt, overRateAt } = since ?? {};
    const kept: SinceSaid = {
      ...(takenAt === undefined || isSaid(takenAt, status?.lastReceivedAt) ? {} : { takenAt }),
      ...(overRateAt === undefined || isSaid(overRateAt, status?.lastOverRateAt) ? {} : { overRateAt }),
    };
    if (kept.takenAt === undefined && kept.overRateAt === undefined) pending.delete(uid);
    else pending.set(uid, kept);
  }

  async function write(one: {
    source: AlertSource;
    status: ReceivingStatus;
    since: SinceSaid | undefined;
  }): Promise<void> {
    const { namespace = '', name, uid = '' } = one.source.metadata;
    const body = {
      apiVersion: API_VERSION,
      kind: 'AlertSource',
      metadata: { namespace, name, uid },
      status: one.status,
    };
    try {
      const written = await client.apply<AlertSource>(ALERT_SOURCES, body as unknown as AlertSource, {
        fieldManager: RECEIVING_MANAGER,
        force: true,
        subresource: 'status',
      });
      sources.observe(written);
      writtenMs.set(uid, clock.monotonicMs());
    } catch (error) {
      if (isNotFound(error)) return;
      // Newer word goes before what could not be written.
      if (one.since !== undefined) pending.set(uid, { ...one.since, ...pending.get(uid) });
      const told = seldom.say(messageOf(error));
      if (told === undefined) return;
      log.warn(
        { source: `${namespace}/${name}`, why: messageOf(error), ...told },
        'what a source receives is not in its status',
      );
    }
  }

  function arm(): void {
    cancel = clock.after(RECEIVING_ROUND_MS, () => {
      writing = round().then(() => {
        if (!stopped) arm();
      });
    });
  }

  return {
    saw,
    start: arm,
    async stop() {
      stopped = true;
      cancel();
      await writing;
    },
  };
}
