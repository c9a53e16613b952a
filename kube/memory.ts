/**
 * Keeps the process small: left alone, V8 lets a heap grow to twice and more of what lives in it and its young generation to 128 MB,
 * and malloc keeps an arena of its own for each thread. A controller that mostly waits has no use for that. What must be known before
 * the process starts is here for those who start it; docs/operations.md tells everyone else.
 */
import { setFlagsFromString } from 'node:v8';

const GROWTH = '--heap-growing-percent=25';

/** Arguments of `node`, before the program. The young generation is fixed when the heap is made: by then no program has run. */
export const SMALL_HEAP_ARGS: readonly string[] = ['--max-semi-space-size=8', GROWTH];
/** Read by glibc's malloc when it starts; of no effect elsewhere. */
export const SMALL_HEAP_ENVIRONMENT = { MALLOC_ARENA_MAX: '2' } as const;

/** The part that can be had late, for a process that was started without the others. */
export function preferSmallHeap(): void {
  setFlagsFromString(GROWTH);
}
