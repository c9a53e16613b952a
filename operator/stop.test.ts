/** How long a stop takes when Postgres does not answer: the Lease must not wait for it. */
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import { LEASES, type Lease } from '@funnelai/kube/leader';
import { FakeClock } from '@funnelai/kube/test-clock';
import { expect, it } from 'vitest';
import { anAlert, anIncident, NAMESPACE } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { FakeApi } from './testing/fake-api.ts';
import { type MemoryMirror, memoryMirror } from './testing/memory-mirror.ts';
import { runOperator } from './testing/run.ts';

const DAY_MS = 86_400_000;
/** Of the three in which another is to lead after a clean stop it may need two to look at the Lease again. */
const STOP_MS = 1_000;

/** Takes every statement and answers none; how many it holds. */
function hanging(): MemoryMirror & { held: string[] } {
  const held: string[] = [];
  const hangs = (name: string) => () => {
    held.push(name);
    return new Promise<never>(() => {});
  };
  return {
    ...memoryMirror(),
    held,
    putIncidents: hangs('putIncidents'),
    putAlerts: hangs('putAlerts'),
    factsOf: hangs('factsOf'),
  };
}

it('releases the Lease within a second, though Postgres holds on to all that it was given', async () => {
  const clock = new FakeClock('2026-03-03T10:00:00Z');
  const api = new FakeApi(clock);
  const mirror = hanging();
  const people = api.client('ana');
  const { metadata, ...incident } = anIncident({ name: 'outage' });
  await people.create(INCIDENTS, { ...incident, metadata: { name: metadata.name, namespace: NAMESPACE } });
  const over = anAlert({ state: 'Resolved' });
  await people.create(ALERTS, { ...over, spec: { ...over.spec, receivedAt: '2026-03-01T10:00:00Z' } });
  const operator = runOperator({
    client: api.client('operator'),
    mirror,
    retention: { alertMs: DAY_MS, incidentMs: DAY_MS },
    leaseNamespace: NAMESPACE,
    clock,
  });
  await eventually('Postgres holds something of each part', async () => {
    await clock.advance(1_000);
    return new Set(mirror.held).size === 3 && mirror.held.filter((name) => name === 'putAlerts').length > 1;
  });
  let isStopped = false;
  const stopped = operator.stop().then(() => {
    isStopped = true;
  });
  for (let waited = 0; waited < STOP_MS && !isStopped; waited += 100) await clock.advance(100);
  const [lease] = api.all<Lease>(LEASES);
  expect(lease?.spec?.holderIdentity).toBe('');
  await stopped;
});
