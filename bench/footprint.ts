/** What 5,000 live alerts cost: writes of each, create to resolved, counted by etcd itself; writes of a repeat; memory of both processes. */
import { load, percentile } from './load.ts';
import type { Figure } from './report.ts';
import type { Bench } from './stage.ts';
import { rssOf } from './storm-probes.ts';

const LIVE = 5_000;
const BATCH = 50;
const IN_FLIGHT = 8;

export async function footprint(bench: Bench): Promise<Figure[]> {
  const namespace = await bench.namespace();
  await bench.startOperator();
  const batches = Array.from({ length: LIVE / BATCH }, (_, b) =>
    Array.from({ length: BATCH }, (_, i) => bench.alert(b * BATCH + i)),
  );
  const send = (change: object = {}) =>
    load(batches.length, IN_FLIGHT, (b) =>
      bench.post(
        namespace,
        (batches[b] ?? []).map((alert) => ({ ...alert, ...change })),
      ),
    );
  await send();
  await bench.correlated(namespace, LIVE);
  const rss = { operator: rssOf(bench.pids().operator), webhook: rssOf(bench.pids().webhook) };

  const before = await bench.writes(namespace);
  await send();
  const after = await bench.writes(namespace);
  const repeats = sum(after) - sum(before);

  await send({ status: 'resolved', endsAt: new Date().toISOString() });
  await bench.settled(namespace);
  const writes = [...(await bench.writes(namespace)).values()].sort((a, b) => a - b);
  await bench.stopOperator();

  const most = writes.at(-1) ?? Number.NaN;
  const memory = (name: string, mib: number): Figure => ({
    name: `${name} RSS with ${LIVE.toLocaleString('en')} live alerts`,
    value: `${mib.toFixed(0)} MiB`,
    asked: '≤ 200 MiB',
    met: mib <= 200,
  });
  return [
    {
      name: 'API writes per alert, create to resolved',
      value: `${most} at most`,
      asked: '≤ 3',
      met: most <= 3,
      detail: `median ${percentile(writes, 50)} of ${writes.length} alerts`,
    },
    { name: 'API writes of 5,000 repeats', value: String(repeats), asked: '0', met: repeats === 0 },
    memory('operator', rss.operator),
    memory('webhook', rss.webhook),
  ];
}

const sum = (writes: Map<string, number>) => [...writes.values()].reduce((all, one) => all + one, 0);
