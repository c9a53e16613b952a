/**
 * Alerts in, against raw creates of objects of the same size on the same API server in the same run: stored by the webhook alone,
 * and through to a correlated status with the operator running. Rounds alternate, so that a noisy machine disturbs both alike, but
 * for the operator's: it is started once, as in a cluster, between two series of raw creates. Each round clears up.
 */
import type { Alert } from '@funnelai/crds/generated/types';
import { until } from '@funnelai/test/harness/wait';
import { load, median } from './load.ts';
import type { Figure } from './report.ts';
import type { Bench } from './stage.ts';

const IN_FLIGHT = 32;
const PER_ROUND = 1_500;
const ROUNDS = 3;
/** Some fifteen seconds of work: until then code is compiled, and history compared for the first time. */
const WARM_UP = 2_000;
const LOOK_MS = 400;
const DEADLINE_MS = 120_000;

export async function intake(bench: Bench): Promise<Figure[]> {
  const ratios: number[] = [];
  const rates: { raw: number[]; stored: number[]; correlated: number[] } = { raw: [], stored: [], correlated: [] };
  const template = await sampleAlert(bench);
  let byInbox = 0;

  const raw = async () => {
    const namespace = await bench.namespace();
    const run = await load(PER_ROUND, IN_FLIGHT, (i) => bench.api.create(namespace, copyOf(template, namespace, i)));
    await bench.api.clear('alerts', namespace);
    return run.perSecond;
  };
  const stored = async () => {
    const namespace = await bench.namespace();
    const run = await load(PER_ROUND, IN_FLIGHT, (i) => bench.post(namespace, [bench.alert(i)]));
    await bench.api.clear('alerts', namespace);
    return run.perSecond;
  };
  /** Asks the operator how far it is: one more watcher of all alerts would take its share of the machine that is measured. */
  const through = async (count: number) => {
    const namespace = await bench.namespace();
    const before = await bench.answered();
    const inboxBefore = bench.answeredByInbox();
    const began = performance.now();
    await load(count, IN_FLIGHT, (i) => bench.post(namespace, [bench.alert(i)]));
    await until('every alert to be answered', DEADLINE_MS, async () => (await bench.answered()) - before >= count, {
      everyMs: LOOK_MS,
    });
    const seconds = (performance.now() - began) / 1000;
    byInbox = bench.answeredByInbox() - inboxBefore;
    await bench.correlated(namespace, count);
    await bench.api.clear('alerts', namespace);
    return count / seconds;
  };

  const inboxShares: number[] = [];
  await raw();
  await stored();
  for (let round = 0; round < ROUNDS; round++) {
    const [r, s] = [await raw(), await stored()];
    rates.raw.push(r);
    rates.stored.push(s);
    ratios.push(s / r);
  }
  await bench.startOperator();
  await through(WARM_UP);
  for (let round = 0; round < ROUNDS; round++) {
    rates.correlated.push(await through(PER_ROUND));
    inboxShares.push(Math.round((100 * byInbox) / PER_ROUND));
  }
  await bench.stopOperator();
  for (let round = 0; round < ROUNDS; round++) rates.raw.push(await raw());

  const per = (values: number[]) => `${Math.round(median(values))}/s`;
  const storedRatio = median(ratios);
  const correlatedRatio = median(rates.correlated) / median(rates.raw);
  return [
    {
      name: 'alerts stored through the webhook, 32 in flight',
      value: `${storedRatio.toFixed(2)} ×`,
      asked: '≥ 0.7 × raw creates',
      met: storedRatio >= 0.7,
      detail: `${per(rates.stored)} against ${per(rates.raw)}, median of ${ROUNDS}`,
    },
    {
      name: 'through to a correlated status, operator running',
      value: `${correlatedRatio.toFixed(2)} ×`,
      asked: '≥ 0.35 × raw creates',
      met: correlatedRatio >= 0.35,
      detail: `${per(rates.correlated)}, median of ${ROUNDS}; ${inboxShares.join(', ')} % of them by way of the inbox`,
    },
  ];
}

/** One that the webhook has made, so that the baseline creates what the webhook creates. */
export async function sampleAlert(bench: Bench): Promise<Alert> {
  const namespace = await bench.namespace();
  await bench.post(namespace, [bench.alert(0)]);
  const [alert] = await bench.alerts(namespace);
  if (!alert) throw new Error('the webhook answered 2xx, but there is no Alert');
  return alert;
}

export function copyOf(template: Alert, namespace: string, i: number): Alert {
  const hex = i.toString(16).padStart(16, '0');
  const { labels } = template.metadata;
  return {
    apiVersion: template.apiVersion,
    kind: template.kind,
    metadata: { name: `bench-${hex}`, namespace, ...(labels ? { labels } : {}) },
    spec: { ...template.spec, fingerprint: hex.padStart(64, '0') },
  };
}
