/**
 * Whose turn it is among alerts that wait to be stored: what is new before more of the same, Critical before Low, sources in turn, in
 * each its alert names in turn, in each the requests in turn. A class that has waited long enough has its turn whatever stands above
 * it. Pure; how many are stored at once is fair-gate.ts's.
 */
import type { Severity } from '@funnelai/crds/generated/types';
import { SEVERITIES } from '@funnelai/domain/severity';
import { Rounds } from '@funnelai/kube/rounds';

/** Where an alert stands in the queue. */
export interface Place {
  /** "namespace/name". */
  source: string;
  /** What its sender calls the fault, without which pod or node: its alertname. */
  name: string;
  /** Number of the request that brought it. */
  request: number;
  severity: Severity;
  /** Nothing of its kind fires yet, so that it may be worth an incident of its own. */
  isNew: boolean;
}

export interface Entry<T> {
  readonly item: T;
  readonly place: Place;
  /** Its class: 0 goes first. */
  readonly rank: number;
}

/** Classes of what is new; those after them are more of the same. */
export const NEW_RANKS = SEVERITIES.length;
/** Classes: five severities of what is new, then five of more of the same. */
export const RANKS = 2 * SEVERITIES.length;
/** So often a class with something in it is passed over in a row before it has its turn; the highest never is but for that. */
export const mostPassedOver = (rank: number): number => 8 + 4 * rank;

export class FairQueue<T> {
  readonly #classes = Array.from({ length: RANKS }, () => ({ rounds: new Rounds<Entry<T>>(), waiting: 0, passed: 0 }));
  readonly #ofRequest = new Map<number, Set<Entry<T>>>();
  /** Waiting by class and source, to tell how long a wait will be. */
  readonly #ofSource = new Map<string, number[]>();
  /** Alerts of one source and name that wait or are being stored. */
  readonly #underWay = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  sizeOf(source: string): number {
    return this.#ofSource.get(source)?.reduce((sum, n) => sum + n, 0) ?? 0;
  }

  waitingIn(rank: number): number {
    return this.#classes[rank]?.waiting ?? 0;
  }

  /** Of a thousand new alerts of one name the first alone is new; the others are more of the same before it is even stored. */
  add(place: Place, item: T): Entry<T> {
    const kind = kindOf(place);
    const underWay = this.#underWay.get(kind) ?? 0;
    const entry: Entry<T> = { item, place, rank: rankOf(place, place.isNew && underWay === 0) };
    this.#underWay.set(kind, underWay + 1);
    const { source, name, request } = place;
    this.#classes[entry.rank]?.rounds.add([source, name, String(request)], entry);
    const mine = this.#ofRequest.get(request) ?? new Set();
    this.#ofRequest.set(request, mine.add(entry));
    this.#count(entry, 1);
    return entry;
  }

  /** Takes out the one whose turn it is; `done` is to be called for it later. */
  next(): Entry<T> | undefined {
    const rank = this.#turn();
    if (rank === undefined) return undefined;
    for (const [other, one] of this.#classes.entries()) {
      if (other === rank) one.passed = 0;
      else if (one.waiting > 0) one.passed += 1;
    }
    for (;;) {
      const entry = this.#classes[rank]?.rounds.take();
      if (entry === undefined) return undefined;
      // One that has left is still in the rounds; it takes nobody's turn.
      if (!this.#ofRequest.get(entry.place.request)?.delete(entry)) continue;
      if (this.#ofRequest.get(entry.place.request)?.size === 0) this.#ofRequest.delete(entry.place.request);
      this.#count(entry, -1);
      return entry;
    }
  }

  /** What `next` gave is stored, or given up. */
  done({ place }: Entry<T>): void {
    const kind = kindOf(place);
    const left = (this.#underWay.get(kind) ?? 1) - 1;
    if (left > 0) this.#underWay.set(kind, left);
    else this.#underWay.delete(kind);
  }

  /** Takes out one that waits no longer; nothing where its turn has come. */
  drop(entry: Entry<T>): void {
    const mine = this.#ofRequest.get(entry.place.request);
    if (!mine?.delete(entry)) return;
    if (mine.size === 0) this.#ofRequest.delete(entry.place.request);
    this.#count(entry, -1);
    this.done(entry);
    this.#clearEmpty();
  }

  /** Takes out all that still waits of one request. */
  leave(request: number): Entry<T>[] {
    const left = [...(this.#ofRequest.get(request) ?? [])];
    this.#ofRequest.delete(request);
    for (const entry of left) {
      this.#count(entry, -1);
      this.done(entry);
    }
    this.#clearEmpty();
    return left;
  }

  /** Who left is in the rounds still. Where nothing else waits nobody would come by and take them out. */
  #clearEmpty(): void {
    for (const { rounds, waiting } of this.#classes) if (waiting === 0) rounds.clear();
  }

  /**
   * About how many have their turn before one that would be added now: all of higher classes, and of its own class no more of any
   * source than of its own. What age lets in from below is left out.
   */
  ahead(place: Place): number {
    const rank = rankOf(place, place.isNew && !this.#underWay.has(kindOf(place)));
    const own = (this.#ofSource.get(place.source)?.[rank] ?? 0) + 1;
    let ahead = 0;
    for (let higher = 0; higher < rank; higher += 1) ahead += this.waitingIn(higher);
    for (const waiting of this.#ofSource.values()) ahead += Math.min(waiting[rank] ?? 0, own);
    return ahead;
  }

  #turn(): number | undefined {
    const overdue = this.#classes.findLastIndex((one, rank) => one.waiting > 0 && one.passed >= mostPassedOver(rank));
    if (overdue > 0) return overdue;
    const first = this.#classes.findIndex((one) => one.waiting > 0);
    return first < 0 ? undefined : first;
  }

  #count({ rank, place }: Entry<T>, by: 1 | -1): void {
    this.#size += by;
    const one = this.#classes[rank];
    if (one !== undefined) {
      one.waiting += by;
      if (one.waiting === 0) one.passed = 0;
    }
    const waiting = this.#ofSource.get(place.source) ?? Array.from({ length: RANKS }, () => 0);
    waiting[rank] = (waiting[rank] ?? 0) + by;
    if (waiting.some((n) => n > 0)) this.#ofSource.set(place.source, waiting);
    else this.#ofSource.delete(place.source);
  }
}

const kindOf = ({ source, name }: Place): string => JSON.stringify([source, name]);

const rankOf = ({ severity }: Place, isNew: boolean): number =>
  (isNew ? 0 : SEVERITIES.length) + Math.max(0, SEVERITIES.indexOf(severity));
