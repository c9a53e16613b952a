/** The end of an alert while an older report of it waits in an inbox that is away: the API server is well, and either store is enough. */
import { AWAITS_INBOX_ANNOTATION } from '@funnelai/crds/meta';
import { describe, expect, it } from 'vitest';
import type { StoreRequest } from '../intake/store.ts';
import { INBOX_FAULTS_READ, INBOX_LOOK_MS, LETTING_GO_MS } from '../limits.ts';
import { anAlert, anAlertSource } from '../testing/builders.ts';
import { aRatedWorld } from '../testing/rated-world.ts';

const fault = (n: number): string => String(n).padStart(16, '0').padEnd(64, '0');
const at = (second: number): string => `2026-01-01T12:00:${String(second).padStart(2, '0')}.000000Z`;
function request(n: number, state: 'Firing' | 'Resolved', second: number): StoreRequest {
  const { spec } = anAlert({ spec: { fingerprint: fault(n), state, startsAt: at(0), receivedAt: at(second) } });
  if (state === 'Resolved') spec.endsAt = at(second);
  const reports: StoreRequest['reports'] = [{ spec, startNamed: true, endNamed: true }];
  return { namespace: 'demo', source: 'prom', fingerprint: fault(n), reports, demo: false };
}
const never = new AbortController().signal;

/** A firing waits, put there by another replica, and Postgres goes away. */
async function aWorld() {
  const world = await aRatedWorld({ sources: [anAlertSource()] });
  const { fake, memory, clock, store } = world;
  const { reports, ...row } = request(1, 'Firing', 1);
  memory.add({ ...row, receivedAt: at(1), reports: JSON.stringify(reports) });
  await clock.advance(2 * INBOX_LOOK_MS);
  memory.isAway = true;
  const send = async (one: StoreRequest) => {
    const outcome = store.store(one, never);
    await clock.advance(100);
    return outcome;
  };
  const alert = () => [...fake.stored.values()][0];
  const isHeld = () => alert()?.metadata.annotations?.[AWAITS_INBOX_ANNOTATION] !== undefined;
  return { ...world, send, alert, isHeld };
}

describe('the end of an alert of which a firing waits in an inbox that is away', () => {
  it('is stored in etcd, and its Alert does not leave until the firing is drained, which changes nothing', async () => {
    const { memory, clock, drain, lettingGo, send, alert, isHeld } = await aWorld();
    expect(await send(request(1, 'Resolved', 2))).toMatchObject({ kind: 'created' });
    expect([alert()?.spec.state, isHeld()]).toEqual(['Resolved', true]);
    memory.isAway = false;
    lettingGo.start();
    await clock.advance(3 * LETTING_GO_MS);
    expect(isHeld()).toBe(true);
    drain.start();
    await clock.advance(3 * LETTING_GO_MS);
    expect([memory.rows.length, alert()?.spec.state, isHeld()]).toEqual([0, 'Resolved', false]);
  });

  it('is so also where it went before what waits, or where nothing of it is news', async () => {
    for (const mayOvertake of [true, undefined] as const) {
      const { memory, clock, send, isHeld } = await aWorld();
      memory.isAway = false;
      await clock.advance(2 * INBOX_LOOK_MS);
      const over = { ...request(1, 'Resolved', 2), ...(mayOvertake && { mayOvertake }) };
      await send({ ...over, mayOvertake: true });
      expect(isHeld()).toBe(false);
      memory.isAway = true;
      expect(await send(over)).not.toMatchObject({ kind: 'unavailable' });
      expect(isHeld()).toBe(true);
    }
  });

  it('is not said to be stored where the mark cannot be written', async () => {
    const { fake, memory, send, clock } = await aWorld();
    memory.isAway = false;
    await clock.advance(2 * INBOX_LOOK_MS);
    const over = { ...request(1, 'Resolved', 2), mayOvertake: true as const };
    memory.isAway = true;
    fake.beforeWrite = () => {
      fake.beforeWrite = () => {
        fake.isAway = true;
      };
    };
    const outcome = send(over);
    await clock.advance(5_000);
    expect(await outcome).toMatchObject({ kind: 'unavailable' });
  });

  it('keeps its mark while another replica drains, while more waits than can be looked at, and where it changed since the look', async () => {
    const { memory, clock, lettingGo, send, fake, alert, isHeld } = await aWorld();
    await send(request(1, 'Resolved', 2));
    memory.isAway = false;
    memory.holder = 2;
    const [row] = memory.rows.splice(0);
    lettingGo.start();
    await clock.advance(2 * LETTING_GO_MS);
    expect(isHeld()).toBe(true);
    memory.holder = 1;
    memory.rows = Array.from({ length: INBOX_FAULTS_READ + 1 }, () => row ?? expect.fail());
    await clock.advance(2 * LETTING_GO_MS);
    expect(isHeld()).toBe(true);
    memory.rows = [];
    fake.beforeWrite = () => {
      fake.beforeWrite = undefined;
      const held = alert();
      if (held !== undefined) fake.put(held);
      memory.holder = 2;
    };
    await clock.advance(2 * LETTING_GO_MS);
    expect([isHeld(), memory.holder]).toEqual([true, 2]);
    memory.holder = 1;
    await clock.advance(LETTING_GO_MS);
    expect(isHeld()).toBe(false);
  });

  it('keeps its mark while the API server is away, which is not asked for that', async () => {
    const { memory, clock, lettingGo, store, send, fake, isHeld } = await aWorld();
    await send(request(1, 'Resolved', 2));
    memory.isAway = false;
    await clock.advance(2 * INBOX_LOOK_MS);
    fake.isAway = true;
    for (const n of [2, 3, 4]) void store.store(request(n, 'Firing', 3), never);
    await clock.advance(5_000);
    memory.rows = [];
    const { length } = fake.calls;
    lettingGo.start();
    await clock.advance(3 * LETTING_GO_MS);
    expect(fake.calls.slice(length)).not.toContain('patch');
    fake.isAway = false;
    await clock.advance(30_000);
    expect(isHeld()).toBe(false);
  });
});
