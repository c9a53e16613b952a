/**
 * A storm of two thousand alerts at a source that may have three hundred: the incident says that some of them are kept in Postgres alone,
 * each of them is found, room that comes back is used, and when it is over nothing of it is left but history.
 */
import type { Alert } from '@funnelai/crds/generated/types';
import type { AlertPage } from '@funnelai/domain/wire';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../harness/wait.ts';
import { createWorld, tokenOf, type World } from './world.ts';

const ALERTS = 2_000;
const MOST = 300;
const BODY = 200;
const SOON_MS = 120_000;

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.apply(`
apiVersion: funnelai.dev/v1alpha1
kind: AlertSource
metadata: {name: prom}
spec: {format: Alertmanager, auth: {bearer: {secretRef: {name: prom-token, key: token}}}, limits: {maxLiveAlerts: ${MOST}}}
`);
});
afterAll(() => world?.stop());

const START = '2026-01-01T10:00:00Z';
const pod = (i: number, endsAt?: string) => ({
  labels: { alertname: 'KubePodCrashLooping', namespace: 'shop', pod: `p-${i}`, severity: 'warning' },
  annotations: { summary: 'Pod is crash looping.' },
  startsAt: START,
  ...(endsAt !== undefined && { endsAt }),
});
const numbers = Array.from({ length: ALERTS }, (_, i) => i);
async function post(...alerts: object[]): Promise<void> {
  const { status, text } = await world.post({ version: '4', status: 'firing', receiver: 'funnelai', alerts });
  // As a sender would: 503 means the whole body once more.
  if (status === 503) return post(...alerts);
  expect(status, text).toBe(200);
}
async function postAll(alerts: object[]): Promise<void> {
  const bodies = Array.from({ length: Math.ceil(alerts.length / BODY) }, (_, b) =>
    alerts.slice(b * BODY, (b + 1) * BODY),
  );
  await Promise.all(
    [0, 1, 2, 3].map(async (lane) => {
      for (const body of bodies.filter((_, b) => b % 4 === lane)) await post(...body);
    }),
  );
}
const theIncident = () =>
  until('the incident of the storm', SOON_MS, async () =>
    (await world.incidents()).find(({ spec }) => spec.title === 'Pods of shop are in trouble'),
  );
const truncated = async () => {
  const { status } = await theIncident();
  const condition = status?.conditions?.find(({ type }) => type === 'AlertsTruncated');
  return { status: condition?.status, message: condition?.message ?? '', folded: status?.alerts?.folded ?? 0 };
};
const foldedPods = async (): Promise<string[]> =>
  (
    await world.rows<{ pod: string }>(
      `select spec->'labels'->>'pod' as pod from folded_alerts where namespace = $1 and left_at is null and state = 'Firing'`,
      [world.namespace],
    )
  ).map((row) => row.pod);
const isOverflow = ({ spec }: Alert) => spec.folded !== undefined;
const livePods = (alerts: Alert[]) =>
  alerts.filter((a) => !isOverflow(a) && a.spec.state === 'Firing').flatMap(({ spec }) => spec.labels?.pod ?? []);
/** Each firing pod is an Alert or folded, never both, and the incident says how many are folded. */
const settled = (firing: number) =>
  until(`${firing} firing alerts, each once`, SOON_MS, async () => {
    const [alerts, folded] = [await world.alerts(), await foldedPods()];
    const pods = [...livePods(alerts), ...folded];
    const said = await truncated();
    const isSo = pods.length === firing && new Set(pods).size === firing && said.folded === folded.length;
    return isSo ? { folded: folded.length, objects: alerts.length } : undefined;
  });

it('folds what is past the bound, finds each of it, uses room that comes back, and leaves nothing behind', async () => {
  await postAll(numbers.slice(0, ALERTS / 2).map((i) => pod(i)));
  const disk = { labels: { alertname: 'DiskFull', severity: 'critical' }, startsAt: START };
  await Promise.all([postAll(numbers.slice(ALERTS / 2).map((i) => pod(i))), post(disk)]);
  const storm = await settled(ALERTS);
  expect(storm.objects).toBeLessThanOrEqual(MOST);
  expect(storm.folded).toBeGreaterThan(ALERTS - MOST);

  // An unrelated alert in its midst is an Alert and an incident of its own.
  const other = await until('an incident of the other alert', SOON_MS, async () =>
    (await world.incidents()).find(({ spec }) => spec.title.includes('DiskFull')),
  );
  expect(other.spec.severity).toBe('Critical');

  const said = await truncated();
  expect(said).toMatchObject({ status: 'True', folded: storm.folded });
  expect(said.message).toMatch(/^\d+ further alerts of it, \d+ of them firing, found no room in the cluster/);
  expect((await theIncident()).status?.alerts?.folded).toBe((await foldedPods()).length);

  const [lost = ''] = await foldedPods();
  const query = new URLSearchParams({ namespace: world.namespace, q: `pod=${lost}` });
  const answer = await fetch(`${world.webhook.url}/api/alerts?${query}`, {
    headers: { authorization: `Bearer ${tokenOf('ana')}` },
  });
  const found = ((await answer.json()) as AlertPage).items.find(({ labels }) => labels.pod === lost);
  const incident = (await theIncident()).metadata.name;
  expect(found).toMatchObject({ state: 'Firing', incident });
  expect(found?.foldedInto).toBeDefined();

  // A third of those that are Alerts resolve; as the source is short of room they leave at once.
  const ended = livePods(await world.alerts()).slice(0, 100);
  await postAll(ended.map((name) => pod(Number(name.slice(2)), '2026-01-01T11:00:00Z')));
  await until('room', SOON_MS, async () =>
    (await world.alerts()).every(({ spec }) => !ended.includes(spec.labels?.pod ?? '')),
  );
  const rest = numbers.filter((i) => !ended.includes(`p-${i}`));
  await postAll(rest.map((i) => pod(i)));
  const after = await settled(rest.length);
  expect(after.folded).toBeLessThan(storm.folded - 80);
  expect(after.objects).toBeLessThanOrEqual(MOST);

  await postAll(rest.map((i) => pod(i, '2026-01-01T12:00:00Z')));
  await until('the storm to be over', SOON_MS, async () => {
    const alerts = await world.alerts();
    return livePods(alerts).length === 0 && !alerts.some(isOverflow) && (await foldedPods()).length === 0;
  });
  await until('the incident to say so', SOON_MS, async () => {
    const { status, folded } = await truncated();
    return status === 'False' && folded === 0 && (await theIncident()).spec.phase === 'Resolution';
  });
  const [kept] = await world.rows<{ pods: number }>(
    `select count(distinct pod)::int as pods from (
       select spec->'labels'->>'pod' as pod from folded_alerts where namespace = $1
       union select object->'spec'->'labels'->>'pod' from alerts where namespace = $1 and object->'spec'->'folded' is null
     ) p where pod is not null`,
    [world.namespace],
  );
  expect(kept?.pods).toBe(ALERTS);
});
