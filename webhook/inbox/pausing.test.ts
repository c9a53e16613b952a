import { describe, expect, it } from 'vitest';
import { DRAIN_FAILURES_TO_PAUSE, DRAIN_RETRY_MAX_MS, DRAIN_RETRY_MS } from '../limits.ts';
import { createPausing, type Kind } from './pausing.ts';

const kind = (name: string, place = 'demo/prom'): Kind => ({ place, name });
/** All of them under way at once, then all refused. */
function burst(pausing: ReturnType<typeof createPausing>, kinds: readonly Kind[], nowMs: number): void {
  for (const one of kinds) pausing.began(one);
  for (const one of kinds) pausing.ended(one, false, nowMs);
}

describe('a source of which several writes were refused', () => {
  it('is paused once for all that were under way together, as long as for three', () => {
    const pausing = createPausing(() => 1);
    burst(
      pausing,
      Array.from({ length: 50 }, () => kind('Denied')),
      0,
    );
    expect([pausing.paused(0), pausing.paused(2 * DRAIN_RETRY_MS)]).toEqual([['demo/prom'], []]);
  });

  it('waits longer after each trial that is refused, and not at all once one goes well', () => {
    const pausing = createPausing(() => 1);
    burst(pausing, Array(DRAIN_FAILURES_TO_PAUSE).fill(kind('Denied')), 0);
    let nowMs = 0;
    const waits: number[] = [];
    for (let trial = 0; trial < 9; trial += 1) {
      const beganMs = nowMs;
      while (pausing.waits(kind('Denied'), nowMs) === 'paused') nowMs += 50;
      waits.push(nowMs - beganMs);
      pausing.began(kind('Denied'));
      expect(pausing.waits(kind('Other'), nowMs)).toBe('onTrial');
      pausing.ended(kind('Denied'), false, nowMs);
    }
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect([(waits[0] ?? 0) <= 2 * DRAIN_RETRY_MS, (waits.at(-1) ?? 0) >= DRAIN_RETRY_MAX_MS / 2]).toEqual([
      true,
      true,
    ]);
    nowMs += DRAIN_RETRY_MAX_MS * 2;
    pausing.began(kind('Other'));
    pausing.ended(kind('Other'), true, nowMs);
    expect([pausing.waits(kind('Third'), nowMs), pausing.paused(nowMs)]).toEqual([undefined, []]);
  });

  it('is no other, and a name of it is no other name', () => {
    const pausing = createPausing(() => 1);
    burst(pausing, Array(DRAIN_FAILURES_TO_PAUSE).fill(kind('Denied')), 0);
    expect(pausing.waits(kind('Denied', 'demo/other'), 0)).toBeUndefined();
    const nowMs = DRAIN_RETRY_MAX_MS * 2;
    expect([pausing.isFresh(kind('Denied')), pausing.isFresh(kind('Fine'))]).toEqual([false, true]);
    expect(pausing.withFresh(() => [kind('Denied')])).toEqual(new Set());
    expect(pausing.withFresh(() => [kind('Denied'), kind('Fine')])).toEqual(new Set(['demo/prom']));
    pausing.began(kind('Fine'));
    pausing.ended(kind('Fine'), true, nowMs);
    // It alone is still asked about with one write at a time.
    pausing.began(kind('Denied'));
    expect([pausing.waits(kind('Denied'), nowMs), pausing.waits(kind('Fine'), nowMs)]).toEqual(['onTrial', undefined]);
  });

  it('of which no answer came is not paused', () => {
    const pausing = createPausing(() => 1);
    for (let n = 0; n < 10; n += 1) pausing.ended(kind('Any'), undefined, 0);
    expect(pausing.paused(0)).toEqual([]);
  });
});
