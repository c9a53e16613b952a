/** What an operator's figures and its /readyz say of history and of its Lease: true while Postgres is away, and nothing from a replica that does not write it. */
import { INCIDENTS } from '@funnelai/crds/meta';
import { systemClock } from '@funnelai/kube/clock';
import { KubeError } from '@funnelai/kube/errors';
import { LEASES, type Lease } from '@funnelai/kube/leader';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { anIncident, NAMESPACE } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { FakeApi } from './testing/fake-api.ts';
import { type MemoryMirror, memoryMirror } from './testing/memory-mirror.ts';
import { type Running, runOperator } from './testing/run.ts';

let api: FakeApi;
let mirror: MemoryMirror;
let operators: Running[];
beforeEach(() => {
  api = new FakeApi(systemClock);
  mirror = memoryMirror();
  operators = [];
});
afterEach(async () => {
  await Promise.all(operators.map((operator) => operator.stop()));
});

function operate(o: { history: boolean } = { history: true }): Running {
  const client = api.client('operator');
  const operator = runOperator({ client, leaseNamespace: NAMESPACE, historyLookMs: 200, ...(o.history && { mirror }) });
  operators.push(operator);
  return operator;
}
/** The figure as it is scraped, all labels together; undefined when there is none. */
async function figure({ registry }: Running, name: string): Promise<number | undefined> {
  const lines = (await registry.getSingleMetricAsString(name)).split('\n');
  const values = lines.filter((line) => line.startsWith(name)).map((line) => Number(line.split(' ').at(-1)));
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}
async function declareAndDelete(name: string): Promise<void> {
  const ana = api.client('ana');
  const { metadata: _, ...rest } = anIncident({ name });
  const finalizers = ['funnelai.dev/history'];
  await ana.create(INCIDENTS, { ...rest, metadata: { name, namespace: NAMESPACE, finalizers } });
  await ana.delete(INCIDENTS, { namespace: NAMESPACE, name });
}

it.each([{ history: true }, { history: false }])(
  'counts a deletion that waits for history, while Postgres is away and where there is none: %j',
  async (o) => {
    mirror.isAway = true;
    const operator = operate(o);
    await declareAndDelete('outage');
    const held = 'funnelai_incident_deletions_held';
    await eventually('it is counted', async () => (await figure(operator, held)) === 1);
    if (!o.history) return;
    mirror.isAway = false;
    await eventually('it is let go', () => api.all(INCIDENTS).length === 0);
    expect(await figure(operator, held)).toBe(0);
  },
);

it('says on /readyz that history waits, and that it cannot lead', async () => {
  mirror.isAway = true;
  const operator = operate();
  await eventually('it says that history waits', () => /takes no writes/.test(operator.condition().degraded ?? ''));
  mirror.isAway = false;
  await declareAndDelete('outage');
  await eventually('that is over', () => operator.condition().degraded === undefined);

  const client = api.client('operator');
  const get: typeof client.get = async (r, key, o) => {
    if (r.plural !== LEASES.plural) return client.get(r, key, o);
    throw new KubeError({ status: 403, reason: 'Forbidden', message: 'may not get leases', transient: false });
  };
  const unable = runOperator({ client: { ...client, get }, leaseNamespace: NAMESPACE });
  operators.push(unable);
  await eventually('it says so', () =>
    /Lease cannot be had.*may not get leases/.test(unable.condition().degraded ?? ''),
  );
});

it('says whether Postgres takes writes only where they are made: a standby does not know, nor who has led', async () => {
  const first = operate();
  await eventually('the first leads', () => first.leading());
  const standby = operate();
  const available = 'funnelai_history_available';
  mirror.isAway = true;
  await declareAndDelete('outage');
  await eventually('the leader says so', async () => (await figure(first, available)) === 0);
  await eventually(
    'and that something waits',
    async () => ((await figure(first, 'funnelai_history_backlog')) ?? 0) > 0,
  );
  expect(await figure(standby, available)).toBeUndefined();

  const [lease] = api.all<Lease>(LEASES);
  if (lease === undefined) throw new Error('expected a Lease');
  await api.client('thief').replace(LEASES, { ...lease, spec: { ...lease.spec, holderIdentity: 'thief' } });
  await eventually('it leads no more', async () => !first.leading() && (await figure(first, available)) === undefined);
  expect(await figure(first, 'funnelai_history_backlog')).toBe(0);
  expect(await figure(first, 'funnelai_incident_deletions_held')).toBe(0);
});
