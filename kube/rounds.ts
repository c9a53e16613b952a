/**
 * Turns: round robin on every level of a path, first come first served at its end. Whoever had a turn goes to the end of its round, so
 * that one with much never holds up one with little. All paths have one length. Pure.
 */
export class Rounds<T> {
  readonly #below = new Map<string, Rounds<T>>();
  readonly #queue: T[] = [];
  #head = 0;

  add(path: readonly string[], item: T): void {
    const [first, ...rest] = path;
    if (first === undefined) {
      this.#queue.push(item);
      return;
    }
    const below = this.#below.get(first) ?? new Rounds<T>();
    this.#below.set(first, below);
    below.add(rest, item);
  }

  /** The one whose turn it is, taken out; undefined when there is none. */
  take(): T | undefined {
    for (const [key, below] of this.#below) {
      this.#below.delete(key);
      const item = below.take();
      if (!below.#isEmpty()) this.#below.set(key, below);
      return item;
    }
    const item = this.#queue[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#below.clear();
    this.#queue.length = 0;
    this.#head = 0;
  }

  #isEmpty(): boolean {
    return this.#below.size === 0 && this.#queue.length === 0;
  }
}
