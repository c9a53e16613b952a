/**
 * The main job, end to end: a real Alertmanager fires, repeats and resolves; one incident opens; ana takes it with kubectl edit
 * while the operator is dead; Postgres tells it all, in order, with who.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Alertmanager, startAlertmanager } from '../harness/alertmanager.ts';
import { writesIn } from '../harness/etcd.ts';
import { until } from '../harness/wait.ts';
import { createWorld, SOURCE_TOKEN, type World } from './world.ts';

const PODS = Array.from({ length: 12 }, (_, i) => `checkout-7d9f8c-${String(i).padStart(2, '0')}`);
const SOON_MS = 20_000;

let world: World;
let alertmanager: Alertmanager;

const crashLoop = (pod: string) => ({
  labels: { alertname: 'KubePodCrashLooping', namespace: 'checkout', pod, container: 'app', severity: 'warning' },
  annotations: { summary: 'Pod is crash looping.', runbook_url: 'https://runbooks.example/kubepodcrashlooping' },
});
const watchdog = { labels: { alertname: 'Watchdog', severity: 'none' }, annotations: { summary: 'Always firing.' } };

beforeAll(async () => {
  world = await createWorld();
  alertmanager = await startAlertmanager({
    url: `${world.webhook.url}/alerts/${world.namespace}/prom`,
    token: SOURCE_TOKEN,
  });
});

afterAll(async () => {
  await alertmanager?.stop();
  await world?.stop();
});

describe('an outage, from Alertmanager to Postgres', () => {
  let name = '';

  it('makes one incident of twelve crash-looping pods, and none of the Watchdog', async () => {
    await alertmanager.send([...PODS.map(crashLoop), watchdog]);
    const incident = await until('one incident with twelve alerts', SOON_MS, async () => {
      const [first, ...others] = await world.incidents();
      expect(others).toEqual([]);
      return first?.status?.alerts?.firing === 12 ? first : undefined;
    });
    name = incident.metadata.name;
    expect(incident.spec).toMatchObject({
      phase: 'Detection',
      severity: 'Medium',
      title: 'Pods of checkout are in trouble',
    });
    expect(incident.metadata.finalizers).toContain('funnelai.dev/history');
    const alerts = await until('thirteen alerts that know why', SOON_MS, async () => {
      const found = await world.alerts();
      return found.length === 13 && found.every((alert) => alert.status?.explanation) ? found : undefined;
    });
    const joined = alerts.filter((alert) => alert.status?.incidentRef?.name === name);
    expect(joined).toHaveLength(12);
    expect(joined[0]?.status?.explanation).toContain('rule "pods"');
  });

  it('shows it in kubectl as an SRE reads it', async () => {
    const table = await world.kubectl.run(['get', 'incidents.funnelai.dev', '-n', world.namespace]);
    expect(table.split('\n')[0]?.trim().split(/ {2,}/)).toEqual([
      'NAME',
      'SEVERITY',
      'PRIORITY',
      'PHASE',
      'OWNER',
      'FIRING',
      'AGE',
      'TITLE',
    ]);
    expect(table).toContain('Pods of checkout are in trouble');
    const selected = await world.kubectl.run([
      'get',
      'incidents.funnelai.dev',
      '-n',
      world.namespace,
      '--field-selector',
      'spec.phase=Detection',
      '-o',
      'name',
    ]);
    expect(selected.trim()).toBe(`incident.funnelai.dev/${name}`);
  });

  it('writes nothing for repeats', async () => {
    const before = await writesIn(inject('etcdUrl'), 'alerts', world.namespace);
    const { sent } = await alertmanager.notifications();
    await until(
      'two more notifications of each group',
      SOON_MS,
      async () => (await alertmanager.notifications()).sent >= sent + 4,
    );
    expect(await writesIn(inject('etcdUrl'), 'alerts', world.namespace)).toEqual(before);
    expect((await alertmanager.notifications()).failed).toBe(0);
  });

  it('takes it with kubectl edit, moves it on while the operator is dead, and loses no step of it', async () => {
    await world.operator.kill();
    const edit = await world.kubectl.try(['edit', 'incidents.funnelai.dev', name, '-n', world.namespace], {
      as: 'ana',
      env: {
        KUBE_EDITOR:
          "sed -i '/^spec:/,/^status:/s/^  phase: Detection/  phase: Response\\n  phaseReason: looking into it/'",
      },
    });
    expect(edit.stderr + edit.stdout).toContain('edited');
    const patch = (as: 'ana' | 'bo', spec: object) =>
      world.kubectl.run(
        [
          'patch',
          'incidents.funnelai.dev',
          name,
          '-n',
          world.namespace,
          '--type=merge',
          '-p',
          JSON.stringify({ spec }),
        ],
        { as },
      );
    await patch('bo', { severity: 'Critical' });
    await patch('bo', { phase: 'Mitigation', phaseReason: 'rolled back' });
    await expect(patch('bo', { phase: 'Postmortem' })).rejects.toThrow('it can go to Response or Resolution');
    await world.restartOperator();
    const incident = await until('the operator to have answered', SOON_MS, async () => {
      const found = await world.incident(name);
      return found.status?.phase === 'Mitigation' && found.spec.owner ? found : undefined;
    });
    expect(incident.spec.owner).toEqual({ name: 'ana' });
    expect(incident.status?.acknowledgedAt).toBeDefined();
    expect(incident.status?.pinned).toContain('severity');
    const moves = incident.status?.changes?.map((c) => `${c.sequence} ${c.kind} ${c.from ?? ''}>${c.to ?? ''} ${c.by}`);
    expect(moves).toContainEqual(expect.stringMatching(/^\d+ Phase Detection>Response ana$/));
    expect(moves).toContainEqual(expect.stringMatching(/^\d+ Severity Medium>Critical bo$/));
    expect(moves).toContainEqual(expect.stringMatching(/^\d+ Phase Response>Mitigation bo$/));
  });

  it('proposes the end when all alerts resolve, and leaves the move to the person who has it', async () => {
    const endsAt = new Date().toISOString();
    await alertmanager.send(PODS.map((pod) => ({ ...crashLoop(pod), endsAt })));
    const incident = await until('AlertsCleared', SOON_MS * 2, async () => {
      const found = await world.incident(name);
      const cleared = found.status?.conditions?.find((condition) => condition.type === 'AlertsCleared');
      return cleared?.status === 'True' ? found : undefined;
    });
    expect(incident.spec.phase).toBe('Mitigation');
    const alerts = (await world.alerts()).filter((alert) => alert.status?.incidentRef?.name === name);
    expect(alerts.map((alert) => alert.spec.state)).toEqual(PODS.map(() => 'Resolved'));
    const writes = await writesIn(inject('etcdUrl'), 'alerts', world.namespace);
    for (const alert of alerts) expect(writes.get(alert.metadata.name)).toBeLessThanOrEqual(3);
  });

  it('has every step in Postgres, once, in order, with who', async () => {
    const { metadata, status } = await world.incident(name);
    const uid = metadata.uid ?? '';
    const rows = await until('the mirror to have all', SOON_MS, async () => {
      const found = await world.changes(uid);
      return found.length === status?.changeSequence ? found : undefined;
    });
    expect(rows.map((row) => row.sequence)).toEqual(rows.map((_, i) => i + 1));
    const phases = await world.rows(
      'select from_phase, to_phase, "by", reason from incident_transitions where incident_uid = $1 order by sequence',
      [uid],
    );
    expect(phases).toMatchObject([
      { to_phase: 'Detection' },
      { from_phase: 'Detection', to_phase: 'Response', by: 'ana', reason: 'looking into it' },
      { from_phase: 'Response', to_phase: 'Mitigation', by: 'bo', reason: 'rolled back' },
    ]);
    const [{ count } = { count: 0 }] = await world.rows<{ count: number }>(
      'select count(*)::int as count from alerts where namespace = $1 and state = $2',
      [world.namespace, 'Resolved'],
    );
    expect(count).toBe(12);
  });

  it('keeps a deleted incident until history has it, and then lets it go', async () => {
    const { metadata } = await world.incident(name);
    await world.operator.kill();
    await world.kubectl.run(['delete', 'incidents.funnelai.dev', name, '-n', world.namespace, '--wait=false']);
    expect((await world.incident(name)).metadata.deletionTimestamp).toBeDefined();
    await world.restartOperator();
    await until('the incident to be gone', SOON_MS, async () =>
      (await world.incidents()).every((i) => i.metadata.name !== name),
    );
    const [row] = await world.rows('select name, deleted_at from incidents where uid = $1', [metadata.uid]);
    expect(row).toMatchObject({ name });
    expect(row?.deleted_at).not.toBeNull();
  });
});
