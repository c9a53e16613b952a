/**
 * What each object costs etcd over its whole life, counted by etcd itself: an alert 4 writes, an incident 2 at birth, 2 for each move
 * (3 for the acknowledgement that names an owner), 2 at its end, and everything else at most once in ten seconds. Events are counted
 * apart. Nothing is allowed for chance: before each act nothing has been written for longer than anything waits.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PREFIX, recordWrites, type WriteLog } from '../harness/etcd.ts';
import { until } from '../harness/wait.ts';
import { createWorld, type World } from './world.ts';

const SOON_MS = 30_000;
/** Counts are written at most so often. */
const SLOW_MS = 10_000;
/** Longer than anything waits before it is written. */
const QUIET_MS = SLOW_MS + 1_500;
/** Counts are dated when they are decided on; what is seen here is when etcd had them, which takes a busy machine a while. */
const SLACK_MS = 2_000;

let world: World;
let ours: WriteLog;
let kubernetesEvents: WriteLog;

beforeAll(async () => {
  world = await createWorld({ operatorArgs: ['--alert-retention', '2s', '--incident-retention', '3s'] });
  ours = await recordWrites(inject('etcdUrl'), `${PREFIX}/`);
  kubernetesEvents = await recordWrites(inject('etcdUrl'), `/registry/events/${world.namespace}/`);
});
afterAll(async () => {
  ours?.stop();
  kubernetesEvents?.stop();
  await world?.stop();
});

const writesOf = (plural: string, name: string) =>
  ours.writes.filter(({ key }) => key === `${PREFIX}/${plural}/${world.namespace}/${name}`);
const alert = (alertname: string, o: { pod?: string; endsAt?: string } = {}) => ({
  labels: { alertname, namespace: alertname, pod: o.pod ?? 'api-0', severity: 'warning' },
  annotations: { summary: 'Pod is crash looping.' },
  startsAt: '2026-01-01T10:00:00Z',
  ...(o.endsAt === undefined ? {} : { endsAt: o.endsAt }),
});
const send = async (...alerts: ReturnType<typeof alert>[]) => {
  const { status, text } = await world.post({ version: '4', status: 'firing', receiver: 'funnelai', alerts });
  expect(status, text).toBe(200);
};
const theIncidentOf = (group: string) =>
  until(`an incident of ${group}`, SOON_MS, async () => {
    const found = (await world.incidents()).find(({ spec }) => spec.title.includes(group));
    return found?.status?.phase && found.status.alerts?.total ? found.metadata.name : undefined;
  });
const move = (name: string, spec: object) =>
  world.kubectl.run(
    ['patch', 'incidents.funnelai.dev', name, '-n', world.namespace, '--type=merge', '-p', JSON.stringify({ spec })],
    { as: 'ana' },
  );

/** Resolves once nothing was written to the key for longer than anything waits. */
async function quiet(plural: string, name: string): Promise<void> {
  const since = performance.now();
  await until(`quiet about ${name}`, SOON_MS * 2, async () => {
    const last = Math.max(since, writesOf(plural, name).at(-1)?.atMs ?? since);
    return performance.now() - last > QUIET_MS;
  });
}
/** How many writes to the incident an act has cost, its own included, until all is quiet again. */
async function costOf(name: string, act: () => Promise<unknown>): Promise<number> {
  const before = writesOf('incidents', name).length;
  await act();
  await quiet('incidents', name);
  return writesOf('incidents', name).length - before;
}

describe('the life of one alert and its incident', () => {
  let incident = '';
  let name = '';

  it('an alert is stored and answered in 2 writes, its incident is born in 2', async () => {
    await send(alert('KubePodOne'));
    incident = await theIncidentOf('KubePodOne');
    await quiet('incidents', incident);
    name = (await world.alerts())[0]?.metadata.name ?? '';
    expect(writesOf('alerts', name)).toHaveLength(2);
    expect(writesOf('incidents', incident)).toHaveLength(2);
  });

  it('repeats are free', async () => {
    const before = ours.writes.length;
    for (let i = 0; i < 5; i += 1) await send(alert('KubePodOne'));
    expect(await costOf(incident, async () => {})).toBe(0);
    expect(writesOf('alerts', name)).toHaveLength(2);
    expect(ours.writes.slice(before).filter(({ key }) => key.includes(world.namespace))).toEqual([]);
  });

  it('the acknowledgement that names an owner costs 3, every other move 2', async () => {
    expect(await costOf(incident, () => move(incident, { phase: 'Response' }))).toBeLessThanOrEqual(3);
    expect((await world.incident(incident)).spec.owner).toEqual({ name: 'ana' });
    expect(await costOf(incident, () => move(incident, { phase: 'Mitigation' }))).toBeLessThanOrEqual(2);
    expect(await costOf(incident, () => move(incident, { severity: 'Critical' }))).toBeLessThanOrEqual(2);
  });

  it('an alert that resolves and leaves ends with 4; its incident counts both, once in ten seconds', async () => {
    const before = writesOf('incidents', incident).length;
    await send(alert('KubePodOne', { endsAt: new Date().toISOString() }));
    await until('the alert to have left', SOON_MS, async () => writesOf('alerts', name).at(-1)?.isDeletion === true);
    expect(writesOf('alerts', name)).toHaveLength(4);
    expect(writesOf('alerts', name).map(({ version }) => version)).toEqual([1, 2, 3, 0]);
    await quiet('incidents', incident);
    const slow = writesOf('incidents', incident).slice(before);
    expect(slow.length).toBeLessThanOrEqual(2);
    expectApart(slow.map(({ atMs }) => atMs));
    expect((await world.incident(incident)).status?.alerts).toMatchObject({
      firing: 0,
      resolved: 1,
      gone: 1,
      total: 1,
    });
  });

  it('its end costs 2 after the moves that closed it', async () => {
    expect(await costOf(incident, () => move(incident, { phase: 'Resolution' }))).toBeLessThanOrEqual(2);
    const before = writesOf('incidents', incident).length;
    await move(incident, { phase: 'Closed' });
    await until('the incident to have left', SOON_MS, async () => writesOf('incidents', incident).at(-1)?.isDeletion);
    expect(writesOf('incidents', incident).length - before).toBeLessThanOrEqual(2 + 2);
    const [row] = await world.rows('select phase, deleted_at from incidents where name = $1', [incident]);
    expect(row).toMatchObject({ phase: 'Closed' });
    expect(row?.deleted_at).not.toBeNull();
  });

  it('Events, counted apart, are one for each change that is told, none for the alert', async () => {
    const told = new Set(kubernetesEvents.writes.map(({ key }) => key));
    // Opened, acknowledged, owner, mitigated, severity, alerts cleared, resolved, closed.
    expect(told.size).toBeLessThanOrEqual(8);
    expect(told.size).toBeGreaterThanOrEqual(6);
  });
});

it('an incident that is deleted under its alert costs 2, and the alert 1 for its new answer', async () => {
  await send(alert('KubePodGone'));
  const incident = await theIncidentOf('KubePodGone');
  await quiet('incidents', incident);
  const { metadata } = (await world.alerts()).find(({ spec }) => spec.labels?.alertname === 'KubePodGone') ?? {};
  const name = metadata?.name ?? '';
  expect(writesOf('alerts', name)).toHaveLength(2);
  await world.kubectl.run(['delete', 'incidents.funnelai.dev', incident, '-n', world.namespace, '--wait=false']);
  await until('the incident to be gone', SOON_MS, async () => writesOf('incidents', incident).at(-1)?.isDeletion);
  expect(writesOf('incidents', incident)).toHaveLength(2 + 2);
  await quiet('alerts', name);
  expect(writesOf('alerts', name)).toHaveLength(3);
});

it('200 alerts that join one incident within seconds make it no hot object', async () => {
  const pods = Array.from({ length: 200 }, (_, i) => alert('KubePodStorm', { pod: `api-${i}` }));
  for (let i = 0; i < pods.length; i += 10) await send(...pods.slice(i, i + 10));
  const incident = await theIncidentOf('KubePodStorm');
  await until('all of them to be counted', SOON_MS * 2, async () => {
    return (await world.incident(incident)).status?.alerts?.firing === pods.length;
  });
  await quiet('incidents', incident);
  const writes = writesOf('incidents', incident);
  // Create and first status are birth; from then on each write brings the counts up to date.
  expectApart(writes.slice(1).map(({ atMs }) => atMs));
  expect(writes.length).toBeLessThanOrEqual(4);
  const storm = (await world.alerts()).filter(({ spec }) => spec.labels?.alertname === 'KubePodStorm');
  expect(storm).toHaveLength(pods.length);
  for (const { metadata } of storm) expect(writesOf('alerts', metadata.name)).toHaveLength(2);
});

it('an operator that starts again writes to nothing that has not changed', async () => {
  const [incident] = await world.incidents();
  const name = incident?.metadata.name ?? '';
  await quiet('incidents', name);
  const before = ours.writes.length;
  await world.operator.stop();
  await world.restartOperator();
  await quiet('incidents', name);
  expect(ours.writes.slice(before).filter(({ key }) => key.includes(world.namespace))).toEqual([]);
});

function expectApart(times: number[]): void {
  for (const [i, time] of times.slice(1).entries()) {
    expect(time - (times[i] ?? 0)).toBeGreaterThanOrEqual(SLOW_MS - SLACK_MS);
  }
}
