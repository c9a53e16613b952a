import { mergeAlert, sameAlert } from '@funnelai/domain/merge';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anAlert } from '../testing/builders.ts';
import { anchored, combined, receivedAfter } from './report.ts';

const at = (minute: number): string => `2026-01-01T12:${String(minute).padStart(2, '0')}:00.000000Z`;
const stored = (spec = {}) => anAlert({ spec: { startsAt: at(0), receivedAt: at(0), ...spec } }).spec;
const report = (minute: number, spec = {}, named = { startNamed: false, endNamed: false }) => ({
  spec: stored({ startsAt: at(minute), receivedAt: at(minute), ...spec }),
  ...named,
});
const isRepeat = (held: ReturnType<typeof stored>, r: ReturnType<typeof report>) =>
  sameAlert(held, mergeAlert(held, anchored(r, held)));

describe('a report whose sender names no start', () => {
  it('is about the episode that fires: its repeat is no news', () => {
    expect(isRepeat(stored(), report(5))).toBe(true);
    expect(isRepeat(stored({ latestStartsAt: at(3) }), report(5))).toBe(true);
    expect(isRepeat(stored(), report(5, {}, { startNamed: false, endNamed: true }))).toBe(true);
  });

  it('resolves that episode, once', () => {
    const resolved = report(5, { state: 'Resolved', endsAt: at(5) });
    const held = mergeAlert(stored(), anchored(resolved, stored()));
    expect(held).toMatchObject({ state: 'Resolved', startsAt: at(0), endsAt: at(5) });
    expect(isRepeat(held, report(7, { state: 'Resolved', endsAt: at(7) }))).toBe(true);
  });

  it('does not resolve a newer episode by an end that was before it', () => {
    const held = stored({ startsAt: at(10), receivedAt: at(10) });
    const late = report(
      5,
      { state: 'Resolved', endsAt: at(5), receivedAt: at(12) },
      { startNamed: false, endNamed: true },
    );
    expect(mergeAlert(held, anchored(late, held))).toMatchObject({ state: 'Firing', startsAt: at(10) });
  });

  it('fires anew after that', () => {
    const held = stored({ state: 'Resolved', endsAt: at(5) });
    expect(mergeAlert(held, anchored(report(7), held))).toMatchObject({ state: 'Firing', startsAt: at(7) });
  });
});

describe('a Resolved whose sender names the start and no end', () => {
  it('is written once and not moved by repeats', () => {
    const named = { startNamed: true, endNamed: false };
    const held = stored({ state: 'Resolved', endsAt: at(5) });
    expect(
      isRepeat(held, report(0, { state: 'Resolved', startsAt: at(0), receivedAt: at(8), endsAt: at(8) }, named)),
    ).toBe(true);
  });

  it('of a later start is another episode', () => {
    const named = { startNamed: true, endNamed: false };
    const held = stored({ state: 'Resolved', endsAt: at(5) });
    const r = report(8, { state: 'Resolved', startsAt: at(7), endsAt: at(8) }, named);
    expect(isRepeat(held, r)).toBe(false);
  });
});

describe('a report that is less than a whole alert', () => {
  const bare = (minute: number, only: 'State' | 'Ending' | 'Acknowledgement', spec = {}) => ({
    ...report(minute, { title: 'srv01/HTTP', labels: {}, severity: 'Medium', ...spec }),
    only,
  });
  const ended = { state: 'Resolved' as const, endsAt: at(5) };

  it('resolves and leaves all that is stored as it is', () => {
    for (const only of ['State', 'Ending'] as const) {
      const merged = combined(stored(), bare(5, only, ended));
      expect(merged).toEqual({ ...stored(), ...ended, receivedAt: at(5), firingStartsAt: stored().startsAt });
    }
  });

  it('is an alert of its own where nothing is stored, unless it only ends', () => {
    expect(combined(undefined, bare(5, 'State', ended))).toMatchObject({ state: 'Resolved', title: 'srv01/HTTP' });
    expect(combined(undefined, bare(5, 'Ending', ended))).toBeUndefined();
    const over = stored({ state: 'Resolved', endsAt: at(3) });
    expect(combined(over, bare(5, 'Ending', ended))).toBe(over);
  });

  it('does not resolve what began after the end that it names', () => {
    const late = { ...bare(12, 'Ending', { ...ended, startsAt: at(5) }), endNamed: true };
    const held = stored({ startsAt: at(10), receivedAt: at(10) });
    expect(combined(held, late)).toMatchObject({ state: 'Firing', startsAt: at(10) });
  });

  it('notes an acknowledgement once, on what fires, and makes no alert of it', () => {
    const acknowledged = (minute: number) =>
      bare(minute, 'Acknowledgement', { acknowledgedUpstream: { at: at(minute) } });
    const noted = combined(stored(), acknowledged(2));
    expect(noted).toEqual({ ...stored(), acknowledgedUpstream: { at: at(2) } });
    expect(combined(noted, acknowledged(4))).toBe(noted);
    expect(combined(undefined, acknowledged(2))).toBeUndefined();
    const over = stored({ state: 'Resolved', endsAt: at(3) });
    expect(combined(over, acknowledged(4))).toBe(over);
    const newer = stored({ startsAt: at(10) });
    expect(combined(newer, acknowledged(4))).toBe(newer);
  });

  it('notes acknowledgements alike in whatever order they come, and each that is trusted and newer is news', () => {
    const words = fc.uniqueArray(fc.record({ minute: fc.integer({ min: 1, max: 59 }), isTrusted: fc.boolean() }), {
      selector: ({ minute }) => minute,
      maxLength: 6,
    });
    const note = (held: ReturnType<typeof stored> | undefined, o: { minute: number; isTrusted: boolean }) => {
      const word = { at: at(o.minute), by: `bo-${o.minute}` };
      const acknowledgedUpstream = { ...word, ...(o.isTrusted && { trusted: word }) };
      return combined(held, bare(o.minute, 'Acknowledgement', { acknowledgedUpstream }));
    };
    fc.assert(
      fc.property(words, fc.infiniteStream(fc.nat()), (list, order) => {
        const shuffled = list
          .map((word) => ({ word, key: order.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ word }) => word);
        const held = stored({ startsAt: at(5) });
        const [noted, other] = [list, shuffled].map((all) => all.reduce<typeof held | undefined>(note, held));
        expect(noted).toEqual(other);
        const present = list.filter(({ minute }) => minute >= 5);
        const trusted = present.filter(({ isTrusted }) => isTrusted);
        const [first, newest] = [
          Math.min(...present.map(({ minute }) => minute)),
          Math.max(...trusted.map(({ minute }) => minute)),
        ];
        expect(noted?.acknowledgedUpstream?.at).toBe(present.length === 0 ? undefined : at(first));
        expect(noted?.acknowledgedUpstream?.trusted?.at).toBe(trusted.length === 0 ? undefined : at(newest));
      }),
    );
  });
});

describe('an alert that a person resolved', () => {
  const named = { startNamed: true, endNamed: false };
  const byHand = [
    stored({ state: 'Resolved' }),
    stored({ state: 'Resolved', expired: { at: at(10), reason: 'LeaseRanOut' } }),
    stored({ state: 'Resolved', endsAt: at(12), expired: { at: at(10), reason: 'LeaseRanOut' } }),
  ];

  it('begins a new episode with the next report that it fires, though its sender names the old start', () => {
    for (const held of byHand) {
      const next = { spec: stored({ receivedAt: at(20) }), ...named };
      const fires = mergeAlert(held, anchored(next, held));
      expect(fires).toMatchObject({ state: 'Firing', startsAt: at(20), receivedAt: at(20) });
      expect(fires).not.toHaveProperty('expired');
      // Its repeats are of that episode; the start that the sender names is believed, once.
      const again = mergeAlert(fires, anchored({ spec: stored({ receivedAt: at(21) }), ...named }, fires));
      expect(again).toMatchObject({ state: 'Firing', startsAt: at(0), latestStartsAt: at(20) });
      expect(isRepeat(again, { spec: stored({ receivedAt: at(22) }), ...named })).toBe(true);
    }
  });

  it('stays resolved for a report that was received before', () => {
    for (const held of byHand)
      expect(mergeAlert(held, anchored({ spec: stored(), ...named }, held)).state).toBe('Resolved');
  });

  it('is told from one that its sender resolved, which goes on under its old start', () => {
    const held = stored({ state: 'Resolved', endsAt: at(12) });
    const fires = mergeAlert(held, anchored({ spec: stored({ receivedAt: at(20) }), ...named }, held));
    expect(fires).toMatchObject({ state: 'Firing', startsAt: at(0) });
  });
});

describe('a report of an alert that is known', () => {
  it('is later than what was known when it came, whatever the clock of another replica says', () => {
    const known = stored({ receivedAt: '2026-01-01T12:00:05.000000Z' });
    const resolved = stored({ state: 'Resolved', endsAt: at(0), receivedAt: '2026-01-01T12:00:01.000000Z' });
    expect(mergeAlert(known, resolved).state).toBe('Firing');
    const later = receivedAfter(resolved, known);
    expect(later.receivedAt).toBe('2026-01-01T12:00:05.000001Z');
    expect(mergeAlert(known, later).state).toBe('Resolved');
    expect(receivedAfter(resolved, { ...known, receivedAt: resolved.receivedAt }).receivedAt).toBe(
      '2026-01-01T12:00:01.000001Z',
    );
  });

  it('acknowledges it then, too: else it would seem to be of an earlier episode', () => {
    const known = stored({ startsAt: '2026-01-01T12:00:05.000000Z', receivedAt: '2026-01-01T12:00:05.000000Z' });
    const word = { at: at(0), by: 'bo' };
    const spec = stored({ receivedAt: at(0), acknowledgedUpstream: { ...word, trusted: word } });
    const report = { spec: receivedAfter(spec, known), startNamed: false, endNamed: false };
    const then = '2026-01-01T12:00:05.000001Z';
    expect(combined(known, { ...report, only: 'Acknowledgement' })?.acknowledgedUpstream).toEqual({
      at: then,
      by: 'bo',
      trusted: { at: then, by: 'bo' },
    });
  });

  it('keeps its own time where that is later, where nothing is known, and where somebody wrote nonsense', () => {
    const spec = stored({ receivedAt: at(10) });
    for (const known of [undefined, stored({ receivedAt: at(9) }), stored({ receivedAt: at(20) })])
      expect(receivedAfter(spec, known)).toBe(spec);
    expect(receivedAfter(spec, stored({ receivedAt: 'later' }))).toBe(spec);
    expect(receivedAfter(spec, stored({ receivedAt: at(11), fingerprint: 'f'.repeat(64) }))).toBe(spec);
  });
});
