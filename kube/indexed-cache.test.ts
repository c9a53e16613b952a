import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CacheEvent } from './cache.ts';
import { IndexedCache } from './indexed-cache.ts';
import { silentLog } from './log.ts';
import { FakeClock } from './test-clock.ts';
import { aConfigMap, type ConfigMap } from './testing/scripted-server.ts';

function aCache(items: ConfigMap[] = [], rv = '10') {
  const cache = new IndexedCache<ConfigMap>({
    name: 'configmaps',
    clock: new FakeClock(),
    log: silentLog(),
    fresh: () => true,
    indexers: { team: (o) => (o.data?.team ? [o.data.team] : []) },
  });
  const told: string[] = [];
  cache.replace(items, rv);
  cache.subscribe((e) => told.push(`${e.type} ${e.object.metadata.uid}@${e.object.metadata.resourceVersion}`));
  return { cache, told };
}

describe('own writes', () => {
  it('are seen at once, and confirmed by the watch without a second event', () => {
    const { cache, told } = aCache();
    cache.observe(aConfigMap({ rv: '11' }));
    expect(cache.get('default', 'a')?.metadata.resourceVersion).toBe('11');
    cache.applyEvent('ADDED', aConfigMap({ rv: '11' }));
    expect(told).toEqual(['added uid-a@11']);
  });

  it('are not undone by older events that come after them', () => {
    const { cache, told } = aCache([aConfigMap({ rv: '5' })]);
    cache.observe(aConfigMap({ rv: '14' }));
    cache.applyEvent('MODIFIED', aConfigMap({ rv: '11' }));
    cache.applyEvent('MODIFIED', aConfigMap({ rv: '14' }));
    cache.applyEvent('MODIFIED', aConfigMap({ rv: '15' }));
    expect(told).toEqual(['updated uid-a@14', 'updated uid-a@15']);
  });

  it('whose answer comes late do not bring back what was deleted', () => {
    const { cache, told } = aCache();
    cache.applyEvent('ADDED', aConfigMap({ rv: '11' }));
    cache.applyEvent('DELETED', aConfigMap({ rv: '12' }));
    cache.observe(aConfigMap({ rv: '11' }));
    expect(cache.size).toBe(0);
    expect(told).toEqual(['added uid-a@11', 'deleted uid-a@12']);
  });

  it('of which the watch never told, for they came and went during a gap, do not come back either', () => {
    const { cache } = aCache();
    cache.replace([], '20');
    cache.observe(aConfigMap({ rv: '15' }));
    expect(cache.size).toBe(0);
  });

  it('survive a list that was taken before them', () => {
    const { cache, told } = aCache();
    cache.observe(aConfigMap({ name: 'own', rv: '25' }));
    cache.replace([aConfigMap({ name: 'b', rv: '12' })], '20');
    expect([...cache.list()].map((o) => o.metadata.name).sort()).toEqual(['b', 'own']);
    cache.replace([aConfigMap({ name: 'b', rv: '12' })], '30');
    expect(told.at(-1)).toBe('deleted uid-own@25');
  });

  it('compare versions as numbers: 9 is before 10, and beyond 2^53 digits count', () => {
    const { cache } = aCache([aConfigMap({ rv: '9' })], '9');
    cache.observe(aConfigMap({ rv: '10' }));
    expect(cache.get('default', 'a')?.metadata.resourceVersion).toBe('10');
    cache.applyEvent('MODIFIED', aConfigMap({ rv: '9007199254740993' }));
    cache.observe(aConfigMap({ rv: '9007199254740992' }));
    expect(cache.get('default', 'a')?.metadata.resourceVersion).toBe('9007199254740993');
  });

  it('wait for the first list', () => {
    const cache = new IndexedCache<ConfigMap>({
      name: 'x',
      clock: new FakeClock(),
      log: silentLog(),
      fresh: () => true,
    });
    cache.observe(aConfigMap());
    expect(cache.size).toBe(0);
  });
});

describe('own deletions', () => {
  it('are gone at once, and news that were under way do not bring the object back', () => {
    const { cache, told } = aCache([aConfigMap({ rv: '5' })]);
    cache.forget('uid-a');
    expect(cache.size).toBe(0);
    cache.applyEvent('MODIFIED', aConfigMap({ rv: '11' }));
    cache.applyEvent('DELETED', aConfigMap({ rv: '12' }));
    expect(told).toEqual(['deleted uid-a@5']);
    cache.applyEvent('ADDED', aConfigMap({ rv: '13', uid: 'another' }));
    expect(told.at(-1)).toBe('added another@13');
  });

  it('are not undone by a list that was taken before them', () => {
    const { cache, told } = aCache([aConfigMap({ rv: '5' })]);
    cache.forget('uid-a');
    expect(cache.replace([aConfigMap({ rv: '5' })], '20')).toEqual({ changes: 0, missed: 0 });
    cache.applyEvent('MODIFIED', aConfigMap({ rv: '21' }));
    expect(told).toEqual(['deleted uid-a@5']);
  });
});

describe('a list of an etcd that was put back with its revision raised', () => {
  it('is believed, though the objects in it look older than what is held', () => {
    const { cache, told } = aCache([aConfigMap({ rv: '5' })]);
    cache.applyEvent('MODIFIED', aConfigMap({ rv: '40' }));
    cache.replace([aConfigMap({ rv: '5' })], '1000000');
    expect(told).toEqual(['updated uid-a@40', 'updated uid-a@5']);
    // What was observed since the list was taken stays.
    cache.observe(aConfigMap({ rv: '1000007' }));
    cache.replace([aConfigMap({ rv: '5' })], '1000003');
    expect(cache.get('default', 'a')?.metadata.resourceVersion).toBe('1000007');
  });
});

describe('a long list', () => {
  it('lets others have their turn, and loses no own write that is answered in between', async () => {
    const { cache } = aCache();
    const items = Array.from({ length: 2_000 }, (_, i) => aConfigMap({ name: `n${i}`, rv: '15' }));
    let turns = 0;
    let done = false;
    const count = () => {
      if (done) return;
      turns++;
      if (turns === 2) {
        cache.observe(aConfigMap({ name: 'own', rv: '25' }));
        cache.observe(aConfigMap({ name: 'old', rv: '18' }));
        cache.observe(aConfigMap({ name: 'n1999', rv: '26' }));
        expect(cache.resourceVersion).toBe('10');
      }
      setImmediate(count);
    };
    setImmediate(count);
    await cache.replaceInTurns(items, '20');
    done = true;
    expect(turns).toBeGreaterThanOrEqual(8);
    expect(cache.size).toBe(2_001);
    expect(cache.get('default', 'own')).toBeDefined();
    expect(cache.get('default', 'old')).toBeUndefined();
    expect(cache.get('default', 'n1999')?.metadata.resourceVersion).toBe('26');
    expect(cache.resourceVersion).toBe('20');
  });
});

describe('identity', () => {
  it('is the uid: another one under the name is a deletion and a birth', () => {
    const { cache, told } = aCache([aConfigMap({ rv: '5', uid: 'one' })]);
    cache.applyEvent('MODIFIED', aConfigMap({ rv: '12', uid: 'two' }));
    expect(told).toEqual(['deleted one@5', 'added two@12']);
    expect(cache.byUid('one')).toBeUndefined();
    cache.applyEvent('DELETED', aConfigMap({ rv: '13', uid: 'one' }));
    expect(cache.get('default', 'a')?.metadata.uid).toBe('two');
  });
});

describe('indexes', () => {
  it('follow each change', () => {
    const { cache } = aCache([
      aConfigMap({ name: 'a', data: { team: 'pay' } }),
      aConfigMap({ name: 'b', data: { team: 'pay' } }),
    ]);
    const names = (team: string) => cache.byIndex('team', team).map((o) => o.metadata.name);
    expect(names('pay')).toEqual(['a', 'b']);
    cache.applyEvent('MODIFIED', aConfigMap({ name: 'a', rv: '11', data: { team: 'search' } }));
    cache.applyEvent('DELETED', aConfigMap({ name: 'b', rv: '12', data: { team: 'pay' } }));
    expect([names('pay'), names('search'), names('none')]).toEqual([[], ['a'], []]);
    expect(() => cache.byIndex('nope', 'x')).toThrow(RangeError);
  });
});

describe('subscribers', () => {
  it('that throw or reject harm nobody', async () => {
    const { cache, told } = aCache();
    const others: string[] = [];
    cache.subscribe(() => {
      throw new Error('sync');
    });
    cache.subscribe(async () => {
      throw new Error('async');
    });
    cache.subscribe((e) => others.push(e.type));
    cache.applyEvent('ADDED', aConfigMap({ rv: '11' }));
    await Promise.resolve();
    expect([told.length, others]).toEqual([1, ['added']]);
    expect(cache.get('default', 'a')).toBeDefined();
  });

  it('get what is there only when they ask for it, and nothing after they left', () => {
    const { cache } = aCache([aConfigMap()]);
    const events: CacheEvent[] = [];
    const leave = cache.subscribe((e) => events.push(e), { replay: true });
    leave();
    cache.applyEvent('DELETED', aConfigMap({ rv: '11' }));
    expect(events).toEqual([{ type: 'added', object: aConfigMap(), initial: true }]);
  });
});

it('drops managed fields', () => {
  const { cache } = aCache();
  const object = aConfigMap({ rv: '11' });
  cache.applyEvent('ADDED', { ...object, metadata: { ...object.metadata, managedFields: [{ manager: 'x' }] } });
  expect(cache.get('default', 'a')).toEqual(object);
});

/**
 * The whole of it: a server's history, of which the cache sees each event once and in order, and its own writes' answers at any time after
 * they happened. Whatever the interleaving, in the end it holds what the server holds, and what subscribers heard adds up to it.
 */
it('ends equal to the server, whenever the answers of own writes come', () => {
  const step = fc.record({ name: fc.constantFrom('a', 'b'), kind: fc.constantFrom('write', 'write', 'delete') });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 25 }),
      fc.infiniteStream(fc.nat(30)),
      fc.infiniteStream(fc.nat(9)),
      (steps, delays, gaps) => {
        const { cache } = aCache([], '10');
        const heard = new Map<string, string>();
        const wrong: string[] = [];
        cache.subscribe((e) => {
          const { uid = '', resourceVersion = '' } = e.object.metadata;
          if (heard.has(uid) === (e.type === 'added')) wrong.push(`${e.type} ${uid}`);
          if (e.type === 'deleted') heard.delete(uid);
          else heard.set(uid, resourceVersion);
        });
        const live = new Map<string, ConfigMap>();
        const late: { at: number; object: ConfigMap }[] = [];
        let rv = 10;
        let births = 0;
        let down = false;
        for (const [at, { name, kind }] of steps.entries()) {
          rv++;
          const held = live.get(name);
          let event: () => void;
          if (kind === 'write') {
            const object = aConfigMap({ name, rv: String(rv), uid: held?.metadata.uid ?? `${name}-${births++}` });
            live.set(name, object);
            late.push({ at: at + (delays.next().value ?? 0), object });
            event = () => cache.applyEvent(held ? 'MODIFIED' : 'ADDED', object);
          } else if (held) {
            live.delete(name);
            const last = aConfigMap({ name, rv: String(rv), uid: held.metadata.uid ?? '' });
            event = () => cache.applyEvent('DELETED', last);
          } else continue;
          // An own write's answer may come before its event, too.
          for (const { object } of late.filter((l) => l.at === at)) cache.observe(object);
          // The watch breaks off now and then; what happens meanwhile is only seen by the list after it.
          const luck = gaps.next().value ?? 9;
          if (luck === 0) down = true;
          if (!down) event();
          else if (luck >= 6) {
            cache.replace([...live.values()], String(rv));
            down = false;
          }
        }
        if (down) cache.replace([...live.values()], String(rv));
        for (const { object } of late) cache.observe(object);
        const want = new Map([...live.values()].map((o) => [o.metadata.uid, o.metadata.resourceVersion]));
        expect(new Map([...cache.list()].map((o) => [o.metadata.uid, o.metadata.resourceVersion]))).toEqual(want);
        expect(heard).toEqual(want);
        expect(wrong).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
});
