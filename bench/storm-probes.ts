/** What is looked at while a storm goes on: how quickly people's reads are answered, how much memory both processes take, how many Alerts live. */
import { readFileSync } from 'node:fs';
import { load } from './load.ts';
import type { Bench } from './stage.ts';

export interface Probes {
  /** Milliseconds, sorted. */
  kubectl: number[];
  /** What kubectl takes for itself meanwhile. */
  bare: number[];
  list: number[];
  /** The most seen: MiB, and Alerts in the namespace. */
  webhookMib: number;
  operatorMib: number;
  objects: number;
}

const APART_MS = 1_000;
/** Starting kubectl takes more of the machine than what it asks for. */
const KUBECTL_APART_MS = 3_000;

/** Looks until the returned function is called; that resolves what was seen. */
export function startProbes(bench: Bench, namespace: string): () => Promise<Probes> {
  const seen: Probes = { kubectl: [], bare: [], list: [], webhookMib: 0, operatorMib: 0, objects: 0 };
  let over = false;
  const every = async (apartMs: number, look: () => Promise<void>) => {
    while (!over) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, apartMs));
    }
  };
  const timed = async (into: number[], work: () => Promise<unknown>) => {
    const began = performance.now();
    await work();
    into.push(performance.now() - began);
  };
  const running = Promise.all([
    every(KUBECTL_APART_MS, async () => {
      await timed(seen.kubectl, () => bench.kubectl(['get', 'incidents', '-n', namespace]));
      await timed(seen.bare, () => bench.kubectl(['version', '--client']));
    }),
    every(APART_MS, () => timed(seen.list, () => bench.page(`/api/incidents?namespace=${namespace}`))),
    every(APART_MS, async () => {
      const { operator, webhook } = bench.pids();
      seen.operatorMib = Math.max(seen.operatorMib, rssOf(operator));
      seen.webhookMib = Math.max(seen.webhookMib, rssOf(webhook));
      seen.objects = Math.max(seen.objects, await bench.api.count('alerts', namespace));
    }),
  ]);
  return async () => {
    over = true;
    await running;
    for (const list of [seen.kubectl, seen.bare, seen.list]) list.sort((a, b) => a - b);
    return seen;
  };
}

/** Resident memory in MiB, as the kernel counts it. */
export function rssOf(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}

/** Sends the storm's bodies; `at` is called when so many of them have been answered. */
export async function sendStorm(
  bench: Bench,
  o: { namespace: string; bodies: number; inFlight: number; body(b: number): Parameters<Bench['post']>[1] },
  at: (answered: number) => void,
): Promise<number> {
  let answered = 0;
  const run = await load(o.bodies, o.inFlight, async (b) => {
    await bench.post(o.namespace, o.body(b));
    answered += 1;
    at(answered);
  });
  return run.seconds;
}
