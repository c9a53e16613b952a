/**
 * What befalls the runtime, befalls the whole operator: its first lists are refused, 5,000 objects wait for it, a watch tells nothing any
 * more and nobody knows, a kind goes away and comes back. All promises hold again within thirty seconds.
 */
import type { Incident } from '@funnelai/crds/generated/types';
import { INCIDENTS } from '@funnelai/crds/meta';
import { applyConfig } from '@funnelai/dev/controlplane/apply-config';
import { LEASES, type Lease } from '@funnelai/kube/leader';
import { LEASE_NAME } from '@funnelai/operator/manager';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { byHand } from '../harness/by-hand.ts';
import { refusal } from '../harness/fault-proxy.ts';
import { read, verdict } from '../harness/oracle-reader.ts';
import type { OurProcess } from '../harness/processes.ts';
import { seedRecordedAlerts } from '../harness/seed.ts';
import { until } from '../harness/wait.ts';
import { busy, CONVERGED_MS, type Stage, startStage } from './stage.ts';

const CRD = 'crd/incidents.funnelai.dev';
const MANY = 5_000;
/** Each of the four kinds is refused as often. */
const REFUSALS = 3;
const KINDS = ['alerts', 'incidents', 'correlationrules', 'alertsources'];

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterEach(() => {
  stage?.operatorApi.heal();
});
afterAll(() => stage?.stop());

const lease = async () => stage.client.get<Lease>(LEASES, { namespace: 'funnel-system', name: LEASE_NAME });
const ready = async ({ healthUrl }: OurProcess) => {
  const answer = await fetch(`${healthUrl}/readyz`);
  return { isReady: answer.ok, text: await answer.text() };
};
async function missed({ metricsUrl }: OurProcess): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  const counts = [...text.matchAll(/^funnelai_reflector_missed_events_total\{[^}]*\} (\d+)$/gm)];
  expect(counts).toHaveLength(KINDS.length);
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}
/** None runs, and nobody holds the Lease: what comes next need not wait for it. */
async function withoutOperator(): Promise<void> {
  for (const operator of stage.operators) await operator.kill();
  await stage.client.delete(LEASES, { namespace: 'funnel-system', name: LEASE_NAME }).catch(() => undefined);
}

describe('an operator that starts', () => {
  it('outlives that its first lists are refused with 429, and says what it waits for', () =>
    stage.underLoad(51, async () => {
      await withoutOperator();
      const tooMany = refusal(429, 'TooManyRequests', 'storage is (re)initializing');
      const faults = KINDS.map((plural) =>
        stage.operatorApi.fault(
          ({ method, path }) => method === 'GET' && path.endsWith(`/${plural}`),
          { answer: { status: 429, headers: { 'retry-after': '1' }, body: tooMany } },
          { times: REFUSALS },
        ),
      );
      const operator = await stage.anOperator({ waitReady: false });
      await until('it to say what it waits for', CONVERGED_MS, async () => {
        const { isReady, text } = await ready(operator);
        return !isReady && KINDS.every((plural) => text.includes(plural)) && text.includes('429');
      });
      await until('all lists to be refused', CONVERGED_MS, () => faults.every(({ hits }) => hits === REFUSALS));
      await until('it to be ready', CONVERGED_MS, async () => (await ready(operator)).isReady);
      expect(await missed(operator)).toBe(0);
    }));

  it('takes up 5,000 objects that wait for it, and keeps its Lease meanwhile', async () => {
    const operators: OurProcess[] = [];
    await stage.underLoad(52, async (namespace) => {
      await withoutOperator();
      await seedRecordedAlerts(stage.environment.etcdUrl, namespace, MANY);
      operators.push(await stage.anOperator());
    });
    const [operator] = operators;
    if (operator === undefined) throw new Error('no operator was started');
    const { spec } = await lease();
    expect([spec?.leaseTransitions, (await ready(operator)).text]).toEqual([0, 'ok\n']);
    expect(await missed(operator)).toBe(0);
  });
});

describe('an operator whose cache is stale without its knowing', () => {
  it.each(['incidents', 'alerts'])('because the watch of %s has fallen silent, does no harm', async (plural) => {
    await stage.underLoad(plural.length, async () => {
      const watches = stage.operatorApi.watches(plural);
      expect(watches.length).toBeGreaterThan(0);
      for (const watch of watches) watch.mute();
      await busy(8_000);
      stage.operatorApi.cut();
    });
  });
});

describe('the kind of incidents', () => {
  it('that is deleted and comes back takes nothing from history, and all that fires has an incident again', async () => {
    const namespace = await stage.aNamespace();
    const hand = byHand({ client: stage.client, namespace, by: 'admin' });
    await hand.declare('by-hand');
    await hand.rate('by-hand', 'Medium');
    const work = stage.load(namespace, 54, { isUnattended: true });
    const incidents = async () => (await stage.client.list<Incident>(INCIDENTS, { namespace })).items;
    await until('incidents that history has', CONVERGED_MS, async () => {
      const { rows } = await read({ ...stage, namespace });
      return rows.incidents.length > 3 && rows.changes.some(({ to_value }) => to_value === 'Medium');
    });
    const [first] = await incidents();

    const [operator] = stage.operators.slice(-1);
    if (operator === undefined) throw new Error('no operator runs');
    await stage.kubectl.run(['delete', CRD, '--timeout=60s']);
    await until('the operator to say that they are gone', CONVERGED_MS, async () => {
      const { isReady, text } = await ready(operator);
      return isReady && text.includes('degraded') && text.includes('incidents');
    });
    await busy(3_000);
    const { assets, kubeconfig } = stage.environment;
    const target = { program: `${assets}/kubectl`, kubeconfig, context: 'admin', cache: `${kubeconfig}.apply-cache` };
    await applyConfig(target, () => {});
    await until('incidents to be opened again', CONVERGED_MS, async () => (await incidents()).length > 0);
    const { faults } = await work.finish();
    expect(await verdict({ ...stage, namespace }, { ...hand.told(), faults }, CONVERGED_MS)).toEqual([]);
    expect((await incidents()).some(({ metadata }) => metadata.uid === first?.metadata.uid)).toBe(false);
    await until(
      'the operator to say that all is well',
      CONVERGED_MS,
      async () => (await ready(operator)).text === 'ok\n',
    );
    expect(await missed(operator)).toBe(0);
  });
});

it('all that the incidents of these stories count is there in the end', () => stage.allCounted());
