/** As absence.test.ts, on a real API server: there the admission policy keeps the log, and two people write as themselves. */

import { randomBytes } from 'node:crypto';
import type { Incident } from '@funnelai/crds/generated/types';
import { INCIDENTS } from '@funnelai/crds/meta';
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { loadConnection } from '@funnelai/kube/config';
import { NAMESPACES } from '@funnelai/kube/core-kinds';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { anIncident } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { makeNamespaceOfResponders } from './testing/namespaces.ts';
import { runOperator } from './testing/run.ts';

const namespace = `absence-${randomBytes(4).toString('hex')}`;
const clients = new Map<string, KubeClient>();
const as = (context: string): KubeClient => {
  const client = clients.get(context);
  if (client === undefined) throw new Error(`no client of ${context}`);
  return client;
};

beforeAll(async () => {
  for (const context of ['admin', 'ana', 'bo', 'operator']) {
    const connection = await loadConnection({ kubeconfigPath: inject('kubeconfig'), context });
    clients.set(context, createKubeClient(connection, { userAgent: `test-${context}/1` }));
  }
  await makeNamespaceOfResponders(as('admin'), namespace);
});
afterAll(async () => {
  await as('admin').delete(NAMESPACES, { name: namespace });
  await Promise.all([...clients.values()].map((client) => client.close()));
});

async function visit(done: () => Promise<boolean>): Promise<void> {
  const operator = runOperator({ client: as('operator'), namespace });
  await eventually('the operator has recorded it', done, 30_000);
  await operator.stop();
}

it.each([16, 17])(
  '%i acts of two people in one absence are on record, in order, as the API server saw them',
  async (n) => {
    const key = { namespace, name: `acts-${n}` };
    const read = () => as('admin').get<Incident>(INCIDENTS, key);
    const { spec } = anIncident({ phase: 'Response', owner: { name: 'ana' } });
    const declared = { ...anIncident(), metadata: key, spec };
    await eventually('ana may declare', () => as('ana').create<Incident>(INCIDENTS, declared));
    await visit(async () => (await read()).status?.changeSequence === 4);
    const acts: string[] = [];
    for (let i = 0; i < n; i += 1) {
      const user = i % 3 === 0 ? 'bo' : 'ana';
      const phase = i % 2 === 0 ? 'Mitigation' : 'Response';
      await as(user).mergePatch(INCIDENTS, key, { spec: { phase, phaseReason: `act ${i}` } });
      acts.push(`${phase} by ${user}: act ${i}`);
    }
    const last = acts.slice(-16);
    await visit(async () => (await read()).status?.changeSequence === 4 + last.length);
    const { status } = await read();
    const recorded = (status?.changes ?? []).filter(({ sequence }) => sequence > 4);
    if (n > 16) last[0] = last[0]?.replace(/act \d+$/, 'Collapsed') ?? '';
    expect(recorded.map(({ to, by, reason }) => `${to} by ${by}: ${reason}`)).toEqual(last);
    expect(recorded.every(({ verified }) => verified)).toBe(true);
  },
);
