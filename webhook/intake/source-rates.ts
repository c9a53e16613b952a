/**
 * What each source may still have taken at once under its limits.ratePerSecond, as one replica counts it. The rate is that of the source
 * to which the sender posted: what it routes to others counts to it, too.
 */
import type { Alert, AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { alertName } from '@funnelai/domain/fingerprint';
import { HEARTBEAT_FINGERPRINT } from '@funnelai/domain/heartbeat';
import { sameAlert } from '@funnelai/domain/merge';
import { type Bucket, filled, type Rate, rateOf, take } from '@funnelai/domain/rate';
import type { Clock } from '@funnelai/kube/clock';
import { keyOf } from '@funnelai/kube/paths';
import { RATES_REMEMBERED } from '../limits.ts';
import { mergeReports, type StoreRequest } from './store.ts';

/** The rate that holds for an alert, and whose it is: "namespace/name". */
export interface Pace {
  source: string;
  rate: Rate;
}
/**
 * `nothing`: it writes nothing, as nearly every repeat. `once`: what is said once of what fires, that it is over, or the first acknowledgement
 * that is trusted: the cluster would be wrong for as long as that waits, and there are no more of them than were let in. `one`: anything else.
 */
export type Weight = 'nothing' | 'once' | 'one';

export interface SourceRates {
  /** Undefined where no bound is set. */
  paceOf(place: Pick<StoreRequest, 'namespace' | 'source'>): Pace | undefined;
  /** As far as is known here of what is stored. */
  weightOf(request: StoreRequest): Weight;
  /** Takes so many, or none. Returns 0 when they were taken, else how long that many would have to wait. */
  take(pace: Pace, count?: number): number;
  /** What is left now. Takes nothing. */
  left(pace: Pace): Bucket;
  /** Would not even one pass now? */
  isSpent(pace: Pace): boolean;
}

export function createSourceRates(deps: {
  sourceOf(namespace: string, name: string): AlertSource | null | undefined;
  alerts: Pick<{ get(namespace: string, name: string): Alert | undefined }, 'get'>;
  clock: Pick<Clock, 'monotonicMs'>;
}): SourceRates {
  const { sourceOf, alerts, clock } = deps;
  const buckets = new Map<string, { bucket: Bucket; rate: Rate }>();

  /** One that is full again is as good as none. */
  function forgetFull(nowMs: number): void {
    for (const [source, { bucket, rate }] of buckets)
      if (filled(bucket, rate, nowMs).tokens >= rate.burst) buckets.delete(source);
  }

  return {
    paceOf({ namespace, source: name }) {
      const source = sourceOf(namespace, name) ?? undefined;
      const from = source?.spec.acceptFrom;
      const home = from === undefined ? source : (sourceOf(from.namespace, from.name) ?? undefined);
      const rate = home && rateOf(home);
      return home && rate && { source: keyOf(home), rate };
    },
    weightOf({ namespace, source, fingerprint, reports }) {
      // Written by us, once, because nothing comes.
      if (fingerprint === HEARTBEAT_FINGERPRINT) return 'nothing';
      const held = alerts.get(namespace, alertName(source, fingerprint))?.spec;
      const stored = held?.fingerprint === fingerprint ? held : undefined;
      const next = mergeReports(stored, reports);
      if (next === undefined || (stored !== undefined && sameAlert(stored, next))) return 'nothing';
      if (stored?.state !== 'Firing') return 'one';
      const isTrusted = ({ acknowledgedUpstream: it }: AlertSpec) => it?.trusted !== undefined;
      return next.state !== 'Firing' || (isTrusted(next) && !isTrusted(stored)) ? 'once' : 'one';
    },
    take({ source, rate }, count = 1) {
      const nowMs = clock.monotonicMs();
      if (!buckets.has(source) && buckets.size >= RATES_REMEMBERED) forgetFull(nowMs);
      const { bucket, waitMs } = take(buckets.get(source)?.bucket, count, rate, nowMs);
      buckets.set(source, { bucket, rate });
      return waitMs;
    },
    left: ({ source, rate }) => filled(buckets.get(source)?.bucket, rate, clock.monotonicMs()),
    isSpent: ({ source, rate }) => take(buckets.get(source)?.bucket, 1, rate, clock.monotonicMs()).waitMs > 0,
  };
}

/** Where no source has a bound. */
export const noRates: SourceRates = {
  paceOf: () => undefined,
  weightOf: () => 'one',
  take: () => 0,
  left: () => ({ tokens: Number.POSITIVE_INFINITY, atMs: 0 }),
  isSpent: () => false,
};
