/**
 * Keeps parts running: one that dies is started again at once; one that dies three times within a minute is given up, and
 * the whole with it. Knows nothing of what the parts are; stopping leaves none behind.
 */
import { describeExit, liveChildren, type Running } from '../process/child.ts';
import { messageOf } from '../process/fault.ts';
import type { Say } from '../process/say.ts';

export interface Part {
  name: string;
  /** Parts without which this one cannot live: it is started again after them, and deaths while one is away do not count. */
  needs?: string[];
  /** Resolves once it is ready for use; throws when it is not going to be. */
  start(): Promise<Running>;
}

export interface Supervisor {
  /** Starts one part and keeps it running. Throws when the first start fails. */
  add(part: Part): Promise<void>;
  pids(): Record<string, number>;
  running(name: string): Running | undefined;
  /** Stops the parts in the given groups, one group after the other, then whatever is left. Idempotent. */
  stop(order: string[][]): Promise<void>;
}

export interface SupervisorOptions {
  say: Say;
  /** A part died, or runs again under another pid. */
  onChange(): void;
  /** Given up. The reason is for people and ends with the part's last words. */
  onFatal(reason: string): void;
  now?: () => number;
}

export const DEATHS = 3;
export const WINDOW_MS = 60_000;
/** Wait before the second and third start, so that a port or lock of the dead one is free again. */
const PAUSE_MS = [0, 300, 1_000];
const EXCUSED_PAUSE_MS = 300;
const SETTLE_MS = 50;
const STOP_GRACE_MS = 4_000;
const EARLY_GRACE_MS = 1_500;
const NEEDS_POLL_MS = 100;
const LAST_LINES = 12;

export function createSupervisor({
  say,
  onChange,
  onFatal,
  now = () => performance.now(),
}: SupervisorOptions): Supervisor {
  const alive = new Map<string, Running>();
  /** Parts that were once ready and are to be kept so. */
  const kept = new Map<string, Part>();
  const deaths = new Map<string, number[]>();
  /** When a part last came back, so that those who need it are excused for having died with it. */
  const cameBack = new Map<string, number>();
  const starting = new Map<Promise<unknown>, string>();
  const isStarting = (name: string) => [...starting.values()].includes(name);
  let stopping: Promise<void> | undefined;
  let over = false;

  /** Its exit is known before its last words have been read, and before it was taken off the list. */
  const isAlive = (name: string) => alive.has(name) && alive.get(name)?.exit === undefined;

  function excused(part: Part): boolean {
    return (part.needs ?? []).some(
      (name) => !isAlive(name) || now() - (cameBack.get(name) ?? Number.NEGATIVE_INFINITY) < 5_000,
    );
  }

  async function startOne(part: Part): Promise<void> {
    const begun = part.start();
    starting.set(begun, part.name);
    let running: Running;
    try {
      running = await begun;
    } finally {
      starting.delete(begun);
    }
    if (over) {
      await running.stop(STOP_GRACE_MS);
      return;
    }
    alive.set(part.name, running);
    void running.exited.then((exit) => {
      if (alive.get(part.name) === running) alive.delete(part.name);
      if (over) return;
      void revive(part, `${part.name} (pid ${running.pid}) ${describeExit(exit)}`, running.log.tail(LAST_LINES));
    });
  }

  async function revive(part: Part, reason: string, lastLines: string[]): Promise<void> {
    let why = reason;
    onChange();
    let lines = lastLines;
    for (;;) {
      const recent = (deaths.get(part.name) ?? []).filter((at) => now() - at < WINDOW_MS);
      // Who died of another's death may be heard of first.
      await pause(SETTLE_MS);
      if (over) return;
      const isExcused = excused(part);
      if (!isExcused) recent.push(now());
      deaths.set(part.name, recent);
      if (recent.length >= DEATHS) {
        over = true;
        const words = lines.length > 0 ? `; its last lines:\n${lines.map((line) => `    ${line}`).join('\n')}` : '';
        onFatal(`${why}: the ${ordinal(recent.length)} time within ${WINDOW_MS / 1000} s, so everything stops${words}`);
        return;
      }
      say(`  ${why}: starting it again`);
      await pause(isExcused ? EXCUSED_PAUSE_MS : (PAUSE_MS[recent.length - 1] ?? 0));
      while (!over && (part.needs ?? []).some((name) => kept.has(name) && !isAlive(name))) await pause(NEEDS_POLL_MS);
      if (over) return;
      try {
        await startOne(part);
      } catch (error) {
        if (over) return;
        const [first = '', ...rest] = messageOf(error).split('\n');
        why = `${part.name} did not come back: ${first}`;
        lines = rest;
        continue;
      }
      if (over) return;
      cameBack.set(part.name, now());
      say(`  ${part.name} runs again (pid ${alive.get(part.name)?.pid ?? 'gone again'})`);
      onChange();
      return;
    }
  }

  return {
    async add(part) {
      await startOne(part);
      kept.set(part.name, part);
    },
    pids: () => Object.fromEntries([...alive].filter(([name]) => isAlive(name)).map(([name, { pid }]) => [name, pid])),
    running: (name) => alive.get(name),
    stop(order) {
      over = true;
      stopping ??= (async () => {
        // What is just starting waits for nothing that still comes.
        const ready = new Set(alive.values());
        const early = liveChildren().filter((child) => isStarting(child.name) && !ready.has(child));
        await Promise.all(early.map((child) => child.stop(EARLY_GRACE_MS)));
        const named = new Set(order.flat());
        const rest = [...alive.keys()].filter((name) => !named.has(name));
        for (const group of [...order, rest]) {
          await Promise.all(group.map((name) => alive.get(name)?.stop(STOP_GRACE_MS)));
        }
        // One that will not end is left to the guardian, which ends it with us.
        await Promise.race([Promise.allSettled(starting.keys()), pause(EARLY_GRACE_MS)]);
      })();
      return stopping;
    },
  };
}

function ordinal(count: number): string {
  return ['first', 'second', 'third'][count - 1] ?? `${count}th`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
