import { randomBytes } from 'node:crypto';
import type { KubeObject } from '@funnelai/crds/meta';
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { loadConnection } from '@funnelai/kube/config';
import { NAMESPACES } from '@funnelai/kube/core-kinds';
import { isNotFound, KubeError } from '@funnelai/kube/errors';
import { CONFIG_MAPS } from '@funnelai/kube/testing/scripted-server';
import type { WatchEvent } from '@funnelai/kube/watch';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type FaultProxy, matching, refusal, startFaultProxy } from './fault-proxy.ts';
import { createKubectl } from './kubectl.ts';
import { until } from './wait.ts';

const DEADLINE_MS = 10_000;
const namespace = `proxy-${randomBytes(4).toString('hex')}`;
let direct: KubeClient;
let proxy: FaultProxy;
let through: KubeClient;

beforeAll(async () => {
  direct = createKubeClient(await loadConnection({ kubeconfigPath: inject('kubeconfig') }));
  await direct.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  proxy = await startFaultProxy(inject('kubeconfig'));
  through = createKubeClient(await proxy.connection());
});
afterEach(() => proxy.heal());
afterAll(async () => {
  await through.close();
  await proxy.stop();
  await direct.delete(NAMESPACES, { name: namespace });
  await direct.close();
});

const map = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } });
const create = (name: string, timeoutMs = 2_000) => through.create(CONFIG_MAPS, map(name), { timeoutMs });
const failure = async (promise: Promise<unknown>): Promise<KubeError> => {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(KubeError);
  return error as KubeError;
};
const isStored = (name: string) =>
  direct.get(CONFIG_MAPS, { namespace, name }).then(
    () => true,
    (e: unknown) => !isNotFound(e),
  );

describe('the fault proxy', () => {
  it('passes each user on as who he is, kubectl included', async () => {
    const kubectl = createKubectl({ assets: inject('assets'), kubeconfig: proxy.kubeconfig });
    const name = await kubectl.run(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], { as: 'ana' });
    expect(name).toBe('ana');
  });

  it('answers in place of the API server, so often as it is told', async () => {
    const fault = proxy.fault(
      matching('configmaps', { method: 'POST' }),
      { answer: { status: 500, body: refusal(500, 'InternalError', 'etcd is not well') } },
      { times: 1 },
    );
    expect((await failure(create('refused'))).message).toContain('etcd is not well');
    expect(await isStored('refused')).toBe(false);
    await create('refused');
    expect(fault.hits).toBe(1);
  });

  it('breaks a write before the API server hears of it, or after it has stored it', async () => {
    proxy.fault(matching('configmaps', { method: 'POST' }), { cut: 'before' }, { times: 1 });
    await failure(create('before'));
    expect(await isStored('before')).toBe(false);
    proxy.fault(matching('configmaps', { method: 'POST' }), { cut: 'after' }, { times: 1 });
    expect((await failure(create('after'))).perhapsStored).toBe(true);
    expect(await isStored('after')).toBe(true);
  });

  it('hangs, delays, truncates and splits', async () => {
    const list = matching('configmaps', { method: 'GET' });
    proxy.fault(list, { hang: true }, { times: 1 });
    expect((await failure(through.list(CONFIG_MAPS, { namespace, timeoutMs: 200 }))).reason).toBe('Timeout');
    // A read that broke off is sent once more by the client.
    proxy.fault(list, { truncateAfter: 20 }, { times: 2 });
    expect((await failure(through.list(CONFIG_MAPS, { namespace }))).reason).toBe('ConnectionFailed');
    proxy.fault(list, { split: 7 }, { times: 1 });
    expect((await through.list(CONFIG_MAPS, { namespace })).items.length).toBeGreaterThan(0);
    proxy.fault(list, { delayMs: 300 }, { times: 1 });
    const began = performance.now();
    await through.list(CONFIG_MAPS, { namespace });
    expect(performance.now() - began).toBeGreaterThanOrEqual(299);
  });
});

describe('a watch through it', () => {
  /** Watches until it ends; what it saw, and why it ended. */
  async function watching() {
    const { metadata } = await direct.list(CONFIG_MAPS, { namespace, limit: 1 });
    const stop = new AbortController();
    const seen: string[] = [];
    const run = async () => {
      const o = { namespace, resourceVersion: metadata.resourceVersion ?? '' };
      for await (const { type, object } of through.watch(CONFIG_MAPS, o, stop.signal) as AsyncIterable<WatchEvent>) {
        seen.push(`${type} ${object.metadata.name ?? ''}`);
      }
      return undefined;
    };
    const ended = run().catch((e: unknown) => e as KubeError);
    const live = await until('the watch to be open', DEADLINE_MS, () => proxy.watches('configmaps')[0]);
    return { seen, ended, live, stop: () => stop.abort() };
  }

  it('carries events, made-up ones, and those that a test has changed or lost', async () => {
    const { seen, live, stop, ended } = await watching();
    await create('carried');
    await until('the event', DEADLINE_MS, () => seen.length === 1);
    live.lines((line) => (line.includes('lost') ? [] : [line]));
    await create('lost');
    await create('kept');
    await until('the next event', DEADLINE_MS, () => seen.length === 2);
    live.inject({ type: 'ERROR', object: refusal(410, 'Expired', 'too old resource version') });
    expect(await ended).toMatchObject({ status: 410 });
    expect(seen).toEqual(['ADDED carried', 'ADDED kept']);
    stop();
    await until('it to be gone', DEADLINE_MS, () => proxy.watches('configmaps').length === 0);
  });

  it('ends while the API server goes on sending in pieces', async () => {
    proxy.fault(matching('configmaps', { watch: true }), { split: 1 });
    const one = await watching();
    const made = Promise.all(Array.from({ length: 20 }, (_, i) => create(`ended-${i}`)));
    await until('the first to come', DEADLINE_MS, () => one.seen.length > 0);
    one.live.end();
    await made;
    await one.ended;
  });

  it('breaks off within a line, or falls silent', async () => {
    const one = await watching();
    one.live.truncate();
    expect(await one.ended).toBeInstanceOf(KubeError);
    expect(one.seen).toEqual([]);
    const two = await watching();
    two.live.mute();
    await create('unheard');
    await create('unheard-too');
    expect(two.seen).toEqual([]);
    two.stop();
    await two.ended;
  });
});
