/** The runtime against a real API server: what a scripted one cannot know. ConfigMaps, Leases and a kind of our own that comes and goes. */

import { randomBytes } from 'node:crypto';
import type { KubeObject, Resource } from '@funnelai/crds/meta';
import { startTcpProxy } from '@funnelai/test/harness/tcp-proxy';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createKubeClient, type KubeClient } from './client.ts';
import { systemClock as clock } from './clock.ts';
import { loadConnection } from './config.ts';
import { NAMESPACES } from './core-kinds.ts';
import { isAlreadyExists, isConflict, isInvalid, isNotFound, type KubeError } from './errors.ts';
import { createEventRecorder, EVENTS } from './events.ts';
import { LEASES, type Lease, processIdentity, runLeaderElection } from './leader.ts';
import { silentLog } from './log.ts';
import { createRegistry } from './metrics.ts';
import { createReflector } from './reflector.ts';
import { putStatus, setCondition } from './status.ts';
import { CONFIG_MAPS, type ConfigMap } from './testing/scripted-server.ts';
import { until } from './testing/until.ts';

const DEFINITIONS: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

const namespace = `kube-${randomBytes(4).toString('hex')}`;
const log = silentLog();
let client: KubeClient;

beforeAll(async () => {
  client = createKubeClient(await loadConnection({ kubeconfigPath: inject('kubeconfig') }));
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
});
afterAll(async () => {
  await client.delete(NAMESPACES, { name: namespace });
  await client.close();
});

const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});
const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (e: unknown) => e,
  );

describe('the client', () => {
  it('creates, reads, replaces, patches in three ways and deletes', async () => {
    const created = await client.create(CONFIG_MAPS, configMap('crud', { a: '1' }), { fieldManager: 'test' });
    expect(isAlreadyExists(await caught(client.create(CONFIG_MAPS, configMap('crud'))))).toBe(true);
    const replaced = await client.replace(CONFIG_MAPS, { ...created, data: { a: '2' } });
    expect(isConflict(await caught(client.replace(CONFIG_MAPS, created)))).toBe(true);
    await client.mergePatch(CONFIG_MAPS, created.metadata, { data: { a: null, b: 'ü' } });
    expect(
      isInvalid(
        await caught(client.jsonPatch(CONFIG_MAPS, created.metadata, [{ op: 'test', path: '/data/b', value: 'x' }])),
      ),
    ).toBe(true);
    await client.jsonPatch(CONFIG_MAPS, created.metadata, [{ op: 'add', path: '/data/c', value: '3' }]);
    await client.apply(CONFIG_MAPS, configMap('crud', { d: '4' }), { fieldManager: 'applier' });
    expect((await client.get<ConfigMap>(CONFIG_MAPS, created.metadata)).data).toEqual({ b: 'ü', c: '3', d: '4' });
    expect(isConflict(await caught(client.delete(CONFIG_MAPS, created.metadata, { uid: 'another' })))).toBe(true);
    await client.delete(CONFIG_MAPS, created.metadata, { uid: replaced.metadata.uid });
    expect(isNotFound(await caught(client.get(CONFIG_MAPS, created.metadata)))).toBe(true);
  });

  it('stores nothing on a dry run', async () => {
    await client.create(CONFIG_MAPS, configMap('dry'), { dryRun: true });
    expect(isNotFound(await caught(client.get(CONFIG_MAPS, { namespace, name: 'dry' })))).toBe(true);
  });

  it('acts as whoever the token belongs to, and as nobody else', async () => {
    const error = (await caught(client.withToken('no-such-token').list(CONFIG_MAPS, { namespace }))) as KubeError;
    expect(error.status).toBe(401);
    const review = await client.raw({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    });
    expect(review.status).toBe(201);
  });
});

describe('a reflector', () => {
  const reflect = (o: { resource?: Resource; client?: KubeClient } = {}) => {
    const metrics = createRegistry();
    const reflector = createReflector<ConfigMap>({
      client,
      resource: CONFIG_MAPS,
      namespace,
      clock,
      log,
      metrics,
      ...o,
    });
    return {
      cache: reflector.cache,
      start: () => reflector.start(),
      stop: () => reflector.stop(),
      health: () => reflector.health(),
    };
  };

  it('follows 1,200 objects over several pages through creation, change, re-creation and deletion', async () => {
    const names = Array.from({ length: 1_200 }, (_, i) => `many-${i}`);
    const inBatches = async (all: string[], work: (name: string) => Promise<unknown>) => {
      for (let i = 0; i < all.length; i += 32) await Promise.all(all.slice(i, i + 32).map(work));
    };
    await inBatches(names.slice(0, 1_100), (name) => client.create(CONFIG_MAPS, configMap(name)));
    const { cache, start, stop } = reflect();
    const seen = new Map<string, string[]>();
    cache.subscribe((e) => seen.set(e.object.metadata.name, [...(seen.get(e.object.metadata.name) ?? []), e.type]));
    start();
    await cache.waitForSync();
    expect([...cache.list()].filter((o) => o.metadata.name.startsWith('many-'))).toHaveLength(1_100);
    await inBatches(names.slice(1_100), (name) => client.create(CONFIG_MAPS, configMap(name)));
    await inBatches(names.slice(0, 50), (name) =>
      client.mergePatch(CONFIG_MAPS, { namespace, name }, { data: { x: 'y' } }),
    );
    await inBatches(names.slice(0, 25), (name) => client.delete(CONFIG_MAPS, { namespace, name }));
    await inBatches(names.slice(0, 10), (name) => client.create(CONFIG_MAPS, configMap(name)));
    await until(
      'all is seen',
      () =>
        [...cache.list()].filter((o) => o.metadata.name.startsWith('many-')).length === 1_185 &&
        seen.get('many-9')?.length === 4,
    );
    expect(seen.get('many-0')).toEqual(['added', 'updated', 'deleted', 'added']);
    expect(seen.get('many-20')).toEqual(['added', 'updated', 'deleted']);
    expect(seen.get('many-49')).toEqual(['added', 'updated']);
    expect(seen.get('many-1150')).toEqual(['added']);
    await stop();
  });

  it('takes an own write at once, and the deletion after it', async () => {
    const { cache, start, stop } = reflect();
    start();
    await cache.waitForSync();
    const events: string[] = [];
    cache.subscribe((e) => e.object.metadata.name === 'own' && events.push(e.type));
    const own = await client.create(CONFIG_MAPS, configMap('own'));
    cache.observe(own);
    expect(cache.get(namespace, 'own')?.metadata.uid).toBe(own.metadata.uid);
    await client.delete(CONFIG_MAPS, own.metadata);
    await until('it is gone', () => cache.get(namespace, 'own') === undefined);
    cache.observe(own);
    expect(events).toEqual(['added', 'deleted']);
    await stop();
  });

  it('waits for a kind that is not there, works as soon as it is, and outlives its removal', async () => {
    const group = `${randomBytes(4).toString('hex')}.test`;
    const widgets: Resource = { group, version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true };
    const define = () =>
      client.create(DEFINITIONS, {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `widgets.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              subresources: { status: {} },
              schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            },
          ],
        },
      } as KubeObject);
    const { cache, start, stop, health } = reflect({ resource: widgets });
    start();
    await until('it says that the kind is missing', () => health().failing?.message.includes('definition installed'));
    await define();
    await cache.waitForSync();
    const widget = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'w', namespace } };
    await until('it can be created', () =>
      client.create(widgets, widget).then(
        () => true,
        (e: unknown) => isAlreadyExists(e),
      ),
    );
    const held = await until('it is seen', () => cache.get(namespace, 'w'));

    // While there is such a kind: the status writer.
    const read = held as KubeObject & { status?: { conditions?: ReturnType<typeof setCondition>; gone?: string } };
    const conditions = setCondition(
      undefined,
      { type: 'Ready', status: 'True', reason: 'Ok', message: '' },
      clock.now(),
    );
    const first = await putStatus(client, widgets, read, { conditions, gone: 'soon' });
    expect(first?.status?.gone).toBe('soon');
    const second = first && (await putStatus(client, widgets, first, { conditions }));
    expect(second?.status).toEqual({ conditions });
    expect(second && (await putStatus(client, widgets, second, { conditions }))).toBeUndefined();
    expect(isConflict(await caught(putStatus(client, widgets, read, { gone: 'x' })))).toBe(true);
    await client.delete(widgets, read.metadata);
    await client.create(widgets, widget);
    expect(isConflict(await caught(putStatus(client, widgets, second ?? read, { gone: 'x' })))).toBe(true);

    await client.delete(DEFINITIONS, { name: `widgets.${group}` });
    await until('its objects are gone', () => cache.size === 0, 30_000);
    await until(
      'it is gone',
      async () => isNotFound(await caught(client.get(DEFINITIONS, { name: `widgets.${group}` }))),
      30_000,
    );
    await define();
    await until(
      'it works again',
      async () => {
        await caught(client.create(widgets, widget));
        return cache.get(namespace, 'w');
      },
      30_000,
    );
    await stop();
    await client.delete(DEFINITIONS, { name: `widgets.${group}` });
  });

  it('notices a connection that is cut under it, and misses nothing', async () => {
    const connection = await loadConnection({ kubeconfigPath: inject('kubeconfig') });
    const relay = await startTcpProxy(connection.server);
    const through = createKubeClient({ ...connection, server: relay.url });
    const { cache, start, stop } = reflect({ client: through });
    start();
    await cache.waitForSync();
    for (let round = 0; round < 5; round++) {
      await until('it is fresh', () => cache.fresh());
      relay.cut();
      await client.create(CONFIG_MAPS, configMap(`cut-${round}`));
      await until('it is seen', () => cache.get(namespace, `cut-${round}`));
    }
    await stop();
    await through.close();
    await relay.stop();
  });
});

describe('leader election', () => {
  it('elects one of two, and hands over when it stops', async () => {
    const said: string[] = [];
    const candidate = (id: string) => {
      const stop = new AbortController();
      const done = runLeaderElection({
        client,
        namespace,
        name: 'leader',
        identity: processIdentity(id),
        clock,
        log,
        leaseDurationMs: 3_000,
        renewDeadlineMs: 2_000,
        retryPeriodMs: 200,
        signal: stop.signal,
        onStarted: ({ transitions }) => said.push(`${id} leads ${transitions}`),
        onLost: () => said.push(`${id} lost`),
      });
      return { stop, done };
    };
    const a = candidate('a');
    await until('a leads', () => said.length === 1);
    const b = candidate('b');
    const renewed = async () => (await client.get<Lease>(LEASES, { namespace, name: 'leader' })).spec?.renewTime ?? '';
    const before = await renewed();
    await until('it renews', async () => (await renewed()) > before);
    expect(before).toMatch(/\.\d{6}Z$/);
    a.stop.abort();
    await a.done;
    await until('b leads', () => said.length === 2);
    b.stop.abort();
    await b.done;
    expect(said).toEqual(['a leads 0', 'b leads 1']);
  });
});

describe('Events', () => {
  it('are stored, and counted as a series', async () => {
    const object = await client.create(CONFIG_MAPS, configMap('eventful'));
    const recorder = createEventRecorder({ client, component: 'funnelai.dev/test', instance: 'test-1', clock, log });
    for (let i = 0; i < 3; i++) {
      recorder.event(object, 'Warning', 'Tried', 'a note', 'Try');
      await recorder.flush();
    }
    type Stored = KubeObject & { series?: { count: number }; regarding: { name: string }; note: string };
    const stored = (await client.list<Stored>(EVENTS, { namespace })).items.filter(
      (e) => e.regarding.name === 'eventful',
    );
    expect(stored.map((e) => [e.note, e.series?.count])).toEqual([['a note', 3]]);
  });
});
