/** Faults between the runtime and a real API server. After each the cache equals a quorum list, and nothing was missed but what the test took away. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { KubeObject, Resource } from '@funnelai/crds/meta';
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { loadConnection } from '@funnelai/kube/config';
import { CONFIG_MAPS, type ConfigMap } from '@funnelai/kube/testing/scripted-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Environment, startEnvironment } from '../harness/environment.ts';
import { type FaultProxy, matching, refusal, startFaultProxy } from '../harness/fault-proxy.ts';
import { until } from '../harness/wait.ts';
import { aNamespace, CONVERGED_MS, type Held, hold, inParallel } from './mirror-of.ts';

const DEFINITIONS: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};
const DEADLINE_MS = 20_000;

let environment: Environment;
let direct: KubeClient;
let proxy: FaultProxy;
let namespace: string;
let held: Held;

beforeAll(async () => {
  environment = await startEnvironment({ say: () => {}, applyConfig: false });
  direct = createKubeClient(await loadConnection({ kubeconfigPath: environment.kubeconfig }));
  proxy = await startFaultProxy(environment.kubeconfig);
});
beforeEach(async () => {
  namespace = await aNamespace(direct);
});
afterEach(async () => {
  proxy.heal();
  await held?.stop();
});
afterAll(async () => {
  await proxy?.stop();
  await direct?.close();
  await environment?.stop();
});

const map = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});
const create = (name: string) => direct.create(CONFIG_MAPS, map(name));
const remove = (name: string) => direct.delete(CONFIG_MAPS, { namespace, name });
const start = async (o: { silenceMs?: number; relistMs?: number } = {}) => {
  held = hold({ through: await proxy.connection(), direct, namespace, ...o });
  return held;
};
const synced = async (o: { silenceMs?: number; relistMs?: number } = {}) => {
  await start(o);
  await held.cache.waitForSync(AbortSignal.timeout(DEADLINE_MS));
  return held;
};
/** The watch that is open now. */
const watch = () => until('a watch to be open', DEADLINE_MS, () => proxy.watches('configmaps').at(-1));

describe('the first list', () => {
  it('is streamed by this API server, and its 429s are outlived', async () => {
    await create('early');
    const tooMany = { status: 429, body: refusal(429, 'TooManyRequests', 'storage is (re)initializing') };
    const answer = { answer: { ...tooMany, headers: { 'retry-after': '1' } } };
    const fault = proxy.fault(matching('configmaps'), answer, { times: 3 });
    const before = proxy.seen.length;
    await synced();
    await held.converged();
    expect(fault.hits).toBe(3);
    const lists = proxy.seen.slice(before).filter(({ path, isWatch }) => path.endsWith('/configmaps') && !isWatch);
    expect(lists).toEqual([]);
    expect(await held.missed()).toBe(0);
  });

  it('is read in pages where it may not be streamed', async () => {
    await create('early');
    const streamed = ({ query }: { query: URLSearchParams }) => query.has('sendInitialEvents');
    const fault = proxy.fault(streamed, { answer: { status: 422, body: refusal(422, 'Invalid', 'forbidden') } });
    await synced();
    await held.converged();
    expect(fault.hits).toBe(1);
    expect(held.reflector.health().failing).toBeUndefined();
  });

  it('of 5,000 objects is taken without holding up the event loop, and is not believed in part', async () => {
    await inParallel(
      Array.from({ length: 5_000 }, (_, i) => `many-${i}`),
      32,
      create,
    );
    // The first answer breaks off in the middle.
    const fault = proxy.fault(matching('configmaps', { watch: true }), { truncateAfter: 400_000 }, { times: 1 });
    const lag = monitorEventLoopDelay({ resolution: 10 });
    lag.enable();
    await start();
    const ofTest = (names: string[]) => names.filter((one) => one.includes('many-'));
    await until(
      'the first answer to break off',
      DEADLINE_MS,
      () => fault.hits === 1 && held.reflector.health().failing,
    );
    expect(held.cache.synced).toBe(false);
    expect(ofTest(held.heard)).toEqual([]);
    await held.cache.waitForSync(AbortSignal.timeout(DEADLINE_MS));
    lag.disable();
    await held.converged();
    expect(ofTest(held.heard)).toHaveLength(5_000);
    // A Lease is renewed each 2 s and lost after 8; a busy machine may take its share.
    expect(lag.max / 1e6).toBeLessThan(4_000);
    // Whoever takes over shall not have to read them all again to know that nothing is missing.
    const before = proxy.seen.length;
    await held.reflector.catchUp(AbortSignal.timeout(DEADLINE_MS));
    const lists = proxy.seen.slice(before).filter(({ query }) => query.get('limit') !== '1' && !query.has('watch'));
    expect(lists).toEqual([]);
  }, 180_000);
});

describe('a watch', () => {
  it('that is half open is given up after its silence, and resumed without a list', async () => {
    await synced({ silenceMs: 2_000 });
    await create('before');
    await until('it to be seen', DEADLINE_MS, () => held.cache.get(namespace, 'before'));
    const live = await watch();
    live.mute();
    await Promise.all([create('while-deaf'), remove('before')]);
    await until('it to be known as stale', DEADLINE_MS, () => !held.cache.fresh());
    await held.converged();
    expect(held.heard.filter((one) => !one.includes('kube-root-ca'))).toEqual([
      'added before',
      expect.any(String),
      expect.any(String),
    ]);
    expect(await held.failures('WatchSilent')).toBeGreaterThanOrEqual(1);
    expect(await held.missed()).toBe(0);
  });

  it('that breaks off within a line, is cut, or is garbled goes on where it was', async () => {
    await synced();
    const harms = [
      async () => (await watch()).truncate(),
      async () => (await watch()).garble('\u0000{"type":"ADD\n'),
      async () => (await watch()).end(),
      async () => proxy.cut(),
    ];
    for (const [i, harm] of harms.entries()) {
      await harm();
      await create(`after-${i}`);
      await held.converged();
    }
    expect(held.heard.filter((one) => one.includes('after-'))).toEqual(harms.map((_, i) => `added after-${i}`));
    expect(held.cache.get(namespace, 'half')).toBeUndefined();
    expect(await held.missed()).toBe(0);
  });

  it('of which each byte comes alone says the same', async () => {
    proxy.fault(matching('configmaps', { watch: true }), { split: 1 });
    await synced();
    await direct.create(CONFIG_MAPS, map('split', { word: 'naïve – 火' }));
    const seen = await until('it to be seen', DEADLINE_MS, () => held.cache.get(namespace, 'split'));
    expect(seen.data?.word).toBe('naïve – 火');
    await held.converged();
  });

  it('that ends with an ERROR event resumes, or lists anew when the event says that it cannot', async () => {
    await synced();
    (await watch()).inject({ type: 'ERROR', object: refusal(500, 'InternalError', 'etcd leader changed') });
    await create('after-500');
    await held.converged();
    await remove('after-500');
    (await watch()).inject({ type: 'ERROR', object: refusal(410, 'Expired', 'too old resource version') });
    await create('after-410');
    await held.converged();
    expect(await held.failures('Gone')).toBe(1);
    expect(await held.missed()).toBe(0);
  });

  it('sees another object under the same name as another, made in a gap', async () => {
    await synced();
    const first = await create('same');
    await held.converged();
    const away = proxy.fault(matching('configmaps'), { cut: 'before' });
    proxy.cut();
    await remove('same');
    const second = await create('same');
    away.clear();
    await held.converged();
    expect(held.cache.byUid(first.metadata.uid ?? '')).toBeUndefined();
    expect(held.cache.byUid(second.metadata.uid ?? '')).toBeDefined();
    expect(held.heard.filter((one) => one.endsWith(' same'))).toEqual(['added same', 'deleted same', 'added same']);
  });

  it('that loses events is found out by the next exact list, which counts just those and puts them right', async () => {
    await create('changed');
    await create('deleted');
    await synced({ relistMs: 1_000 });
    const listed = performance.now();
    const live = await watch();
    live.lines((line) =>
      line.includes('"lost"') || line.includes('"changed"') || line.includes('"deleted"') ? [] : [line],
    );
    await create('lost');
    await direct.mergePatch(CONFIG_MAPS, { namespace, name: 'changed' }, { data: { now: 'other' } });
    await remove('deleted');
    await create('marker');
    await until('what came after them to be seen', DEADLINE_MS, () => held.cache.get(namespace, 'marker'));
    expect(held.cache.get(namespace, 'lost')).toBeUndefined();
    await until('a list to be due', DEADLINE_MS, () => performance.now() - listed > 1_100);
    live.end();
    await held.converged();
    expect(await held.missed()).toBe(3);
    (await watch()).end();
    await create('later');
    await held.converged();
    expect(await held.missed()).toBe(3);
  });
});

it('a definition that goes and comes back in a gap leaves the objects of the new one', async () => {
  const group = `f${namespace.slice(-8)}.test`;
  const widgets: Resource = { group, version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  } as KubeObject;
  const widget = (name: string): KubeObject => ({
    apiVersion: `${group}/v1`,
    kind: 'Widget',
    metadata: { name, namespace },
  });
  const make = (name: string) =>
    until(`${name} to be made`, DEADLINE_MS, () =>
      direct.create(widgets, widget(name)).then(
        () => true,
        () => false,
      ),
    );
  await direct.create(DEFINITIONS, definition);
  await make('first');
  held = hold({ through: await proxy.connection(), direct, namespace, resource: widgets });
  await held.cache.waitForSync(AbortSignal.timeout(CONVERGED_MS));
  await held.converged();
  const away = proxy.fault(matching('widgets'), { cut: 'before' });
  proxy.cut();
  await direct.delete(DEFINITIONS, { name: `widgets.${group}` });
  const isGone = () =>
    direct.get(DEFINITIONS, { name: `widgets.${group}` }).then(
      () => false,
      () => true,
    );
  await until('the definition to be gone', DEADLINE_MS, isGone);
  await direct.create(DEFINITIONS, definition);
  await make('second');
  away.clear();
  await held.converged();
  expect(held.heard).toEqual(['added first', 'added second', 'deleted first']);
  expect(await held.missed()).toBe(0);
  await direct.delete(DEFINITIONS, { name: `widgets.${group}` });
});
