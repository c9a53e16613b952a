import type { KubeObject } from '@funnelai/crds/meta';
import { beforeEach, describe, expect, it } from 'vitest';
import type { KubeClient } from './client.ts';
import { KubeError } from './errors.ts';
import { IndexedCache } from './indexed-cache.ts';
import { silentLog } from './log.ts';
import { type OwnWrites, trackOwnWrites } from './own-writes.ts';
import { FakeClock } from './test-clock.ts';
import { aConfigMap, CONFIG_MAPS } from './testing/scripted-server.ts';

const trouble = (status: number, o: { perhapsStored?: boolean; transient?: boolean } = {}) =>
  new KubeError({ status, reason: status === 404 ? 'NotFound' : 'Timeout', message: 'no', transient: true, ...o });
const never = new AbortController().signal;

let cache: IndexedCache<KubeObject>;
/** What the server answers, in turn; the last one again and again. */
let answers: (KubeObject | Error)[];
let asked: string[];
let lists: number;
let writes: OwnWrites;

beforeEach(() => {
  cache = new IndexedCache<KubeObject>({ name: 'x', clock: new FakeClock(), log: silentLog(), fresh: () => true });
  cache.replace([aConfigMap({ name: 'there', rv: '5' })], '10');
  answers = [];
  asked = [];
  lists = 0;
  const answer = async (what: string) => {
    asked.push(what);
    const next = answers.length > 1 ? answers.shift() : answers[0];
    if (next instanceof Error) throw next;
    return next;
  };
  const client = {
    get: (_: unknown, { name }: { name: string }) => answer(`get ${name}`),
    create: (_: unknown, { metadata }: KubeObject) => answer(`create ${metadata.name}`),
    mergePatch: (_: unknown, { name }: { name: string }) => answer(`patch ${name}`),
    delete: (_: unknown, { name }: { name: string }) => answer(`delete ${name}`),
  } as unknown as KubeClient;
  writes = trackOwnWrites({
    client,
    kinds: [
      {
        resource: CONFIG_MAPS,
        cache,
        catchUp: async () => {
          lists++;
        },
      },
    ],
    log: silentLog(),
    stop: never,
  });
});

const settled = () => writes.settled([CONFIG_MAPS], never);
const create = (name: string) => writes.client.create(CONFIG_MAPS, aConfigMap({ name })).catch((e: unknown) => e);

describe('a write that was answered', () => {
  it('is in the cache at once, and nothing waits for it', async () => {
    answers = [aConfigMap({ name: 'new', rv: '11' })];
    await create('new');
    expect(cache.get('default', 'new')?.metadata.resourceVersion).toBe('11');
    await settled();
    expect(asked).toEqual(['create new']);
  });

  it('is not taken for stored when it was a dry run', async () => {
    answers = [aConfigMap({ name: 'new', rv: '11' })];
    await writes.client.create(CONFIG_MAPS, aConfigMap({ name: 'new' }), { dryRun: true });
    expect(cache.get('default', 'new')).toBeUndefined();
  });

  it('and deleted the object takes it out; one that waits for finalizers shows its deletion', async () => {
    answers = [{ waiting: aConfigMap({ name: 'there', rv: '12' }) } as never, { gone: 'uid-there' } as never];
    await writes.client.delete(CONFIG_MAPS, { namespace: 'default', name: 'there' });
    expect(cache.get('default', 'there')?.metadata.resourceVersion).toBe('12');
    await writes.client.delete(CONFIG_MAPS, { namespace: 'default', name: 'there' });
    expect(cache.get('default', 'there')).toBeUndefined();
  });
});

describe('a write that may have been stored', () => {
  const unsure = trouble(0, { perhapsStored: true });

  it('is looked for before the next decision', async () => {
    answers = [unsure, aConfigMap({ name: 'new', rv: '11' })];
    await create('new');
    expect(cache.get('default', 'new')).toBeUndefined();
    await Promise.all([settled(), settled()]);
    expect(cache.get('default', 'new')?.metadata.resourceVersion).toBe('11');
    expect(asked).toEqual(['create new', 'get new']);
    await settled();
    expect(asked).toHaveLength(2);
  });

  it('was a deletion: what the server does not have, the cache drops', async () => {
    answers = [unsure, trouble(404, { transient: false })];
    await writes.client.delete(CONFIG_MAPS, { namespace: 'default', name: 'there' }).catch(() => {});
    await settled();
    expect(cache.get('default', 'there')).toBeUndefined();
    cache.applyEvent('ADDED', aConfigMap({ name: 'there', rv: '20', uid: 'another' }));
    expect(cache.get('default', 'there')?.metadata.uid).toBe('another');
  });

  it('holds decisions until the server tells', async () => {
    answers = [unsure, trouble(503), aConfigMap({ name: 'new', rv: '11' })];
    await create('new');
    await expect(settled()).rejects.toMatchObject({ status: 503 });
    await settled();
    expect(cache.get('default', 'new')).toBeDefined();
  });

  it('holds no decision on another kind', async () => {
    answers = [unsure, trouble(503)];
    await create('new');
    await writes.settled([{ ...CONFIG_MAPS, plural: 'secrets', kind: 'Secret' }], never);
    expect(asked).toEqual(['create new']);
    await expect(settled()).rejects.toMatchObject({ status: 503 });
  });

  it('that may not be read holds nobody for ever', async () => {
    answers = [unsure, trouble(403, { transient: false })];
    await create('new');
    await settled();
  });

  it('is one of so many that a list tells more cheaply', async () => {
    answers = [unsure];
    for (let i = 0; i < 250; i++) await create(`new${i}`);
    answers = [aConfigMap({ name: 'late', rv: '11' })];
    await settled();
    expect(lists).toBe(1);
    expect(asked.filter((what) => what.startsWith('get')).length).toBeLessThan(100);
  });
});

it('asks nothing for a write that was refused', async () => {
  answers = [trouble(409)];
  await create('new');
  await settled();
  expect(asked).toEqual(['create new']);
});
