/**
 * Which folded alerts no report can be about any more: their source was deleted, or tells faults apart in another way since. What is left
 * behind is seen so twice before it is said: another replica may have folded it under rules that this one has not heard of yet.
 */
import type { AlertSource } from '@funnelai/crds/generated/types';
import { dedupHashOf, isOrphanedByDedup } from '@funnelai/domain/dedup-identity';
import type { ExpiryReason } from '@funnelai/domain/expiry';
import { faultKey } from '@funnelai/history/fault-key';
import { FOLDS_PER_WRITE } from '@funnelai/history/folded';
import type { FoldedLease, FoldedLeaseStore } from '@funnelai/history/folded-leases';
import type { Cache } from '@funnelai/kube/cache';
import { FOLDED_IDENTITIES_REMEMBERED } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { Known } from './decide.ts';
import { createGoneSources } from './gone-sources.ts';

export interface FoldedOrphansDeps {
  store: Pick<FoldedLeaseStore, 'labels'>;
  sources: Pick<Cache<AlertSource>, 'get'>;
  metrics: Pick<WebhookMetrics, 'limitReached'>;
}
export interface FoldedOrphans {
  /** Begins a pass. */
  begin(known: Known): void;
  /** Why those of the page that are left behind are; the others are not in it. */
  of(page: readonly FoldedLease[]): Promise<Map<FoldedLease, ExpiryReason>>;
  /** Each has been looked at once. */
  endRound(): void;
}

type Identities = Map<string, { of: string; isLeft: boolean }>;

export function createFoldedOrphans({ store, sources, metrics }: FoldedOrphansDeps): FoldedOrphans {
  const gone = createGoneSources();
  /** What was found in the last round and in this one, of those that were made under other rules than those of today. */
  let before: Identities = new Map();
  let found: Identities = new Map();

  async function lookAt(some: readonly FoldedLease[]): Promise<void> {
    const labels = new Map((await store.labels(some)).map((one) => [faultKey(one), one.labels]));
    for (const one of some) {
      const source = sources.get(one.namespace, one.source);
      if (source === undefined || !labels.has(faultKey(one))) continue;
      if (found.size >= FOLDED_IDENTITIES_REMEMBERED) return metrics.limitReached('FOLDED_IDENTITIES_REMEMBERED');
      const { fingerprint, dedupHash } = one;
      const isLeft = isOrphanedByDedup({ fingerprint, dedupHash, labels: labels.get(faultKey(one)) }, source);
      found.set(faultKey(one), { of: versionsOf(one, source), isLeft });
    }
  }

  return {
    begin: (known) => gone.begin(known),
    async of(page) {
      const reasons = new Map<FoldedLease, ExpiryReason>();
      const unknown: FoldedLease[] = [];
      for (const one of page) {
        const source = sources.get(one.namespace, one.source);
        if (gone.isGone(one.namespace, one.source, source)) reasons.set(one, 'SourceDeleted');
        if (source === undefined || one.dedupHash === undefined) continue;
        if (one.dedupHash === dedupHashOf(source.spec.dedup)) continue;
        const known = before.get(faultKey(one));
        if (known?.of !== versionsOf(one, source)) {
          unknown.push(one);
          continue;
        }
        found.set(faultKey(one), known);
        if (known.isLeft) reasons.set(one, 'DedupChanged');
      }
      for (let first = 0; first < unknown.length; first += FOLDS_PER_WRITE)
        await lookAt(unknown.slice(first, first + FOLDS_PER_WRITE));
      return reasons;
    },
    endRound() {
      before = found;
      found = new Map();
    },
  };
}

const versionsOf = ({ version }: FoldedLease, { metadata }: AlertSource): string =>
  `${version}/${metadata.uid}/${metadata.generation}`;
