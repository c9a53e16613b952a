/** Two replicas, a storm at one source with room for forty, alerts that come and go, Postgres that goes away: whatever the order, each alert is one. */
import { ALERTS } from '@funnelai/crds/meta';
import { alertName } from '@funnelai/domain/fingerprint';
import { silentReport } from '@funnelai/domain/heartbeat';
import { formatMicros } from '@funnelai/domain/instants';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ETCD_PATIENCE_MS } from '../limits.ts';
import { aFoldingWorld as aWorld, MOST } from '../testing/folding-world.ts';
import type { StoreOutcome } from './store.ts';

const isStored = ({ kind }: StoreOutcome) => kind === 'created' || kind === 'updated' || kind === 'unchanged';

describe('a source at its bound', () => {
  it('folds what finds no room, one overflow Alert for each kind, and lets it out again when there is room', async () => {
    const world = aWorld();
    for (let i = 0; i < 60; i += 1) {
      expect(await world.send(0, i, 'Firing')).toMatchObject({ kind: 'created' });
      world.catchUp();
    }
    expect(world.cluster.stored.size).toBeLessThanOrEqual(MOST);
    expect([world.live().length, world.folded().length]).toEqual([36, 24]);
    await world.settle();
    expect(world.counted()).toBe(24);
    for (let i = 0; i < 12; i += 1) await world.send(0, i, 'Resolved');
    world.cluster.clear();
    world.catchUp();
    for (let i = 12; i < 60; i += 1) await world.send(0, i, 'Firing');
    await world.settle();
    expect([world.live().length, world.folded().length, world.counted()]).toEqual([33, 15, 15]);
  });

  it('keeps its bound when all of it comes at once, and room for a new name when all is of one', async () => {
    const world = aWorld();
    const all = Array.from({ length: 100 }, (_, i) => i);
    await Promise.all(all.map((i) => world.sendNow(0, i, 'Firing', 'Storm')));
    expect([world.live().length, world.cluster.stored.size]).toEqual([36, 37]);
    await world.sendNow(0, 1_000, 'Firing', 'Other');
    expect(world.live()).toContain('p-1000');
    await Promise.all(all.map((i) => world.sendNow(0, 2_000 + i, 'Firing', `Name${i}`)));
    expect(world.cluster.stored.size).toBeLessThanOrEqual(MOST);
    expect(world.live().length + world.folded().length).toBe(201);
  });

  it('lets an alert out as what was known of it: one whose sender names no start began when it was folded', async () => {
    const world = aWorld();
    for (let i = 0; i < 60; i += 1) await world.send(0, i, 'Firing');
    await world.settle();
    const { spec } = world.postgres.counted().at(-1) ?? expect.fail('nothing is folded');
    for (let i = 0; i < 12; i += 1) await world.send(0, i, 'Resolved');
    world.cluster.clear();
    world.catchUp();
    const now = formatMicros(world.clock.now());
    const repeat = { ...spec, startsAt: now, receivedAt: now };
    expect(await world.store({ spec: repeat, startNamed: false, endNamed: false })).toMatchObject({ kind: 'created' });
    expect(world.cluster.stored.get(alertName('prom', spec.fingerprint))?.spec).toMatchObject({
      startsAt: spec.startsAt,
    });
  });

  it('lets an overflow Alert rest that a person has resolved, until one more alert is folded; a repeat is none', async () => {
    const world = aWorld();
    const all = Array.from({ length: 50 }, (_, i) => i);
    for (const i of all) await world.sendNow(0, i, 'Firing', 'Storm');
    await world.settle();
    const overflow = () => world.overflows()[0] ?? expect.fail('there is no overflow Alert');
    const { name, resourceVersion } = overflow().metadata;
    const byHand = { metadata: { resourceVersion }, spec: { state: 'Resolved' } };
    await world.cluster.client.mergePatch(ALERTS, { namespace: 'demo', name }, byHand);
    world.catchUp();
    for (const i of all) await world.sendNow(0, i, 'Firing', 'Storm');
    await world.settle();
    expect(overflow().spec.state).toBe('Resolved');
    await world.sendNow(0, 50, 'Firing', 'Storm');
    expect(overflow().spec).toMatchObject({ state: 'Firing', folded: { firing: world.folded().length } });
  });

  it('stores nothing before it knows how many there are', async () => {
    const world = aWorld();
    world.start.isSynced = false;
    expect(await world.send(0, 1, 'Firing')).toMatchObject({ kind: 'unavailable' });
    world.start.isSynced = true;
    expect(await world.send(0, 1, 'Firing')).toMatchObject({ kind: 'created' });
  });

  it('answers what cannot be stored as such while Postgres is away, and nothing else', async () => {
    const world = aWorld();
    for (let i = 0; i < 50; i += 1) await world.send(0, i, 'Firing');
    world.postgres.isAway = true;
    expect(await world.send(0, 0, 'Firing')).toMatchObject({ kind: 'unchanged' });
    expect(await world.send(0, 0, 'Resolved')).toMatchObject({ kind: 'updated' });
    expect(await world.send(0, 99, 'Firing')).toMatchObject({ kind: 'unavailable', isFull: true });
    world.postgres.isAway = false;
    await world.clock.advance(5_000);
    expect(await world.send(0, 99, 'Firing')).toMatchObject({ kind: 'created' });
  });

  it('does not blame the API server for a Postgres that is away', async () => {
    const world = aWorld();
    for (let i = 0; i < 50; i += 1) await world.send(0, i, 'Firing');
    world.postgres.isAway = true;
    expect(await world.send(0, 99, 'Firing')).toMatchObject({ kind: 'unavailable', isAnswered: true });
    expect(await world.send(0, 49, 'Resolved', 'Ending')).toMatchObject({ kind: 'unavailable', isAnswered: true });
    world.postgres.isAway = false;
    await world.clock.advance(5_000);
    expect(await world.send(0, 49, 'Resolved', 'Ending')).toMatchObject({ kind: 'updated' });
    expect(world.folded()).not.toContain('p-49');
  });

  it('does not let what has room wait for a Postgres that hangs', async () => {
    const world = aWorld();
    const all = Array.from({ length: 50 }, (_, i) => i);
    await Promise.all(all.map((i) => world.sendNow(0, i, 'Firing', 'Storm')));
    await world.settle();
    world.postgres.isMute = true;
    const outcomes: StoreOutcome[] = [];
    for (const [i, state] of [[1_000, 'Firing'] as const, [0, 'Resolved'] as const])
      void world.sendNow(0, i, state, i === 0 ? 'Storm' : 'Other').then((outcome) => outcomes.push(outcome));
    await world.clock.advance(ETCD_PATIENCE_MS / 2);
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['created', 'updated']);
  });

  it('says by an Alert of its own that the source fell silent, however full it is', async () => {
    const world = aWorld();
    const all = Array.from({ length: 200 }, (_, i) => i);
    await Promise.all(all.map((i) => world.sendNow(0, i, 'Firing', `Name${i}`)));
    expect(world.cluster.stored.size).toBe(MOST);
    const spec = silentReport(world.source, '2026-01-01T11:00:00Z', world.clock.now());
    await world.store({ spec, startNamed: true, endNamed: true });
    expect([...world.cluster.stored.values()].map((alert) => alert.spec.fingerprint)).toContain(spec.fingerprint);
  });

  it('leaves the folded alerts of other namespaces to those who may write there', async () => {
    for (const [namespace, made] of [
      ['elsewhere', 0],
      ['demo', 1],
    ] as const) {
      const world = aWorld({ namespace });
      for (let i = 0; i < 50; i += 1) await world.send(0, i, 'Firing');
      await world.settle();
      const name = world.overflows()[0]?.metadata.name;
      world.cluster.clear(({ metadata }) => metadata.name === name);
      await world.settle();
      expect(world.overflows().filter(({ metadata }) => metadata.name === name)).toHaveLength(made);
    }
  });

  it('makes anew the overflow Alert that somebody has deleted while alerts of it fire', async () => {
    const world = aWorld();
    for (let i = 0; i < 50; i += 1) await world.send(0, i, 'Firing');
    await world.settle();
    const before = world.counted();
    world.cluster.clear(({ spec }) => spec.folded !== undefined);
    expect(world.overflows()).toEqual([]);
    await world.settle();
    expect(world.counted()).toBe(before);
    expect(before).toBe(world.folded().length);
  });
});

it('what is folded goes with its namespace: nobody tries for ever to make the Alert that counts it', async () => {
  const world = aWorld();
  for (let i = 0; i < 50; i += 1) await world.send(0, i, 'Firing');
  world.cluster.fate.isNamespaceGone = true;
  world.cluster.clear(() => true);
  await world.settle();
  expect([world.cluster.stored.size, world.folded()]).toEqual([0, []]);
});

const steps = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.tuple(fc.constant('fire' as const), fc.nat(1), fc.nat(79)) },
    { weight: 6, arbitrary: fc.tuple(fc.constant('resolve' as const), fc.nat(1), fc.nat(79)) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('catchUp' as const), fc.nat(1), fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), fc.constant(0), fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('away' as const), fc.constant(0), fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('back' as const), fc.constant(0), fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('silence' as const), fc.constant(0), fc.constant(0)) },
  ),
  { minLength: 60, maxLength: 260 },
);

it('whatever comes in whatever order, each alert that was answered as stored is there once, and counted', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (run) => {
      const world = aWorld({ expireAfter: '10m' });
      const expired = () => world.postgres.counted().flatMap(({ spec }) => (spec.state === 'Expired' ? [spec] : []));
      /** What was answered as stored last, by alert. */
      const told = new Map<number, 'Firing' | 'Resolved'>();
      for (const [what, replica, i] of run) {
        if (what === 'catchUp') world.cluster.catchUp(replica);
        else if (what === 'clear') {
          // Retention comes seconds after an end; no watch that works is behind by that.
          world.catchUp();
          world.cluster.clear();
          world.catchUp();
        } else if (what === 'silence') {
          world.later(11 * 60_000);
          if (!world.postgres.isAway) await world.expire();
        } else if (what === 'away' || what === 'back') world.postgres.isAway = what === 'away';
        else {
          const state = what === 'fire' ? 'Firing' : 'Resolved';
          if (state === 'Resolved' && told.get(i) !== 'Firing') continue;
          const outcome = await world.send(replica, i, state);
          if (isStored(outcome)) told.set(i, state);
          else told.delete(i);
        }
      }
      world.postgres.isAway = false;
      await world.settle();
      const inside = () => [...world.live(), ...world.folded()];
      const silent = expired().map(({ labels }) => labels?.pod);
      for (const [i, state] of told) if (state === 'Firing') expect([...inside(), ...silent]).toContain(`p-${i}`);
      // Senders repeat what fires: after that each is there once, and the counts are right.
      const firing = [...world.starts.keys()];
      for (const i of firing) {
        expect(isStored(await world.send(0, i, 'Firing'))).toBe(true);
        world.catchUp();
      }
      await world.settle();
      const pods = firing.map((i) => `p-${i}`).sort();
      for (const pod of pods) expect(inside().filter((one) => one === pod)).toHaveLength(1);
      expect(world.counted()).toBe(world.folded().length);
      for (let i = 0; i < 80; i += 1) {
        await world.send(1, i, 'Resolved');
        world.catchUp();
      }
      await world.settle();
      expect([world.live(), world.folded()]).toEqual([[], []]);
      expect(world.overflows().filter(({ spec }) => spec.state !== 'Resolved')).toEqual([]);
    }),
    { numRuns: 25 },
  );
}, 120_000);
