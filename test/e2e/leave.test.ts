/**
 * Going away: namespaces end while the operator lives; `leave` makes an uninstall safe in whatever order; and whoever forgot it, and
 * deleted the kinds, the rights or the operator's namespace first, finds the way out. On a control plane of its own, which it takes apart.
 */
import type { Incident } from '@funnelai/crds/generated/types';
import { applyConfig, CONFIG_DEFAULT } from '@funnelai/dev/controlplane/apply-config';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runOperatorCommand } from '../harness/command.ts';
import { createDatabase } from '../harness/database.ts';
import { type Environment, startEnvironment } from '../harness/environment.ts';
import { createKubectl, type Kubectl } from '../harness/kubectl.ts';
import { type OurProcess, startOperator } from '../harness/processes.ts';
import { until } from '../harness/wait.ts';

const SOON_MS = 30_000;
const CRD = 'crd/incidents.funnelai.dev';
const INCIDENTS = 'incidents.funnelai.dev';

let environment: Environment;
let kubectl: Kubectl;
let database: Awaited<ReturnType<typeof createDatabase>>;
let pool: pg.Pool;
let operator: OurProcess | undefined;

beforeAll(async () => {
  environment = await startEnvironment({ say: () => {} });
  kubectl = createKubectl(environment);
  database = await createDatabase(environment.databaseUrl);
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => undefined);
});
afterAll(async () => {
  await operator?.stop();
  await pool?.end();
  await environment?.stop();
});

const anOperator = async () => {
  operator = await startOperator({ kubeconfig: environment.kubeconfig, databaseUrl: database.url });
};
const leave = (o: { context?: 'admin' | 'operator' | 'ana'; databaseUrl?: string; args?: string[] } = {}) =>
  runOperatorCommand('leave', { kubeconfig: environment.kubeconfig, ...o });

async function aTeam(namespace: string): Promise<void> {
  await kubectl.run(['create', 'namespace', namespace]);
  await kubectl.run(['-n', namespace, 'create', 'rolebinding', 'r', '--clusterrole=funnelai-responder', '--user=ana']);
  // The API server acts on a binding some moments after it was made.
  await until('ana to be let in', SOON_MS, async () => {
    return (await kubectl.try(['-n', namespace, 'auth', 'can-i', 'create', INCIDENTS], { as: 'ana' })).code === 0;
  });
}
const incidentOf = (namespace: string, name: string, spec: object = {}) =>
  JSON.stringify({
    apiVersion: 'funnelai.dev/v1alpha1',
    kind: 'Incident',
    metadata: { namespace, name },
    spec: { title: 'Payments hang', severity: 'High', phase: 'Detection', ...spec },
  });
const declare = (namespace: string, name: string) =>
  kubectl.run(['create', '-f', '-'], { as: 'ana', input: incidentOf(namespace, name) });
const move = (namespace: string, name: string, phase: string) =>
  kubectl.run(['-n', namespace, 'patch', INCIDENTS, name, '--type=merge', '-p', `{"spec":{"phase":"${phase}"}}`], {
    as: 'ana',
  });
const get = async (namespace: string, name: string): Promise<Incident> =>
  JSON.parse(await kubectl.run(['-n', namespace, 'get', INCIDENTS, name, '-o', 'json']));
const isGone = async (...what: string[]) => (await kubectl.try(['get', ...what])).stderr.includes('NotFound');
async function installed(): Promise<void> {
  const target = { program: `${environment.assets}/kubectl`, kubeconfig: environment.kubeconfig, context: 'admin' };
  await applyConfig({ ...target, cache: `${environment.kubeconfig}.apply-cache` }, () => {});
}

/** An alert as the webhook stores one. */
const firing = (namespace: string, name: string) =>
  JSON.stringify({
    apiVersion: 'funnelai.dev/v1alpha1',
    kind: 'Alert',
    metadata: { namespace, name },
    spec: {
      sourceRef: { name: 'prom' },
      fingerprint: name.replaceAll(/[^0-9a-f]/g, '').padEnd(64, '0'),
      state: 'Firing',
      severity: 'High',
      title: 'PaymentsHang',
      labels: { alertname: 'PaymentsHang' },
      startsAt: new Date().toISOString(),
      receivedAt: new Date().toISOString(),
    },
  });

describe('a namespace that is deleted', () => {
  it('ends while the operator lives, with all that happened in it kept, and nothing is tried for ever', async () => {
    await anOperator();
    await aTeam('team-a');
    await declare('team-a', 'declared');
    await kubectl.run(['create', '-f', '-'], { as: 'webhook', input: firing('team-a', 'prom-aa') });
    const opened = await until('the alert to have an incident', SOON_MS, async () => {
      const { items } = JSON.parse(await kubectl.run(['-n', 'team-a', 'get', INCIDENTS, '-o', 'json']));
      return items.length === 2 && items.every((i: Incident) => i.status?.phase) ? (items as Incident[]) : undefined;
    });
    await kubectl.run(['delete', 'namespace', 'team-a', '--wait=false']);
    await until('the namespace to be gone', SOON_MS * 2, () => isGone('namespace', 'team-a'));
    const { rows } = await pool.query(
      'select uid, deleted_at, change_sequence::int as changes from incidents where namespace = $1',
      ['team-a'],
    );
    const uids = opened.map(({ metadata }) => metadata.uid);
    expect(rows.filter(({ uid }) => uids.includes(uid))).toHaveLength(2);
    for (const { deleted_at, changes } of rows) expect([deleted_at === null, changes >= 3]).toEqual([false, true]);
    const metrics = await (await fetch(operator?.metricsUrl ?? '')).text();
    const retries = /^workqueue_retries_total\{name="correlation"\} (\d+)$/m.exec(metrics)?.[1] ?? '0';
    expect(Number(retries)).toBeLessThan(5);
    // One for each lane.
    const depths = [...metrics.matchAll(/^workqueue_depth\{name="correlation",priority="-?\d+"\} (\d+)$/gm)];
    expect(depths.map(([, depth]) => depth)).toEqual(['0', '0', '0']);
  });
});

describe('leave', () => {
  it('refuses while an operator leads, which would put the finalizers back, and names it', async () => {
    await aTeam('team-b');
    await declare('team-b', 'one');
    const { code, stderr } = await leave({ databaseUrl: database.url });
    expect(code).toBe(1);
    expect(stderr).toMatch(/holds the Lease funnel-system\/funnelai-operator and renews it: an operator runs/);
    expect((await get('team-b', 'one')).metadata.finalizers).toEqual(['funnelai.dev/history']);
  });

  it('numbers and mirrors what people did after the operator stopped, lets all go, and deletes nothing', async () => {
    await operator?.stop();
    operator = undefined;
    await move('team-b', 'one', 'Response');
    await declare('team-b', 'two');
    const { code, stdout, stderr } = await leave({ databaseUrl: database.url });
    expect(stderr + stdout).toContain('2 incidents let go, with all of their history in Postgres');
    expect(code).toBe(0);
    const one = await get('team-b', 'one');
    expect(one.metadata.finalizers).toBeUndefined();
    expect(one.spec.owner).toBeUndefined();
    const { rows } = await pool.query(
      'select to_value, "by" from incident_changes where incident_uid = $1 and kind = $2 order by sequence',
      [one.metadata.uid, 'Phase'],
    );
    expect(rows).toEqual([
      { to_value: 'Detection', by: 'ana' },
      { to_value: 'Response', by: 'ana' },
    ]);
    const { rows: kept } = await pool.query('select deleted_at from incidents where namespace = $1', ['team-b']);
    expect(kept).toEqual([{ deleted_at: null }, { deleted_at: null }]);
  });

  it('is safe to run again, and after it the uninstall ends', async () => {
    expect((await leave({ databaseUrl: database.url })).code).toBe(0);
    await kubectl.run(['delete', '-k', CONFIG_DEFAULT, '--timeout=60s'], { timeoutMs: 90_000 });
    expect(await isGone(CRD)).toBe(true);
    expect(await isGone('namespace', 'funnel-system')).toBe(true);
    // Nothing left to leave.
    expect(await leave({ context: 'admin', args: ['--waive'] })).toMatchObject({ code: 0 });
  });
});

describe('who forgot to leave', () => {
  it('and deleted the kinds with no operator left, waives: the kinds go at once', async () => {
    await installed();
    await aTeam('team-c');
    await declare('team-c', 'stuck');
    await kubectl.run(['delete', CRD, '--wait=false']);
    await until('the incident to be on its way out', SOON_MS, async () => {
      return (await get('team-c', 'stuck')).metadata.deletionTimestamp !== undefined;
    });
    expect(await isGone(CRD)).toBe(false);
    const unsure = await leave({
      context: 'admin',
      databaseUrl: 'postgres://nobody@127.0.0.1:1/nowhere',
      args: ['--wait', '1s'],
    });
    expect(unsure.code).toBe(1);
    expect(unsure.stdout).toMatch(/team-c\/stuck: its last state is not in Postgres yet/);
    const { code, stdout, stderr } = await leave({ context: 'admin', args: ['--waive'] });
    expect(stdout, stderr).toMatch(/1 incidents let go, and this of their history given up:\n {2}team-c\/stuck: /);
    expect(code).toBe(0);
    await until('the kind to be gone', SOON_MS, () => isGone(CRD));
  });

  it('and deleted rights and namespace under a running operator, waives as an administrator', async () => {
    await installed();
    await aTeam('team-d');
    await anOperator();
    await declare('team-d', 'orphan');
    await until('its birth to be recorded', SOON_MS, async () => (await get('team-d', 'orphan')).status?.phase);
    await kubectl.run(['delete', '-k', `${CONFIG_DEFAULT}/../rbac`, '--wait=false']);
    await until('the operator to have no rights', SOON_MS, async () => {
      const { stdout } = await kubectl.try(['auth', 'can-i', 'patch', INCIDENTS], { as: 'operator' });
      return stdout.trim() === 'no';
    });
    await kubectl.run(['delete', CRD, '--wait=false']);
    const { code, stdout, stderr } = await leave({ context: 'admin', databaseUrl: database.url });
    expect(stdout + stderr).toContain('1 incidents let go, with all of their history in Postgres');
    expect(code).toBe(0);
    await until('the kind to be gone', SOON_MS, () => isGone(CRD));
  });

  it('and lacks the verb, is told which', async () => {
    await operator?.kill();
    operator = undefined;
    await installed();
    await aTeam('team-e');
    await declare('team-e', 'guarded');
    const right = ['create', 'clusterrole', 'lister', '--verb=get,list,watch'];
    const resources =
      '--resource=incidents.funnelai.dev,alerts.funnelai.dev,alertsources.funnelai.dev,correlationrules.funnelai.dev';
    await kubectl.run([...right, resources]);
    await kubectl.run(['create', 'clusterrolebinding', 'lister', '--clusterrole=lister', '--user=ana']);
    const { code, stdout } = await leave({ context: 'ana', args: ['--waive'] });
    expect(code).toBe(1);
    expect(stdout).toContain('team-e/guarded: ');
    expect(stdout).toContain('only who holds the verb waive-history on incidents.funnelai.dev may remove it');
    expect((await get('team-e', 'guarded')).metadata.finalizers).toEqual(['funnelai.dev/history']);
  });
});
