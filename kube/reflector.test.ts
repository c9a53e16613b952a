import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CacheEvent } from './cache.ts';
import { createKubeClient, type KubeClient } from './client.ts';
import { silentLog } from './log.ts';
import { createRegistry, type Metrics } from './metrics.ts';
import { createReflector, type Reflector, type ReflectorOptions } from './reflector.ts';
import { FakeClock } from './test-clock.ts';
import {
  aConfigMap,
  acceptWatch,
  aList,
  answerList,
  bookmark,
  CONFIG_MAPS,
  type ConfigMap,
  errorEvent,
  event,
  inTurn,
  listEnd,
  listsAndWatches,
  type Reply,
  type ScriptedServer,
  startScriptedServer,
  status,
} from './testing/scripted-server.ts';
import { until } from './testing/until.ts';

let server: ScriptedServer;
let clock: FakeClock;
let client: KubeClient;
let metrics: Metrics;
let reflector: Reflector<ConfigMap>;
let told: string[];

const tell = (e: CacheEvent<ConfigMap>) =>
  told.push(`${e.type} ${e.object.metadata.name}@${e.object.metadata.resourceVersion}${e.initial ? ' initial' : ''}`);

function reflect(o: Partial<ReflectorOptions<ConfigMap>> = {}): Reflector<ConfigMap> {
  reflector = createReflector<ConfigMap>({
    client,
    resource: CONFIG_MAPS,
    clock,
    log: silentLog(),
    metrics,
    random: () => 0.5,
    ...o,
  });
  reflector.cache.subscribe(tell);
  reflector.start();
  return reflector;
}

const say = (reply: Reply, ...events: unknown[]) => {
  reply.accept();
  for (const e of events) reply.line(e);
};
const stream = (what = 'a watch is open'): Promise<Reply> => until(what, () => server.streams.at(-1));
const missed = async () =>
  (await metrics.getSingleMetric('funnelai_reflector_missed_events_total')?.get())?.values[0]?.value ?? 0;
/** Lets retries happen: time moves a little whenever nothing else does. */
const patiently = <T>(what: string, check: () => T) =>
  until(what, async () => {
    const value = check();
    if (!value) await clock.advance(500);
    return value;
  });

beforeEach(async () => {
  server = await startScriptedServer();
  server.standAt('1000000');
  clock = new FakeClock();
  client = createKubeClient(server.connection(), { clock });
  metrics = createRegistry();
  told = [];
});
afterEach(async () => {
  await reflector?.stop();
  await client.close();
  await server.close();
});

describe('a reflector at work', () => {
  it('lists in pages, then watches from there, with bookmarks and a bounded life', async () => {
    const pages = inTurn(
      (_, reply) => reply.json(200, aList([aConfigMap({ name: 'a' })], '10', 'more')),
      (_, reply) => reply.json(200, aList([aConfigMap({ name: 'b' })], '10')),
    );
    server.answer(listsAndWatches(pages, acceptWatch));
    const { cache } = reflect({ namespace: 'default', fieldSelector: 'metadata.name!=x' });
    await cache.waitForSync();
    await stream();
    expect(told).toEqual(['added a@1 initial', 'added b@1 initial']);
    expect(server.lists.map((s) => s.query.toString())).toEqual([
      'fieldSelector=metadata.name%21%3Dx&limit=500',
      'fieldSelector=metadata.name%21%3Dx&limit=500&continue=more',
    ]);
    const query = server.watches[0]?.query;
    expect(Object.fromEntries(query ?? [])).toMatchObject({
      allowWatchBookmarks: 'true',
      resourceVersion: '10',
      timeoutSeconds: '450',
    });
    await until('it is fresh', () => cache.fresh());
  });

  it('takes the whole list in one answer when the pages outlive their snapshot', async () => {
    const pages = inTurn(
      (_, reply) => reply.json(200, aList([aConfigMap({ name: 'a' })], '10', 'more')),
      (_, reply) => reply.json(410, status(410, 'Expired', 'continue token too old')),
      (_, reply) => reply.json(200, aList([aConfigMap({ name: 'a', rv: '12' }), aConfigMap({ name: 'b' })], '12')),
    );
    server.answer(listsAndWatches(pages, acceptWatch));
    await reflect().cache.waitForSync();
    expect(told).toEqual(['added a@12 initial', 'added b@1 initial']);
    expect(server.lists[2]?.query.has('limit')).toBe(false);
  });

  it('follows events, and resumes an ended watch from the last one or a bookmark after it', async () => {
    server.answer(listsAndWatches(answerList([aConfigMap({ rv: '5' })], '10'), acceptWatch));
    reflect();
    const first = await stream();
    first.line(event('MODIFIED', aConfigMap({ rv: '11' })));
    first.line(event('ADDED', aConfigMap({ name: 'b', rv: '12' })));
    first.line(event('DELETED', aConfigMap({ name: 'b', rv: '13' })));
    first.line(bookmark('20'));
    first.end();
    await until('it watches again', () => server.watches.length === 2);
    expect(told).toEqual(['added a@5 initial', 'updated a@11', 'added b@12', 'deleted b@13']);
    expect(server.watches[1]?.query.get('resourceVersion')).toBe('20');
    expect(server.lists).toHaveLength(1);
    expect(reflector.cache.resourceVersion).toBe('20');
  });

  it('resumes after a cut connection, and believes no half line', async () => {
    server.answer(listsAndWatches(answerList([], '10'), acceptWatch));
    reflect();
    const first = await stream();
    first.line(event('ADDED', aConfigMap({ rv: '11' })));
    await until('the event', () => told.length === 1);
    first.bytes(JSON.stringify(event('ADDED', aConfigMap({ name: 'half', rv: '12' }))).slice(0, 60));
    first.cut();
    await patiently('it watches again', () => server.watches.length === 2);
    expect(server.watches[1]?.query.get('resourceVersion')).toBe('11');
    expect(told).toEqual(['added a@11']);
  });

  it('lists again when etcd was put back: a watch from a version that is yet to come says nothing', async () => {
    server.answer(
      listsAndWatches(
        inTurn(answerList([aConfigMap({ rv: '15' })], '20'), answerList([aConfigMap({ rv: '5' })], '7')),
        acceptWatch,
      ),
    );
    const { cache } = reflect();
    const first = await stream();
    first.line(event('MODIFIED', aConfigMap({ rv: '21' })));
    await until('the event', () => told.length === 2);
    server.standAt('7');
    first.cut();
    await patiently('it watches again', () => server.watches.length === 2);
    expect(server.watches[1]?.query.get('resourceVersion')).toBe('7');
    expect(told.at(-1)).toBe('updated a@5');
    expect([cache.resourceVersion, await missed()]).toEqual(['7', 0]);
  });

  it('gives up a half-open connection and resumes', async () => {
    server.answer(listsAndWatches(answerList([], '10'), acceptWatch));
    const { cache } = reflect();
    await stream();
    await until('it is fresh', () => cache.fresh());
    await clock.advance(90_001);
    expect(cache.fresh()).toBe(false);
    await patiently('it watches again', () => server.watches.length === 2);
    await until('fresh again', () => cache.fresh());
    expect(server.lists).toHaveLength(1);
    await until('the dead connection is closed', () => server.watches[0]?.open === false);
  });
});

describe('a streamed list', () => {
  const noList = () => {
    throw new Error('no page is asked for');
  };
  const streamed = () => server.seen.filter((s) => s.isStreamedList);

  it('is taken whole, changes that come in between included, and the same connection goes on as the watch', async () => {
    server.answer(listsAndWatches(noList, acceptWatch, acceptWatch));
    const { cache } = reflect({ namespace: 'default' });
    const only = await stream();
    only.line(event('ADDED', aConfigMap({ name: 'a', rv: '3' })));
    only.line(event('ADDED', aConfigMap({ name: 'b', rv: '4' })));
    only.line(event('MODIFIED', aConfigMap({ name: 'a', rv: '11' })));
    only.line(event('DELETED', aConfigMap({ name: 'b', rv: '12' })));
    await until('it was asked', () => streamed().length === 1);
    expect(Object.fromEntries(streamed()[0]?.query ?? [])).toMatchObject({
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
      resourceVersion: '',
    });
    expect([cache.synced, cache.fresh(), told]).toEqual([false, false, []]);
    only.line(listEnd('12'));
    await cache.waitForSync();
    await until('it is fresh', () => cache.fresh());
    expect(told).toEqual(['added a@11 initial']);
    expect(cache.resourceVersion).toBe('12');
    only.line(event('MODIFIED', aConfigMap({ name: 'a', rv: '13' })));
    await until('the change', () => told.at(-1) === 'updated a@13');
    only.end();
    await until('it resumes', () => server.watches.length === 1);
    expect(server.watches[0]?.query.get('resourceVersion')).toBe('13');
  });

  it('after 410 differs from what was held as any list does, and is not fresh before its end', async () => {
    const first: unknown[] = [
      event('ADDED', aConfigMap({ name: 'stays', rv: '3' })),
      event('ADDED', aConfigMap({ name: 'goes', rv: '4' })),
      listEnd('10'),
    ];
    const begin = inTurn((_, reply) => say(reply, ...first), acceptWatch);
    server.answer(listsAndWatches(noList, noList, begin));
    const { cache } = reflect();
    await cache.waitForSync();
    (await stream()).line(errorEvent(410, 'Expired', 'too old'));
    const second = await until('it lists again', () => (streamed().length === 2 ? server.streams.at(-1) : undefined));
    second.line(event('ADDED', aConfigMap({ name: 'stays', rv: '3' })));
    expect(cache.fresh()).toBe(false);
    second.line(listEnd('30'));
    await until('the rest is gone', () => told.at(-1) === 'deleted goes@4');
    await until('it is fresh', () => cache.fresh());
    expect(told).toHaveLength(3);
    expect(await missed()).toBe(0);
  });

  it('is asked for once where the server does not know it, and never again', async () => {
    const list = inTurn(answerList([], '10'), answerList([], '20'));
    server.answer(listsAndWatches(list, acceptWatch));
    reflect();
    (await stream()).line(errorEvent(410, 'Expired', 'too old'));
    await until('it watches again', () => server.watches.length === 2);
    expect([streamed().length, server.lists.length]).toEqual([1, 2]);
    expect(reflector.health().failing).toBeUndefined();
  });

  it.each([
    ['breaks off', (reply: Reply) => reply.cut()],
    ['ends before its end', (reply: Reply) => reply.end()],
    ['is never said to be complete', (reply: Reply) => reply.line(bookmark('12'))],
  ])('that %s is believed in no part, and after the second one pages are read', async (_, harm) => {
    server.answer(
      listsAndWatches(answerList([aConfigMap({ name: 'a', rv: '3' })], '10'), acceptWatch, (_seen, reply) => {
        say(
          reply,
          event('ADDED', aConfigMap({ name: 'a', rv: '3' })),
          event('ADDED', aConfigMap({ name: 'x', rv: '4' })),
        );
        harm(reply);
      }),
    );
    const { cache } = reflect();
    await patiently('it syncs', () => cache.synced);
    expect(streamed()).toHaveLength(2);
    expect(told).toEqual(['added a@3 initial']);
  });

  it('is made small as it comes', async () => {
    server.answer(listsAndWatches(noList, acceptWatch, acceptWatch));
    let slimmed = 0;
    reflect({
      transform: (o) => {
        slimmed++;
        return { ...o };
      },
    });
    const only = await stream();
    only.line(event('ADDED', aConfigMap({ name: 'a' })));
    await until('the first is slim before the second comes', () => slimmed === 1);
    only.line(event('ADDED', aConfigMap({ name: 'b' })));
    only.line(listEnd('10'));
    await reflector.cache.waitForSync();
    expect(slimmed).toBe(2);
  });
});

it('lets everything else have its turn within a flood of 30,000 events', async () => {
  server.answer(listsAndWatches(answerList([], '10'), acceptWatch));
  reflect();
  const only = await stream();
  const lines = Array.from({ length: 30_000 }, (_, i) =>
    JSON.stringify(event('ADDED', aConfigMap({ name: `n${i}`, rv: String(11 + i) }))),
  );
  let turns = 0;
  let over = false;
  const count = () => {
    if (told.length > 0) turns++;
    if (!over) setImmediate(count);
  };
  count();
  only.bytes(`${lines.join('\n')}\n`);
  await until('all are told', () => told.length === 30_000);
  over = true;
  expect(reflector.cache.size).toBe(30_000);
  // A Lease that is due waits for a few hundred events at most, not for the flood.
  expect(turns).toBeGreaterThan(30);
});

describe('a reflector in trouble', () => {
  it.each([
    ['the status of the watch', (_: unknown, reply: Reply) => reply.json(410, status(410, 'Expired', 'too old'))],
    ['an ERROR event', (_: unknown, reply: Reply) => say(reply, errorEvent(410, 'Expired', 'too old'))],
    ['an ERROR event named Gone', (_: unknown, reply: Reply) => say(reply, errorEvent(410, 'Gone', 'too old'))],
  ])('lists again when %s is 410: what went is deleted, what was made anew is another object', async (_, gone) => {
    const list = inTurn(
      answerList(
        [
          aConfigMap({ name: 'stays', rv: '3' }),
          aConfigMap({ name: 'goes', rv: '4' }),
          aConfigMap({ name: 'new', rv: '5', uid: 'old' }),
        ],
        '10',
      ),
      answerList([aConfigMap({ name: 'stays', rv: '3' }), aConfigMap({ name: 'new', rv: '25', uid: 'new' })], '30'),
    );
    server.answer(listsAndWatches(list, inTurn(gone, acceptWatch)));
    reflect();
    await until('it watches again', () => server.watches.length === 2);
    expect(told.slice(3)).toEqual(['deleted new@5', 'added new@25', 'deleted goes@4']);
    expect(server.watches[1]?.query.get('resourceVersion')).toBe('30');
    expect(await missed()).toBe(0);
  });

  it('waits longer and longer when 410 comes again and again', async () => {
    server.answer(
      listsAndWatches(answerList([], '10'), (_, reply) => reply.json(410, status(410, 'Expired', 'too old'))),
    );
    reflect();
    await until('it pauses', () => reflector.health().failing);
    expect(server.lists).toHaveLength(2);
    await clock.advance(1_199);
    expect(server.lists).toHaveLength(2);
    await clock.advance(1);
    await until('it lists again', () => server.lists.length === 3);
  });

  it('outlives "storage is (re)initializing" on its first list', async () => {
    let left = 9;
    server.answer(
      listsAndWatches((_, reply) => {
        if (left-- > 0)
          reply.json(429, status(429, 'TooManyRequests', 'storage is (re)initializing'), { 'retry-after': '1' });
        else reply.json(200, aList([aConfigMap()], '10'));
      }, acceptWatch),
    );
    reflect();
    await patiently('it syncs', () => reflector.cache.synced);
    expect(told).toEqual(['added a@1 initial']);
  });

  it('waits for a kind that is not installed yet, says so, and finds it within seconds', async () => {
    let installed = false;
    server.answer(
      listsAndWatches((_, reply) => {
        if (installed) reply.json(200, aList([], '10'));
        else reply.json(404, '404 page not found');
      }, acceptWatch),
    );
    reflect();
    await patiently('it has tried often', () => server.lists.length >= 8);
    expect(reflector.health()).toMatchObject({
      synced: false,
      fresh: false,
      failing: { message: expect.stringContaining('is its definition installed?') },
    });
    installed = true;
    const before = clock.monotonicMs();
    await patiently('it syncs', () => reflector.cache.synced);
    expect(clock.monotonicMs() - before).toBeLessThanOrEqual(5_500);
    await stream();
  });

  it.each([401, 403, 500, 503])('keeps trying through %i, slowly, and says that it is not fresh', async (code) => {
    server.answer(
      listsAndWatches(
        answerList([], '10'),
        inTurn(acceptWatch, (_, reply) => reply.json(code, status(code, 'X', 'no'))),
      ),
    );
    const { cache } = reflect();
    const first = await stream();
    first.line(bookmark('11'));
    await until('the bookmark', () => cache.resourceVersion === '11');
    first.end();
    await until('it pauses', () => reflector.health().failing);
    await clock.advance(120_000);
    await until('a few tries', () => server.watches.length >= 3);
    // 0.8, 1.6, … 30 s: far fewer than one a second.
    expect(server.watches.length).toBeLessThan(15);
    expect(cache.fresh()).toBe(false);
    expect(cache.synced).toBe(true);
    expect(reflector.health().failing?.attempts).toBeGreaterThan(1);
    server.answer(listsAndWatches(answerList([], '10'), acceptWatch));
    (await patiently('it watches again', () => server.streams[0])).line(bookmark('12'));
    await until('it is well', () => cache.fresh() && reflector.health().failing === undefined);
    expect(server.lists).toHaveLength(1);
  });

  it('counts as well again once a watch stays open, though its kind has nothing to say', async () => {
    const refused = (_: unknown, reply: Reply) => reply.json(403, status(403, 'Forbidden', 'no'));
    server.answer(listsAndWatches(answerList([], '10'), inTurn(refused, acceptWatch)));
    reflect();
    await until('it pauses', () => reflector.health().failing);
    expect(reflector.health().failing?.message).toContain('are our rights in place?');
    await patiently('it watches', () => server.streams[0]);
    await until('it is fresh', () => reflector.cache.fresh());
    expect(reflector.health().failing).toBeDefined();
    await clock.advance(1_000);
    expect(reflector.health().failing).toBeUndefined();
    const failing = await metrics.getSingleMetric('funnelai_reflector_failing')?.get();
    expect(failing?.values[0]?.value).toBe(0);
  });

  it('honours Retry-After', async () => {
    server.answer(
      listsAndWatches(
        answerList([], '10'),
        inTurn(
          (_, reply) => reply.json(429, status(429, 'TooManyRequests', 'no'), { 'retry-after': '20' }),
          acceptWatch,
        ),
      ),
    );
    reflect();
    await until('it pauses', () => reflector.health().failing);
    await clock.advance(19_999);
    expect(server.watches).toHaveLength(1);
    await clock.advance(1);
    await stream();
  });

  it('does not spin when each watch ends at once', async () => {
    server.answer(
      listsAndWatches(answerList([], '10'), (_, reply) => {
        reply.accept();
        reply.end();
      }),
    );
    reflect();
    await until('it pauses', () => reflector.health().failing);
    await clock.advance(60_000);
    expect(server.watches.length).toBeLessThan(12);
  });

  it.each([
    ['garbage', '\u0000\u0001<nonsense>\n'],
    ['an ERROR without a code', `${JSON.stringify({ type: 'ERROR', object: null })}\n`],
    ['an ERROR 500', `${JSON.stringify(errorEvent(500, 'InternalError', 'boom'))}\n`],
  ])('resumes after %s', async (_, bytes) => {
    server.answer(listsAndWatches(answerList([], '10'), acceptWatch));
    reflect();
    (await stream()).bytes(bytes);
    const second = await patiently('it watches again', () =>
      server.watches.length === 2 ? server.streams.at(-1) : undefined,
    );
    second.line(event('ADDED', aConfigMap({ rv: '11' })));
    await until('the event', () => told.length === 1);
    expect(server.lists).toHaveLength(1);
  });

  it('believes the list when versions went backwards: etcd was restored', async () => {
    const list = inTurn(
      answerList([aConfigMap({ name: 'a', rv: '50' }), aConfigMap({ name: 'lost', rv: '60' })], '100'),
      answerList([aConfigMap({ name: 'a', rv: '20' })], '40'),
    );
    server.answer(listsAndWatches(list, acceptWatch));
    reflect();
    (await stream()).line(bookmark('30'));
    await patiently('it watches again', () => server.watches.length === 2);
    expect(told.slice(2)).toEqual(['updated a@20', 'deleted lost@60']);
    expect(reflector.cache.resourceVersion).toBe('40');
    (await stream()).line(event('MODIFIED', aConfigMap({ name: 'a', rv: '41' })));
    await until('life goes on', () => told.at(-1) === 'updated a@41');
  });
});

describe('the proof by an exact list', () => {
  it('counts and repairs what the watch never brought, and counts nothing else', async () => {
    const truth = [aConfigMap({ name: 'missed', rv: '12' }), aConfigMap({ name: 'changed', rv: '13' })];
    const list = inTurn(
      answerList([aConfigMap({ name: 'changed', rv: '3' }), aConfigMap({ name: 'deleted', rv: '4' })], '10'),
      answerList(truth, '20'),
      answerList(truth, '20'),
    );
    server.answer(listsAndWatches(list, acceptWatch));
    reflect({ relistMs: 60_000 });
    const first = await stream();
    first.line(bookmark('20'));
    await until('the bookmark', () => reflector.cache.resourceVersion === '20');
    reflector.cache.observe(aConfigMap({ name: 'own', rv: '21' }));
    await clock.advance(60_000);
    first.end();
    const second = await until('the second watch', () =>
      server.watches.length === 2 ? server.streams.at(-1) : undefined,
    );
    expect(server.lists[1]?.query.toString()).toContain('resourceVersion=20&resourceVersionMatch=Exact');
    expect(told.slice(3)).toEqual(['added missed@12', 'updated changed@13', 'deleted deleted@4']);
    expect(await missed()).toBe(3);
    expect(reflector.cache.get('default', 'own')).toBeDefined();
    await clock.advance(60_000);
    second.end();
    await until('the third watch', () => server.watches.length === 3);
    expect(await missed()).toBe(3);
    expect(server.watches[2]?.query.get('resourceVersion')).toBe('20');
  });

  it('comes when it is due, though the watch is well and lasts longer; then it goes on where it was', async () => {
    const list = inTurn(answerList([], '10'), answerList([aConfigMap({ name: 'missed', rv: '12' })], '20'));
    server.answer(listsAndWatches(list, acceptWatch));
    reflect({ relistMs: 60_000 });
    (await stream()).line(bookmark('20'));
    await until('the bookmark', () => reflector.cache.resourceVersion === '20');
    await clock.advance(59_999);
    expect(server.lists).toHaveLength(1);
    await clock.advance(1);
    await until('it watches again', () => server.watches.length === 2);
    expect(server.lists[1]?.query.toString()).toContain('resourceVersion=20&resourceVersionMatch=Exact');
    expect(server.watches[1]?.query.get('resourceVersion')).toBe('20');
    expect([told, await missed()]).toEqual([['added missed@12'], 1]);
    expect(reflector.cache.fresh()).toBe(true);
    expect(reflector.health().failing).toBeUndefined();
  });

  it('falls back to a list as of now when that version is gone, and does not call news missed', async () => {
    const list = inTurn(
      answerList([aConfigMap({ name: 'a', rv: '3' })], '10'),
      (_, reply) => reply.json(410, status(410, 'Expired', 'compacted')),
      answerList([aConfigMap({ name: 'a', rv: '15' }), aConfigMap({ name: 'b', rv: '16' })], '20'),
    );
    server.answer(listsAndWatches(list, acceptWatch));
    reflect({ relistMs: 60_000 });
    const first = await stream();
    await clock.advance(60_000);
    first.end();
    await until('it watches again', () => server.watches.length === 2);
    expect(told.slice(1)).toEqual(['updated a@15', 'added b@16']);
    expect(await missed()).toBe(0);
  });
});

describe('catching up', () => {
  // The list of one is what these are about.
  beforeEach(() => server.standAt(undefined));

  /** A cache at 10, a server at 20: what lies between is for the test to bring. */
  async function behind() {
    const list = inTurn(answerList([aConfigMap({ rv: '5' })], '10'), answerList([], '20'));
    server.answer(listsAndWatches(list, acceptWatch));
    reflect();
    const first = await stream();
    let done = false;
    const caughtUp = reflector.catchUp(new AbortController().signal).then(() => {
      done = true;
    });
    await until('a consistent read', () => server.lists.length === 2);
    expect(server.lists[1]?.query.toString()).toBe('limit=1');
    return { first, caughtUp, isDone: () => done };
  }

  it('waits for the watch to bring what a consistent read shows', async () => {
    const { first, caughtUp, isDone } = await behind();
    first.line(event('ADDED', aConfigMap({ name: 'b', rv: '19' })));
    await until('the event', () => told.includes('added b@19'));
    expect(isDone()).toBe(false);
    first.line(event('ADDED', aConfigMap({ name: 'c', rv: '21' })));
    await caughtUp;
    expect(server.lists).toHaveLength(2);
    expect(server.watches).toHaveLength(1);
  });

  it('reads a list when the watch has no news: it may only be behind', async () => {
    const { caughtUp } = await behind();
    server.answer(listsAndWatches(answerList([aConfigMap({ name: 'b', rv: '19' })], '22'), acceptWatch));
    await patiently('it lists', () => server.lists.length === 3);
    await caughtUp;
    expect(told.slice(1)).toEqual(['added b@19', 'deleted a@5']);
    expect(await missed()).toBe(0);
    await until('it watches from there', () => server.watches.at(-1)?.query.get('resourceVersion') === '22');
    expect(reflector.health().failing).toBeUndefined();
  });

  it('of a large cache reads no list: a short watch ends with a bookmark; only without one a list is read', async () => {
    const many = Array.from({ length: 2_001 }, (_, i) => aConfigMap({ name: `many-${i}`, rv: '5' }));
    server.answer(listsAndWatches(inTurn(answerList(many, '10'), answerList([], '20')), acceptWatch));
    reflect();
    await stream();
    const caughtUp = reflector.catchUp(new AbortController().signal);
    await until('a consistent read', () => server.lists.length === 2);
    const short = await patiently('a short watch', () =>
      server.watches.length === 2 ? server.streams.at(-1) : undefined,
    );
    expect(Object.fromEntries(server.watches[1]?.query ?? [])).toMatchObject({
      resourceVersion: '10',
      timeoutSeconds: '3',
    });
    short.line(bookmark('20'));
    await caughtUp;
    expect(server.lists).toHaveLength(2);

    server.answer(listsAndWatches(inTurn(answerList([], '30'), answerList(many, '30')), acceptWatch));
    const again = reflector.catchUp(new AbortController().signal);
    const wordless = await patiently('another short watch', () =>
      server.watches.length === 3 ? server.streams.at(-1) : undefined,
    );
    wordless.end();
    await patiently('a list', () => server.lists.length === 4);
    await again;
    expect(reflector.cache.size).toBe(2_001);
    expect(await missed()).toBe(0);
  });

  it('reads a list when the server is of an older past than the cache', async () => {
    server.answer(listsAndWatches(answerList([aConfigMap({ rv: '50' })], '100'), acceptWatch));
    reflect();
    await stream();
    server.answer(listsAndWatches(answerList([aConfigMap({ rv: '20' })], '40'), acceptWatch));
    await reflector.catchUp(new AbortController().signal);
    expect(told.at(-1)).toBe('updated a@20');
    expect(await missed()).toBe(0);
  });

  it('says when it cannot read, and ends with its signal', async () => {
    server.answer(listsAndWatches(answerList([], '10'), acceptWatch));
    reflect();
    await stream();
    const stop = new AbortController();
    server.answer((_, reply) => reply.json(403, status(403, 'Forbidden', 'no')));
    await expect(reflector.catchUp(stop.signal)).rejects.toMatchObject({ status: 403 });
    server.answer(listsAndWatches(answerList([], '20'), () => {}));
    const waiting = reflector.catchUp(stop.signal);
    await until('it has read', () => server.lists.length === 3);
    stop.abort(new Error('over'));
    await expect(waiting).rejects.toThrow();
  });
});

describe('a long list', () => {
  it('is made small page by page, and what did not change stays the object that it is', async () => {
    const slimmedBefore: number[] = [];
    let slimmed = 0;
    const page = (names: string[], next?: string) => (_: unknown, reply: Reply) => {
      slimmedBefore.push(slimmed);
      const items = names.map((name) => aConfigMap({ name, rv: '3' }));
      reply.json(200, aList(items, '10', next));
    };
    const list = inTurn(page(['a', 'b'], 'more'), page(['c']), page(['a', 'b'], 'more'), page(['c']));
    server.answer(listsAndWatches(list, acceptWatch));
    reflect({
      relistMs: 60_000,
      transform: (o) => {
        slimmed++;
        return { ...o };
      },
    });
    const first = await stream();
    const held = [...reflector.cache.list()];
    await clock.advance(60_000);
    first.end();
    await until('it lists again', () => server.watches.length === 2);
    expect(slimmedBefore).toEqual([0, 2, 3, 3]);
    expect(slimmed).toBe(3);
    const now = [...reflector.cache.list()];
    expect(now.map((o, i) => o === held[i])).toEqual([true, true, true]);
    expect(told).toHaveLength(3);
  });
});

describe('stopping', () => {
  it('ends at once, whatever it was doing', async () => {
    server.answer(listsAndWatches(answerList([], '10'), acceptWatch));
    reflect();
    await stream();
    await reflector.stop();
    await until('the connection is closed', () => server.streams.length === 0);
    expect(reflector.cache.fresh()).toBe(false);
    server.answer(() => {});
    reflect();
    await until('a list hangs', () => server.seen.at(-1)?.isStreamedList);
    await reflector.stop();
    server.answer((_, reply) => reply.json(500, 'no'));
    reflect();
    await until('it pauses', () => reflector.health().failing);
    await reflector.stop();
    expect(clock.pending()).toBe(0);
  });
});
