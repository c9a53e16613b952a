/**
 * The second store: how many alerts a second are answered 2xx and safe in Postgres, against Debian's Alertmanager, which keeps them in
 * memory, in the same run over the same API with the same load. Then with the API server there and the drain at work; how fast the drain
 * is against raw creates; and how long a sender waits at a steady rate. On a webhook and a database of its own.
 */

import { silentLog } from '@funnelai/history/log';
import { migrate } from '@funnelai/history/migrate';
import { createPool } from '@funnelai/history/pool';
import { startAlertmanager } from '@funnelai/test/harness/alertmanager';
import { createDatabase } from '@funnelai/test/harness/database';
import { startFaultProxy } from '@funnelai/test/harness/fault-proxy';
import { metricOf } from '@funnelai/test/harness/metrics';
import { startWebhook, type WebhookProcess } from '@funnelai/test/harness/processes';
import { until } from '@funnelai/test/harness/wait';
import { Agent, request } from 'undici';
import { copyOf, sampleAlert } from './intake.ts';
import { load, median, percentile } from './load.ts';
import type { Figure } from './report.ts';
import type { Bench, BenchAlert } from './stage.ts';

const IN_FLIGHT = 32;
const ROUNDS = 3;
/** Alerts in a body, how many bodies a round has, and what is asked for. */
const SIZES = [
  { size: 1, bodies: 6_000, asked: 0.8 },
  { size: 10, bodies: 1_500, asked: 0.5 },
  { size: 64, bodies: 300, asked: 1 },
];
/** Alerts before those that count, at either: a webhook runs for weeks, and code that has been asked for little is not compiled yet. */
const WARM_UP = 20_000;
const DRAINED = 3_000;
const STEADY = { perSecond: 500, seconds: 15 };
const DEADLINE_MS = 240_000;

export async function inbox(bench: Bench): Promise<Figure[]> {
  const database = await createDatabase(bench.databaseUrl);
  const pool = createPool(database.url, { size: 2 });
  await migrate(pool, silentLog);
  const proxy = await startFaultProxy(bench.kubeconfig);
  // More connections than are in flight at a fixed number of them: at a steady rate nobody shall wait for one.
  const agent = new Agent({ connections: 256 });
  let webhook: WebhookProcess | undefined;
  const alertmanager = await startAlertmanager();
  const namespace = await bench.namespace();
  const template = await sampleAlert(bench);
  const stores = { etcd: 0, inbox: 0 };
  let serial = 0;

  async function post(url: string, body: string, token: string): Promise<void> {
    const answer = await request(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body,
      dispatcher: agent,
    });
    const said = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}: ${said.slice(0, 300)}`);
    const storedIn = String(answer.headers['funnelai-stored-in'] ?? '');
    if (storedIn.includes('etcd')) stores.etcd += 1;
    else if (storedIn.includes('inbox')) stores.inbox += 1;
  }
  /** Bodies of Alertmanager's API v2, which both take. Made before the clock starts. */
  function bodiesOf(count: number, size: number): string[] {
    return Array.from({ length: count }, () =>
      JSON.stringify(Array.from({ length: size }, () => forApi(bench.alert(serial++)))),
    );
  }
  const ours = (body: string) => post(`${webhook?.url}/alerts/${namespace}/prom/api/v2/alerts`, body, bench.token);
  const theirs = (body: string) => post(`${alertmanager.url}/api/v2/alerts`, body, 'none');
  async function rate(send: (body: string) => Promise<void>, count: number, size: number): Promise<number> {
    const bodies = bodiesOf(count, size);
    const run = await load(count, IN_FLIGHT, (i) => send(bodies[i] ?? '[]'));
    return run.perSecond * size;
  }
  /** While ours is measured the other does nothing: it has 100,000 alerts in memory by then, and goes through them again and again. */
  async function oursAlone(count: number, size: number): Promise<number> {
    process.kill(alertmanager.pid, 'SIGSTOP');
    try {
      return await rate(ours, count, size);
    } finally {
      process.kill(alertmanager.pid, 'SIGCONT');
    }
  }
  const rows = async () => (await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM inbox')).rows[0]?.n ?? 0;
  const empty = () => until('the inbox to be drained', DEADLINE_MS, async () => (await rows()) === 0, { everyMs: 200 });
  /** One that has read the source and its token, on the API server itself or by way of the proxy. */
  async function aWebhook(kubeconfig: string): Promise<void> {
    await webhook?.stop();
    webhook = await startWebhook({ kubeconfig, databaseUrl: database.url });
    await until('the webhook to know the source', DEADLINE_MS, () => ours('[]').then(() => true));
    await until(
      'the inbox to be open',
      DEADLINE_MS,
      async () => webhook !== undefined && (await metricOf(webhook, 'funnelai_webhook_inbox_draining')) === 1,
    );
  }

  const figures: Figure[] = [];
  // Said as it comes: what was measured is not lost with what fails after it.
  const found = (figure: Figure) => {
    figures.push(figure);
    console.log(`  ${figure.name}: ${figure.value} (${figure.detail})`);
  };
  try {
    await aWebhook(proxy.kubeconfig);
    const away = proxy.fault(() => true, { cut: 'before' });
    proxy.cut();
    for (let i = 0; i < 10; i += 1) await rate(ours, 10, 1);
    for (const { size, bodies, asked } of SIZES) {
      const ratios: number[] = [];
      const rates: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
      for (const send of [theirs, ours]) await rate(send, Math.ceil(WARM_UP / size), size);
      for (let round = 0; round < ROUNDS; round += 1) {
        const [t, o] = [await rate(theirs, bodies, size), await oursAlone(bodies, size)];
        rates.theirs.push(t);
        rates.ours.push(o);
        ratios.push(o / t);
        await pool.query('TRUNCATE inbox');
      }
      const ratio = median(ratios);
      found({
        name: `durable 2xx of distinct alerts, ${size === 1 ? 'one by one' : `${size} in a body`}, drain paused`,
        value: `${ratio.toFixed(2)} ×`,
        asked: `≥ ${asked} × Alertmanager in memory`,
        met: ratio >= asked,
        detail: `${per(rates.ours)} against ${per(rates.theirs)}, ${IN_FLIGHT} in flight, median of ${ROUNDS}, API server away`,
      });
    }
    await rate(ours, DRAINED, 1);
    // Stopped while the API server is away: nothing of it is drained before its time.
    await webhook?.stop();
    away.clear();
    found(await drainRate());
    await aWebhook(bench.kubeconfig);
    for (const { size, bodies } of SIZES) found(await whileDraining(size, Math.ceil(bodies / 4)));
    found(await steady());
  } finally {
    await webhook?.stop();
    await alertmanager.stop();
    await agent.close();
    await proxy.stop();
    await pool.end();
    await database.drop();
  }
  return figures;

  /** The rows that lie there, taken to etcd by one that starts now, against raw creates right before and after. */
  async function drainRate(): Promise<Figure> {
    const raw = async () => {
      const own = await bench.namespace();
      const run = await load(DRAINED / 3, IN_FLIGHT, (i) => bench.api.create(own, copyOf(template, own, i)));
      await bench.api.clear('alerts', own);
      return run.perSecond;
    };
    await raw();
    const before = await raw();
    const all = await rows();
    webhook = await startWebhook({ kubeconfig: bench.kubeconfig, databaseUrl: database.url });
    await until('the drain to begin', DEADLINE_MS, async () => (await rows()) < all, { everyMs: 20 });
    const began = performance.now();
    const first = await rows();
    await until('the inbox to be drained', DEADLINE_MS, async () => (await rows()) === 0, { everyMs: 50 });
    const perSecond = first / ((performance.now() - began) / 1_000);
    const after = await raw();
    await bench.api.clear('alerts', namespace);
    const ratio = perSecond / median([before, (before + after) / 2, after]);
    return {
      name: 'drain of the inbox, operator stopped',
      value: `${ratio.toFixed(2)} ×`,
      asked: '≥ 0.7 × raw creates',
      met: ratio >= 0.7,
      detail: `${Math.round(perSecond)}/s of ${first} rows against ${Math.round(before)}/s before and ${Math.round(after)}/s after`,
    };
  }

  async function whileDraining(size: number, bodies: number): Promise<Figure> {
    const [t, before] = [await rate(theirs, bodies, size), { ...stores }];
    const o = await oursAlone(bodies, size);
    const waiting = await rows();
    await empty();
    await bench.api.clear('alerts', namespace);
    return {
      name: `durable 2xx of distinct alerts, ${size === 1 ? 'one by one' : `${size} in a body`}, drain running`,
      value: `${(o / t).toFixed(2)} ×`,
      asked: 'reported',
      met: true,
      detail: `${Math.round(o)}/s against ${Math.round(t)}/s; bodies with an alert in etcd ${stores.etcd - before.etcd}, in the inbox alone ${stores.inbox - before.inbox}; ${waiting} rows left to drain`,
    };
  }

  /** Sent at its time whether or not the ones before were answered: who waits holds up nobody. */
  async function steady(): Promise<Figure> {
    const before = { ...stores };
    const count = STEADY.perSecond * STEADY.seconds;
    const bodies = bodiesOf(count, 1);
    const durations: number[] = [];
    const sending: Promise<void>[] = [];
    const began = performance.now();
    for (let i = 0; i < count; ) {
      const due = Math.min(count, Math.floor(((performance.now() - began) / 1_000) * STEADY.perSecond));
      for (; i < due; i += 1) {
        const sent = performance.now();
        sending.push(ours(bodies[i] ?? '[]').then(() => void durations.push(performance.now() - sent)));
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await Promise.all(sending);
    const waiting = await rows();
    await empty();
    const sorted = durations.sort((a, b) => a - b);
    const p99 = percentile(sorted, 99);
    return {
      name: `2xx at ${STEADY.perSecond} alerts/s, p99`,
      value: `${p99.toFixed(0)} ms`,
      asked: '≤ 100 ms',
      met: p99 <= 100,
      detail: `p50 ${percentile(sorted, 50).toFixed(0)} ms; answered by etcd ${stores.etcd - before.etcd}, by the inbox ${stores.inbox - before.inbox}; ${waiting} rows left to drain at the end`,
    };
  }
}

const per = (values: number[]) => `${Math.round(median(values))}/s`;
const forApi = ({ status: _status, ...alert }: BenchAlert) => alert;
