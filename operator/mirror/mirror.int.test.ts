/** The mirror as the operator runs it, on a real Postgres: clusters that are set back, databases that are emptied, rows that are refused. */
import type { Incident } from '@funnelai/crds/generated/types';
import { ALERTS, HISTORY_FINALIZER, INCIDENTS, type KubeObject } from '@funnelai/crds/meta';
import { silentLog as silentHistory } from '@funnelai/history/log';
import { migrate } from '@funnelai/history/migrate';
import { createMirror, type Mirror } from '@funnelai/history/mirror';
import { createPool } from '@funnelai/history/pool';
import { createQueries, type Queries } from '@funnelai/history/queries';
import type { JsonPatchOp, KubeClient } from '@funnelai/kube/client';
import { systemClock } from '@funnelai/kube/clock';
import { createDatabase } from '@funnelai/test/harness/database';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { anIncident, crashingPods, NAMESPACE } from '../testing/builders.ts';
import { eventually } from '../testing/eventually.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { type Running, runOperator } from '../testing/run.ts';

const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';
const EVENTS = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

let database: Awaited<ReturnType<typeof createDatabase>>;
let pool: pg.Pool;
let queries: Queries;
let api: FakeApi;
let ana: KubeClient;
let running: Running[];
beforeEach(async () => {
  database = await createDatabase(inject('databaseUrl'));
  pool = createPool(database.url);
  queries = createQueries({ pool });
  api = new FakeApi(systemClock);
  ana = api.client('ana');
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((operator) => operator.stop()));
  await pool.end();
  await database.drop();
});

const openMirror = (): Mirror =>
  createMirror({ pool, clock: systemClock, log: silentHistory, prepare: () => migrate(pool, silentHistory) });
async function operate(): Promise<Running> {
  const operator = runOperator({ client: api.client(OPERATOR), openMirror });
  running.push(operator);
  await eventually('the operator leads', () => operator.leading());
  return operator;
}
const declare = (name: string) => {
  const { metadata: _, ...rest } = anIncident({ name });
  return ana.create<Incident>(INCIDENTS, { ...rest, metadata: { name, namespace: NAMESPACE } });
};
const edit = (name: string, ...ops: JsonPatchOp[]) =>
  ana.jsonPatch<Incident>(INCIDENTS, { namespace: NAMESPACE, name }, ops);
const setSeverity = (name: string, value: string) => edit(name, { op: 'add', path: '/spec/severity', value });
const get = (name: string) => ana.get<Incident>(INCIDENTS, { namespace: NAMESPACE, name });
const condition = ({ status }: Incident) => status?.conditions?.find(({ type }) => type === 'HistoryMirrored');
const reasonsOf = () => api.all<KubeObject & { reason?: string }>(EVENTS).map(({ reason }) => reason);
async function metric(operator: Running, name: string, labels: Record<string, string> = {}): Promise<number> {
  const { values } = (await operator.registry.getSingleMetric(name)?.get()) ?? { values: [] };
  const found = values.filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value));
  return found.reduce((sum, { value }) => sum + value, 0);
}
/** Until history has as many changes as the object says; returns who set which severity, in order. */
async function severitiesOf(name: string): Promise<(string | undefined)[]> {
  const incident = await get(name);
  const changes = await eventually(`history is up to date with ${name}`, async () => {
    const [stored, now] = [await queries.changesOf(incident.metadata.uid ?? ''), await get(name)];
    return stored.length > 0 && stored.length === now.status?.changeSequence && stored;
  });
  expect(changes.map(({ sequence }) => sequence)).toEqual(changes.map((_, index) => index + 1));
  return changes.filter(({ kind }) => kind === 'Severity').map(({ to }) => to);
}

describe('a cluster that is set back to an older snapshot', () => {
  it.each(['under a term', 'between two terms'])(
    '%s: acts of both lives are in history, and it is said',
    async (when) => {
      let operator = await operate();
      await declare('outage');
      await setSeverity('outage', 'Low');
      expect(await severitiesOf('outage')).toEqual(['High', 'Low']);
      await api.client(OPERATOR).create(ALERTS, crashingPods(1)[0] as KubeObject);
      const snapshot = api.snapshot();
      await setSeverity('outage', 'Medium');
      await declare('after-the-snapshot');
      expect(await severitiesOf('outage')).toEqual(['High', 'Low', 'Medium']);
      expect(await severitiesOf('after-the-snapshot')).toHaveLength(1);
      const gone = await get('after-the-snapshot');

      if (when === 'between two terms') await operator.stop();
      api.restore(snapshot);
      await setSeverity('outage', 'Critical');
      if (when === 'between two terms') operator = await operate();

      const all = await eventually('both lives are in history', async () => {
        const severities = await severitiesOf('outage');
        return severities.includes('Critical') && severities;
      });
      expect(all).toEqual(['High', 'Low', 'Medium', 'Critical']);
      expect(await metric(operator, 'funnelai_history_renumbered_total')).toBe(1);
      expect(await metric(operator, 'funnelai_history_writes_total', { outcome: 'conflict' })).toBeGreaterThan(0);
      await eventually('it is told', () => reasonsOf().includes('HistoryRenumbered'));
      await eventually('and kept, longer than Events are', async () => {
        const said = await queries.eventsOf((await get('outage')).metadata.uid ?? '');
        return ['HistoryConflict', 'HistoryRenumbered'].every((reason) => said.some((one) => one.reason === reason));
      });
      await eventually('the row is of the present version', async () => {
        const [record, now] = [await queries.incidentByName(NAMESPACE, 'outage'), await get('outage')];
        return record?.incident.metadata.resourceVersion === now.metadata.resourceVersion;
      });
      await eventually('what the cluster lost is marked', async () => {
        const { rows } = await pool.query('SELECT vanished FROM incidents WHERE uid = $1 AND deleted_at IS NOT NULL', [
          gone.metadata.uid,
        ]);
        return rows[0]?.vanished === true;
      });
      await eventually(
        'the condition is good again',
        async () => condition(await get('outage'))?.status === 'True',
        20_000,
      );
    },
  );

  it('brings back what was deleted since: it lives in history too, and can be let go again', async () => {
    const operator = await operate();
    await declare('outage');
    await severitiesOf('outage');
    const snapshot = api.snapshot();
    await ana.delete(INCIDENTS, { namespace: NAMESPACE, name: 'outage' });
    await eventually('it is gone', () => api.all(INCIDENTS).length === 0);
    await operator.stop();
    api.restore(snapshot);
    await operate();
    await eventually(
      'it lives',
      async () => (await queries.incidentByName(NAMESPACE, 'outage'))?.deletedAt === undefined,
    );
    await ana.delete(INCIDENTS, { namespace: NAMESPACE, name: 'outage' });
    await eventually('it is gone again', () => api.all(INCIDENTS).length === 0);
    expect((await queries.incidentByName(NAMESPACE, 'outage'))?.deletedAt).toBeDefined();
  });
});

describe('a database that is emptied', () => {
  it.each(['under a term', 'between two terms'])(
    '%s: is filled again as far as the cluster knows, and what is lost is said',
    async (when) => {
      const operator = await operate();
      await declare('outage');
      const values = ['Low', 'High'];
      // So many that the first have left the object: nothing but history has them.
      for (let n = 0; n < 24; n += 1) {
        await setSeverity('outage', values[n % 2] ?? '');
        await eventually(
          'it is numbered',
          async () => (await get('outage')).status?.observed?.severity === values[n % 2],
        );
        if (n % 6 === 0) await severitiesOf('outage');
      }
      await severitiesOf('outage');
      for (const alert of crashingPods(3)) await api.client('webhook').create(ALERTS, alert);
      await eventually(
        'the alerts are in history',
        async () => (await pool.query('SELECT FROM alert_episodes')).rowCount === 3,
      );

      if (when === 'between two terms') await operator.stop();
      await pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
      const next = when === 'between two terms' ? await operate() : operator;
      if (when === 'under a term') await setSeverity('outage', 'Critical');
      await eventually(
        'alerts and incidents are back',
        async () => {
          const episodes = await pool.query('SELECT FROM alert_episodes WHERE incident_uid IS NOT NULL');
          return episodes.rowCount === 3 && (await pool.query('SELECT FROM incidents')).rowCount === 2;
        },
        30_000,
      );
      await severitiesOf('outage');
      const now = await get('outage');
      const first = now.status?.changes?.[0]?.sequence ?? 0;
      expect(first).toBeGreaterThan(1);
      const changes = await queries.changesOf(now.metadata.uid ?? '');
      expect(changes.filter(({ kind }) => kind === 'Lost').map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: first - 1 }, (_, index) => index + 1),
      );
      expect(await metric(next, 'funnelai_history_lost_changes_total')).toBe(first - 1);
      await eventually('it is told', () => reasonsOf().includes('HistoryLost'));
    },
  );
});

describe('one incident of 1,000 that Postgres refuses', () => {
  it('holds up no other, says column and reason, is offered again after an edit, and is held', {
    timeout: 120_000,
  }, async () => {
    await migrate(pool, silentHistory);
    await pool.query(`ALTER TABLE incident_changes ADD CONSTRAINT no_poison CHECK (reason IS DISTINCT FROM 'poison')`);
    for (let n = 0; n < 1_000; n += 1) await declare(`incident-${n}`);
    await edit(
      'incident-500',
      { op: 'add', path: '/spec/phaseReason', value: 'poison' },
      { op: 'add', path: '/spec/phase', value: 'Response' },
    );
    const operator = await operate();
    await eventually(
      '999 are in history',
      async () => {
        const { rows } = await pool.query(
          `SELECT count(*)::int AS n FROM incidents i WHERE i.change_sequence > 0 AND EXISTS (
             SELECT FROM incident_changes c WHERE c.incident_uid = i.uid AND c.sequence = i.change_sequence)`,
        );
        return rows[0]?.n === 999;
      },
      30_000,
    );
    const poisoned = await eventually(
      'it says so',
      async () => {
        const incident = await get('incident-500');
        return condition(incident)?.status === 'False' && incident;
      },
      20_000,
    );
    expect(condition(poisoned)).toMatchObject({ reason: 'Refused', message: expect.stringContaining('no_poison') });
    expect(await metric(operator, 'funnelai_history_poisoned', { kind: 'Incident' })).toBe(1);

    await ana.delete(INCIDENTS, { namespace: NAMESPACE, name: 'incident-500' });
    await eventually('it is held', async () => (await metric(operator, 'funnelai_incident_deletions_held')) === 1);
    expect((await get('incident-500')).metadata.finalizers).toContain(HISTORY_FINALIZER);

    // Mended on the side of Postgres; then the command to try again, as docs/history.md has it.
    await pool.query('ALTER TABLE incident_changes DROP CONSTRAINT no_poison');
    await edit('incident-500', { op: 'add', path: '/metadata/annotations/funnelai.dev~1mirror-again', value: 'now' });
    await eventually(
      'it is let go',
      () => !api.all(INCIDENTS).some(({ metadata }) => metadata.name === 'incident-500'),
      20_000,
    );
    expect(await metric(operator, 'funnelai_history_poisoned', { kind: 'Incident' })).toBe(0);
  });
});

describe('two operators that both believe to lead', () => {
  it('do not write history both: the earlier stops, and says so', async () => {
    const first = await operate();
    await declare('outage');
    await severitiesOf('outage');
    const second = await operate();
    await eventually('the second has its epoch', async () => {
      const { rows } = await pool.query('SELECT epoch::int FROM history_epochs');
      return rows[0]?.epoch === 2;
    });
    await setSeverity('outage', 'Low');
    await eventually('the first is fenced', async () => (await metric(first, 'funnelai_history_fenced_total')) === 1);
    expect(await severitiesOf('outage')).toEqual(['High', 'Low']);
    expect(await metric(second, 'funnelai_history_fenced_total')).toBe(0);
  });
});
