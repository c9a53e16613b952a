/** An admission webhook of somebody else that has to say yes in one namespace, and does not answer: alerts of all others do not feel it. */
import { randomBytes } from 'node:crypto';
import type { Alert } from '@funnelai/crds/generated/types';
import { silentLog } from '@funnelai/history/log';
import { migrate } from '@funnelai/history/migrate';
import { createPool } from '@funnelai/history/pool';
import { systemClock } from '@funnelai/kube/clock';
import { createDatabase } from '@funnelai/test/harness/database';
import { startTcpProxy, type TcpProxy } from '@funnelai/test/harness/tcp-proxy';
import { until } from '@funnelai/test/harness/wait';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ETCD_PATIENCE_MS } from '../limits.ts';
import { aTeam, type Running, send, serverOf, startInProcess, type Team, untilKnown } from '../testing/world.ts';

const SOON_MS = 20_000;
const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
let database: Awaited<ReturnType<typeof createDatabase>>;
let pool: pg.Pool;
let webhook: Running;
let broken: Team;
let well: Team;
/** Takes connections and never says a word. */
let hanging: TcpProxy;

beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  pool = createPool(database.url);
  await migrate(pool, silentLog);
  [broken, well] = await Promise.all([aTeam(stage), aTeam(stage)]);
  hanging = await startTcpProxy(await serverOf(stage.kubeconfig));
  hanging.set({ silent: true });
  webhook = await startInProcess(stage.kubeconfig, { databaseUrl: database.url });
  for (const team of [broken, well]) {
    await untilKnown(webhook.url, team);
    await until('etcd to be the first store', SOON_MS, async () => (await store(team, 'First')) === 'etcd');
  }
});
afterAll(async () => {
  await webhook?.stop();
  await hanging?.stop();
  await pool?.end();
  await database?.drop();
});

async function store(team: Team, alertname: string): Promise<string | null> {
  const alert = { status: 'firing', labels: { alertname }, annotations: {}, startsAt: '2026-01-01T12:00:00Z' };
  const { status, headers } = await send(webhook.url, team, [alert]);
  expect(status).toBe(200);
  return headers.get('funnelai-stored-in');
}
async function namesOf(team: Team): Promise<Set<string | undefined>> {
  const text = await team.kubectl.run(['get', 'alerts.funnelai.dev', '-n', team.namespace, '-o', 'json']);
  return new Set((JSON.parse(text) as { items: Alert[] }).items.map(({ spec }) => spec.labels?.alertname));
}
const rows = async (team: Team) =>
  (await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM inbox WHERE namespace = $1', [team.namespace]))
    .rows[0]?.n ?? 0;

/** Stands before all writes of alerts in one namespace. */
async function stand(clientConfig: object): Promise<{ goAway(): Promise<void> }> {
  const name = `broken-${randomBytes(4).toString('hex')}`;
  const configuration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: `${name}.funnelai.test`,
        clientConfig,
        rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: ['alerts'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': broken.namespace } },
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  };
  await broken.kubectl.run(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(configuration) });
  return {
    goAway: async () => {
      await broken.kubectl.run(['delete', 'validatingwebhookconfiguration', name]);
    },
  };
}

describe('an admission webhook that has to say yes in one namespace', () => {
  it.each([
    { how: 'is not there', config: () => ({ service: { namespace: 'default', name: 'nobody' } }) },
    { how: 'hangs', config: () => ({ url: `https://127.0.0.1:${hanging.port}/` }) },
  ])(
    'and $how: alerts there wait in the inbox and land once it is gone, those of others go on into etcd',
    async ({ how, config }) => {
      const kind = how.replaceAll(' ', '');
      const { goAway } = await stand(config());
      let n = 0;
      try {
        await until('it to be asked', SOON_MS, async () => (await store(broken, `${kind}${n++}`)) === 'inbox');
        // As many as would have made the webhook give up the API server.
        for (const _ of [1, 2, 3, 4, 5]) {
          expect(await store(broken, `${kind}${n++}`)).toBe('inbox');
          expect(await store(well, `${kind}${n}`)).toBe('etcd');
        }
        const beganMs = systemClock.monotonicMs();
        for (const _ of [1, 2, 3]) expect(await store(broken, `${kind}${n++}`)).toBe('inbox');
        expect(systemClock.monotonicMs() - beganMs).toBeLessThan(ETCD_PATIENCE_MS);
        expect(await rows(broken)).toBeGreaterThan(3);
        expect((await namesOf(well)).has(`${kind}${n - 3}`)).toBe(true);
      } finally {
        await goAway();
      }
      await until('all of it to be in etcd', SOON_MS, async () => {
        const found = await namesOf(broken);
        return Array.from({ length: n }, (_, i) => `${kind}${i}`).every((name) => found.has(name));
      });
      await until('the inbox to be drained', SOON_MS, async () => (await rows(broken)) === 0);
      await until(
        'etcd to be the first store again',
        SOON_MS,
        async () => (await store(broken, `${kind}Last`)) === 'etcd',
      );
    },
  );
});
