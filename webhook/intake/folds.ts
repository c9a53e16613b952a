/**
 * The door from the intake to the folded alerts in Postgres: in groups, each call within a deadline, and for a while not at all after it
 * did not answer, so that a storm does not wait for a database that is away.
 */
import { formatMicros } from '@funnelai/domain/instants';
import { HistoryRefused, HistoryUnavailable } from '@funnelai/history/errors';
import {
  FOLDS_PER_WRITE,
  type Fold,
  type Folded,
  type FoldedAlert,
  type FoldedPlace,
  type FoldKey,
  type FoldStore,
  type OverflowKey,
} from '@funnelai/history/folded';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { FOLD_DEADLINE_MS, FOLD_GLANCE_MS, FOLD_REST_MS } from '../limits.ts';
import { within } from '../server/within.ts';
import { createGroupCommit } from './group-commit.ts';

/** All of it throws {HistoryUnavailable}; then nobody can say whether it was done. */
export interface Folds extends Pick<FoldStore, 'counts' | 'firing'> {
  abandon(key: OverflowKey): Promise<void>;
  put(fold: Fold): Promise<Folded>;
  find(key: FoldKey): Promise<FoldedAlert | undefined>;
  /** Where alerts of this fingerprint are folded. */
  places(fingerprint: string): Promise<FoldedPlace[]>;
  /** The same as `find` for whoever can do without: soon, and never throws. */
  glance(key: FoldKey): Promise<FoldedAlert | undefined>;
  /** Waits as shortly; it goes on all the same. */
  leave(key: FoldKey): Promise<void>;
}

const CALL = { ms: FOLD_DEADLINE_MS, why: `no answer within ${FOLD_DEADLINE_MS / 1000} s` };
const GLANCE = { ms: FOLD_GLANCE_MS, why: 'no answer yet' };

export function createFolds(deps: { store: FoldStore; clock: Clock; log: Log }): Folds {
  const { store, clock, log } = deps;
  let restUntilMs = Number.NEGATIVE_INFINITY;
  const now = () => formatMicros(clock.now());

  async function ask<R>(work: () => Promise<R>): Promise<R> {
    if (clock.monotonicMs() < restUntilMs) throw new HistoryUnavailable('it did not answer a moment ago');
    try {
      return await within(clock, CALL, work());
    } catch (error) {
      if (error instanceof HistoryUnavailable) {
        restUntilMs = clock.monotonicMs() + FOLD_REST_MS;
        log.warn({ why: messageOf(error) }, 'folded alerts: Postgres does not answer');
      }
      throw error;
    }
  }

  const soon = <R>(work: Promise<R>): Promise<R> => within(clock, GLANCE, work);

  const grouped = <T, R>(run: (items: T[]) => Promise<R[]>) =>
    createGroupCommit<T, R>({
      size: FOLDS_PER_WRITE,
      run: (items) => ask(() => run(items)),
      isItsOwn: (error) => error instanceof HistoryRefused,
    });
  const puts = grouped((folds: Fold[]) => store.put(folds, now()));
  const finds = grouped(async (keys: FoldKey[]) => {
    const found = new Map((await store.find(keys)).map((one) => [one.fingerprint + one.namespace + one.source, one]));
    return keys.map((key) => found.get(key.fingerprint + key.namespace + key.source));
  });
  const places = grouped(async (fingerprints: string[]) => {
    const found = Map.groupBy(await store.places(fingerprints), ({ fingerprint }) => fingerprint);
    return fingerprints.map((fingerprint) => found.get(fingerprint) ?? []);
  });
  const leaves = grouped(async (keys: FoldKey[]) => {
    await store.leave(keys, now());
    return keys.map(() => undefined);
  });
  return {
    put: (fold) => puts.add(fold),
    find: (key) => finds.add(key),
    places: (fingerprint) => places.add(fingerprint),
    glance: (key) => soon(finds.add(key)).catch(() => undefined),
    leave: (key) => soon(leaves.add(key)),
    abandon: (key) => ask(() => store.abandon(key, now())),
    counts: (overflows) => ask(() => store.counts(overflows)),
    firing: (namespace) => ask(() => store.firing(namespace)),
  };
}
