import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blamed, type Failing } from './blame.ts';
import { FAILURES_TO_OPEN } from './breaker.ts';

const GOES_ON = { before: false, now: false };
const after = (namespaces: readonly string[]): string[] => {
  let failing: Failing = [];
  return namespaces.map((namespace) => {
    const now = blamed(failing, namespace, GOES_ON);
    failing = now.failing;
    return now.blame;
  });
};

describe('that writes fail', () => {
  it('is the fault of the API server where they do in several namespaces and go well in none', () => {
    expect(after(['a', 'b', 'c'])).toEqual(['nobody', 'nobody', 'apiServer']);
    expect(after(['a', 'a', 'b', 'a', 'b'])).toEqual(Array(5).fill('nobody'));
  });

  it('in one namespace may be that of what stands before it: a question tells, once it is given up', () => {
    expect(blamed([], 'a', { before: false, now: true })).toEqual({ failing: ['a'], blame: 'ask' });
  });

  it('in namespaces that are given up already is no news of the API server, however many they are', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), (failing, namespaces) => {
        for (const namespace of namespaces)
          expect(blamed(failing, namespace, { before: true, now: true })).toEqual({ failing, blame: 'nobody' });
      }),
    );
  });

  it('is not remembered of more namespaces than it takes', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (namespaces) => {
        let failing: Failing = [];
        for (const namespace of namespaces) ({ failing } = blamed(failing, namespace, GOES_ON));
        expect(failing.length).toBeLessThan(FAILURES_TO_OPEN);
      }),
    );
  });
});
