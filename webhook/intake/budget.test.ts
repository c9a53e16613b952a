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
    enter().of('demo/other')(limits.INTAKE_BODY_BYTES);
    slow[0]?.end();
    expect(of('demo/slow')).not.toThrow();
  });

  it('in bytes too', () => {
    const enter = aBudget();
    const shares = times(limits.INTAKE_BYTES_PER_SOURCE / limits.INTAKE_BODY_BYTES, enter);
    for (const share of shares) share.of('demo/large')(limits.INTAKE_BODY_BYTES);
    const hold = enter().of('demo/large');
    expect(() => hold(1)).toThrow('INTAKE_BYTES_PER_SOURCE');
    const other = enter().of('demo/other');
    expect(() => other(limits.INTAKE_BODY_BYTES)).not.toThrow();
    shares[0]?.end();
    expect(() => hold(limits.INTAKE_BODY_BYTES)).not.toThrow();
  });

  it('of who has named no source yet counts to none, and all of it has a bound', () => {
    const enter = aBudget();
    const strangers = times(limits.INTAKE_REQUESTS_IN_FLIGHT - 1, enter);
    enter().of('demo/prom');
    expect(enter).toThrow('INTAKE_REQUESTS_IN_FLIGHT');
    for (const stranger of strangers) stranger.end();
    expect(times(limits.INTAKE_REQUESTS_IN_FLIGHT - 1, enter)).toHaveLength(strangers.length);
    expect(enter).toThrow('INTAKE_REQUESTS_IN_FLIGHT');
  });
});

describe('strangers, whose body is read before anyone has vouched for it', () => {
  /** One that reads a body for `source`; `gone` says why it had to go. */
  const aStranger = (enter: () => Share, source: string) => {
    const share = enter();
    const me = { share, hold: (_: number) => {}, gone: undefined as string | undefined };
    me.hold = share.asStranger(source, (why) => {
      me.gone = why.message;
    });
    return me;
  };

  it('that only hold their place make room for the newest, which is the true sender’s', () => {
    const enter = aBudget();
    const idle = Array.from({ length: limits.INTAKE_STRANGERS_PER_SOURCE }, () => aStranger(enter, 'demo/flux'));
    const sender = aStranger(enter, 'demo/flux');
    expect(idle.map(({ gone }) => gone !== undefined)).toEqual(idle.map((_, i) => i === 0));
    expect(sender.gone).toBeUndefined();
    sender.hold(limits.INTAKE_BODY_BYTES);
    sender.share.of('demo/flux');
    expect(() => idle[0]?.hold(1)).toThrow();
  });

  it('of one source do not cost another its place, and those of the most crowded go first', () => {
    const enter = aBudget();
    const quiet = aStranger(enter, 'demo/quiet');
    const crowds = Array.from({ length: limits.INTAKE_STRANGERS }, (_, i) => aStranger(enter, `demo/crowd-${i % 5}`));
    expect(quiet.gone).toBeUndefined();
    expect(crowds.filter(({ gone }) => gone !== undefined).length).toBe(1);
  });

  it('that send much make room, too, and use up nothing of what the sources have', () => {
    const enter = aBudget();
    const large = aStranger(enter, 'demo/flux');
    large.hold(limits.INTAKE_STRANGER_BYTES_PER_SOURCE);
    const sender = aStranger(enter, 'demo/flux');
    sender.hold(1_000);
    expect(large.gone).toBe('INTAKE_STRANGER_BYTES_PER_SOURCE');
    expect(() => sender.hold(limits.INTAKE_STRANGER_BYTES_PER_SOURCE)).toThrow('INTAKE_STRANGER_BYTES_PER_SOURCE');
    const known = enter().of('demo/flux');
    expect(() => known(limits.INTAKE_BYTES_PER_SOURCE)).not.toThrow();
  });

  it('give back all that they held, however they left', () => {
    const enter = aBudget();
    for (let round = 0; round < 20; round += 1) {
      const crowd = Array.from({ length: 30 }, (_, i) => aStranger(enter, `demo/s${i % 2}`));
      for (const one of crowd) if (one.gone === undefined) one.hold(500_000);
      crowd[29]?.share.of('demo/s1');
      for (const one of crowd) one.share.end();
    }
    const whole = limits.INTAKE_BYTES_IN_FLIGHT / limits.INTAKE_BYTES_PER_SOURCE;
    for (let i = 0; i < whole; i += 1) enter().of(`demo/${i}`)(limits.INTAKE_BYTES_PER_SOURCE);
    const last = enter().of('demo/last');
    expect(() => last(1)).toThrow('INTAKE_BYTES_IN_FLIGHT');
  });
});
