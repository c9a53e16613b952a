import type { AlertSpec } from '@funnelai/crds/generated/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firingStartOf, mergeAlert, sameAlert } from './merge.ts';
import { anAlertSpec, time } from './testing/builders.ts';

const firing = (start: number, received: number, title = 'firing'): AlertSpec =>
  anAlertSpec({ startsAt: time(start), receivedAt: time(received), title });
const resolved = (start: number, end: number, received: number, title = 'resolved'): AlertSpec =>
  anAlertSpec({ state: 'Resolved', startsAt: time(start), endsAt: time(end), receivedAt: time(received), title });
const expired = (start: number, received: number): AlertSpec =>
  anAlertSpec({
    state: 'Expired',
    startsAt: time(start),
    receivedAt: time(received),
    title: 'firing',
    expired: { at: time(received + 300), reason: 'LeaseRanOut' },
  });
const all = (...reports: AlertSpec[]): AlertSpec =>
  reports.reduce<AlertSpec | undefined>((stored, report) => mergeAlert(stored, report), undefined) ?? expect.fail();

describe('mergeAlert', () => {
  it('keeps one report as it is', () => {
    expect(all(firing(0, 1))).toEqual(firing(0, 1));
    expect(all(resolved(0, 5, 6))).toEqual(resolved(0, 5, 6));
  });

  it('resolves what fired, and fires again under the new start', () => {
    expect(all(firing(0, 1), resolved(0, 5, 6))).toEqual({ ...resolved(0, 5, 6), firingStartsAt: time(0) });
    expect(all(firing(0, 1), resolved(0, 5, 6), firing(10, 11))).toEqual(firing(10, 11));
  });

  it('never lets a late Resolved of an earlier episode resolve a newer firing, in whatever order', () => {
    const reports = [firing(0, 1), firing(10, 11), resolved(0, 5, 60)];
    for (const order of permutations(reports))
      expect(all(...order)).toMatchObject({ state: 'Firing', receivedAt: time(11) });
    expect(all(...reports)).toEqual(firing(10, 11));
  });

  it('joins firing reports under the earliest start and remembers the newest', () => {
    const joined = all(firing(10, 11), firing(0, 12));
    expect(joined).toMatchObject({
      state: 'Firing',
      startsAt: time(0),
      latestStartsAt: time(10),
      receivedAt: time(12),
    });
    expect(all(joined, resolved(0, 5, 13))).toMatchObject({ state: 'Firing', startsAt: time(10) });
    expect(all(joined, resolved(0, 15, 13))).toMatchObject({ state: 'Resolved', startsAt: time(0), endsAt: time(15) });
  });

  it('keeps the first acknowledgement of an episode whatever else is reported, and forgets it with the next', () => {
    const noted = (at: number): AlertSpec => ({ ...firing(0, 1), acknowledgedUpstream: { at: time(at), by: 'bo' } });
    const acknowledgement = { acknowledgedUpstream: { at: time(2), by: 'bo' } };
    for (const order of permutations([noted(2), noted(4), firing(0, 3), { ...firing(0, 5), severity: 'Low' as const }]))
      expect(all(...order)).toMatchObject({ receivedAt: time(5), severity: 'Low', ...acknowledgement });
    expect(all(noted(2), resolved(0, 5, 6))).toMatchObject({ state: 'Resolved', ...acknowledgement });
    expect(all(noted(2), resolved(0, 5, 6), firing(10, 11)).acknowledgedUpstream).toBeUndefined();
    expect(sameAlert(firing(0, 1), noted(2))).toBe(false);
    expect(sameAlert(noted(2), mergeAlert(noted(2), firing(0, 9)))).toBe(true);
  });

  it('keeps the newest acknowledgement that is trusted beside the first of all, in whatever order', () => {
    const noted = (at: number, isTrusted: boolean, start = 0): AlertSpec => {
      const word = { at: time(at), by: `bo-${at}` };
      return { ...firing(start, start + 1), acknowledgedUpstream: { ...word, ...(isTrusted && { trusted: word }) } };
    };
    for (const order of permutations([noted(2, false), noted(4, true), noted(6, true), noted(8, false), firing(0, 9)]))
      expect(all(...order).acknowledgedUpstream).toEqual({
        at: time(2),
        by: 'bo-2',
        trusted: { at: time(6), by: 'bo-6' },
      });
    expect(sameAlert(noted(2, false), all(noted(2, false), noted(4, true)))).toBe(false);
    // Both were of an episode that is over; of the next one only the trusted word is.
    const joined = all(noted(2, false), noted(12, true));
    expect(all(joined, resolved(0, 5, 13), firing(10, 14)).acknowledgedUpstream).toMatchObject({
      at: time(12),
      trusted: { at: time(12) },
    });
    expect(all(joined, resolved(0, 15, 16), firing(20, 21)).acknowledgedUpstream).toBeUndefined();
  });

  it('within an episode lets the later receipt decide, and on a tie Resolved', () => {
    for (const [report, state] of [
      [firing(0, 7), 'Firing'],
      [firing(0, 6), 'Resolved'],
      [firing(3, 5), 'Resolved'],
    ] as const) {
      expect(all(resolved(0, 5, 6), report).state).toBe(state);
      expect(all(report, resolved(0, 5, 6)).state).toBe(state);
    }
  });

  it('takes a firing at the very second of the end for a new episode, unless that second is the whole episode', () => {
    expect(all(resolved(0, 5, 9), firing(5, 6)).state).toBe('Firing');
    expect(all(firing(5, 6), resolved(0, 5, 9)).state).toBe('Firing');
    expect(all(firing(5, 6), resolved(5, 5, 9)).state).toBe('Resolved');
    expect(all(firing(5, 6), resolved(5, 2, 9))).toMatchObject({
      state: 'Resolved',
      startsAt: time(5),
      endsAt: time(5),
    });
  });

  it('stores a Resolved without an object as a tombstone that an older firing does not lift', () => {
    expect(all(resolved(0, 5, 6), firing(0, 2))).toEqual({ ...resolved(0, 5, 6), firingStartsAt: time(0) });
  });

  it('keeps of what is over under which start it was last said to fire, in whatever order that came', () => {
    const flap = [firing(0, 1), resolved(0, 5, 6)];
    for (const order of permutations(flap)) expect(all(...order)).toMatchObject({ firingStartsAt: time(0) });
    expect(all(resolved(0, 5, 6))).not.toHaveProperty('firingStartsAt');
    // Nobody ever said of the second that it fires: what is known is of the first.
    for (const order of permutations([...flap, resolved(10, 15, 16)]))
      expect(all(...order)).toMatchObject({ endsAt: time(15), firingStartsAt: time(0) });
    for (const order of permutations([...flap, firing(10, 11), resolved(10, 15, 16)]))
      expect(all(...order)).toMatchObject({ endsAt: time(15), firingStartsAt: time(10) });
    expect(all(expired(0, 1), resolved(0, 5, 6))).toMatchObject({ firingStartsAt: time(0) });
  });

  it('takes what a person ended for what had fired: nobody ends what is not there', () => {
    const { endsAt: _, ...byHand } = resolved(0, 5, 6);
    expect(firingStartOf(byHand)).toBe(time(0));
    expect(firingStartOf({ ...resolved(0, 5, 6), expired: { at: time(4), reason: 'LeaseRanOut' } })).toBe(time(0));
    expect(firingStartOf(resolved(0, 5, 6))).toBeUndefined();
    expect(all(byHand, resolved(0, 5, 9))).toMatchObject({ firingStartsAt: time(0) });
  });

  it('is news when a firing comes after its end, once', () => {
    const [tombstone, late] = [resolved(0, 5, 6), firing(0, 2)];
    expect(sameAlert(tombstone, all(tombstone, late))).toBe(false);
    const stored = all(tombstone, late);
    for (const again of [late, tombstone, resolved(0, 5, 60)]) expect(sameAlert(stored, all(stored, again))).toBe(true);
  });

  it('takes the content from the report that decides and keeps the identity that is stored', () => {
    const other = { ...firing(0, 9, 'new'), severity: 'Critical' as const, fingerprint: 'f'.repeat(64) };
    expect(all(firing(0, 1, 'old'), other)).toMatchObject({
      title: 'new',
      severity: 'Critical',
      fingerprint: firing(0, 1).fingerprint,
    });
    expect(all(other, firing(0, 1, 'old')).title).toBe('new');
  });

  it('compares instants, not texts', () => {
    const other = { ...firing(0, 1), startsAt: '2026-03-01T15:00:00+01:00' };
    expect(sameAlert(firing(0, 1), all(firing(0, 1), other))).toBe(true);
    expect(all(firing(0, 1), other)).not.toHaveProperty('latestStartsAt');
  });

  it('resolves by a person who wrote no end', () => {
    const byHand: AlertSpec = { ...firing(0, 1), state: 'Resolved' };
    expect(all(byHand, firing(0, 9)).state).toBe('Firing');
    expect(all(byHand, firing(0, 1)).state).toBe('Resolved');
  });
});

describe('an alert that expired', () => {
  it('stays so for every firing that was received until then, the very one that it stands on among them', () => {
    for (const report of [firing(0, 9), firing(0, 3), firing(5, 8)])
      for (const merged of [all(expired(0, 9), report), all(report, expired(0, 9))])
        expect(merged).toMatchObject({ state: 'Expired', receivedAt: time(9), expired: { reason: 'LeaseRanOut' } });
  });

  it('is brought back by a firing received later, of the same start or a newer one, in the same episode', () => {
    const back = all(expired(0, 9), firing(0, 400));
    expect(back).toEqual(firing(0, 400));
    expect(all(expired(0, 9), firing(350, 400))).toMatchObject({
      state: 'Firing',
      startsAt: time(0),
      latestStartsAt: time(350),
    });
    expect(sameAlert(expired(0, 9), back)).toBe(false);
  });

  it('is resolved by a Resolved received at that time or later, never by one of an earlier episode', () => {
    for (const received of [9, 400]) expect(all(expired(0, 9), resolved(0, 5, received)).state).toBe('Resolved');
    expect(all(expired(0, 9), resolved(0, 5, 400))).not.toHaveProperty('expired');
    expect(all(expired(10, 11), resolved(0, 5, 400)).state).toBe('Expired');
    expect(all(firing(0, 1), resolved(0, 5, 6), expired(10, 11)).state).toBe('Expired');
  });

  it('is resolved by a person who leaves the mark where it is, and fires again with the next report', () => {
    const byHand: AlertSpec = { ...expired(0, 9), state: 'Resolved' };
    const over = all(byHand, firing(0, 9));
    expect(over.state).toBe('Resolved');
    expect(over).not.toHaveProperty('expired');
    expect(all(byHand, firing(0, 400))).toEqual(firing(0, 400));
  });
});

describe('sameAlert', () => {
  const stored = firing(0, 1);
  it('is true for a repeat, whatever its time of receipt and its annotations', () => {
    expect(sameAlert(stored, all(stored, { ...firing(0, 99), annotations: { value: '17' } }))).toBe(true);
    expect(sameAlert(resolved(0, 5, 6), all(resolved(0, 5, 6), resolved(0, 5, 9)))).toBe(true);
  });
  it('is false when state, severity, a start or the end changed', () => {
    for (const report of [
      resolved(0, 5, 6),
      { ...firing(0, 9), severity: 'High' as const },
      firing(-5, 9),
      firing(5, 9),
    ]) {
      expect(sameAlert(stored, all(stored, report))).toBe(false);
    }
    expect(sameAlert(resolved(0, 5, 6), all(resolved(0, 5, 6), resolved(0, 7, 8)))).toBe(false);
  });
  it('does not count a start that is only our own time of receipt', () => {
    expect(sameAlert(stored, all(stored, firing(30, 30)))).toBe(true);
  });
});

/**
 * A well-formed timeline: episodes apart in time (the next may begin in the very second in which the last ended), within one
 * every start before every end, firing reports received before all of later episodes, Resolved ones however late.
 */
const timeline = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 0, max: 3 }),
      length: fc.integer({ min: 1, max: 4 }),
      starts: fc.array(
        fc.record({ offset: fc.integer({ min: 0, max: 3 }), received: fc.integer({ min: 0, max: 9 }) }),
        { maxLength: 3 },
      ),
      expiries: fc.array(
        fc.record({ offset: fc.integer({ min: 0, max: 3 }), received: fc.integer({ min: 0, max: 9 }) }),
        { maxLength: 2 },
      ),
      ends: fc.array(
        fc.record({
          offset: fc.integer({ min: 0, max: 3 }),
          extra: fc.integer({ min: 0, max: 2 }),
          received: fc.integer({ min: 0, max: 60 }),
        }),
        { maxLength: 2 },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((episodes) => {
    let now = 0;
    return episodes.flatMap(({ gap, length, starts, expiries, ends }, i) => {
      const begin = now + gap;
      const inside = (offset: number) => begin + Math.min(offset, length - 1);
      now = begin + length + 2;
      return [
        ...starts.map(({ offset, received }) => firing(inside(offset), 10 * i + received, `f${i}`)),
        ...expiries.map(({ offset, received }) => expired(inside(offset), 10 * i + received)),
        ...ends.map(({ offset, extra, received }) =>
          resolved(inside(offset), begin + length + extra, 10 * i + received, `r${i}`),
        ),
      ];
    });
  })
  .filter((reports) => reports.length > 0);

/** All that decides. The earliest start is best effort, as merge.ts says. */
const decisive = ({ startsAt, latestStartsAt, ...rest }: AlertSpec) => ({
  ...rest,
  newest: latestStartsAt ?? startsAt,
});
const report = fc.oneof(
  fc.tuple(fc.nat(9), fc.nat(9)).map(([s, r]) => firing(s, r)),
  fc.tuple(fc.nat(9), fc.nat(9)).map(([s, r]) => expired(s, r)),
  fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)).map(([s, e, r]) => resolved(s, e, r)),
);

describe('the laws of merge', () => {
  it('any two reports commute, and a report twice is a report', () => {
    fc.assert(
      fc.property(report, report, (a, b) => {
        expect(all(a, b)).toEqual(all(b, a));
        expect(all(a, a)).toEqual(all(a));
        expect(all(a, b, b)).toEqual(all(a, b));
        expect(all(a, b, a)).toEqual(all(a, b));
      }),
    );
  });

  it('reports of a timeline come to the same in every order', () => {
    fc.assert(
      fc.property(timeline, fc.infiniteStream(fc.nat()), (reports, order) => {
        const shuffled = reports
          .map((r) => ({ r, k: order.next().value }))
          .sort((x, y) => x.k - y.k)
          .map(({ r }) => r);
        expect(decisive(all(...shuffled))).toEqual(decisive(all(...reports)));
      }),
      { numRuns: 400 },
    );
  });

  it('two stores that each took a part come to the same as one that took all', () => {
    fc.assert(
      fc.property(timeline, fc.infiniteStream(fc.nat(2)), (reports, split) => {
        const sides = reports.map((r) => ({ r, side: split.next().value }));
        const [left, right] = [0, 1].map((side) =>
          sides.filter((x) => (x.side === 0 ? 0 : 1) === side).map((x) => x.r),
        );
        if (!left?.length || !right?.length) return;
        expect(decisive(mergeAlert(all(...left), all(...right)))).toEqual(decisive(all(...reports)));
      }),
      { numRuns: 400 },
    );
  });

  it('merged in the order of receipt, an alert is resolved exactly when a later Resolved covers each firing', () => {
    fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 8 }), (reports) => {
        const received = [...reports].sort((x, y) =>
          x.receivedAt < y.receivedAt ? -1 : x.receivedAt > y.receivedAt ? 1 : x.state === 'Resolved' ? 1 : -1,
        );
        const merged = all(...received);
        const lastFiring = received.filter((r) => r.state === 'Firing').at(-1);
        // Never resolved behind the back of a firing that nothing covered since.
        if (lastFiring && merged.state === 'Resolved') {
          expect(received.some((r) => r.state === 'Resolved' && r.receivedAt >= lastFiring.receivedAt)).toBe(true);
          expect((merged.endsAt ?? '') >= lastFiring.startsAt).toBe(true);
        }
        expect((merged.latestStartsAt ?? '9') > merged.startsAt).toBe(true);
        if (merged.endsAt !== undefined) expect(merged.endsAt >= merged.startsAt).toBe(true);
        // Expired only while nothing was received after the mark.
        if (lastFiring && merged.state === 'Expired') expect(merged.receivedAt >= lastFiring.receivedAt).toBe(true);
        expect(merged.endsAt === undefined).toBe(merged.state !== 'Resolved');
        expect(merged.expired === undefined).toBe(merged.state !== 'Expired');
        const told = reports.filter((r) => r.state !== 'Resolved').map((r) => r.startsAt);
        expect(firingStartOf(merged)).toBe(told.sort().at(-1));
      }),
    );
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}
