import { describe, expect, it } from 'vitest';
import { KubeError, TerminalError } from './errors.ts';
import { silentLog } from './log.ts';
import { createRegistry } from './metrics.ts';
import { FakeClock } from './test-clock.ts';
import { createWorkQueue, type WorkQueueOptions } from './work-queue.ts';

/** A queue whose work the test ends by hand. */
function aQueue(o: Partial<WorkQueueOptions> = {}) {
  const clock = new FakeClock();
  const metrics = createRegistry();
  const begun: string[] = [];
  const inWork = new Map<
    string,
    { resolve: (r?: { requeueAfterMs?: number }) => void; reject: (e: unknown) => void; signal: AbortSignal }
  >();
  const queue = createWorkQueue({
    name: 'test',
    clock,
    log: silentLog(),
    workers: 2,
    deadlineMs: 10_000,
    baseDelayMs: 100,
    maxDelayMs: 1_000,
    random: () => 1,
    metrics,
    reconcile(key, signal) {
      expect(inWork.has(key), `${key} is worked on by two at once`).toBe(false);
      begun.push(key);
      return new Promise((resolve, reject) => {
        inWork.set(key, { resolve, reject, signal });
      });
    },
    ...o,
  });
  const end = async (key: string, result?: { requeueAfterMs?: number } | Error) => {
    const work = inWork.get(key);
    if (!work) throw new Error(`${key} is not in work`);
    inWork.delete(key);
    if (result instanceof Error) work.reject(result);
    else work.resolve(result);
    await clock.advance(0);
  };
  const value = async (name: string, labels: Record<string, string> = {}) =>
    (await metrics.getSingleMetric(name)?.get())?.values.find((v) =>
      Object.entries(labels).every(([k, l]) => v.labels[k] === l),
    )?.value ?? 0;
  queue.start();
  return { queue, clock, begun, inWork, end, value };
}

describe('keys', () => {
  it('of different flows take turns, whichever has more, and one that moved up is worked on once', async () => {
    const { queue, begun, end } = aQueue({ workers: 1, flowOf: (key) => key.split('.').slice(0, -1) });
    for (let i = 0; i < 5; i += 1) queue.add(`storm.x.${i}`);
    queue.add('storm.y.0');
    queue.add('other.x.0');
    queue.add('other.x.1', 'routine');
    queue.add('other.x.1', 'news');
    queue.add('other.x.2', 'routine');
    while (queue.depth() > 0 || begun.length < 9) await end(begun.at(-1) ?? '');
    expect(begun).toEqual([
      ...['storm.x.0', 'storm.x.1', 'other.x.0', 'storm.y.0', 'other.x.1', 'storm.x.2', 'storm.x.3', 'storm.x.4'],
      'other.x.2',
    ]);
  });

  it('are queued once, in the order of their adds, and worked on by as many as there are workers', async () => {
    const { queue, begun, end } = aQueue();
    for (const key of ['a', 'b', 'c', 'd', 'c', 'c']) queue.add(key);
    expect(begun).toEqual(['a', 'b']);
    expect(queue.depth()).toBe(2);
    await end('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    await end('a');
    await end('c');
    await end('d');
    await queue.idle();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('added while in work come again after it, once, behind those that wait', async () => {
    const { queue, begun, end } = aQueue({ workers: 1 });
    queue.add('a');
    queue.add('a');
    queue.add('a');
    queue.add('b');
    expect(begun).toEqual(['a']);
    await end('a');
    expect(begun).toEqual(['a', 'b']);
    await end('b');
    expect(begun).toEqual(['a', 'b', 'a']);
    await end('a');
    await queue.idle();
    expect(begun).toHaveLength(3);
  });

  it('may be added before the start', async () => {
    const done: string[] = [];
    const queue = createWorkQueue({
      name: 'early',
      clock: new FakeClock(),
      log: silentLog(),
      workers: 1,
      deadlineMs: 1,
      async reconcile(key) {
        done.push(key);
      },
    });
    queue.add('a');
    expect(done).toEqual([]);
    queue.start();
    await queue.idle();
    expect(done).toEqual(['a']);
  });
});

describe('lanes', () => {
  it('let what a person waits for go before news, and news before routine; a queued key only moves up', async () => {
    const { queue, begun, end, value } = aQueue({ workers: 1 });
    queue.add('first');
    queue.add('routine', 'routine');
    queue.add('news');
    queue.add('raised', 'routine');
    queue.add('raised', 'news');
    queue.add('raised', 'routine');
    expect(await value('workqueue_depth', { priority: '0' })).toBe(2);
    expect(await value('workqueue_depth', { priority: '-100' })).toBe(1);
    for (const key of ['first', 'news', 'raised', 'routine']) await end(key);
    expect(begun).toEqual(['first', 'news', 'raised', 'routine']);
    expect(await value('workqueue_adds_total')).toBe(4);
  });

  it('hold workers ready for people, and for nobody else', async () => {
    const { queue, begun, end } = aQueue({ workers: 1 });
    for (const key of ['a', 'b']) queue.add(key);
    expect(begun).toEqual(['a']);
    for (const key of ['p', 'q', 'r']) queue.add(key, 'human');
    expect(begun).toEqual(['a', 'p', 'q']);
    await end('p');
    expect(begun).toEqual(['a', 'p', 'q', 'r']);
    await end('q');
    expect(begun).toHaveLength(4);
    await end('r');
    await end('a');
    expect(begun.at(-1)).toBe('b');
  });

  it('give routine its turn within a flood of news', async () => {
    const { queue, begun, end } = aQueue({ workers: 1 });
    queue.add('begin');
    queue.add('routine', 'routine');
    for (let i = 0; i < 40; i++) queue.add(`news${i}`);
    for (let i = 0; i < 20; i++) await end(begun.at(-1) ?? '');
    expect(begun).toContain('routine');
  });

  it('keep a key in its lane through failures and while it is in work, and tell the reconcile', async () => {
    const lanes: string[] = [];
    const { queue, clock } = aQueue({
      workers: 1,
      async reconcile(key, _signal, lane) {
        lanes.push(`${key} ${lane}`);
        if (lanes.length === 1) throw new Error('no');
        if (lanes.length === 2) queue.add(key, 'human');
        return lanes.length === 3 ? { requeueAfterMs: 1_000 } : undefined;
      },
    });
    queue.add('a', 'human');
    await clock.advance(100);
    await clock.advance(1_000);
    expect(lanes).toEqual(['a human', 'a human', 'a human', 'a routine']);
  });

  it('of several delayed adds are the highest', async () => {
    const lanes: string[] = [];
    const { queue, clock } = aQueue({
      async reconcile(_key, _signal, lane) {
        lanes.push(lane);
      },
    });
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 2_000, 'human');
    await clock.advance(2_000);
    expect(lanes).toEqual(['human']);
  });
});

describe('delayed adds', () => {
  it('come when they are due, the earliest of a key, and once', async () => {
    const { queue, clock, begun, end } = aQueue();
    queue.addAfter('a', 5_000);
    queue.addAfter('a', 2_000);
    queue.addAfter('a', 8_000);
    await clock.advance(1_999);
    expect(begun).toEqual([]);
    await clock.advance(1);
    expect(begun).toEqual(['a']);
    await end('a');
    await clock.advance(60_000);
    expect(begun).toEqual(['a']);
  });

  it('survive an add in between: what is due later is still due', async () => {
    const { queue, clock, begun, end } = aQueue();
    queue.addAfter('a', 5_000);
    queue.add('a');
    await end('a');
    await clock.advance(5_000);
    expect(begun).toEqual(['a', 'a']);
  });

  it('follow from requeueAfterMs, and mean now when not positive', async () => {
    const { queue, clock, begun, end, value } = aQueue();
    queue.add('a');
    await end('a', { requeueAfterMs: 30_000 });
    await clock.advance(30_000);
    expect(begun).toEqual(['a', 'a']);
    queue.addAfter('b', 0);
    expect(begun).toEqual(['a', 'a', 'b']);
    expect(await value('controller_runtime_reconcile_total', { result: 'requeue_after' })).toBe(1);
  });
});

describe('failures', () => {
  it('come back after 100, 200, 400 … at most 1000 ms, and start over after a success', async () => {
    const { queue, clock, begun, end, value } = aQueue();
    queue.add('a');
    for (const wait of [100, 200, 400, 800, 1_000, 1_000]) {
      await end('a', new Error('no'));
      const before = begun.length;
      await clock.advance(wait - 1);
      expect(begun).toHaveLength(before);
      await clock.advance(1);
      expect(begun).toHaveLength(before + 1);
    }
    await end('a');
    queue.add('a');
    await end('a', new Error('no'));
    await clock.advance(100);
    expect(begun).toHaveLength(9);
    expect(await value('controller_runtime_reconcile_errors_total')).toBe(7);
    expect(await value('workqueue_retries_total')).toBe(7);
  });

  it('wait at least as long as the API server asks', async () => {
    const { queue, clock, begun, end } = aQueue();
    queue.add('a');
    await end(
      'a',
      new KubeError({ status: 429, reason: 'TooManyRequests', message: '', transient: true, retryAfterMs: 7_000 }),
    );
    await clock.advance(6_999);
    expect(begun).toHaveLength(1);
    await clock.advance(1);
    expect(begun).toHaveLength(2);
  });

  it('that are terminal wait for an add', async () => {
    const { queue, clock, begun, end } = aQueue();
    queue.add('a');
    await end('a', new TerminalError('the rule does not compile'));
    await clock.advance(3_600_000);
    expect(begun).toEqual(['a']);
    queue.add('a');
    expect(begun).toEqual(['a', 'a']);
  });

  it('thrown before the first await are failures like others', async () => {
    let calls = 0;
    const { queue, clock } = aQueue({
      reconcile: () => {
        calls++;
        throw new Error('at once');
      },
    });
    queue.add('a');
    await clock.advance(100);
    expect(calls).toBe(2);
  });
});

describe('the deadline', () => {
  it('aborts the signal, counts, and tries again', async () => {
    const { queue, clock, begun, inWork, end, value } = aQueue();
    queue.add('a');
    await clock.advance(9_999);
    expect(inWork.get('a')?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(inWork.get('a')?.signal.aborted).toBe(true);
    await end('a', new Error('stopped as told'));
    await clock.advance(100);
    expect(begun).toEqual(['a', 'a']);
    expect(await value('controller_runtime_reconcile_timeouts_total')).toBe(1);
  });

  it('frees the worker of one that does not listen, keeps its key locked until it ends, and has a bound', async () => {
    const { queue, clock, begun, end } = aQueue({ workers: 1 });
    queue.add('deaf');
    await clock.advance(10_000);
    queue.add('deaf');
    queue.add('b');
    expect(begun).toEqual(['deaf', 'b']);
    await clock.advance(10_000);
    queue.add('c');
    expect(begun).toEqual(['deaf', 'b']);
    await end('b');
    expect(begun).toEqual(['deaf', 'b', 'c']);
    await end('deaf');
    await end('c');
    expect(begun).toContain('deaf');
    expect(begun.filter((k) => k === 'deaf')).toHaveLength(2);
  });
});

describe('work that does not end', () => {
  it('shows while it is still under way, under the names of client-go', async () => {
    const { queue, clock, end, value } = aQueue();
    const [unfinished, longest] = ['workqueue_unfinished_work_seconds', 'workqueue_longest_running_processor_seconds'];
    expect(await value(unfinished, { name: 'test' })).toBe(0);
    queue.add('a');
    await clock.advance(3_000);
    queue.add('b');
    await clock.advance(2_000);
    expect([await value(unfinished), await value(longest)]).toEqual([7, 5]);
    await end('a');
    expect([await value(unfinished), await value(longest)]).toEqual([2, 2]);
    await end('b');
    expect([await value(unfinished), await value(longest)]).toEqual([0, 0]);
  });
});

describe('stop', () => {
  it('finishes what is in work and takes up no more', async () => {
    const { queue, clock, begun, end } = aQueue({ workers: 1 });
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    queue.add('a');
    let stopped = false;
    const stopping = queue.stop().then(() => {
      stopped = true;
    });
    queue.add('d');
    await clock.advance(100);
    expect(stopped).toBe(false);
    await end('a', new Error('no'));
    await stopping;
    await clock.advance(60_000);
    expect(begun).toEqual(['a']);
    expect(clock.pending()).toBe(0);
  });

  it('does not wait past the deadline for one that does not listen', async () => {
    const { queue, clock } = aQueue();
    queue.add('deaf');
    const stopping = queue.stop();
    await clock.advance(10_000);
    await stopping;
  });
});
