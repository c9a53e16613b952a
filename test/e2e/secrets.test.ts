/**
 * A sender that puts secrets where nobody looks for them: a password in a label, a token in an error, credentials in an address.
 * The incident opens all the same, and none of them is found anywhere.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../harness/wait.ts';
import { createWorld, type World } from './world.ts';

const SOON_MS = 30_000;
const PASSWORD = 'hunter2-correct-horse';
const TOKEN = 'abcDEF123-tok-9876543210';
const URL_PASSWORD = 'Pg-s3cr3t-Pa55';
const SECRETS = [PASSWORD, TOKEN, URL_PASSWORD];

const leaky = {
  status: 'firing',
  labels: {
    alertname: 'KubePodCrashLooping',
    namespace: 'checkout',
    severity: 'critical',
    db_password: PASSWORD,
    target: `postgres://app:${URL_PASSWORD}@db.checkout:5432/pay`,
  },
  annotations: {
    summary: `The pod cannot log in: {"user":"app","password":"${PASSWORD}"}`,
    description: `GET https://api.example/v1?token=${TOKEN} was answered 401, sent was Authorization: Bearer ${TOKEN}`,
    runbook_url: `https://ana:${URL_PASSWORD}@runbooks.example/pods`,
  },
  generatorURL: `http://prom:${PASSWORD}@prometheus:9090/graph?g0.expr=up`,
};
/** Each is refused, and says why. */
const refused = [
  { status: `Bearer ${TOKEN}`, labels: { alertname: 'A' } },
  { status: 'firing', labels: { alertname: 'C', password: [PASSWORD] } },
];
/** Taken without what cannot be read, and that is said. */
const odd = {
  status: 'firing',
  labels: { alertname: 'Odd' },
  annotations: { password: [PASSWORD] },
  startsAt: `https://ana:${URL_PASSWORD}@x.example`,
};

let world: World;
beforeAll(async () => {
  world = await createWorld({ webhookArgs: ['--log-level', 'debug'], operatorArgs: ['--log-level', 'debug'] });
});
afterAll(async () => world?.stop());

describe('secrets in an alert', () => {
  it('are in no store, no log and no answer', async () => {
    const answers = [
      await world.post({ version: '4', alerts: [leaky, odd, ...refused] }),
      await world.post({ version: '4', alerts: leaky }),
      await world.post(`{"token": "${TOKEN}", `),
      await world.post({ version: '4', alerts: [{ ...leaky, status: 'resolved' }] }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 200]);

    const rows = await until('history to have the alert', SOON_MS, async () => {
      const found = await everyRow();
      return ['KubePodCrashLooping', 'Odd'].every((name) => found.includes(name)) ? found : undefined;
    });
    expect((await world.incidents()).map(({ spec }) => spec.title)).toContainEqual(expect.stringContaining('checkout'));
    const alerts = await world.alerts();
    const named = (name: string) => alerts.find(({ spec }) => spec.labels?.alertname === name);
    expect(named('Odd')?.spec.notes?.join()).toContain('startsAt');
    const alert = named('KubePodCrashLooping');
    expect(alert?.spec.labels?.db_password).toBe('[redacted]');
    expect(alert?.spec.labels?.target).toBe('postgres://[redacted]@db.checkout:5432/pay');
    expect(alert?.spec.notes?.join()).toContain('secrets taken out of: label db_password');

    const places = {
      answers: answers.map(({ text }) => text).join('\n'),
      etcd: await everythingInEtcd(),
      postgres: rows,
      webhook: readFileSync(world.webhook.running.log.path, 'utf8'),
      operator: readFileSync(world.operator.running.log.path, 'utf8'),
    };
    for (const [place, text] of Object.entries(places)) {
      expect(text.length, place).toBeGreaterThan(100);
      for (const secret of SECRETS) expect(text, place).not.toContain(secret);
    }
    // The search would find what is there.
    expect(places.etcd).toContain('KubePodCrashLooping');
    expect(places.webhook).toContain('/alerts/');
  });
});

/** Of every table of the database, as text. */
async function everyRow(): Promise<string> {
  const tables = await world.rows<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) => world.rows<{ text: string }>(`select t::text as text from ${name} t`)),
  );
  return rows
    .flat()
    .map(({ text }) => text)
    .join('\n');
}

/** All values but Secrets, as etcd holds them: our objects, Events, whatever else was written about them. */
async function everythingInEtcd(): Promise<string> {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const response = await fetch(`${inject('etcdUrl')}/v3/kv/range`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: base64('/registry/'), range_end: base64('/registry0') }),
  });
  const { kvs = [] } = (await response.json()) as { kvs?: { key: string; value: string }[] };
  return kvs
    .map(({ key, value }) => [
      Buffer.from(key, 'base64').toString('utf8'),
      Buffer.from(value, 'base64').toString('latin1'),
    ])
    .filter(([key = '']) => key.includes(world.namespace) && !key.startsWith('/registry/secrets/'))
    .map((entry) => entry.join('\n'))
    .join('\n');
}
