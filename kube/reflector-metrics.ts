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
  // There from the start, so that a rate over them begins at nothing.
  missed.inc({ kind }, 0);
  failing.set({ kind }, 0);
  const state = stateOf(metrics, kind, plural);
  const seen = (count: number, resourceVersion: string) => {
    state.objects = count;
    state.resourceVersion = resourceVersion;
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

interface State {
  plural: string;
  objects: number;
  resourceVersion: string;
}
const states = new WeakMap<Metrics, Map<string, State>>();

/** What is told with every event is only kept, and put into gauges when someone asks: setting one costs as much as taking an event in. */
function stateOf(metrics: Metrics, kind: string, plural: string): State {
  let all = states.get(metrics);
  if (all === undefined) {
    const made = new Map<string, State>();
    all = made;
    states.set(metrics, all);
    gauge(metrics, {
      name: 'funnelai_cache_objects',
      help: 'Objects held.',
      labelNames: ['kind'],
      collect() {
        for (const [of, { objects }] of made) this.set({ kind: of }, objects);
      },
    });
    gauge(metrics, {
      name: 'reflector_last_resource_version',
      help: 'All changes up to this one are in.',
      labelNames: ['name'],
      collect() {
        for (const one of made.values()) this.set({ name: one.plural }, Number(one.resourceVersion));
      },
    });
  }
  const state = { plural, objects: 0, resourceVersion: '' };
  all.set(kind, state);
  return state;
}
