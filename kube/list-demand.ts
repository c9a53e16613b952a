/**
 * When a reflector is to list though its watch could go on: a cache that must come up to a version which the watch does not bring, one
 * that is of another past, the time for a check. Ends the watch that is open; the list itself is the reflector's.
 */

export class ListDemand {
  readonly #version: () => bigint;
  /** A list is wanted until the cache has reached this. */
  #wanted = 0n;
  /** The next round begins with a list, wherever the watch could go on. */
  #isDue = false;
  #isListing = false;
  #interrupt = new AbortController();
  #onListed: (() => void)[] = [];

  /** @param version that of the cache. */
  constructor(version: () => bigint) {
    this.#version = version;
  }

  /** Whether the next round is to begin with a list. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** Answers `isDue` for the last time: the round begins. */
  take(): boolean {
    const wasDue = this.#isDue;
    this.#isDue = false;
    return wasDue;
  }

  /** For the watch that is about to be opened: aborts when that is to end. */
  watchBegins(): AbortSignal {
    this.#interrupt = new AbortController();
    return this.#interrupt.signal;
  }

  /** Ends the watch that is open, in good order. */
  interrupt(): void {
    this.#interrupt.abort();
  }

  /** Lists unless the cache is at `version` by now. */
  reach(version: bigint): void {
    if (version > this.#wanted) this.#wanted = version;
    this.#listIfWanted();
  }

  /** Lists, and resolves once that list is in. Rejects with the signal's reason. */
  anew(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      this.#onListed.push(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      this.#demand();
    });
  }

  listBegins(): void {
    this.#isListing = true;
  }

  /** A list as of now is in. */
  listed(): void {
    for (const resolve of this.#onListed.splice(0)) resolve();
  }

  /** It may have been too old for who asked meanwhile. */
  listEnds(): void {
    this.#isListing = false;
    this.#listIfWanted();
  }

  /** It did not come to its end: whoever wants one is served by the next round. */
  listFailed(): void {
    this.#isListing = false;
  }

  /** A list that is under way is let come to its end: it may be new enough. */
  #listIfWanted(): void {
    if (!this.#isListing && this.#version() < this.#wanted) this.#demand();
  }

  #demand(): void {
    this.#isDue = true;
    this.interrupt();
  }
}
