/**
 * A cluster is lost for good; its Postgres is not. A new, empty one gets the incident back that ana and bo were working on: the same
 * name, phase, owner and numbers, the alerts join it again, and nobody is told what they know.
 */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, runOperatorCommand } from '../harness/command.ts';
import { createDatabase } from '../harness/database.ts';
import { type Environment, startEnvironment } from '../harness/environment.ts';
import { createKubectl, type Kubectl } from '../harness/kubectl.ts';
import { type OurProcess, startOperator } from '../harness/processes.ts';
import { until } from '../harness/wait.ts';

const SOON_MS = 30_000;
const NAMESPACE = 'team-checkout';
const INCIDENTS = 'incidents.funnelai.dev';

let old: Environment | undefined;
let cluster: Environment;
let kubectl: Kubectl;
/** Survives in the Postgres of the new environment, which stands for one that was never lost. */
let database: Awaited<ReturnType<typeof createDatabase>>;
let pool: pg.Pool;
let operator: OurProcess | undefined;
let lost: Incident;

const firing = (pod: string) =>
  JSON.stringify({
    apiVersion: 'funnelai.dev/v1alpha1',
    kind: 'Alert',
    metadata: { namespace: NAMESPACE, name: `prom-${pod}` },
    spec: {
      sourceRef: { name: 'prom' },
      fingerprint: pod.replaceAll(/[^0-9a-f]/g, '').padEnd(64, '0'),
      state: 'Firing',
      severity: 'High',
      title: 'KubePodCrashLooping',
      labels: { alertname: 'KubePodCrashLooping', namespace: 'checkout', pod },
      startsAt: new Date().toISOString(),
      receivedAt: new Date().toISOString(),
    },
  });
const send = async () => {
  for (const pod of ['a1', 'b2', 'c3']) await kubectl.run(['create', '-f', '-'], { as: 'webhook', input: firing(pod) });
};
const items = async <T>(kind: string): Promise<T[]> =>
  JSON.parse(await kubectl.run(['-n', NAMESPACE, 'get', kind, '-o', 'json'])).items;
const move = (as: 'ana' | 'bo', name: string, spec: object) =>
  kubectl.run(['-n', NAMESPACE, 'patch', INCIDENTS, name, '--type=merge', '-p', JSON.stringify({ spec })], { as });
async function aTeam(): Promise<void> {
  await kubectl.run(['create', 'namespace', NAMESPACE]);
  const bind = ['-n', NAMESPACE, 'create', 'rolebinding', 'r', '--clusterrole=funnelai-responder'];
  await kubectl.run([...bind, '--user=ana', '--user=bo']);
}
const operate = async (environment: Environment) => {
  operator = await startOperator({ kubeconfig: environment.kubeconfig, databaseUrl: database.url });
};
const restore = (...args: string[]): Promise<CommandResult> =>
  runOperatorCommand('restore', { kubeconfig: cluster.kubeconfig, context: 'admin', databaseUrl: database.url, args });

beforeAll(async () => {
  cluster = await startEnvironment({ say: () => {} });
  database = await createDatabase(cluster.databaseUrl);
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  old = await startEnvironment({ say: () => {} });
  kubectl = createKubectl(old);
  await aTeam();
  await operate(old);
  await send();
  const { metadata } = await until('an incident with three alerts', SOON_MS, async () => {
    return (await items<Incident>(INCIDENTS)).find(({ status }) => status?.alerts?.firing === 3);
  });
  await move('ana', metadata.name, { phase: 'Response', phaseReason: 'looking' });
  await until(
    'ana to be owner',
    SOON_MS,
    async () => (await items<Incident>(INCIDENTS))[0]?.spec.owner?.name === 'ana',
  );
  await move('bo', metadata.name, { phase: 'Mitigation', severity: 'Critical', phaseReason: 'rolled back' });
  lost = await until('history to have it all', SOON_MS, async () => {
    const [incident] = await items<Incident>(INCIDENTS);
    const { rows } = await pool.query('select count(*)::int as n from incident_changes where incident_uid = $1', [
      metadata.uid,
    ]);
    return incident?.status?.phase === 'Mitigation' && rows[0]?.n === incident.status.changeSequence
      ? incident
      : undefined;
  });
  await operator?.kill();
  operator = undefined;
  await old.stop();
  old = undefined;
  kubectl = createKubectl(cluster);
});
afterAll(async () => {
  await operator?.stop();
  await pool?.end();
  await old?.stop();
  await cluster?.stop();
});

describe('an empty cluster with the Postgres of a lost one', () => {
  it('says that a namespace is missing, and what it would restore, and changes nothing by saying so', async () => {
    const { code, stdout } = await restore();
    expect(code).toBe(1);
    expect(stdout).toContain(`${NAMESPACE}/${lost.metadata.name}: namespace ${NAMESPACE} is not there; make it first`);
    await aTeam();
    expect(await restore('--dry-run')).toMatchObject({
      code: 0,
      stdout: '1 incidents would be restored, 0 were there already\n',
    });
    expect(await items(INCIDENTS)).toEqual([]);
  });

  it('gets the incident back as it was, once however often it is asked for', async () => {
    expect(await restore()).toMatchObject({ code: 0, stdout: '1 incidents were restored, 0 were there already\n' });
    expect(await restore()).toMatchObject({ code: 0, stdout: '0 incidents were restored, 1 were there already\n' });
    const [incident, ...others] = await items<Incident>(INCIDENTS);
    expect(others).toEqual([]);
    const { uid = '', name } = lost.metadata;
    expect(incident?.metadata.name).toBe(name);
    expect(incident?.metadata.uid).not.toBe(uid);
    const changeSequence = lost.status?.changeSequence ?? 0;
    expect(incident?.spec).toEqual({ ...lost.spec, restoredFrom: { uid, changeSequence } });
    expect(incident?.spec).toMatchObject({ phase: 'Mitigation', owner: { name: 'ana' }, severity: 'Critical' });
    for (const field of ['phase', 'detectedAt', 'acknowledgedAt', 'mitigatedAt', 'round'] as const) {
      expect(Date.parse(String(incident?.status?.[field])), field).toEqual(Date.parse(String(lost.status?.[field])));
    }
    expect(incident?.status?.changeSequence).toBe(changeSequence);
    expect(incident?.status?.changes?.map(({ sequence, kind, by }) => [sequence, kind, by])).toEqual(
      lost.status?.changes?.map(({ sequence, kind, by }) => [sequence, kind, by]),
    );
  });

  it('takes its alerts in again, and people work on under the next number, told nothing twice', async () => {
    await operate(cluster);
    await send();
    const { metadata } = lost;
    await until('the alerts to be back', SOON_MS, async () => {
      return (await items<Incident>(INCIDENTS))[0]?.status?.alerts?.firing === 3;
    });
    for (const { status } of await items<Alert>('alerts.funnelai.dev')) {
      expect(status?.incidentRef?.name).toBe(metadata.name);
    }
    await move('bo', metadata.name, { phase: 'Resolution', phaseReason: 'cause is gone' });
    const last = await until('the move to be recorded', SOON_MS, async () => {
      const { status } = (await items<Incident>(INCIDENTS))[0] ?? {};
      return status?.phase === 'Resolution' ? status : undefined;
    });
    expect(last.changeSequence).toBe((lost.status?.changeSequence ?? 0) + 1);
    expect(last.acknowledgedAt).toBe(lost.status?.acknowledgedAt);
    const numbers = await until('history to have the next number under the first uid', SOON_MS, async () => {
      const { rows } = await pool.query(
        'select sequence::int from incident_changes where incident_uid = $1 order by 1',
        [metadata.uid],
      );
      return rows.length === last.changeSequence ? rows.map(({ sequence }) => sequence) : undefined;
    });
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    const reasons = await until('the Event of that move', SOON_MS, async () => {
      const events = await items<{ type: string; reason: string }>('events.events.k8s.io');
      const told = events.filter(({ type }) => type === 'Normal').map(({ reason }) => reason);
      return told.includes('Resolved') ? told : undefined;
    });
    expect(reasons).toEqual(['Resolved']);
  });
});
