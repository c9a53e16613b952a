import { readFile } from 'node:fs/promises';
import { databasePerFile } from '@funnelai/test/harness/own-database';
import type pg from 'pg';
import { Temporal } from 'temporal-polyfill';
import { beforeAll, describe, expect, it } from 'vitest';
import { aChange, anAlert, anIncident, minute } from './builders.ts';
import { silentLog } from './log.ts';
import { createMirror } from './mirror.ts';

const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';
const page = await readFile(new URL('../docs/history.md', import.meta.url), 'utf8');
const queries = [...page.matchAll(/\n([^\n]+)\n\n```sql\n([\s\S]*?)```/g)].map(([, title = '', sql = '']) => ({
  title,
  sql,
}));
const titled = (part: string) => queries.find(({ title }) => title.includes(part))?.sql ?? '';

const own = databasePerFile();
let pool: pg.Pool;
beforeAll(async () => {
  pool = own.pool;
  const mirror = createMirror({ pool, clock: { now: () => Temporal.Instant.from(minute(0)) }, log: silentLog });
  const move = (sequence: number, from: string, to: string, at: number, by: string, reason?: string) =>
    aChange(sequence, { kind: 'Phase', from, to, at: minute(at), by, ...(reason === undefined ? {} : { reason }) });
  await mirror.putIncidents([
    anIncident({
      uid: 'a',
      namespace: 'demo',
      changes: [
        move(1, '', 'Detection', 0, OPERATOR),
        move(2, 'Detection', 'Response', 4, 'ana'),
        move(3, 'Response', 'Resolution', 30, 'ana'),
        move(4, 'Resolution', 'Detection', 50, OPERATOR),
        move(5, 'Detection', 'Response', 90, 'bo'),
      ],
    }),
    anIncident({
      uid: 'b',
      name: 'unseen',
      changes: [move(1, '', 'Detection', 0, OPERATOR), move(2, 'Detection', 'Resolution', 10, OPERATOR)],
    }),
    anIncident({
      uid: 'c',
      name: 'upstream',
      changes: [
        move(1, '', 'Detection', 0, OPERATOR),
        move(2, 'Detection', 'Response', 8, OPERATOR, 'acknowledged upstream by Icinga through AlertSource events'),
      ],
    }),
  ]);
  await mirror.putAlerts([
    anAlert({ uid: 'x', namespace: 'demo', incident: 'checkout-amber-falcon' }),
    anAlert({ uid: 'y', name: 'y', incident: 'unseen' }),
  ]);
});

describe('the queries of docs/history.md', () => {
  it.each(queries)('$title', async ({ sql }) => {
    await expect(pool.query(sql)).resolves.toBeDefined();
  });

  it('count the acknowledgement of a person in the first round, here or upstream, and nothing else', async () => {
    const { rows } = await pool.query(titled('Mean time to acknowledge'));
    expect(rows).toMatchObject([{ incidents: '2', mtta: { minutes: 6 } }]);
  });

  it('count the first resolution', async () => {
    const { rows } = await pool.query(titled('mitigated then'));
    expect(rows).toMatchObject([{ severity: 'High', mttr: { minutes: 20 }, mttm: { minutes: 20 } }]);
  });

  it('tell alerts that people looked after from those that nobody did', async () => {
    const { rows } = await pool.query(titled('noisiest'));
    expect(rows).toMatchObject([
      { alertname: 'KubePodCrashLooping', episodes: '2', incidents: '2', touched_by_people: '1' },
    ]);
  });

  it('find nothing missing, and find it when something is', async () => {
    expect((await pool.query(titled('nothing is missing'))).rows).toEqual([]);
    await pool.query(`DELETE FROM incident_changes WHERE incident_uid = 'a' AND sequence = 2`);
    expect((await pool.query(titled('nothing is missing'))).rows).toMatchObject([{ uid: 'a', stored: '4' }]);
  });
});
