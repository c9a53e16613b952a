/**
 * How many intake requests, and bytes of their bodies, are held at once: in all, and of one source. Without the latter a sender
 * whose bodies come slowly, or never end, shuts out all the others. Pure bookkeeping.
 *
 * Strangers are requests whose body is read before anyone has vouched for it. They have a small place of their own, and where it is
 * full the oldest of them goes, not the newest: a true sender's body is here within moments, so those that are still being read
 * after others came are the ones that only hold the place.
 */
import * as limits from '../limits.ts';

type LimitName =
  | 'INTAKE_REQUESTS_IN_FLIGHT'
  | 'INTAKE_BYTES_IN_FLIGHT'
  | 'INTAKE_REQUESTS_PER_SOURCE'
  | 'INTAKE_BYTES_PER_SOURCE'
  | 'INTAKE_STRANGERS'
  | 'INTAKE_STRANGERS_PER_SOURCE'
  | 'INTAKE_STRANGER_BYTES'
  | 'INTAKE_STRANGER_BYTES_PER_SOURCE';

/** Takes memory for a part of the body. */
export type Hold = (bytes: number) => void;

/** What one request holds. */
export interface Share {
  /** Counts the request, and what it holds by now, to its source; once its sender has proven to be that, or strangers would use up its share. */
  of(source: string): Hold;
  /** Counts it among those that want in to this source and have proven nothing yet. `evict` is called when newer ones need the place. */
  asStranger(source: string, evict: (why: Error) => void): Hold;
  /** Gives everything back. */
  end(): void;
}

interface Stranger {
  source: string;
  bytes: number;
  evict(why: Error): void;
}

/** `refuse` makes the error that is thrown where a bound is reached. */
export function createBudget(refuse: (limit: LimitName) => Error): () => Share {
  const all = { requests: 0, bytes: 0 };
  const sources = new Map<string, { requests: number; bytes: number }>();
  /** In the order in which they came. */
  const strangers = new Set<Stranger>();

  function drop(stranger: Stranger): void {
    if (strangers.delete(stranger)) all.bytes -= stranger.bytes;
  }

  /** Makes the oldest of those, but `except`, go. Returns false when there is none. */
  function evictOldest(limit: LimitName, isOne: (one: Stranger) => boolean, except?: Stranger): boolean {
    for (const one of strangers) {
      if (one === except || !isOne(one)) continue;
      drop(one);
      one.evict(refuse(limit));
      return true;
    }
    return false;
  }

  /** Whose place goes when there are too many in all: one of the source that has the most. */
  function crowded(of: (one: Stranger) => number): (one: Stranger) => boolean {
    const totals = new Map<string, number>();
    for (const one of strangers) totals.set(one.source, (totals.get(one.source) ?? 0) + of(one));
    const most = Math.max(...totals.values());
    return ({ source }) => totals.get(source) === most;
  }

  function holdFor(me: Stranger, bytes: number): void {
    const total = (which: (one: Stranger) => boolean) =>
      [...strangers].filter(which).reduce((sum, one) => sum + one.bytes, 0);
    const mine = (one: Stranger) => one.source === me.source;
    if (!strangers.has(me)) throw refuse('INTAKE_STRANGERS');
    while (total(mine) + bytes > limits.INTAKE_STRANGER_BYTES_PER_SOURCE)
      if (!evictOldest('INTAKE_STRANGER_BYTES_PER_SOURCE', mine, me)) throw refuse('INTAKE_STRANGER_BYTES_PER_SOURCE');
    while (total(() => true) + bytes > limits.INTAKE_STRANGER_BYTES)
      if (
        !evictOldest(
          'INTAKE_STRANGER_BYTES',
          crowded((one) => one.bytes),
          me,
        )
      )
        throw refuse('INTAKE_STRANGER_BYTES');
    if (all.bytes + bytes > limits.INTAKE_BYTES_IN_FLIGHT) throw refuse('INTAKE_BYTES_IN_FLIGHT');
    all.bytes += bytes;
    me.bytes += bytes;
  }

  return () => {
    if (all.requests >= limits.INTAKE_REQUESTS_IN_FLIGHT) throw refuse('INTAKE_REQUESTS_IN_FLIGHT');
    all.requests += 1;
    let stranger: Stranger | undefined;
    let mine: { name: string; use: { requests: number; bytes: number }; held: number } | undefined;
    return {
      of(name) {
        const use = sources.get(name) ?? { requests: 0, bytes: 0 };
        const held = stranger?.bytes ?? 0;
        if (use.requests >= limits.INTAKE_REQUESTS_PER_SOURCE) throw refuse('INTAKE_REQUESTS_PER_SOURCE');
        if (use.bytes + held > limits.INTAKE_BYTES_PER_SOURCE) throw refuse('INTAKE_BYTES_PER_SOURCE');
        if (stranger !== undefined) {
          // One that was made to go while its proof was looked at holds nothing any more; its body is here all the same.
          if (strangers.delete(stranger) === false) all.bytes += held;
          stranger = undefined;
        }
        use.requests += 1;
        use.bytes += held;
        sources.set(name, use);
        const me = { name, use, held };
        mine = me;
        return (bytes) => {
          if (all.bytes + bytes > limits.INTAKE_BYTES_IN_FLIGHT) throw refuse('INTAKE_BYTES_IN_FLIGHT');
          if (use.bytes + bytes > limits.INTAKE_BYTES_PER_SOURCE) throw refuse('INTAKE_BYTES_PER_SOURCE');
          all.bytes += bytes;
          use.bytes += bytes;
          me.held += bytes;
        };
      },
      asStranger(source, evict) {
        const me: Stranger = { source, bytes: 0, evict };
        const [ofSource, inAll] = [[...strangers].filter((one) => one.source === source).length, strangers.size];
        if (ofSource >= limits.INTAKE_STRANGERS_PER_SOURCE)
          evictOldest('INTAKE_STRANGERS_PER_SOURCE', (one) => one.source === source);
        else if (inAll >= limits.INTAKE_STRANGERS)
          evictOldest(
            'INTAKE_STRANGERS',
            crowded(() => 1),
          );
        strangers.add(me);
        stranger = me;
        return (bytes) => holdFor(me, bytes);
      },
      end() {
        all.requests -= 1;
        if (stranger !== undefined) drop(stranger);
        if (mine === undefined) return;
        all.bytes -= mine.held;
        mine.use.requests -= 1;
        mine.use.bytes -= mine.held;
        if (mine.use.requests === 0) sources.delete(mine.name);
      },
    };
  };
}
