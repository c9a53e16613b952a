import { HistoryUnavailable } from '@funnelai/history/errors';
import type { Queries } from '@funnelai/history/queries';
import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { HISTORY_DEADLINE_MS, HISTORY_REST_MS } from '../limits.ts';
import { createHistoryReader } from './history-reader.ts';

function aReader(incidentByName: () => Promise<undefined>) {
  const clock = new FakeClock();
  let asked = 0;
  const queries = {
    incidentByName: () => {
      asked += 1;
      return incidentByName();
    },
  } as unknown as Queries;
  return { clock, asked: () => asked, reader: createHistoryReader({ queries, clock, log: silentLog() }) };
}

describe('history', () => {
  it('that hangs makes one reader wait, and leaves the others alone until it had a rest', async () => {
    const { clock, asked, reader } = aReader(() => new Promise(() => {}));
    const first = reader.incidentByName('demo', 'x');
    await clock.advance(HISTORY_DEADLINE_MS);
    expect(await first).toMatchObject({
      available: false,
      isOff: false,
      reason: 'The history database does not answer: nothing came within 3 s.',
    });
    expect(await reader.incidentByName('demo', 'x')).toMatchObject({ available: false });
    expect(asked()).toBe(1);
    await clock.advance(HISTORY_REST_MS);
    void reader.incidentByName('demo', 'x');
    expect(asked()).toBe(2);
  });

  it('that is back is asked again, and a fault of one question stops no other', async () => {
    let fault: Error | undefined = new Error('one bad question');
    const { clock, reader } = aReader(async () => {
      if (fault !== undefined) throw fault;
      return undefined;
    });
    expect(await reader.incidentByName('demo', 'x')).toMatchObject({ available: false });
    fault = new HistoryUnavailable('connection refused');
    expect(await reader.incidentByName('demo', 'x')).toMatchObject({
      reason: expect.stringContaining('connection refused'),
    });
    fault = undefined;
    await clock.advance(HISTORY_REST_MS);
    expect(await reader.incidentByName('demo', 'x')).toEqual({ available: true, value: undefined });
    expect(clock.pending()).toBe(0);
  });

  it('that is off says so, which is no failure', async () => {
    const reader = createHistoryReader({ queries: undefined, clock: new FakeClock(), log: silentLog() });
    expect(await reader.storyOf('u')).toMatchObject({ available: false, isOff: true });
  });
});
