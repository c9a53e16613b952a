import type { KubeObject } from '@funnelai/crds/meta';
import { afterEach, describe, expect, it } from 'vitest';
import { KubeError } from './errors.ts';
import { type LeaderElectionOptions, type Lease, processIdentity, runLeaderElection } from './leader.ts';
import { silentLog } from './log.ts';
import { FakeClock } from './test-clock.ts';

const refusal = (status: number, reason: string) =>
  new KubeError({ status, reason, message: reason, transient: status !== 404 });

/** One Lease behind the rules of an API server; the test may edit it, and switch the server off. */
class LeaseServer {
  lease: Lease | undefined;
  down = false;
  /** Those from whom nothing more is heard. */
  readonly dead = new Set<string>();
  /** Stores the next write, and loses the answer. */
  swallowNextAnswer = false;
  writes = 0;
  #version = 0;

  store(spec: Lease['spec']): void {
    this.lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: 'ns', name: 'x', resourceVersion: String(++this.#version) },
      ...(spec ? { spec } : {}),
    };
    this.writes++;
  }

  client(identity = ''): LeaderElectionOptions['client'] {
    const answer = <T extends KubeObject>(): T => {
      if (this.swallowNextAnswer) {
        this.swallowNextAnswer = false;
        throw refusal(0, 'Timeout');
      }
      return structuredClone(this.lease) as unknown as T;
    };
    const reach = async () => {
      if (this.down || this.dead.has(identity)) throw refusal(0, 'ConnectionFailed');
    };
    return {
      get: async <T extends KubeObject>() => {
        await reach();
        if (!this.lease) throw refusal(404, 'NotFound');
        return structuredClone(this.lease) as unknown as T;
      },
      create: async <T extends KubeObject>(_: unknown, object: T) => {
        await reach();
        if (this.lease) throw refusal(409, 'AlreadyExists');
        this.store((object as unknown as Lease).spec);
        return answer<T>();
      },
      replace: async <T extends KubeObject>(_: unknown, object: T) => {
        await reach();
        if (!this.lease) throw refusal(404, 'NotFound');
        if (object.metadata.resourceVersion !== this.lease.metadata.resourceVersion) throw refusal(409, 'Conflict');
        this.store((object as unknown as Lease).spec);
        return answer<T>();
      },
    };
  }
}

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

/** A candidate; `log` says what became of it. */
function candidate(server: LeaseServer, identity: string, clock = new FakeClock(), random = 0) {
  const stop = new AbortController();
  stops.push(stop);
  const said: string[] = [];
  const done = runLeaderElection({
    client: server.client(identity),
    namespace: 'ns',
    name: 'x',
    identity,
    clock,
    log: silentLog(),
    random: () => random,
    signal: stop.signal,
    onStarted: ({ transitions }) => said.push(`leads ${transitions}`),
    onLost: () => said.push('lost'),
  }).then(() => said.push('done'));
  return { said, clock, stop, done };
}
const holder = (server: LeaseServer) => server.lease?.spec?.holderIdentity;

describe('leader election', () => {
  it('takes a lease that is not there, with six fractional digits, and renews it', async () => {
    const server = new LeaseServer();
    const { said, clock } = candidate(server, 'a');
    await clock.advance(0);
    expect(said).toEqual(['leads 0']);
    expect(server.lease?.spec).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 12,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
    await clock.advance(2_000);
    expect(server.lease?.spec).toMatchObject({
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:02.000000Z',
    });
    await clock.advance(60_000);
    expect(said).toEqual(['leads 0']);
  });

  it.each([
    ['in the past', '2001-01-01T00:00:00.000000Z'],
    ['in the future', '2090-01-01T00:00:00.000000Z'],
  ])('trusts no clock but its own: a renewTime %s says nothing', async (_, renewTime) => {
    const server = new LeaseServer();
    server.store({ holderIdentity: 'other', leaseDurationSeconds: 15, renewTime, leaseTransitions: 4 });
    const { said, clock } = candidate(server, 'a');
    await clock.advance(15_000);
    expect(said).toEqual([]);
    await clock.advance(2_001);
    expect(said).toEqual(['leads 5']);
  });

  it('waits for a whole duration after each change that it sees', async () => {
    const server = new LeaseServer();
    const { said, clock } = candidate(server, 'a');
    server.store({ holderIdentity: 'other', leaseDurationSeconds: 15, renewTime: 'one' });
    await clock.advance(14_000);
    server.store({ holderIdentity: 'other', leaseDurationSeconds: 15, renewTime: 'two' });
    await clock.advance(15_000);
    expect(said).toEqual([]);
    await clock.advance(4_000);
    expect(said).toEqual(['leads 1']);
  });

  it('is not fooled by its own name of an earlier start', () => {
    expect(processIdentity('pod-1')).not.toBe(processIdentity('pod-1'));
    expect(processIdentity('pod-1')).toMatch(/^pod-1_/);
  });

  it('hands over at once when it is stopped, and the next one counts on', async () => {
    const server = new LeaseServer();
    const clock = new FakeClock();
    const a = candidate(server, 'a', clock);
    await clock.advance(0);
    const b = candidate(server, 'b', clock);
    await clock.advance(10_000);
    expect(b.said).toEqual([]);
    a.stop.abort();
    await a.done;
    expect([a.said, holder(server)]).toEqual([['leads 0', 'done'], '']);
    await clock.advance(2_000);
    expect([b.said, holder(server)]).toEqual([['leads 1'], 'b']);
  });

  it('stops leading before its lease can run out, when the API server is away', async () => {
    const server = new LeaseServer();
    const { said, clock } = candidate(server, 'a');
    await clock.advance(4_000);
    server.down = true;
    await clock.advance(7_999);
    expect(said).toEqual(['leads 0']);
    await clock.advance(1);
    expect(said).toEqual(['leads 0', 'lost', 'done']);
  });

  it('rides out a short absence', async () => {
    const server = new LeaseServer();
    const { said, clock } = candidate(server, 'a');
    await clock.advance(4_000);
    server.down = true;
    await clock.advance(5_000);
    server.down = false;
    await clock.advance(60_000);
    expect(said).toEqual(['leads 0']);
  });

  it('stops at once when another holds the lease', async () => {
    const server = new LeaseServer();
    const { said, clock } = candidate(server, 'a');
    await clock.advance(0);
    server.store({ holderIdentity: 'thief', leaseDurationSeconds: 15 });
    await clock.advance(2_000);
    expect(said).toEqual(['leads 0', 'lost', 'done']);
    expect(holder(server)).toBe('thief');
  });

  it('keeps leading when someone deletes the lease, and when someone only edits it', async () => {
    const server = new LeaseServer();
    const { said, clock } = candidate(server, 'a');
    await clock.advance(0);
    server.lease = undefined;
    await clock.advance(2_000);
    expect([holder(server), said]).toEqual(['a', ['leads 0']]);
    server.store(server.lease && (server.lease as Lease).spec);
    await clock.advance(20_000);
    expect(said).toEqual(['leads 0']);
  });

  it('loses when the lease was deleted and another was quicker', async () => {
    const server = new LeaseServer();
    const { said, clock } = candidate(server, 'a');
    await clock.advance(0);
    server.lease = undefined;
    server.store({ holderIdentity: 'quick', leaseDurationSeconds: 15 });
    await clock.advance(2_000);
    expect(said).toEqual(['leads 0', 'lost', 'done']);
  });

  it('finds out that a claim was stored though its answer was lost', async () => {
    const server = new LeaseServer();
    server.swallowNextAnswer = true;
    const { said, clock } = candidate(server, 'a');
    await clock.advance(0);
    expect([holder(server), said]).toEqual(['a', []]);
    await clock.advance(2_000);
    expect(said).toEqual(['leads 0']);
  });

  it('gives back a claim that was stored behind its back, when it is stopped before it knows', async () => {
    const server = new LeaseServer();
    server.swallowNextAnswer = true;
    const { said, clock, stop, done } = candidate(server, 'a');
    await clock.advance(0);
    stop.abort();
    await done;
    expect([holder(server), said]).toEqual(['', ['done']]);
  });

  it('a standby that is stopped touches nothing', async () => {
    const server = new LeaseServer();
    server.store({ holderIdentity: 'other', leaseDurationSeconds: 15 });
    const { clock, stop, done } = candidate(server, 'a');
    await clock.advance(4_000);
    stop.abort();
    await done;
    expect([holder(server), server.writes]).toEqual(['other', 1]);
  });

  it.each([0, 0.99])(
    'is followed within 20 s when it dies, within 3 s when it stops, whatever the moment (jitter %f)',
    async (random) => {
      for (let moment = 0; moment < 2_400; moment += 300) {
        const server = new LeaseServer();
        const clock = new FakeClock();
        const a = candidate(server, 'a', clock, random);
        await clock.advance(moment);
        const b = candidate(server, 'b', clock, random);
        await clock.advance(7_000);
        server.dead.add('a');
        await clock.advance(17_000);
        expect([moment, b.said]).toEqual([moment, ['leads 1']]);
        // The dead one had given up before: at no time do both believe to lead.
        expect(a.said).toEqual(['leads 0', 'lost', 'done']);
        const c = candidate(server, 'c', clock, random);
        await clock.advance(moment);
        b.stop.abort();
        await b.done;
        // What is left of the three seconds is for its caches.
        await clock.advance(2_000);
        expect([moment, c.said]).toEqual([moment, ['leads 2']]);
      }
    },
  );

  it.each([
    ['+1 h', 1],
    ['-1 h', -1],
  ])('is not shaken by a wall clock that steps by %s, on either side', async (_, hours) => {
    const server = new LeaseServer();
    const clocks = { a: new FakeClock(), b: new FakeClock() };
    const pass = async (ms: number) => {
      for (let at = 0; at < ms; at += 500) for (const clock of [clocks.a, clocks.b]) await clock.advance(500);
    };
    const a = candidate(server, 'a', clocks.a);
    await pass(2_000);
    const b = candidate(server, 'b', clocks.b);
    await pass(5_000);
    for (const clock of [clocks.a, clocks.b]) {
      clock.set(clock.now().add({ hours }));
      await pass(30_000);
      expect([a.said, b.said]).toEqual([['leads 0'], []]);
    }
    server.dead.add('a');
    await pass(17_000);
    expect([a.said.at(-1), b.said]).toEqual(['done', ['leads 1']]);
  });

  it('gives way to an etcd that was put back to when another led, and comes back once that one is seen to be gone', async () => {
    const server = new LeaseServer();
    server.store({ holderIdentity: 'old', leaseDurationSeconds: 12, renewTime: 'then', leaseTransitions: 6 });
    const before = server.lease;
    const { said, clock } = candidate(server, 'a');
    await clock.advance(15_000);
    expect(said).toEqual(['leads 7']);
    server.lease = before;
    await clock.advance(2_000);
    expect(said).toEqual(['leads 7', 'lost', 'done']);
    const again = candidate(server, 'a', clock);
    await clock.advance(15_000);
    expect(again.said).toEqual(['leads 7']);
  });

  it('believes no holder for longer than a minute, whatever he claims', async () => {
    const server = new LeaseServer();
    server.store({
      holderIdentity: 'other',
      leaseDurationSeconds: 2_000_000_000,
      renewTime: 'once',
      leaseTransitions: 0,
    });
    const { said, clock } = candidate(server, 'a');
    await clock.advance(59_000);
    expect(said).toEqual([]);
    await clock.advance(5_000);
    expect(said).toEqual(['leads 1']);
  });

  it('of three, exactly one leads at any time, whoever stops', async () => {
    const server = new LeaseServer();
    const clock = new FakeClock();
    const all = ['a', 'b', 'c'].map((id) => candidate(server, id, clock));
    const leading = () => all.filter((c) => c.said.at(-1)?.startsWith('leads'));
    for (let left = 3; left > 0; left--) {
      await clock.advance(5_000);
      expect(leading()).toHaveLength(1);
      leading()[0]?.stop.abort();
      await clock.advance(0);
    }
  });

  it('refuses durations that cannot work', async () => {
    const o = {
      client: new LeaseServer().client(),
      namespace: 'ns',
      name: 'x',
      identity: 'a',
      clock: new FakeClock(),
      log: silentLog(),
    };
    const calls = { onStarted: () => {}, onLost: () => {}, signal: new AbortController().signal };
    await expect(runLeaderElection({ ...o, ...calls, leaseDurationMs: 5_000 })).rejects.toThrow(RangeError);
  });
});
