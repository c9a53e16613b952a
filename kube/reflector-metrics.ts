/** What a reflector shows of itself: as client-go's do where they have a name for it. */
import type { Resource } from '@funnelai/crds/meta';
import { counter, gauge, type Metrics } from './metrics.ts';

export interface ReflectorMetrics {
  /** A complete list is in. */
  listed(objects: number, resourceVersion: string): void;
  /** A watch was accepted. */
  watching(): void;
  /** An event or a bookmark is in. */
  seen(objects: number, resourceVersion: string): void;
  missed(count: number): void;
  failed(reason: string): void;
  failing(yes: boolean): void;
}

export function reflectorInstruments(metrics: Metrics, { plural, kind }: Resource): ReflectorMetrics {
  const lists = counter(metrics, {
    name: 'reflector_lists_total',
    help: 'Complete lists taken.',
    labelNames: ['name'],
  });
  const watches = counter(metrics, {
    name: 'reflector_watches_total',
    help: 'Watches that the API server accepted.',
    labelNames: ['name'],
  });
  const version = gauge(metrics, {
    name: 'reflector_last_resource_version',
    help: 'All changes up to this one are in.',
    labelNames: ['name'],
  });
  const failures = counter(metrics, {
    name: 'watch_operations_failed_total',
    help: 'Lists and watches that failed.',
    labelNames: ['kind', 'reason'],
  });
  const failing = gauge(metrics, {
    name: 'funnelai_reflector_failing',
    help: '1 while attempts to list or watch fail: what is held may be old.',
    labelNames: ['kind'],
  });
  const missed = counter(metrics, {
    name: 'funnelai_reflector_missed_events_total',
    help: 'Differences found by a list that the watch should have brought before. Anything above 0 is a fault.',
    labelNames: ['kind'],
  });
  const objects = gauge(metrics, { name: 'funnelai_cache_objects', help: 'Objects held.', labelNames: ['kind'] });
  // There from the start, so that a rate over them begins at nothing.
  missed.inc({ kind }, 0);
  failing.set({ kind }, 0);
  const seen = (count: number, resourceVersion: string) => {
    objects.set({ kind }, count);
    version.set({ name: plural }, Number(resourceVersion));
  };
  return {
    listed(count, resourceVersion) {
      lists.inc({ name: plural });
      seen(count, resourceVersion);
    },
    watching: () => watches.inc({ name: plural }),
    seen,
    missed: (count) => missed.inc({ kind }, count),
    failed: (reason) => failures.inc({ kind, reason }),
    failing: (yes) => failing.set({ kind }, yes ? 1 : 0),
  };
}
