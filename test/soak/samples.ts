/** What a process costs and has missed, read from outside: /proc and its own metrics; and whether it grew. The last part is pure. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { OurProcess } from '../harness/processes.ts';

export interface Sample {
  /** Monotonic milliseconds. */
  atMs: number;
  rssMiB: number;
  sockets: number;
  /** Sockets, requests and the like that the event loop holds; without timers, of which there is one for each object that is looked at again later. */
  handles: number;
  /** Events that a watch should have brought, counted by relists since this process began. */
  missed: number;
  /** Warnings of Node that listeners pile up. */
  listenerWarnings: number;
}

const MISSED = /^funnelai_reflector_missed_events_total\{[^}]*\} (\d+)/gm;
const HANDLES = /^nodejs_active_resources_total (\d+)/m;
const TIMERS = /^nodejs_active_resources\{type="Timeout"\} (\d+)/m;
const LISTENERS = /MaxListenersExceededWarning/g;

/** Throws when the process does not answer. */
export async function sample(process: OurProcess, atMs: number): Promise<Sample> {
  const answer = await fetch(process.metricsUrl, { signal: AbortSignal.timeout(5_000) });
  const metrics = await answer.text();
  const status = readFileSync(`/proc/${process.pid}/status`, 'utf8');
  return {
    atMs,
    rssMiB: Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1_024),
    sockets: socketsOf(process.pid),
    handles: Number(HANDLES.exec(metrics)?.[1] ?? 0) - Number(TIMERS.exec(metrics)?.[1] ?? 0),
    missed: [...metrics.matchAll(MISSED)].reduce((sum, [, value]) => sum + Number(value), 0),
    listenerWarnings: [...process.log().matchAll(LISTENERS)].length,
  };
}

function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((name) => {
    try {
      return readlinkSync(`${folder}/${name}`).startsWith('socket:');
    } catch {
      // Closed since the folder was read.
      return false;
    }
  }).length;
}

/** What may still be called flat, above the median of the first quarter of a process's life. */
const SLACK = { rssMiB: 40, sockets: 12, handles: 24 };

/** What grew between the first and the last quarter of a process's samples, in words; empty when all is flat. */
export function growth(name: string, samples: readonly Sample[]): string[] {
  const quarter = Math.floor(samples.length / 4);
  if (quarter < 2) return [];
  return (['rssMiB', 'sockets', 'handles'] as const).flatMap((what) => {
    const middle = (some: readonly Sample[]) => median(some.map((one) => one[what]));
    const [first, last] = [middle(samples.slice(0, quarter)), middle(samples.slice(-quarter))];
    return last > first + SLACK[what] ? [`${name}: ${what} grew from ${first} to ${last}`] : [];
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
