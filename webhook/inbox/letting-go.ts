/**
 * Takes the mark off Alerts that stay because an older report of them waited in an inbox that took no newer one: once a look into it that
 * began after the mark was seen finds nothing of them. The one replica that drains does it.
 */
import type { Alert } from '@funnelai/crds/generated/types';
import { ALERTS, AWAITS_INBOX_ANNOTATION } from '@funnelai/crds/meta';
import type { DrainLock } from '@funnelai/history/drain-lock';
import type { InboxStore } from '@funnelai/history/inbox';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { keyOf } from '@funnelai/kube/paths';
import { FIELD_MANAGER } from '../intake/store.ts';
import { ETCD_PATIENCE_MS, INBOX_FAULTS_READ, LETTING_GO_AT_ONCE, LETTING_GO_MS } from '../limits.ts';
import type { ApiServer } from './api-server.ts';
import { createLooking, type Looking } from './looking.ts';

export interface LettingGoDeps {
  alerts: Pick<Cache<Alert>, 'subscribe'>;
  inbox: Pick<InboxStore, 'waiting'>;
  lock: Pick<DrainLock, 'held'>;
  client: Pick<KubeClient, 'mergePatch'>;
  api: Pick<ApiServer, 'isAway'>;
  clock: Pick<Clock, 'after'>;
  log: Log;
}

export function createLettingGo({ alerts, inbox, lock, client, api, clock, log }: LettingGoDeps): Looking {
  const marked = new Map<string, Alert>();
  alerts.subscribe(
    ({ type, object }) => {
      const isMarked = type !== 'deleted' && object.metadata.annotations?.[AWAITS_INBOX_ANNOTATION] !== undefined;
      if (isMarked) marked.set(keyOf(object), object);
      else marked.delete(keyOf(object));
    },
    { replay: true },
  );

  async function look(): Promise<void> {
    if (marked.size === 0 || !lock.held()) return;
    // As they were before the look: one that has been marked again since is another version.
    const before = [...marked.values()].filter(({ metadata }) => !api.isAway(metadata.namespace));
    if (before.length === 0) return;
    try {
      const found = await inbox.waiting(INBOX_FAULTS_READ);
      if (found === undefined) return;
      const waiting = new Set(found);
      const free = before.filter(({ spec }) => !waiting.has(spec.fingerprint)).slice(0, LETTING_GO_AT_ONCE);
      for (const alert of free) await unmark(alert);
    } catch (error) {
      log.debug({ why: messageOf(error) }, 'alerts that await the inbox are looked at again');
    }
  }

  async function unmark({ metadata }: Alert): Promise<void> {
    const { namespace = '', name, uid, resourceVersion } = metadata;
    const patch = { metadata: { uid, resourceVersion, annotations: { [AWAITS_INBOX_ANNOTATION]: null } } };
    const options = { fieldManager: FIELD_MANAGER, timeoutMs: ETCD_PATIENCE_MS };
    try {
      await client.mergePatch<Alert>(ALERTS, { namespace, name }, patch, options);
    } catch (error) {
      log.debug({ name, why: messageOf(error) }, 'an alert that awaits the inbox is looked at again');
    }
  }
  return createLooking(clock, LETTING_GO_MS, look);
}
