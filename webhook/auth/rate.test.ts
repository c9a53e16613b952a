import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { SIGN_INS_PER_ADDRESS } from '../limits.ts';
import { createRateBound } from './rate.ts';

describe('the bound on sign-ins', () => {
  it('lets an address come back after the time that it names, and no other wait for it', async () => {
    const clock = new FakeClock();
    const bound = createRateBound(clock);
    for (let i = 0; i < SIGN_INS_PER_ADDRESS; i += 1) expect(bound.take('a')).toBe(0);
    const wait = bound.take('a');
    expect(wait).toBeGreaterThan(0);
    expect(bound.take('b')).toBe(0);
    await clock.advance(wait);
    expect(bound.take('a')).toBe(0);
    expect(bound.take('a')).toBeGreaterThan(0);
  });
});
