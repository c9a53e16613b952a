import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { aChange, anAlert, anIncident, BORN, minute } from './builders.ts';
import { alertRow, changeRow, incidentRow, isOfCorrelatedEpisode, toMicros } from './rows.ts';

const NOW = Temporal.Instant.from(BORN);
const cells = (json: string) => JSON.parse(json) as Record<string, unknown> & { object: Record<string, unknown> };

describe('times', () => {
  it.each([
    ['2026-03-01T10:00:00Z', '2026-03-01T10:00:00.000000Z'],
    ['2026-03-01T10:00:00.5Z', '2026-03-01T10:00:00.500000Z'],
    ['2026-03-01T10:00:00.123456789Z', '2026-03-01T10:00:00.123456Z'],
    ['2026-03-01T10:00:00.999999999999Z', '2026-03-01T10:00:00.999999Z'],
    ['2026-03-01T10:00:00.000001+05:45', '2026-03-01T04:15:00.000001Z'],
    ['2026-03-01t10:00:00z', '2026-03-01T10:00:00.000000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000Z'],
    ['1969-12-31T23:59:59.9999999Z', '1969-12-31T23:59:59.999999Z'],
  ])('%s is stored as %s', (given, expected) => expect(toMicros('at', given)).toBe(expected));

  it.each(['', 'now', 'infinity', '2026-03-01', '2026-03-01T10:00:00', '2026-02-30T10:00:00Z', '0000-12-31T00:00:00Z'])(
    '%j is refused, with the column and without the value',
    (given) => {
      expect(() => toMicros('at', given)).toThrow(expect.objectContaining({ name: 'HistoryRefused', column: 'at' }));
      if (given !== '') expect(() => toMicros('at', given)).not.toThrow(given);
    },
  );

  it('never move to another side of midnight of year 9999', () => {
    expect(() => toMicros('at', '9999-12-31T23:30:00-01:00')).toThrow('outside the years');
  });
});

describe('text', () => {
  it('replaces NUL and half characters, in values and keys, and keeps everything else as it was', () => {
    const row = cells(
      incidentRow(anIncident({ title: 'a\0b\ud800c 😀 \\u0000', spec: { summary: '\\\\\0' } }), NOW).json,
    );
    expect(row.title).toBe('a\ufffdb\ufffdc 😀 \\u0000');
    expect(row.object).toMatchObject({ spec: { title: 'a\ufffdb\ufffdc 😀 \\u0000', summary: '\\\\\ufffd' } });
    const alert = cells(alertRow(anAlert({ spec: { labels: { 'k\0': 'v\udc00' } } }), NOW).json);
    expect(alert.object).toMatchObject({ spec: { labels: { 'k\ufffd': 'v\ufffd' } } });
  });

  it('holds for any text at all', () => {
    const points = fc.array(fc.integer({ min: 0, max: 0x10ffff }));
    // Halves of pairs too.
    const units = fc.array(fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(points, units, (text, loose) => {
        const title = String.fromCodePoint(...text) + String.fromCharCode(...loose);
        const row = cells(incidentRow(anIncident({ title }), NOW).json);
        const expected = title.toWellFormed().replaceAll('\0', '\ufffd');
        expect(row.title).toBe(expected);
        expect(row.object).toMatchObject({ spec: { title: expected } });
      }),
    );
  });

  it('takes the longest name that a user can have, in any script', () => {
    const by = '😀'.repeat(512);
    expect(changeRow('u', aChange(1, { by })).by).toBe(by);
  });

  it('leaves managedFields out', () => {
    expect(incidentRow(anIncident(), NOW).json).not.toContain('managedFields');
  });

  it.each([
    ['name', () => incidentRow(anIncident({ name: 'n'.repeat(2_000) }), NOW)],
    ['title', () => incidentRow(anIncident({ title: 'ü'.repeat(40_000) }), NOW)],
    ['round', () => incidentRow(anIncident({ status: { round: 2 ** 31 } }), NOW)],
    ['opening', () => incidentRow(anIncident({ spec: { origin: { groupKey: '[]', opening: 1.5 } } }), NOW)],
    ['resource_version', () => alertRow({ ...anAlert(), metadata: { name: 'a', namespace: 'n', uid: 'u' } }, NOW)],
    ['fingerprint', () => alertRow(anAlert({ spec: { fingerprint: '' } }), NOW)],
    ['ends_at', () => alertRow(anAlert({ spec: { endsAt: 'later' } }), NOW)],
  ])('says which column it refuses: %s', (column, make) => {
    expect(make).toThrow(expect.objectContaining({ name: 'HistoryRefused', column }));
  });
});

describe('the episode of an alert', () => {
  it('is not the one in status while the spec already tells of a later start', () => {
    const alert = anAlert({ incident: 'i', status: { episodeStartedAt: minute(0) } });
    expect(isOfCorrelatedEpisode(alert)).toBe(true);
    expect(isOfCorrelatedEpisode({ ...alert, spec: { ...alert.spec, startsAt: minute(-5) } })).toBe(true);
    expect(isOfCorrelatedEpisode({ ...alert, spec: { ...alert.spec, startsAt: minute(5) } })).toBe(false);
    expect(isOfCorrelatedEpisode(anAlert())).toBe(false);
  });
});
