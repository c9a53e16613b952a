/**
 * Asks the API server itself for a source that the cache does not have: its watch may be behind, or silent without anyone's knowing, and a
 * sender that is told 404 does not come again with the same alerts.
 */
import type { AlertSource } from '@funnelai/crds/generated/types';
import { ALERT_SOURCES } from '@funnelai/crds/meta';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { isForbidden, isNotFound } from '@funnelai/kube/errors';
import { createBoundedCache } from '../auth/bounded-cache.ts';
import {
  SOURCE_LOOKUP_MS,
  SOURCE_LOOKUPS_PER_SECOND,
  SOURCE_MISSING_BELIEVED_MS,
  SOURCES_MISSING_REMEMBERED,
} from '../limits.ts';

export interface SourceLookup {
  /** Undefined when there is none, or none that may be served from here. Rejects when nobody can say. */
  find(namespace: string, name: string): Promise<AlertSource | undefined>;
}

export interface SourceLookupDeps {
  client: Pick<KubeClient, 'get'>;
  sources: Pick<Cache<AlertSource>, 'get' | 'observe'>;
  clock: Clock;
  metrics: { limitReached(limit: string): void };
}

const SECOND_MS = 1_000;

export function createSourceLookup({ client, sources, clock, metrics }: SourceLookupDeps): SourceLookup {
  const known = createBoundedCache<AlertSource | undefined>(
    clock,
    SOURCE_MISSING_BELIEVED_MS,
    SOURCES_MISSING_REMEMBERED,
  );
  let second = { beganMs: Number.NEGATIVE_INFINITY, asked: 0 };

  async function ask(namespace: string, name: string): Promise<AlertSource | undefined> {
    const nowMs = clock.monotonicMs();
    if (nowMs - second.beganMs >= SECOND_MS) second = { beganMs: nowMs, asked: 0 };
    second.asked += 1;
    // Whoever tries names must not have the API server try them.
    if (second.asked > SOURCE_LOOKUPS_PER_SECOND) {
      metrics.limitReached('SOURCE_LOOKUPS_PER_SECOND');
      throw new Error('too many sources that nobody knows are asked for');
    }
    try {
      const found = await client.get<AlertSource>(ALERT_SOURCES, { namespace, name }, { timeoutMs: SOURCE_LOOKUP_MS });
      sources.observe(found);
      return found;
    } catch (error) {
      // What may not be read is of a namespace that is served by another, or by none.
      if (isNotFound(error) || isForbidden(error)) return undefined;
      throw error;
    }
  }

  return {
    async find(namespace, name) {
      const found = await known.get(JSON.stringify([namespace, name]), () => ask(namespace, name));
      return sources.get(namespace, name) ?? found;
    },
  };
}
