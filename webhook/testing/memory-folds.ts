/** Folded alerts in memory, as Postgres keeps them, and ways for it to be away: for stories about what is counted. */
import type { AlertSpec } from '@funnelai/crds/generated/types';
import { compareInstants } from '@funnelai/domain/instants';
import { SEVERITIES } from '@funnelai/domain/severity';
import { HistoryUnavailable } from '@funnelai/history/errors';
import type { FoldedAlert, FoldKey, FoldStore } from '@funnelai/history/folded';
import { FOLDED_PER_READ, type FoldedLease, type FoldedLeaseStore } from '@funnelai/history/folded-leases';

interface Kept extends FoldedAlert {
  version: number;
}

export class MemoryFolds {
  readonly rows = new Map<string, Kept>();
  /** As in `alert_leases`, by the same keys as `rows`. */
  readonly heard = new Map<string, { lastSeen: string; leaseUntil?: string }>();
  isAway = false;
  /** It is asked, and does not answer. */
  isMute = false;
  /** Questions that were asked, by name. */
  readonly calls: string[] = [];

  static keyOf({ namespace, source, fingerprint }: FoldKey): string {
    return `${namespace}/${source}/${fingerprint}`;
  }

  counted(): Kept[] {
    return [...this.rows.values()].filter(isCounted);
  }

  /** Those that fire. */
  firing(): AlertSpec[] {
    return this.counted().flatMap(({ spec }) => (spec.state === 'Firing' ? [spec] : []));
  }

  async #ask<T>(call: string, work: () => T): Promise<T> {
    this.calls.push(call);
    if (this.isMute) await new Promise(() => {});
    if (this.isAway) throw new HistoryUnavailable('away');
    return work();
  }

  #leave(key: FoldKey, at: string, version?: string): boolean {
    const row = this.rows.get(MemoryFolds.keyOf(key));
    if (row === undefined || !isCounted(row) || (version !== undefined && String(row.version) !== version))
      return false;
    this.rows.set(MemoryFolds.keyOf(key), { ...row, leftAt: at, version: row.version + 1 });
    return true;
  }

  get store(): FoldStore {
    const none = async (): Promise<never> => {
      throw new Error('no story has asked for this yet');
    };
    return {
      put: (folds, at) => this.#ask('put', () => folds.map((fold) => this.#put(fold, at))),
      find: (keys) =>
        this.#ask('find', () => keys.flatMap((key) => this.rows.get(MemoryFolds.keyOf(key)) ?? []).filter(isCounted)),
      places: (fingerprints) =>
        this.#ask('places', () =>
          this.counted().flatMap(({ namespace, source, fingerprint, spec }) =>
            fingerprints.includes(fingerprint) ? [{ namespace, source, fingerprint, state: spec.state }] : [],
          ),
        ),
      leave: (keys, at) => this.#ask('leave', () => keys.filter((key) => this.#leave(key, at))),
      abandon: ({ namespace, overflow }, at) =>
        this.#ask('abandon', () => {
          for (const row of this.counted())
            if (row.namespace === namespace && row.overflow === overflow) this.#leave(row, at);
        }),
      counts: (overflows) =>
        this.#ask('counts', () =>
          overflows.map((one) => ({ ...one, ...this.#count(one.namespace, one.overflow, one.since) })),
        ),
      firing: (namespace) =>
        this.#ask('firing', () =>
          this.counted().filter(
            (row) => row.spec.state === 'Firing' && (namespace === undefined || row.namespace === namespace),
          ),
        ),
      list: none,
      byName: none,
    };
  }

  #put(fold: Parameters<FoldStore['put']>[0][number], at: string) {
    const key = MemoryFolds.keyOf(fold);
    const row = this.rows.get(key);
    const counted = row !== undefined && isCounted(row) ? row : undefined;
    const spec = fold.merge(row?.spec);
    const before = counted?.spec.state;
    const goesOn = before === 'Firing' || (before === 'Expired' && fold.isThere(counted?.overflow ?? ''));
    const overflow = goesOn && counted !== undefined ? counted.overflow : fold.overflow;
    if (counted !== undefined && fold.isSame(counted.spec, spec))
      return { outcome: 'unchanged' as const, spec, before, overflow: counted.overflow };
    const { namespace, source, fingerprint, name } = fold;
    const version = (row?.version ?? 0) + 1;
    this.rows.set(key, { namespace, source, fingerprint, name, overflow, spec, foldedAt: at, version });
    return { outcome: counted === undefined ? ('created' as const) : ('updated' as const), spec, before, overflow };
  }

  #count(namespace: string, overflow: string, since: string) {
    const isOfEpisode = ({ state, expired, receivedAt }: AlertSpec) =>
      state === 'Firing' || compareInstants(state === 'Expired' ? expired?.at : receivedAt, since) >= 0;
    const mine = this.counted().flatMap((row) =>
      row.namespace === namespace && row.overflow === overflow && isOfEpisode(row.spec) ? [row.spec] : [],
    );
    const [firing, expired] = (['Firing', 'Expired'] as const).map((state) =>
      mine.filter((spec) => spec.state === state),
    );
    return {
      count: mine.length,
      firing: firing?.length ?? 0,
      expired: expired?.length ?? 0,
      reason: expired?.toSorted((a, b) => compareInstants(b.expired?.at, a.expired?.at))[0]?.expired?.reason,
      lastSeen: expired
        ?.map(({ receivedAt }) => receivedAt)
        .sort()
        .at(-1),
      severity: SEVERITIES.find((severity) => firing?.some((spec) => spec.severity === severity)),
    };
  }

  get leases(): FoldedLeaseStore {
    const leaseOf = (row: Kept): FoldedLease => {
      const { namespace, source, fingerprint, overflow, version, spec } = row;
      const heard = this.heard.get(MemoryFolds.keyOf(row));
      return {
        ...{ namespace, source, fingerprint, overflow, version: String(version), receivedAt: spec.receivedAt },
        ...(spec.dedupHash !== undefined && { dedupHash: spec.dedupHash }),
        ...(spec.leaseUntil !== undefined && { leaseUntil: spec.leaseUntil }),
        ...(spec.expired !== undefined && { expiredAt: spec.expired.at }),
        ...(heard !== undefined && compareInstants(heard.lastSeen, spec.receivedAt) > 0 && { heard }),
      };
    };
    const isIn = (namespace?: string) => (row: Kept) => namespace === undefined || row.namespace === namespace;
    return {
      firing: (after, namespace) =>
        this.#ask('leases', () =>
          this.counted()
            .filter((row) => row.spec.state === 'Firing' && isIn(namespace)(row))
            .sort((a, b) => compareKeys(a, b))
            .filter((row) => after === undefined || compareKeys(row, after) > 0)
            .slice(0, FOLDED_PER_READ)
            .map(leaseOf),
        ),
      labels: (keys) =>
        this.#ask('labels', () =>
          keys.flatMap(({ namespace, source, fingerprint }) => {
            const row = this.rows.get(MemoryFolds.keyOf({ namespace, source, fingerprint }));
            return row === undefined ? [] : [{ namespace, source, fingerprint, labels: row.spec.labels ?? {} }];
          }),
        ),
      heardAfterExpiry: (since, namespace) =>
        this.#ask('heard', () =>
          this.counted()
            .filter(({ spec }) => spec.state === 'Expired' && spec.expired?.reason === 'LeaseRanOut')
            .filter(({ spec }) => compareInstants(spec.expired?.at, since) >= 0)
            .filter(isIn(namespace))
            .map(leaseOf)
            .filter(({ heard }) => heard !== undefined)
            .slice(0, FOLDED_PER_READ),
        ),
      mark: (marks) =>
        this.#ask('mark', () => {
          const due = marks.filter((mark) => {
            const row = this.rows.get(MemoryFolds.keyOf(mark));
            const heard = this.heard.get(MemoryFolds.keyOf(mark));
            const isKnown = heard === undefined || compareInstants(heard.lastSeen, mark.set.receivedAt) <= 0;
            return row !== undefined && isCounted(row) && String(row.version) === mark.version && isKnown;
          });
          for (const { set, ...key } of due) {
            const row = this.rows.get(MemoryFolds.keyOf(key)) as Kept;
            const { leaseUntil: _, expired: __, ...spec } = row.spec;
            const said = Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined));
            this.rows.set(MemoryFolds.keyOf(key), { ...row, spec: { ...spec, ...said }, version: row.version + 1 });
          }
          return due.length;
        }),
      leave: (some, at) =>
        this.#ask('leaveExpired', () => {
          for (const one of some) this.#leave(one, at, one.version);
        }),
    };
  }
}

const isCounted = ({ leftAt }: FoldedAlert): boolean => leftAt === undefined;
const compareKeys = (a: FoldKey, b: FoldKey): number => {
  const [x, y] = [MemoryFolds.keyOf(a), MemoryFolds.keyOf(b)];
  return x < y ? -1 : Number(x > y);
};
