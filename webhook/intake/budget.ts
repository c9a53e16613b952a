/**
 * How many intake requests, and bytes of their bodies, are held at once: in all, and of one source. Without the latter a sender
 * whose bodies come slowly, or never end, shuts out all the others. Pure bookkeeping.
 */
import * as limits from '../limits.ts';

type LimitName =
  | 'INTAKE_REQUESTS_IN_FLIGHT'
  | 'INTAKE_BYTES_IN_FLIGHT'
  | 'INTAKE_REQUESTS_PER_SOURCE'
  | 'INTAKE_BYTES_PER_SOURCE';

/** What one request holds. */
export interface Share {
  /** Counts the request to its source; once its sender has proven to be that, or strangers would use up its share. */
  of(source: string): void;
  /** Takes memory for a part of the body. */
  hold(bytes: number): void;
  /** Gives everything back. */
  end(): void;
}

/** `refuse` makes the error that is thrown where a bound is reached. */
export function createBudget(refuse: (limit: LimitName) => Error): () => Share {
  const all = { requests: 0, bytes: 0 };
  const sources = new Map<string, { requests: number; bytes: number }>();
  return () => {
    if (all.requests >= limits.INTAKE_REQUESTS_IN_FLIGHT) throw refuse('INTAKE_REQUESTS_IN_FLIGHT');
    all.requests += 1;
    let held = 0;
    let mine: { name: string; use: { requests: number; bytes: number } } | undefined;
    return {
      of(name) {
        const use = sources.get(name) ?? { requests: 0, bytes: 0 };
        if (use.requests >= limits.INTAKE_REQUESTS_PER_SOURCE) throw refuse('INTAKE_REQUESTS_PER_SOURCE');
        use.requests += 1;
        sources.set(name, use);
        mine = { name, use };
      },
      hold(bytes) {
        if (all.bytes + bytes > limits.INTAKE_BYTES_IN_FLIGHT) throw refuse('INTAKE_BYTES_IN_FLIGHT');
        if (mine !== undefined && mine.use.bytes + bytes > limits.INTAKE_BYTES_PER_SOURCE)
          throw refuse('INTAKE_BYTES_PER_SOURCE');
        all.bytes += bytes;
        if (mine !== undefined) mine.use.bytes += bytes;
        held += bytes;
      },
      end() {
        all.requests -= 1;
        all.bytes -= held;
        if (mine === undefined) return;
        mine.use.requests -= 1;
        mine.use.bytes -= held;
        if (mine.use.requests === 0) sources.delete(mine.name);
      },
    };
  };
}
