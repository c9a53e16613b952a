import { readFileSync } from 'node:fs';
import { databasePerTest } from '@funnelai/test/harness/own-database';
import { until } from '@funnelai/test/harness/wait';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createInboxStore, INBOX_ROWS_PER_WRITE, type InboxRow } from './inbox.ts';
import { createInboxCountStore, SET_ASIDE_COUNTED } from './inbox-counts.ts';
import { createPool } from './pool.ts';

const own = databasePerTest({ migrated: true });
let pool: pg.Pool;
const holders: pg.PoolClient[] = [];
beforeEach(() => {
  pool = own.pool;
});
afterEach(() => {
  for (const client of holders.splice(0)) client.release(true);
});

const aRow = (n: number, o: Partial<InboxRow> = {}): InboxRow => ({
  namespace: 'demo',
  source: 'prom',
  fingerprint: String(n).padStart(64, '0'),
  demo: false,
  receivedAt: '2026-01-01T12:00:00.000001Z',
  reports: JSON.stringify([{ n }]),
  ...o,
});
const all = { after: '0', limit: 1_000, without: [] };
/** A backend that holds the drain lock of `scope`. */
async function aHolder(scope: string): Promise<{ pid: number; end(): Promise<void> }> {
  const client = await pool.connect();
  holders.push(client);
  const { rows } = await client.query<{ pid: number; held: boolean }>(
    'SELECT pg_backend_pid() AS pid, pg_try_advisory_lock(hashtextextended($1, 7142019002)) AS held',
    [scope],
  );
  expect(rows[0]?.held).toBe(true);
  const pid = rows[0]?.pid ?? 0;
  return {
    pid,
    async end() {
      holders.splice(holders.indexOf(client), 1);
      client.release(true);
      // The server hears of it a moment later, and has the lock until then.
      const lives = () => pool.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid]);
      await until('the backend to be gone', 5_000, async () => (await lives()).rowCount === 0);
    },
  };
}

describe('rows of the inbox', () => {
  it('come back as they were put, in order, whatever a sender wrote into them', async () => {
    const inbox = createInboxStore({ pool, scope: 'a' });
    const odd = ['\u0000', 'a\nb\r\u2028', '\ud800', '\\u0000 "quoted"', '🦄 ñ \u007f', '{}'];
    const rows = odd.map((text, n) => aRow(n, { reports: JSON.stringify([{ text }]), demo: n % 2 === 0 }));
    await inbox.append(rows);
    await inbox.append([aRow(99)]);
    const found = await inbox.page(all);
    expect(found.map(({ id: _id, ...row }) => row)).toEqual([...rows, aRow(99)]);
    expect(found.map(({ id }) => Number(id))).toEqual(found.map((_, n) => n + 1));
  });

  it('are read on from where one stopped, without sources that are left alone', async () => {
    const inbox = createInboxStore({ pool, scope: 'a' });
    await inbox.append(Array.from({ length: INBOX_ROWS_PER_WRITE }, (_, n) => aRow(n, { namespace: `team-${n % 3}` })));
    const [alone, ...others] = await inbox.page({ after: '0', limit: 100, bytes: 1, without: [] });
    expect([alone?.id, others.length]).toEqual([(await inbox.page(all))[0]?.id, 0]);
    const first = await inbox.page({ after: '0', limit: 100, without: ['team-1/prom'] });
    const second = await inbox.page({ after: first.at(-1)?.id ?? '', limit: 1_000, without: ['team-1/prom'] });
    const ids = [...first, ...second].map(({ id }) => Number(id));
    expect(ids).toEqual([...Array(INBOX_ROWS_PER_WRITE).keys()].filter((n) => n % 3 !== 1).map((n) => n + 1));
  });

  it('are read past those of sources that are left alone, the first of their kind too', async () => {
    const inbox = createInboxStore({ pool, scope: 'a' });
    const places = ['a/prom', 'a/other', 'b/prom'];
    await inbox.append(
      Array.from({ length: 300 }, (_, n) => {
        const [namespace = '', source = ''] = (places[n % 3] ?? '').split('/');
        return aRow(n, { namespace, source, isFirst: n >= 150 });
      }),
    );
    const placesOf = async (o: { firsts?: boolean; limit: number }) => {
      const rows = await inbox.page({ after: '0', without: ['a/prom', 'b/prom'], ...o });
      return [new Set(rows.map(({ namespace, source }) => `${namespace}/${source}`)), rows.length];
    };
    expect(await placesOf({ limit: 500 })).toEqual([new Set(['a/other']), 100]);
    expect(await placesOf({ limit: 500, firsts: true })).toEqual([new Set(['a/other']), 50]);
    expect(await placesOf({ limit: 10 })).toEqual([new Set(['a/other']), 10]);
  });

  it('that are the first of their kind are found by themselves, without looking through all others', async () => {
    const inbox = createInboxStore({ pool, scope: 'a' });
    await inbox.append(Array.from({ length: 400 }, (_, n) => aRow(n, { ...(n % 100 === 99 && { isFirst: true }) })));
    await createInboxStore({ pool, scope: 'b' }).append([aRow(1, { isFirst: true })]);
    const firsts = await inbox.page({ ...all, firsts: true });
    expect(firsts.map(({ id }) => Number(id))).toEqual([100, 200, 300, 400]);
    const after = await inbox.page({ ...all, after: '200', limit: 1, firsts: true });
    expect(after.map(({ id }) => Number(id))).toEqual([300]);
    await pool.query(`INSERT INTO inbox (scope, namespace, source, fingerprint, received_at, reports)
      SELECT 'a', 'demo', 'prom', n, now(), '[]' FROM generate_series(1, 20000) n`);
    await pool.query('ANALYZE inbox');
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT id FROM inbox WHERE scope = 'a' AND id > 0 AND is_first ORDER BY id LIMIT 10`,
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('inbox_firsts');
  });

  it('go for those that say the same again, which stand behind all that came since', async () => {
    const inbox = createInboxStore({ pool, scope: 'a' });
    const said = (n: number, word: string) => aRow(n, { reports: JSON.stringify([word]) });
    expect(await inbox.renew([said(1, 'a'), { ...said(2, 'b'), isFirst: true }])).toEqual(['1', '2']);
    await inbox.append([said(1, 'c')]);
    await createInboxStore({ pool, scope: 'b' }).append([said(9, 'theirs')]);
    // The row of another fault is not its own, nor is one of another cluster.
    const again = [
      { ...said(1, 'd'), instead: '1' },
      { ...said(2, 'e'), instead: '2' },
      { ...said(5, 'f'), instead: '3' },
      { ...said(9, 'g'), instead: '4' },
    ];
    const ids = await inbox.renew([...again, said(6, 'h'), said(6, 'i')]);
    expect(ids.map((id) => id !== undefined)).toEqual([true, true, true, true, false, false]);
    const found = await inbox.page(all);
    expect(found.map(({ reports }) => JSON.parse(reports)[0]).join('')).toBe('cdefghi');
    expect(found.slice(1, 5).map(({ id }) => id)).toEqual(ids.slice(0, 4));
    expect((await inbox.page({ ...all, firsts: true })).map(({ fingerprint }) => fingerprint)).toEqual([
      aRow(2).fingerprint,
    ]);
    expect((await createInboxStore({ pool, scope: 'b' }).depth()).rows).toBe(1);
  });

  it('are put there by nobody who waits for one that takes rows away', async () => {
    const inbox = createInboxStore({ pool, scope: 'a' });
    await inbox.append([aRow(1)]);
    const taking = await pool.connect();
    await taking.query('BEGIN');
    await taking.query('DELETE FROM inbox WHERE id = 1');
    expect(await inbox.renew([{ ...aRow(1), instead: '1' }])).toEqual(['2']);
    await taking.query('COMMIT');
    taking.release();
    expect((await inbox.page(all)).map(({ id }) => id)).toEqual(['2']);
  });

  it('of another cluster in the same database are not seen, counted, or taken', async () => {
    const [mine, theirs] = [createInboxStore({ pool, scope: 'a' }), createInboxStore({ pool, scope: 'b' })];
    await mine.append([aRow(1)]);
    await theirs.append([aRow(2)]);
    expect((await mine.page(all)).map(({ fingerprint }) => fingerprint)).toEqual([aRow(1).fingerprint]);
    expect((await mine.depth()).rows).toBe(1);
    const [other] = await theirs.page(all);
    const holder = await aHolder('a');
    expect(await mine.remove([other?.id ?? ''], holder.pid)).toBe(true);
    expect((await theirs.depth()).rows).toBe(1);
    await holder.end();
  });

  it('are on disk before anybody is answered, also where the database would not wait for it', async () => {
    const name = new URL(own.url).pathname.slice(1);
    await pool.query(`ALTER DATABASE ${name} SET synchronous_commit = off`);
    const fresh = createPool(own.url);
    await fresh.query('CREATE TABLE committed (how text)');
    await fresh.query(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO committed VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$`);
    // Deferred: it runs as the transaction commits.
    await fresh.query(`CREATE CONSTRAINT TRIGGER note AFTER INSERT ON inbox DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION note()`);
    await createInboxStore({ pool: fresh, scope: 'a' }).append([aRow(1)]);
    expect((await fresh.query('SELECT how FROM committed')).rows).toEqual([{ how: 'on' }]);
    expect((await fresh.query('SHOW synchronous_commit')).rows).toEqual([{ synchronous_commit: 'off' }]);
    await fresh.end();
  });
});

describe('who drains', () => {
  it('takes rows away only while its backend holds the lock of that cluster', async () => {
    const inbox = createInboxStore({ pool, scope: 'a' });
    await inbox.append([aRow(1), aRow(2), aRow(3)]);
    const [one, two, three] = (await inbox.page(all)).map(({ id }) => id);
    const [other, mine] = [await aHolder('b'), await aHolder('a')];
    for (const pid of [other.pid, 0]) {
      expect(await inbox.remove([one ?? ''], pid)).toBe(false);
      expect(await inbox.setAside([{ id: one ?? '', reason: 'x' }], pid)).toBe(false);
    }
    expect((await inbox.depth()).rows).toBe(3);
    expect(await inbox.remove([one ?? '', two ?? ''], mine.pid)).toBe(true);
    // Gone already: somebody else was quicker, and the lock is held still.
    expect(await inbox.remove([one ?? ''], mine.pid)).toBe(true);
    await mine.end();
    expect(await inbox.remove([three ?? ''], mine.pid)).toBe(false);
    expect((await inbox.page(all)).map(({ id }) => id)).toEqual([three]);
    await other.end();
  });

  it('sets rows aside with a reason, from where the documented statements show them and put them back', async () => {
    const inbox = createInboxStore({ pool, scope: 'a' });
    await inbox.append([aRow(1), aRow(2)]);
    const [one, two] = await inbox.page(all);
    const { pid, end } = await aHolder('a');
    await inbox.setAside([{ id: one?.id ?? '', reason: `no namespace\u0000 ${'x'.repeat(5_000)}` }], pid);
    expect(await inbox.depth()).toMatchObject({ rows: 1, setAside: 1 });
    const [look, putBack] = documented();
    const seen = (await pool.query(look ?? '')).rows;
    expect(seen).toMatchObject([{ namespace: 'demo', source: 'prom', count: '1' }]);
    expect(String(seen[0]?.reason)).toMatch(/^no namespace. x+$/);
    await pool.query((putBack ?? '').replaceAll("'NAMESPACE'", "'demo'"));
    expect(await inbox.depth()).toMatchObject({ rows: 2, setAside: 0 });
    expect((await inbox.page(all)).find(({ id }) => id === one?.id)?.reports).toBe(one?.reports);
    expect(two).toBeDefined();
    await end();
  });

  it('is told how much waits and how long by the clock of Postgres', async () => {
    const inbox = createInboxStore({ pool, scope: 'a' });
    expect(await inbox.depth()).toEqual({ rows: 0, oldestAgeMs: 0, setAside: 0 });
    const now = await inbox.now();
    const ago = new Date(Number(now / 1_000n) - 60_000).toISOString();
    await inbox.append([aRow(1, { receivedAt: ago }), aRow(2)]);
    const { oldestAgeMs, rows } = await inbox.depth();
    expect([rows, Math.round(oldestAgeMs / 10_000)]).toEqual([2, 6]);
  });
});

describe('who looks on', () => {
  it('is told of each source how much waits, since when, and how many were set aside and why', async () => {
    const [inbox, counts] = [createInboxStore({ pool, scope: 'a' }), createInboxCountStore({ pool, scope: 'a' })];
    expect(await counts.count()).toEqual({ sources: [], isCut: false });
    await createInboxStore({ pool, scope: 'b' }).append([aRow(0)]);
    const at = (minute: number) => ({ receivedAt: `2026-01-01T12:0${minute}:00.000000Z` });
    const asides = Array.from({ length: 9 }, (_, n) => aRow(n, { source: 'graf', ...at(5) }));
    await inbox.append([...asides, aRow(10, at(4)), aRow(11, at(3)), aRow(12, { namespace: 'pay', ...at(6) })]);
    const ids = (await inbox.page(all)).filter(({ source }) => source === 'graf').map(({ id }) => id);
    const { pid, end } = await aHolder('a');
    // Longer than an index takes, in the characters that need most room.
    const long = Array.from({ length: 2_000 }, (_, n) => String.fromCodePoint(0x20000 + ((n * 7_919) % 40_000))).join(
      '',
    );
    const reasons = [long, 'too long', 'was gone', 'was gone', 'was gone', 'too long', 'a quota', 'another'];
    await inbox.setAside(
      reasons.map((reason, n) => ({ id: ids[n] ?? '', reason })),
      pid,
    );
    const { sources, isCut } = await counts.count();
    expect([sources.map(({ source }) => source), isCut]).toEqual([['prom', 'graf', 'prom'], false]);
    expect(sources).toMatchObject([
      { namespace: 'demo', source: 'prom', waiting: 2, oldestAt: at(3).receivedAt, setAside: 0, reasons: [] },
      { namespace: 'demo', source: 'graf', waiting: 1, oldestAt: at(5).receivedAt, setAside: 8 },
      { namespace: 'pay', source: 'prom', waiting: 1, setAside: 0 },
    ]);
    const told = sources[1]?.reasons ?? [];
    expect(told.slice(0, 2)).toEqual([
      { reason: 'was gone', count: 3 },
      { reason: 'too long', count: 2 },
    ]);
    expect(told.length).toBe(3);
    await end();
    // One that left more than is counted hides no other.
    await pool.query(`INSERT INTO inbox_set_aside (scope, id, namespace, source, fingerprint, demo, received_at, reports, reason)
      SELECT 'a', 1000 + n, 'a-team', 'flood', 'f', false, now(), '[]', 'no room' FROM generate_series(1, ${SET_ASIDE_COUNTED + 1}) AS n`);
    const after = (await counts.count()).sources.filter(({ setAside }) => setAside > 0);
    expect(after).toMatchObject([
      { source: 'graf', setAside: 8 },
      { source: 'flood', setAside: SET_ASIDE_COUNTED, hasMoreAside: true, reasons: [{ reason: 'no room' }] },
    ]);
  });
});

/** The statements on rows that were set aside, as docs/operations.md has them. */
function documented(): string[] {
  const text = readFileSync(new URL('../docs/operations.md', import.meta.url), 'utf8');
  return [...text.matchAll(/```sql\n([\s\S]*?)```/g)]
    .map(([, sql = '']) => sql)
    .filter((sql) => sql.includes('inbox_set_aside'));
}
