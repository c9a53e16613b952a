import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  commonLabels,
  countedOverflow,
  type FoldCount,
  kindOf,
  newOverflow,
  REST_OF_SOURCE,
  roomFor,
} from './folding.ts';
import { firingStartOf } from './merge.ts';
import { compileRules } from './rules.ts';
import { anAlertSpec, aRule, at, time } from './testing/builders.ts';

const { rules: builtIn } = compileRules([]);
const pod = (name: string, labels: Record<string, string> = {}) =>
  anAlertSpec({ labels: { alertname: 'PodCrash', namespace: 'pay', pod: name, ...labels } });
const counted = (count: number, firing = count, expired = 0): FoldCount => ({ count, firing, expired });

describe('room for one more alert of a source with a bound of 100', () => {
  const room = (objects: number, o: { isNew?: boolean; hasOverflow?: boolean } = {}) =>
    roomFor({ objects, max: 100, isNew: false, hasOverflow: false, ...o });

  it('is there for all until nine tenths are used, then for what is new', () => {
    expect(room(89)).toBe('create');
    expect(room(90)).toBe('foldWithKind');
    expect(room(90, { isNew: true })).toBe('create');
    expect(room(98, { isNew: true })).toBe('create');
  });

  it('lets many kinds share one overflow Alert when even those get too many', () => {
    expect(room(95)).toBe('foldWithRest');
    expect(room(99, { hasOverflow: true })).toBe('foldWithKind');
    expect(room(99, { isNew: true })).toBe('foldWithRest');
  });

  it('is never used past the bound, whatever comes', () => {
    const arrivals = fc.array(fc.record({ kind: fc.integer({ min: 0, max: 40 }), resolves: fc.boolean() }), {
      minLength: 200,
      maxLength: 400,
    });
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 60 }), arrivals, (max, run) => {
        const firing = new Map<number, number>();
        const overflows = new Set<number>();
        let hasRest = false;
        const objects = () => [...firing.values()].reduce((a, b) => a + b, 0) + overflows.size + Number(hasRest);
        for (const { kind, resolves } of run) {
          const own = firing.get(kind) ?? 0;
          if (resolves && own > 0) firing.set(kind, own - 1);
          const isNew = (firing.get(kind) ?? 0) === 0 && !overflows.has(kind);
          const found = roomFor({ objects: objects(), max, isNew, hasOverflow: overflows.has(kind) });
          if (found === 'create') firing.set(kind, (firing.get(kind) ?? 0) + 1);
          else if (found === 'foldWithKind') overflows.add(kind);
          else hasRest = true;
          expect(objects()).toBeLessThanOrEqual(max);
        }
      }),
    );
  });
});

describe('alerts of one kind', () => {
  it('are those of one name and group under one rule, whatever their pods', () => {
    expect(kindOf(pod('a'), builtIn)).toBe(kindOf(pod('b'), builtIn));
    expect(kindOf(pod('a'), builtIn)).not.toBe(kindOf(pod('a', { namespace: 'shop' }), builtIn));
    const { rules } = compileRules([aRule('pods', { groupBy: [{ label: 'cluster' }] })]);
    expect(kindOf(pod('a', { cluster: 'eu' }), rules)).not.toBe(kindOf(pod('a', { cluster: 'us' }), rules));
    expect(kindOf(pod('a', { cluster: 'eu', namespace: 'x' }), rules)).toBe(kindOf(pod('b', { cluster: 'eu' }), rules));
  });

  it('that lack the label of their group are one kind, though each would be a group of its own', () => {
    const { rules } = compileRules([aRule('pods', { groupBy: [{ label: 'node', missing: 'Separate' }] })]);
    expect(kindOf(pod('a'), rules)).toBe(kindOf(pod('b'), rules));
  });
});

describe('an overflow Alert', () => {
  const kind = kindOf(pod('a'), builtIn);
  const born = newOverflow({ kind, sample: pod('a'), counted: counted(1), now: at(10) });

  it('is of the kind of its alerts, fires, and counts them', () => {
    expect(kindOf(born, builtIn)).toBe(kind);
    expect(born).toMatchObject({
      state: 'Firing',
      fingerprint: kind,
      startsAt: time(10),
      folded: { count: 1, firing: 1 },
    });
    expect(born.title).toBe('Further PodCrash alerts, folded');
    expect(
      newOverflow({ kind: REST_OF_SOURCE, sample: pod('a'), counted: counted(1), now: at(0) }).labels,
    ).toBeUndefined();
  });

  const after = (seconds: number, c: FoldCount, held = born, isNews = false) =>
    countedOverflow(held, { counted: c, labels: undefined, isNews, now: at(10 + seconds), sinceMs: seconds * 1_000 });

  it('is written at most once in ten seconds, and not for the same count', () => {
    expect(after(9, counted(5))).toBeUndefined();
    expect(after(10, counted(1))).toBeUndefined();
    expect(after(10, counted(5))).toMatchObject({ state: 'Firing', folded: { count: 5, firing: 5, asOf: time(20) } });
  });

  it('becomes worse with the worst of its alerts, and not better', () => {
    const worse = after(10, { ...counted(2), severity: 'Critical' });
    expect(worse?.severity).toBe('Critical');
    expect(worse && after(20, { ...counted(3), severity: 'Low' }, worse)?.severity).toBe('Critical');
  });

  it('resolves with the last of its alerts, and begins a new episode with the next', () => {
    const over = after(10, counted(5, 0));
    expect(over).toMatchObject({ state: 'Resolved', endsAt: time(20), folded: { count: 5, firing: 0 } });
    // Whoever finds it then knows that it had fired.
    expect(over && firingStartOf(over)).toBe(born.startsAt);
    const again = over && after(30, counted(1), over, true);
    expect(again).toMatchObject({ state: 'Firing', startsAt: time(40) });
    expect(again?.endsAt).toBeUndefined();
    expect(again?.firingStartsAt).toBeUndefined();
  });

  it('counts apart what expired, and expires with the last that fires while any of them is', () => {
    const some = after(10, counted(5, 3, 2)) ?? expect.fail();
    expect(some).toMatchObject({ state: 'Firing', folded: { count: 5, firing: 3, expired: 2 } });
    const over = after(20, { ...counted(5, 0, 2), lastSeen: time(25) }, some);
    expect(over).toMatchObject({
      state: 'Expired',
      expired: { at: time(30), reason: 'LeaseRanOut' },
      startsAt: time(10),
      receivedAt: time(25),
      folded: { count: 5, firing: 0, expired: 2 },
    });
    expect(over).not.toHaveProperty('endsAt');
    // Less of it is expired, as some resolved or became Alerts: it still is.
    const less = over && after(30, counted(5, 0, 1), over);
    expect(less).toMatchObject({ state: 'Expired', expired: over?.expired, folded: { firing: 0, expired: 1 } });
  });

  it('that expired goes on in the same episode when one of its alerts fires again, in the moment that it does', () => {
    const over = after(10, counted(2, 0, 2)) ?? expect.fail();
    for (const isNews of [true, false]) {
      const again = after(12, counted(2, 1, 1), over, isNews);
      expect(again).toMatchObject({ state: 'Firing', startsAt: time(10), folded: { firing: 1, expired: 1 } });
      expect(again).not.toHaveProperty('expired');
    }
  });

  it('that expired resolves when the last that had is said to be over', () => {
    const over = after(10, counted(2, 0, 2)) ?? expect.fail();
    const resolved = after(20, counted(2, 0, 0), over);
    expect(resolved).toMatchObject({ state: 'Resolved', endsAt: time(30), folded: { count: 2, firing: 0 } });
    expect(resolved).not.toHaveProperty('expired');
    expect(resolved?.folded).not.toHaveProperty('expired');
  });

  it('that a person has resolved after it expired begins a new episode with the next news', () => {
    const over = after(10, counted(2, 0, 2)) ?? expect.fail();
    const byHand = { ...over, state: 'Resolved' as const };
    expect(after(20, counted(2, 0, 2), byHand)).toBeUndefined();
    const again = after(20, counted(2, 1, 1), byHand, true);
    expect(again).toMatchObject({ state: 'Firing', startsAt: time(30) });
    expect(again).not.toHaveProperty('expired');
  });

  it('that a person has resolved fires again with news alone', () => {
    const byHand = {
      ...born,
      state: 'Resolved' as const,
      endsAt: time(12),
      folded: { count: 5, firing: 5, asOf: time(12) },
    };
    expect(after(30, counted(5), byHand)).toBeUndefined();
    expect(after(30, counted(6), byHand, true)?.state).toBe('Firing');
  });

  it('fires again when an alert came in while it was being resolved', () => {
    const over = after(10, counted(5, 0));
    expect(over && after(22, counted(6, 1), over)?.state).toBe('Firing');
  });

  it('keeps the labels that its alerts have in common, and those that its rule asks for', () => {
    const { rules } = compileRules([aRule('some', { match: ['pod=~"a|b"'], groupBy: [{ label: 'namespace' }] })]);
    const held = {
      ...born,
      fingerprint: kindOf(pod('a', { node: 'n1' }), rules),
      labels: { ...pod('a').labels, node: 'n1' },
    };
    expect(commonLabels(held, pod('b', { node: 'n2' }).labels ?? {}, rules)).toEqual(pod('a').labels);
    expect(commonLabels(born, pod('b').labels ?? {}, builtIn)).toEqual({ alertname: 'PodCrash', namespace: 'pay' });
  });
});
