import { describe, expect, it } from 'vitest';
import * as limits from '../limits.ts';
import { createBudget, type Share } from './budget.ts';

const aBudget = () => createBudget((limit) => new Error(limit));
const times = (n: number, make: () => Share): Share[] => Array.from({ length: n }, make);

describe('what is held of bodies at once', () => {
  it('of one source is less than all, so that others always come in', () => {
    const enter = aBudget();
    const of = (source: string) => () => {
      const share = enter();
      try {
        share.of(source);
        return share;
      } catch (error) {
        share.end();
        throw error;
      }
    };
    const slow = times(limits.INTAKE_REQUESTS_PER_SOURCE, of('demo/slow'));
    expect(of('demo/slow')).toThrow('INTAKE_REQUESTS_PER_SOURCE');
    const other = of('demo/other')();
    other.hold(limits.INTAKE_BODY_BYTES);
    slow[0]?.end();
    expect(of('demo/slow')).not.toThrow();
  });

  it('in bytes too', () => {
    const enter = aBudget();
    const shares = times(limits.INTAKE_BYTES_PER_SOURCE / limits.INTAKE_BODY_BYTES, enter);
    for (const share of shares) {
      share.of('demo/large');
      share.hold(limits.INTAKE_BODY_BYTES);
    }
    const next = enter();
    next.of('demo/large');
    expect(() => next.hold(1)).toThrow('INTAKE_BYTES_PER_SOURCE');
    const other = enter();
    other.of('demo/other');
    expect(() => other.hold(limits.INTAKE_BODY_BYTES)).not.toThrow();
    shares[0]?.end();
    expect(() => next.hold(limits.INTAKE_BODY_BYTES)).not.toThrow();
  });

  it('of strangers counts to no source, and all of it has a bound', () => {
    const enter = aBudget();
    const strangers = times(limits.INTAKE_REQUESTS_IN_FLIGHT - 1, enter);
    enter().of('demo/prom');
    expect(enter).toThrow('INTAKE_REQUESTS_IN_FLIGHT');
    for (const stranger of strangers) stranger.end();
    expect(times(limits.INTAKE_REQUESTS_IN_FLIGHT - 1, enter)).toHaveLength(strangers.length);
    expect(enter).toThrow('INTAKE_REQUESTS_IN_FLIGHT');
  });
});
