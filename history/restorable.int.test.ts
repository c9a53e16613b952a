/** What of a lost cluster a real Postgres offers to be made anew. */
import type { Incident } from '@funnelai/crds/generated/types';
import { databasePerFile } from '@funnelai/test/harness/own-database';
import type pg from 'pg';
import { Temporal } from 'temporal-polyfill';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { aChange, anIncident, changes, minute } from './builders.ts';
import { silentLog } from './log.ts';
import { createMirror, type Mirror } from './mirror.ts';
import { type Restorable, restorableIncidents } from './restorable.ts';

const clock = { now: () => Temporal.Instant.from('2026-03-02T00:00:00Z') };
const own = databasePerFile();
let pool: pg.Pool;
let mirror: Mirror;

beforeAll(() => {
  pool = own.pool;
  mirror = createMirror({ pool, clock, log: silentLog });
});
beforeEach(async () => {
  await pool.query('TRUNCATE incidents, alerts CASCADE');
});

const restored = (o: {
  uid: string;
  from: string;
  version: number;
  bornAt: string;
  phase?: Incident['spec']['phase'];
}) =>
  anIncident({
    ...o,
    spec: { phase: o.phase ?? 'Response', restoredFrom: { uid: o.from, changeSequence: 20 } },
    status: { changeSequence: 20 },
  });
async function all(perPage?: number): Promise<Restorable[]> {
  const found: Restorable[] = [];
  for await (const one of restorableIncidents(pool, 16, perPage)) found.push(one);
  return found;
}
const offered = async (perPage?: number) => (await all(perPage)).map(({ incident }) => incident.metadata.uid);

it('is what was neither closed nor deleted, oldest first, with its last changes and their number', async () => {
  await mirror.putIncidents([
    anIncident({ uid: 'b', name: 'later', bornAt: minute(5), changes: changes(1, 3) }),
    anIncident({ uid: 'a', name: 'open', spec: { phase: 'Postmortem' }, changes: changes(1, 20) }),
    anIncident({ uid: 'c', name: 'closed', spec: { phase: 'Closed' }, changes: changes(1, 2) }),
    anIncident({ uid: 'd', name: 'deleted', changes: changes(1, 2) }),
  ]);
  await mirror.markDeleted('Incident', 'd', minute(9));
  const [first, second, ...more] = await all();
  expect(more).toEqual([]);
  expect(first).toMatchObject({ originUid: 'a', changeSequence: 20, incident: { spec: { phase: 'Postmortem' } } });
  expect(first?.changes).toEqual(
    changes(5, 20).map((change) => expect.objectContaining({ sequence: change.sequence })),
  );
  expect(second).toMatchObject({ originUid: 'b', changeSequence: 3 });
  expect(second?.changes).toHaveLength(3);
});

it('is of a name that came back the newest, which may be closed', async () => {
  await mirror.putIncidents([
    anIncident({ uid: 'old', changes: changes(1, 2) }),
    anIncident({ uid: 'new', bornAt: minute(60), changes: changes(1, 2) }),
  ]);
  expect(await offered()).toEqual(['new']);
  await mirror.putIncidents([anIncident({ uid: 'newest', bornAt: minute(90), spec: { phase: 'Closed' } })]);
  expect(await offered()).toEqual([]);
});

it('is of a cluster that was lost twice the last of each line, numbered on under the first', async () => {
  await mirror.putIncidents([anIncident({ uid: 'first', changes: changes(1, 20) })]);
  await mirror.putIncidents([restored({ uid: 'second', from: 'first', version: 7, bornAt: minute(60) })]);
  const second = restored({ uid: 'second', from: 'first', version: 8, bornAt: minute(60) });
  const status = { observedGeneration: 1, changeSequence: 21, changes: [aChange(21, { by: 'bo' })] };
  await mirror.putIncidents([{ ...second, status }]);
  const [only, ...more] = await all();
  expect(more).toEqual([]);
  expect(only).toMatchObject({ originUid: 'first', changeSequence: 21, incident: { metadata: { uid: 'second' } } });
  expect(only?.changes.at(-1)).toMatchObject({ sequence: 21, by: 'bo' });
});

it('is nothing of a line whose last was closed or deleted, though the first never was', async () => {
  await mirror.putIncidents([anIncident({ uid: 'first', changes: changes(1, 20) })]);
  await mirror.putIncidents([
    restored({ uid: 'second', from: 'first', version: 7, bornAt: minute(60), phase: 'Closed' }),
  ]);
  expect(await offered()).toEqual([]);
  await mirror.putIncidents([restored({ uid: 'third', from: 'first', version: 8, bornAt: minute(90) })]);
  expect(await offered()).toEqual(['third']);
  await mirror.markDeleted('Incident', 'third', minute(95));
  expect(await offered()).toEqual([]);
});

it('is all of it, however many pages that takes, each once, though several were born in one moment', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const bornAt = '2026-03-01T10:05:00.000001Z';
  await mirror.putIncidents([
    ...names.map((uid) => anIncident({ uid, name: uid, bornAt, changes: changes(1, 2) })),
    anIncident({ uid: 'f', name: 'f', bornAt: '2026-03-01T10:05:00.000002Z', changes: changes(1, 2) }),
  ]);
  for (const perPage of [1, 2, 3, 6, 7]) expect(await offered(perPage), `${perPage}`).toEqual([...names, 'f']);
});
