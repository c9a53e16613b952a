/**
 * Holds what the cluster has against what Postgres has, page by page, and sets both right: what differs is written again, what
 * is gone is marked, what lives is unmarked. Heals what no event told of: a term without a leader, etcd or Postgres set back.
 */
import { COMPARE_PAGE, type Comparison, type MirroredKind } from '@funnelai/history/compare';
import type { Cache } from '@funnelai/kube/cache';
import type { Temporal } from 'temporal-polyfill';
import type { Batcher } from './batcher.ts';
import { type Difference, differenceOf, type Mirrored } from './decide.ts';
import type { GoneObjects } from './gone.ts';

export interface Side {
  kind: MirroredKind;
  /** What the cluster has now. */
  uids(): string[];
  byUid(uid: string): Mirrored | undefined;
  /** Its end was seen and is about to be marked. */
  isEnding(uid: string): boolean;
  /** Writes it, soon. */
  add(uid: string): void;
}

/** One kind of the cluster, as its cache and the book of what has left it know it. */
export function sideOf<T extends Mirrored>(
  kind: MirroredKind,
  cache: Pick<Cache<T>, 'list' | 'byUid'>,
  gone: Pick<GoneObjects<T>, 'of'>,
  { add }: Pick<Batcher, 'add'>,
): Side {
  return {
    kind,
    uids: () => [...cache.list()].map(({ metadata }) => metadata.uid ?? ''),
    byUid: (uid) => cache.byUid(uid),
    isEnding: (uid) => gone.of(uid) !== undefined,
    add,
  };
}

export interface PassOptions {
  mirror: Comparison & { renewEpoch(): Promise<void> };
  sides: readonly Side[];
  now(): Temporal.Instant;
  repaired(kind: MirroredKind, how: 'written' | 'vanished' | 'living', count: number): void;
  /** False ends the pass between two pages. */
  goOn(): boolean;
}

/** Ends when all pages are through. @throws what the mirror throws; it is safe to begin anew. */
export async function comparePass(o: PassOptions): Promise<void> {
  for (const side of o.sides) {
    await repairHistory(o, side);
    await markGone(o, side);
  }
}

async function repairHistory(o: PassOptions, side: Side): Promise<void> {
  const uids = side.uids();
  for (let first = 0; first < uids.length && o.goOn(); first += COMPARE_PAGE) {
    const page = uids.slice(first, first + COMPARE_PAGE);
    const facts = await o.mirror.factsOf(side.kind, page);
    const found = new Map<Difference, string[]>();
    for (const uid of page) {
      const object = side.byUid(uid);
      if (object === undefined) continue;
      for (const difference of differenceOf(object, facts.get(uid)))
        found.set(difference, [...(found.get(difference) ?? []), uid]);
    }
    // Rows of a version that the cluster has not reached would refuse the present one for ever.
    if (found.has('ahead')) await o.mirror.renewEpoch();
    const living = found.get('deleted') ?? [];
    if (living.length > 0) o.repaired(side.kind, 'living', await o.mirror.markLiving(side.kind, living));
    const written = new Set([...(found.get('ahead') ?? []), ...(found.get('behind') ?? [])]);
    for (const uid of written) side.add(uid);
    if (written.size > 0) o.repaired(side.kind, 'written', written.size);
  }
}

async function markGone(o: PassOptions, side: Side): Promise<void> {
  let after = '';
  while (o.goOn()) {
    const page = await o.mirror.livingUids(side.kind, after);
    const gone = page.filter((uid) => side.byUid(uid) === undefined && !side.isEnding(uid));
    if (gone.length > 0) o.repaired(side.kind, 'vanished', await o.mirror.markVanished(side.kind, gone, o.now()));
    const last = page.at(-1);
    if (last === undefined || page.length < COMPARE_PAGE) return;
    after = last;
  }
}
