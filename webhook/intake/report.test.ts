import { mergeAlert, sameAlert } from '@funnelai/domain/merge';
import { describe, expect, it } from 'vitest';
import { anAlert } from '../testing/builders.ts';
import { anchored, receivedAfter } from './report.ts';

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

  it('keeps its own time where that is later, where nothing is known, and where somebody wrote nonsense', () => {
    const spec = stored({ receivedAt: at(10) });
    for (const known of [undefined, stored({ receivedAt: at(9) }), stored({ receivedAt: at(20) })])
      expect(receivedAfter(spec, known)).toBe(spec);
    expect(receivedAfter(spec, stored({ receivedAt: 'later' }))).toBe(spec);
    expect(receivedAfter(spec, stored({ receivedAt: at(11), fingerprint: 'f'.repeat(64) }))).toBe(spec);
  });
});
