/**
 * Keeps the process small: left alone, V8 lets a heap grow to twice and more of what lives in it, and its young generation to
 * 128 MB that it then holds on to. A controller that mostly waits has no use for that. A flag of the command line would do the
 * same, but not everyone who starts us would give it.
 */
import { setFlagsFromString } from 'node:v8';

/** To be called before anything is loaded into memory. Costs some CPU time in bursts: see docs/operations.md. */
export function preferSmallHeap(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=10');
}
