/** A storm whose sender dies: what was folded expires as Alerts do, and the Alert that counts it with it. */
import { formatMicros } from '@funnelai/domain/instants';
import { FOLDED_PER_READ, type FoldedLeaseStore } from '@funnelai/history/folded-leases';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import {
  EXPIRY_DOUBT_MS,
  FOLDED_EXPIRED_KEPT_MS,
  FOLDED_LOOKED_AT_PER_PASS,
  LEASE_RECHECK_MS,
  SOURCE_GONE_MS,
} from '../limits.ts';
import { aFoldingWorld, MOST } from '../testing/folding-world.ts';
import { createFoldedExpiry } from './folded.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STORM = MOST + 20;

/** All of one name; those past the bound are folded, and one Alert counts them. */
async function aStorm(o: { expireAfter?: string; leaseMs?: number } = {}) {
  const { leaseMs, ...given } = o;
  const world = aFoldingWorld(given);
  const fire = async (i: number) => {
    const outcome = await world.sendNow(0, i, 'Firing', 'Storm', undefined, leaseMs);
    world.catchUp();
    return outcome;
  };
  for (let i = 0; i < STORM; i += 1) await fire(i);
  await world.settle();
  const states = () => world.postgres.counted().map(({ spec }) => spec.state);
  const count = (state: string) => states().filter((one) => one === state).length;
  const overflow = () => world.overflows()[0]?.spec ?? expect.fail('there is no overflow Alert');
  const total = world.folded().length;
  const indexOf = (pod: string) => Number(pod.slice(2));
  const podsFolded = world.folded().map(indexOf);
  return { ...world, fire, count, overflow, total, podsFolded };
}
const first = (pods: readonly number[]): number => pods[0] ?? expect.fail('nothing is folded');

describe('folded alerts', () => {
  it('expire when nobody repeated them for so long, and the overflow Alert with the last of them', async () => {
    const storm = await aStorm({ expireAfter: '10m' });
    storm.later(5 * MINUTE);
    const [kept, ...rest] = storm.podsFolded;
    await storm.fire(kept ?? -1);
    storm.later(5 * MINUTE);
    await storm.expire();
    await storm.settle();
    expect([storm.count('Firing'), storm.count('Expired')]).toEqual([1, rest.length]);
    expect(storm.overflow()).toMatchObject({
      state: 'Firing',
      folded: { count: storm.total, firing: 1, expired: rest.length },
    });
    const before = storm.overflow().startsAt;
    storm.later(6 * MINUTE);
    await storm.expire();
    await storm.settle();
    expect(storm.overflow()).toMatchObject({
      state: 'Expired',
      expired: { reason: 'LeaseRanOut' },
      startsAt: before,
      folded: { count: storm.total, firing: 0, expired: storm.total },
    });
    expect(storm.overflow()).not.toHaveProperty('endsAt');
  });

  it('have the lease that their sender announced, moved by each repeat, though a repeat writes nothing', async () => {
    const storm = await aStorm({ leaseMs: 4 * MINUTE });
    const stored = [...storm.postgres.rows.values()].map(({ version }) => version);
    for (let n = 0; n < 5; n += 1) {
      storm.later(3 * MINUTE);
      for (const i of storm.podsFolded) expect(await storm.fire(i)).toMatchObject({ kind: 'unchanged' });
      await storm.expire();
    }
    expect([...storm.postgres.rows.values()].map(({ version }) => version)).toEqual(stored);
    expect(storm.count('Expired')).toBe(0);
    const heardAt = formatMicros(storm.clock.now());
    storm.later(5 * MINUTE);
    await storm.expire();
    expect(storm.count('Expired')).toBe(storm.total);
    const [row] = storm.postgres.counted();
    expect(Date.parse(heardAt) - Date.parse(row?.spec.receivedAt ?? '')).toBeLessThan(MINUTE);
  });

  it('never expire where neither sender nor source says how long to wait', async () => {
    const storm = await aStorm();
    storm.later(100 * HOUR);
    await storm.expire();
    expect(storm.count('Firing')).toBe(storm.total);
  });

  it('that a change of dedup left behind expire for that, and the overflow Alert with the last of them', async () => {
    const storm = await aStorm({ expireAfter: '10m' });
    storm.editSource({ ignore: ['pod'] });
    await storm.expire();
    // Another replica may know of rules that this one has not heard of yet.
    expect(storm.count('Expired')).toBe(0);
    await storm.expire();
    await storm.settle();
    const reasons = storm.postgres.counted().map(({ spec }) => spec.expired?.reason);
    expect([reasons.length, new Set(reasons)]).toEqual([storm.total, new Set(['DedupChanged'])]);
    expect(storm.overflow()).toMatchObject({
      state: 'Expired',
      expired: { reason: 'DedupChanged' },
      folded: { count: storm.total, firing: 0, expired: storm.total },
    });
    // What was under way of them under the old rules brings none back, as it would no Alert.
    const [left] = storm.postgres.counted();
    await storm.clock.advance(SECOND);
    storm.hear(left?.fingerprint ?? '', formatMicros(storm.clock.now()));
    await storm.expire();
    expect(storm.count('Expired')).toBe(storm.total);
  });

  it('that the new rules tell apart as the old ones did stay, and so do those of before the rules were noted', async () => {
    const storm = await aStorm();
    storm.editSource({ labels: ['alertname', 'pod'] });
    for (let n = 0; n < 4; n += 1) await storm.expire();
    expect(storm.count('Firing')).toBe(storm.total);
    // Their labels are read once, and not in each pass.
    expect(storm.postgres.calls.filter((call) => call === 'labels')).toHaveLength(1);
    const [key, row] = [...storm.postgres.rows][0] ?? expect.fail();
    const { dedupHash: _, ...spec } = row.spec;
    storm.postgres.rows.set(key, { ...row, spec });
    storm.editSource({ ignore: ['pod'] });
    for (let n = 0; n < 2; n += 1) await storm.expire();
    expect(storm.postgres.firing().map(({ fingerprint }) => fingerprint)).toEqual([spec.fingerprint]);
  });

  it('are looked at twice under the rules of today, however these are edited meanwhile', async () => {
    const storm = await aStorm();
    for (const ignore of [['pod'], ['pod', 'node'], ['pod', 'zone']]) {
      storm.editSource({ ignore });
      await storm.expire();
      expect(storm.count('Firing')).toBe(storm.total);
    }
    await storm.expire();
    expect(storm.count('Expired')).toBe(storm.total);
  });

  it('expire a quarter of an hour after their source was deleted, and the overflow Alert with the last of them', async () => {
    const storm = await aStorm({ leaseMs: 9 * HOUR });
    storm.current.source = undefined;
    await storm.expire();
    storm.later(SOURCE_GONE_MS - SECOND);
    await storm.expire();
    expect(storm.count('Firing')).toBe(storm.total);
    storm.later(SECOND);
    await storm.expire();
    await storm.settle();
    expect(storm.postgres.counted()[0]?.spec.expired?.reason).toBe('SourceDeleted');
    expect(storm.overflow()).toMatchObject({
      state: 'Expired',
      expired: { reason: 'SourceDeleted' },
      folded: { count: storm.total, firing: 0, expired: storm.total },
    });
    // Made again, its next report brings them back.
    storm.current.source = storm.source;
    await storm.fire(first(storm.podsFolded));
    await storm.settle();
    expect(storm.overflow()).toMatchObject({ state: 'Firing', folded: { firing: 1, expired: storm.total - 1 } });
  });

  it('stay under a source that is made anew in time', async () => {
    const storm = await aStorm();
    for (let n = 0; n < 4; n += 1) {
      storm.current.source = undefined;
      await storm.expire();
      storm.later(SOURCE_GONE_MS - SECOND);
      storm.current.source = storm.source;
      await storm.expire();
    }
    expect(storm.count('Firing')).toBe(storm.total);
  });

  it('are waited for longer by the time in which nobody was there to hear', async () => {
    const storm = await aStorm({ expireAfter: '10m' });
    const began = formatMicros(storm.clock.now());
    storm.later(60 * MINUTE);
    const gap = { began, ended: formatMicros(storm.clock.now()) };
    await storm.expire([gap]);
    expect(storm.count('Expired')).toBe(0);
    storm.later(11 * MINUTE);
    await storm.expire([gap]);
    expect(storm.count('Expired')).toBe(storm.total);
  });

  it('stay when whoever looks has lost the lock', async () => {
    const storm = await aStorm({ expireAfter: '1m' });
    storm.later(HOUR);
    await storm.expire([], () => false);
    expect(storm.postgres.calls).not.toContain('leases');
    let asked = 0;
    await storm.expire([], () => {
      asked += 1;
      return asked === 1;
    });
    expect(storm.count('Firing')).toBe(storm.total);
  });

  it('that expired fire again with their next report, in the episode in which they did, and the overflow Alert with them', async () => {
    const storm = await aStorm({ expireAfter: '10m' });
    const { startsAt } = storm.overflow();
    storm.later(HOUR);
    await storm.expire();
    await storm.settle();
    expect(storm.overflow().state).toBe('Expired');
    const i = first(storm.podsFolded);
    expect(await storm.fire(i)).toMatchObject({ kind: 'updated' });
    expect(storm.folded()).toEqual([`p-${i}`]);
    expect(storm.overflow()).toMatchObject({ state: 'Firing', startsAt, folded: { expired: storm.total - 1 } });
    await storm.settle();
    expect(storm.overflow()).toMatchObject({ state: 'Firing', folded: { firing: 1, expired: storm.total - 1 } });
    expect(storm.overflow()).not.toHaveProperty('expired');
  });

  it('that expired are resolved by their sender: with the last of them the overflow Alert is', async () => {
    const storm = await aStorm({ expireAfter: '10m' });
    storm.later(HOUR);
    await storm.expire();
    await storm.settle();
    for (const i of storm.podsFolded) await storm.sendNow(0, i, 'Resolved', 'Storm');
    await storm.settle();
    expect(storm.overflow()).toMatchObject({ state: 'Resolved', folded: { firing: 0 } });
    expect(storm.overflow()).not.toHaveProperty('expired');
  });

  it('are brought back when a report was under way while they expired', async () => {
    for (const later of [10 * SECOND, EXPIRY_DOUBT_MS + LEASE_RECHECK_MS]) {
      const storm = await aStorm({ expireAfter: '10m' });
      storm.later(HOUR);
      await storm.expire();
      await storm.settle();
      const spec = storm.postgres.counted()[0]?.spec ?? expect.fail();
      await storm.clock.advance(later);
      const lastSeen = formatMicros(storm.clock.now());
      storm.hear(spec.fingerprint, lastSeen);
      await storm.expire();
      await storm.settle();
      expect(storm.postgres.firing()).toMatchObject([{ fingerprint: spec.fingerprint, receivedAt: lastSeen }]);
      expect(storm.postgres.firing()[0]).not.toHaveProperty('expired');
      expect(storm.overflow()).toMatchObject({ state: 'Firing', folded: { firing: 1 } });
    }
  });

  it('that are Alerts of their own by now are counted no more, whatever is heard of those', async () => {
    const storm = await aStorm({ expireAfter: '10m' });
    const i = first(storm.podsFolded);
    const row = storm.postgres.counted().find(({ spec }) => spec.labels?.pod === `p-${i}`) ?? expect.fail();
    storm.later(HOUR);
    await storm.expire();
    // Made while Postgres did not answer in time: nobody could tell it.
    storm.cluster.clear(({ spec }) => spec.folded === undefined);
    storm.catchUp();
    storm.postgres.isMute = true;
    const made = storm.fire(i);
    await storm.clock.advance(SECOND);
    expect(await made).toMatchObject({ kind: 'created' });
    storm.postgres.isMute = false;
    storm.hear(row.fingerprint, formatMicros(storm.clock.now()));
    await storm.expire();
    expect(storm.folded()).toEqual([]);
    expect(storm.postgres.counted().map(({ fingerprint }) => fingerprint)).not.toContain(row.fingerprint);
  });

  it('that were heard of as Alerts after their overflow Alert had gone do not fire again', async () => {
    const storm = await aStorm({ expireAfter: '10m' });
    storm.later(HOUR);
    await storm.expire();
    await storm.settle();
    storm.cluster.clear(() => true);
    storm.catchUp();
    const i = first(storm.podsFolded);
    await storm.fire(i);
    await storm.clock.advance(SECOND);
    await storm.fire(i);
    await storm.sendNow(0, i, 'Resolved', 'Storm');
    storm.catchUp();
    storm.cluster.clear();
    storm.catchUp();
    await storm.expire();
    await storm.settle();
    expect([storm.folded(), storm.overflows()]).toEqual([[], []]);
  });

  it('that expired long ago begin anew, as an Alert that has left the cluster would', async () => {
    const storm = await aStorm({ expireAfter: '10m' });
    storm.later(HOUR);
    await storm.expire();
    await storm.settle();
    storm.later(FOLDED_EXPIRED_KEPT_MS + HOUR);
    const i = first(storm.podsFolded);
    storm.starts.delete(i);
    await storm.fire(i);
    const [spec] = storm.postgres.firing();
    expect(Date.parse(spec?.startsAt ?? '')).toBeGreaterThan(storm.clock.now().epochMilliseconds - MINUTE);
    expect(spec).not.toHaveProperty('latestStartsAt');
  });

  it('are looked at so many in a pass: the next one goes on where it ended', async () => {
    const clock = new FakeClock();
    const all = FOLDED_LOOKED_AT_PER_PASS + FOLDED_PER_READ;
    const receivedAt = formatMicros(clock.now());
    const kept = { namespace: 'demo', source: 'prom', overflow: 'o', version: '1', receivedAt };
    const lease = (n: number) => ({ ...kept, fingerprint: String(n), leaseUntil: formatMicros(clock.now()) });
    const asked: number[] = [];
    const store: FoldedLeaseStore = {
      firing: async (after) => {
        const first = after === undefined ? 0 : Number(after.fingerprint) + 1;
        asked.push(first);
        return Array.from({ length: Math.min(FOLDED_PER_READ, all - first) }, (_, n) => lease(first + n));
      },
      heardAfterExpiry: async () => [],
      labels: async () => [],
      mark: async () => 0,
      leave: async () => {},
    };
    const reached: string[] = [];
    const metrics = { expired: () => {}, limitReached: (limit: string) => reached.push(limit) };
    const none = { get: () => undefined };
    const expiry = createFoldedExpiry({ store, alerts: none, sources: none, clock, metrics });
    const known = { beganMs: 0, untilMs: clock.now().epochMilliseconds + HOUR, gaps: [] };
    await expiry.pass(known, () => true);
    expect([asked.length, reached]).toEqual([
      FOLDED_LOOKED_AT_PER_PASS / FOLDED_PER_READ,
      ['FOLDED_LOOKED_AT_PER_PASS'],
    ]);
    await expiry.pass(known, () => true);
    expect(asked.slice(-2)).toEqual([FOLDED_LOOKED_AT_PER_PASS, all]);
    await expiry.pass(known, () => true);
    expect(asked.at(-10)).toBe(0);
  });
});
