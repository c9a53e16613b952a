/**
 * Keeps count of the Alerts in the cluster by source and by kind (domain/folding), so that what is new, and whether there is room, is
 * known without a search. As right as the cache of this replica: what others have just made is not in it yet.
 */
import type { Alert, AlertSpec, CorrelationRule } from '@funnelai/crds/generated/types';
import { kindOf } from '@funnelai/domain/folding';
import { createRuleBook, type RuleBook } from '@funnelai/domain/rule-book';
import type { CompiledRule } from '@funnelai/domain/rules';
import type { Cache } from '@funnelai/kube/cache';

export interface LiveBook {
  /** Alerts of the source ("namespace/name") in the cluster, whatever their state, and those that are being made. */
  objectsOf(source: string): number;
  /** Those that fire, and those that are being made. */
  firingOf(source: string): number;
  /** One is about to be made: it counts until the returned function is called, which is to be when it is in the cache or given up. */
  reserve(source: string): () => void;
  /** The kind of an alert, by the rules of its namespace as they are now. */
  kindOf(namespace: string, spec: AlertSpec): string;
  rulesOf(namespace: string): readonly CompiledRule[];
  /** Does an alert of the kind fire, or an overflow Alert that stands for it? */
  fires(source: string, kind: string): boolean;
  /** Overflow Alerts of the source by kind: their names. */
  overflowsOf(source: string): ReadonlyMap<string, string>;
  /** All overflow Alerts in the cluster. */
  overflows(): Alert[];
  stop(): void;
}

interface Source {
  objects: number;
  pending: number;
  /** Firing Alerts by kind. */
  firing: Map<string, number>;
  overflows: Map<string, string>;
}
interface Tracked {
  source: string;
  kind: string;
  isFiring: boolean;
}

const sourceOf = ({ metadata, spec }: Alert): string => `${metadata.namespace ?? ''}/${spec.sourceRef.name}`;
const NONE: ReadonlyMap<string, string> = new Map();

export function createLiveBook(deps: {
  alerts: Pick<Cache<Alert>, 'list' | 'subscribe' | 'byUid'>;
  rules: Pick<Cache<CorrelationRule>, 'list' | 'subscribe'>;
}): LiveBook {
  const rules: RuleBook = createRuleBook(deps.rules);
  const sources = new Map<string, Source>();
  const tracked = new Map<string, Tracked>();
  /** uids of overflow Alerts. */
  const overflows = new Set<string>();
  /** Namespaces whose rules have changed since their alerts were put in order. */
  const changed = new Set<string>();

  const kindOfAlert = ({ metadata, spec }: Alert): string =>
    spec.folded === undefined ? kindOf(spec, rules.of(metadata.namespace ?? '').rules) : spec.fingerprint;

  function add(alert: Alert): void {
    const { uid = '', name } = alert.metadata;
    const one = { source: sourceOf(alert), kind: kindOfAlert(alert), isFiring: alert.spec.state === 'Firing' };
    const source = sourceFor(one.source);
    tracked.set(uid, one);
    source.objects += 1;
    if (one.isFiring) count(source, one.kind, 1);
    if (alert.spec.folded === undefined) return;
    source.overflows.set(one.kind, name);
    overflows.add(uid);
  }

  function remove(uid: string): void {
    const one = tracked.get(uid);
    const source = one && sources.get(one.source);
    if (one === undefined || source === undefined) return;
    tracked.delete(uid);
    source.objects -= 1;
    if (one.isFiring) count(source, one.kind, -1);
    if (overflows.delete(uid)) source.overflows.delete(one.kind);
    forgetEmpty(one.source, source);
  }

  function update(alert: Alert): void {
    const one = tracked.get(alert.metadata.uid ?? '');
    const source = one && sources.get(one.source);
    const isFiring = alert.spec.state === 'Firing';
    if (one === undefined || source === undefined) add(alert);
    else if (one.isFiring !== isFiring) {
      count(source, one.kind, isFiring ? 1 : -1);
      one.isFiring = isFiring;
    }
  }

  function sourceFor(key: string): Source {
    const source = sources.get(key) ?? { objects: 0, pending: 0, firing: new Map(), overflows: new Map() };
    sources.set(key, source);
    return source;
  }

  function forgetEmpty(key: string, source: Source): void {
    if (source.objects === 0 && source.pending === 0) sources.delete(key);
  }

  /** With other rules an alert may be of another kind. */
  function settle(namespace: string): void {
    if (!changed.delete(namespace)) return;
    for (const alert of [...deps.alerts.list()]) {
      if (alert.metadata.namespace !== namespace) continue;
      remove(alert.metadata.uid ?? '');
      add(alert);
    }
  }
  const settled = (source: string): Source | undefined => {
    settle(source.slice(0, source.indexOf('/')));
    return sources.get(source);
  };

  const leave = [
    deps.alerts.subscribe(
      ({ type, object }) => {
        if (type === 'deleted') remove(object.metadata.uid ?? '');
        else update(object);
      },
      { replay: true },
    ),
    deps.rules.subscribe(({ object }) => changed.add(object.metadata.namespace ?? '')),
  ];

  return {
    objectsOf(source) {
      const one = sources.get(source);
      return one === undefined ? 0 : one.objects + one.pending;
    },
    firingOf(source) {
      const one = sources.get(source);
      return one === undefined ? 0 : one.pending + [...one.firing.values()].reduce((sum, n) => sum + n, 0);
    },
    reserve(key) {
      const source = sourceFor(key);
      source.pending += 1;
      return () => {
        source.pending -= 1;
        forgetEmpty(key, source);
      };
    },
    kindOf: (namespace, spec) => kindOf(spec, rules.of(namespace).rules),
    rulesOf: (namespace) => rules.of(namespace).rules,
    fires: (source, kind) => settled(source)?.firing.has(kind) ?? false,
    overflowsOf: (source) => settled(source)?.overflows ?? NONE,
    overflows: () => [...overflows].flatMap((uid) => deps.alerts.byUid(uid) ?? []),
    stop() {
      for (const one of leave) one();
      rules.stop();
    },
  };
}

function count({ firing }: Source, kind: string, by: 1 | -1): void {
  const next = (firing.get(kind) ?? 0) + by;
  if (next > 0) firing.set(kind, next);
  else firing.delete(kind);
}
