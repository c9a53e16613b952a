import type { MirroredKind, RowFacts } from '@funnelai/history/compare';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import type { Mirrored } from './decide.ts';
import { comparePass } from './pass.ts';

const object = (uid: string, version: number, o: { sequence?: number; dying?: boolean } = {}): Mirrored => ({
  apiVersion: 'funnelai.dev/v1alpha1',
  kind: 'Incident',
  metadata: {
    name: uid,
    uid,
    resourceVersion: String(version),
    ...(o.dying && { deletionTimestamp: '2026-03-01T10:00:00Z' }),
  },
  status: { changeSequence: o.sequence ?? 0 },
});
const row = (version: number, o: Partial<RowFacts> = {}): RowFacts => ({
  resourceVersion: String(version),
  sequence: 0,
  isDeleted: false,
  ...o,
});

/** Runs one pass over both sides and tells what was done. */
async function pass(cluster: Mirrored[], history: Record<string, RowFacts>, ending: string[] = []) {
  const objects = new Map(cluster.map((one) => [one.metadata.uid ?? '', one]));
  const done = { written: [] as string[], vanished: [] as string[], living: [] as string[], renewed: 0, pages: 0 };
  const uids = Object.keys(history).sort();
  await comparePass({
    now: () => Temporal.Instant.from('2026-03-01T10:00:00Z'),
    goOn: () => true,
    repaired: () => {},
    sides: [
      {
        kind: 'Incident',
        uids: () => [...objects.keys()],
        byUid: (uid) => objects.get(uid),
        isEnding: (uid) => ending.includes(uid),
        add: (uid) => done.written.push(uid),
      },
    ],
    mirror: {
      factsOf: async (_kind, asked) => {
        done.pages += 1;
        return new Map(asked.flatMap((uid) => (history[uid] === undefined ? [] : [[uid, history[uid]] as const])));
      },
      livingUids: async (_kind: MirroredKind, after) =>
        uids.filter((uid) => uid > after && history[uid]?.isDeleted === false).slice(0, 500),
      markDeleted: async () => ({ known: true }),
      markVanished: async (_kind, gone) => {
        done.vanished.push(...gone);
        return gone.length;
      },
      markLiving: async (_kind, living) => {
        done.living.push(...living);
        return living.length;
      },
      renewEpoch: async () => {
        done.renewed += 1;
      },
    },
  });
  return done;
}

describe('a comparison of cluster and history', () => {
  it('finds nothing to do where both agree', async () => {
    expect(await pass([object('a', 5, { sequence: 2 })], { a: row(5, { sequence: 2 }) })).toEqual({
      written: [],
      vanished: [],
      living: [],
      renewed: 0,
      pages: 1,
    });
  });

  it('writes what history lacks: an object, its last version, a change', async () => {
    const cluster = [object('new', 5), object('newer', 10), object('change', 5, { sequence: 3 })];
    const { written } = await pass(cluster, { newer: row(9), change: row(5, { sequence: 2 }) });
    expect(written.sort()).toEqual(['change', 'new', 'newer']);
  });

  it('takes a new epoch before it writes over rows that are ahead of the cluster', async () => {
    const done = await pass([object('a', 5)], { a: row(1_000) });
    expect(done).toMatchObject({ renewed: 1, written: ['a'] });
  });

  it('marks what the cluster lost, but not what is about to be marked; and unmarks what lives again', async () => {
    const history = {
      gone: row(5),
      ending: row(5),
      back: row(5, { isDeleted: true }),
      dying: row(5, { isDeleted: true }),
    };
    const done = await pass([object('back', 5), object('dying', 5, { dying: true })], history, ['ending']);
    expect(done).toMatchObject({ vanished: ['gone'], living: ['back'] });
  });

  it('goes through thousands in pages', async () => {
    const many = Array.from({ length: 1_201 }, (_, n) => `u${String(n).padStart(4, '0')}`);
    const done = await pass(
      many.slice(0, 1_100).map((uid) => object(uid, 5)),
      Object.fromEntries(many.map((uid) => [uid, row(5)])),
    );
    expect(done.pages).toBe(3);
    expect(done.vanished).toEqual(many.slice(1_100));
  });
});
