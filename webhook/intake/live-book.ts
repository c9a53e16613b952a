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
  /**
   * One is about to be made: it counts, and fires, until the returned function is called, which is to be when it is in the cache or given
   * up. Of the overflow Alert of a kind there is one, however many are about to make it.
   */
  reserve(source: string, kind: string, what: 'alert' | 'overflow'): () => void;
  /** The kind of an alert, by the rules of its namespace as they are now. */
  kindOf(namespace: string, spec: Pick<AlertSpec, 'labels' | 'severity'>): string;
  rulesOf(namespace: string): readonly CompiledRule[];
  /** Does an alert of the kind fire, or an overflow Alert that stands for it? */
  fires(source: string, kind: string): boolean;
  /** Is the overflow Alert of the kind there, or being made? */
  hasOverflow(source: string, kind: string): boolean;
  /** How many overflow Alerts the source has. */
  overflowsOf(source: string): number;
  /** All overflow Alerts in the cluster. */
  overflows(): Alert[];
  stop(): void;
}

interface Source {
  objects: number;
  /** Being made, by kind. */
  alerts: Map<string, number>;
  making: Map<string, number>;
  /** Firing Alerts by kind. */
  firing: Map<string, number>;
  /** Kinds of its overflow Alerts. */
  overflows: Set<string>;
}
interface Tracked {
  source: string;
  kind: string;
  isFiring: boolean;
}

const sourceOf = ({ metadata, spec }: Alert): string => `${metadata.namespace ?? ''}/${spec.sourceRef.name}`;

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
    const { uid = '' } = alert.metadata;
    const one = { source: sourceOf(alert), kind: kindOfAlert(alert), isFiring: alert.spec.state === 'Firing' };
    const source = sourceFor(one.source);
    tracked.set(uid, one);
    source.objects += 1;
    if (one.isFiring) count(source.firing, one.kind, 1);
    if (alert.spec.folded === undefined) return;
    source.overflows.add(one.kind);
    overflows.add(uid);
  }

  function remove(uid: string): void {
    const one = tracked.get(uid);
    const source = one && sources.get(one.source);
    if (one === undefined || source === undefined) return;
    tracked.delete(uid);
    source.objects -= 1;
    if (one.isFiring) count(source.firing, one.kind, -1);
    if (overflows.delete(uid)) source.overflows.delete(one.kind);
    forgetEmpty(one.source, source);
  }

  function update(alert: Alert): void {
    const one = tracked.get(alert.metadata.uid ?? '');
    const source = one && sources.get(one.source);
    const isFiring = alert.spec.state === 'Firing';
    if (one === undefined || source === undefined) add(alert);
    else if (one.isFiring !== isFiring) {
      count(source.firing, one.kind, isFiring ? 1 : -1);
      one.isFiring = isFiring;
    }
  }

  function sourceFor(key: string): Source {
    const none = { alerts: new Map(), making: new Map(), firing: new Map(), overflows: new Set<string>() };
    const source = sources.get(key) ?? { objects: 0, ...none };
    sources.set(key, source);
    return source;
  }

  function forgetEmpty(key: string, source: Source): void {
    if (source.objects === 0 && source.alerts.size === 0 && source.making.size === 0) sources.delete(key);
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
      return one === undefined ? 0 : one.objects + pendingOf(one);
    },
    firingOf(source) {
      const one = sources.get(source);
      return one === undefined ? 0 : sum(one.firing) + pendingOf(one);
    },
    reserve(key, kind, what) {
      const source = sourceFor(key);
      const pending = what === 'alert' ? source.alerts : source.making;
      count(pending, kind, 1);
      return () => {
        count(pending, kind, -1);
        forgetEmpty(key, source);
      };
    },
    kindOf: (namespace, spec) => kindOf(spec, rules.of(namespace).rules),
    rulesOf: (namespace) => rules.of(namespace).rules,
    fires(source, kind) {
      const one = settled(source);
      return one !== undefined && (one.firing.has(kind) || one.alerts.has(kind) || one.making.has(kind));
    },
    hasOverflow(source, kind) {
      const one = settled(source);
      return one !== undefined && (one.overflows.has(kind) || one.making.has(kind));
    },
    overflowsOf: (source) => settled(source)?.overflows.size ?? 0,
    overflows: () => [...overflows].flatMap((uid) => deps.alerts.byUid(uid) ?? []),
    stop() {
      for (const one of leave) one();
      rules.stop();
    },
  };
}

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((all, n) => all + n, 0);

/** Alerts that will be there in a moment, and are not yet. */
const pendingOf = ({ alerts, making, overflows }: Source): number =>
  sum(alerts) + [...making.keys()].reduce((all, kind) => all + Number(!overflows.has(kind)), 0);

function count(counts: Map<string, number>, kind: string, by: 1 | -1): void {
  const next = (counts.get(kind) ?? 0) + by;
  if (next > 0) counts.set(kind, next);
  else counts.delete(kind);
}
