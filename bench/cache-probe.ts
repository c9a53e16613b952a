/** A process that does nothing but hold a cache of Alerts: how long until it is complete, and what it weighs. Prints one line of JSON. */
import { readFileSync } from 'node:fs';
import { ALERTS } from '@funnelai/crds/meta';
import { createKubeClient } from '@funnelai/kube/client';
import { systemClock } from '@funnelai/kube/clock';
import { loadConnection } from '@funnelai/kube/config';
import { silentLog } from '@funnelai/kube/log';
import { preferSmallHeap } from '@funnelai/kube/memory';
import { createReflector } from '@funnelai/kube/reflector';

/** Long enough for what the list has left behind to be collected, short enough to be the same state. */
const SETTLE_MS = 5_000;

export interface Probed {
  objects: number;
  syncMs: number;
  /** Of the sync, in this process. */
  cpuMs: number;
  /** Resident, in MiB: once it has settled, and at its highest. */
  settledMiB: number;
  highestMiB: number;
}

preferSmallHeap();
const [kubeconfigPath = '', context = ''] = process.argv.slice(2);
const client = createKubeClient(await loadConnection({ kubeconfigPath, context }), { clock: systemClock });
const reflector = createReflector({ client, resource: ALERTS, clock: systemClock, log: silentLog() });
const began = performance.now();
const cpu = process.cpuUsage();
reflector.start();
await reflector.cache.waitForSync();
const syncMs = Math.round(performance.now() - began);
const { user, system } = process.cpuUsage(cpu);
await systemClock.sleep(SETTLE_MS);
const mib = (field: string) => {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return Math.round(Number(line?.[1]) / 1024);
};
const probed: Probed = {
  objects: reflector.cache.size,
  syncMs,
  cpuMs: Math.round((user + system) / 1000),
  settledMiB: mib('VmRSS'),
  highestMiB: mib('VmHWM'),
};
process.stdout.write(`${JSON.stringify(probed)}\n`);
await reflector.stop();
await client.close();
