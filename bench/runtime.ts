/** The runtime's own figures: what a large cache costs, how fast a watch is read, how fast reconciles write. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import type { AlertStatus } from '@funnelai/crds/generated/types';
import { ALERTS } from '@funnelai/crds/meta';
import { createKubeClient } from '@funnelai/kube/client';
import { systemClock } from '@funnelai/kube/clock';
import { staticCredentials } from '@funnelai/kube/credentials';
import { silentLog } from '@funnelai/kube/log';
import { createReflector } from '@funnelai/kube/reflector';
import type { Probed } from './cache-probe.ts';
import { load, median } from './load.ts';
import type { Figure } from './report.ts';
import type { Bench } from './stage.ts';

const CACHED = 50_000;
const OBJECT_BYTES = 2_000;
const EVENTS = 100_000;
const RECONCILES = 2_000;
const PATCHED = 1_000;
const ROUNDS = 3;
const BATCH = 50;
const IN_FLIGHT = 32;

function program(file: string, args: string[]): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The first line that it prints. */
async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'));
  }
  throw new Error('a program of the benchmark ended without a word');
}

export async function cache(bench: Bench): Promise<Figure[]> {
  const namespace = await bench.namespace();
  await bench.seed(namespace, CACHED, OBJECT_BYTES);
  const child = program('cache-probe.ts', [bench.kubeconfig, 'operator']);
  const { objects, syncMs, cpuMs, settledMiB, highestMiB } = JSON.parse(await firstLine(child)) as Probed;
  await once(child, 'exit');
  await bench.clearSeeded(namespace);
  const what = `${objects.toLocaleString('en')} objects of ${OBJECT_BYTES / 1_000} kB`;
  return [
    {
      name: `${what} cached, resident`,
      value: `${settledMiB} MiB`,
      asked: '≤ 400 MiB',
      met: objects >= CACHED && settledMiB <= 400,
      detail: `highest ${highestMiB} MiB, a whole process`,
    },
    {
      name: `${what}, initial sync`,
      value: `${(syncMs / 1000).toFixed(1)} s`,
      asked: '≤ 10 s',
      met: objects >= CACHED && syncMs <= 10_000,
      detail: `${(cpuMs / 1000).toFixed(1)} s of it CPU of the process, garbage collection included`,
    },
  ];
}

export async function events(): Promise<Figure[]> {
  const source = program('event-source.ts', [String(EVENTS)]);
  const server = `http://127.0.0.1:${await firstLine(source)}`;
  const connection = { server, context: 'bench', namespace: 'default', credentials: staticCredentials() };
  const client = createKubeClient(connection, { clock: systemClock });
  const reflector = createReflector({ client, resource: ALERTS, clock: systemClock, log: silentLog() });
  let handled = 0;
  let began = 0;
  let cpu = process.cpuUsage();
  const all = new Promise<number>((resolve) => {
    reflector.cache.subscribe(() => {
      if (handled++ === 0) {
        began = performance.now();
        cpu = process.cpuUsage();
      }
      if (handled === EVENTS) resolve((performance.now() - began) / 1000);
    });
  });
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  reflector.start();
  const seconds = await all;
  const { user, system } = process.cpuUsage(cpu);
  lag.disable();
  await reflector.stop();
  await client.close();
  source.kill();
  const perSecond = Math.round(EVENTS / seconds);
  return [
    {
      name: 'watch events of 2 kB handled',
      value: `${perSecond.toLocaleString('en')}/s`,
      asked: '≥ 10,000/s',
      met: perSecond >= 10_000,
      detail: `${Math.round((user + system) / EVENTS)} µs of CPU each; the event loop was held up for ${Math.round(lag.max / 1e6)} ms at most`,
    },
  ];
}

export async function reconciles(bench: Bench): Promise<Figure[]> {
  const raw: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { rate, status } = await answers(bench);
    ours.push(rate);
    raw.push(await rawPatches(bench, status));
  }
  const [patches, rate] = [median(raw), median(ours)];
  const asked = Math.max(200, 0.5 * patches);
  return [
    {
      name: 'reconciles that write a status',
      value: `${Math.round(rate)}/s`,
      asked: `≥ ${Math.round(asked)}/s: 200/s or 0.5 × raw status patches`,
      met: rate >= asked,
      detail: `${(rate / patches).toFixed(2)} × raw merge-patches that put the same status on such alerts, ${Math.round(patches)}/s, ${IN_FLIGHT} in flight, median of ${ROUNDS}`,
    },
  ];
}

async function waiting(bench: Bench, namespace: string, count: number): Promise<void> {
  const batches = Array.from({ length: count / BATCH }, (_, b) =>
    Array.from({ length: BATCH }, (_, i) => bench.alert(b * BATCH + i)),
  );
  await load(batches.length, 4, (b) => bench.post(namespace, batches[b] ?? []));
}

/** The same status on the same alerts, by who does nothing else. */
async function rawPatches(bench: Bench, status: AlertStatus): Promise<number> {
  const namespace = await bench.namespace();
  await waiting(bench, namespace, PATCHED);
  const names = (await bench.alerts(namespace)).map(({ metadata }) => metadata.name);
  const run = await load(names.length, IN_FLIGHT, (i) => bench.api.patchStatus(namespace, names[i] ?? '', status));
  await bench.api.clear(ALERTS.plural, namespace);
  return run.perSecond;
}

/** Alerts wait; the operator starts, and answers each with one write. From its first answer to its last. */
async function answers(bench: Bench): Promise<{ rate: number; status: AlertStatus }> {
  const namespace = await bench.namespace();
  await waiting(bench, namespace, RECONCILES);
  const answered = new Set<string>();
  let first = 0;
  let status: AlertStatus = {};
  let done: () => void = () => undefined;
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  const stop = await bench.api.watch(ALERTS.plural, namespace, (_type, alert) => {
    if (!alert.status?.conditions?.some(({ type }) => type === 'Correlated')) return;
    status = alert.status;
    if (answered.size === 0) first = performance.now();
    answered.add(alert.metadata.name);
    if (answered.size === RECONCILES) done();
  });
  await bench.startOperator();
  await all;
  const seconds = (performance.now() - first) / 1000;
  stop();
  await bench.stopOperator();
  await bench.api.clear(ALERTS.plural, namespace);
  return { rate: RECONCILES / seconds, status };
}
