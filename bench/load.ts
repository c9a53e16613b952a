/** Work sent with a fixed number in flight, and what can be said of its durations. */

export interface Run {
  count: number;
  seconds: number;
  perSecond: number;
  /** Milliseconds, sorted. */
  durations: number[];
}

/** Calls `send(i)` for 0…count-1 with `inFlight` at once. A failure ends the run: a rate of failures is no rate. */
export async function load(count: number, inFlight: number, send: (i: number) => Promise<void>): Promise<Run> {
  const durations: number[] = [];
  let next = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (let i = next++; i < count; i = next++) {
        const sent = performance.now();
        await send(i);
        durations.push(performance.now() - sent);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  return { count, seconds, perSecond: count / seconds, durations: durations.sort((a, b) => a - b) };
}

/** The value below which `percent` of the sorted values lie. */
export function percentile(sorted: number[], percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    50,
  );
}
