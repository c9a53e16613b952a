import type { AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { type AlertInput, toAlertSpec } from '@funnelai/domain/alert-input';
import { alertName } from '@funnelai/domain/fingerprint';
import { countedOverflow, newOverflow } from '@funnelai/domain/folding';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { anAlertSource } from '../testing/builders.ts';
import { refusalsOf } from '../testing/refusals.ts';
import { combined, type Report, receivedAfter, reportOf } from './report.ts';

const SEED = 20_260_301;
const NOW = Temporal.Instant.from('2026-03-01T14:00:00Z');
const LIMIT_NS = 8_640_000_000_000_000_000_000n;

/** What senders write, and what they would not: each of it has been somebody's label once. */
const unit = fc.constantFrom(
  ...['a', 'B', '7', ' ', '\t', '\n', '\r\n', '\u0000', '\u0085', '\u00a0', '\u2028', '\u200b', '\ufeff', '\ufffd'],
  ...[
    'ü',
    '界',
    '🙂',
    '👩‍👩‍👧',
    'e\u0301',
    '\ud800',
    '\udc00',
    '/',
    '.',
    '"',
    '\\',
    '…',
    '{',
    '%',
    '=',
    ':',
    '@',
    '?',
    '&',
  ],
  ...[
    'password=x',
    'Bearer abcdefgh',
    'https://',
    'http://u:p@h',
    '-----BEGIN PRIVATE KEY-----',
    '[redacted]',
    '__proto__',
  ],
);
const short = fc.string({ unit, maxLength: 12 });
const text = fc.oneof(
  { weight: 8, arbitrary: short },
  {
    weight: 1,
    arbitrary: fc.tuple(unit, fc.integer({ min: 60, max: 9_000 })).map(([one, times]) => one.repeat(times)),
  },
);
const map = fc.oneof(
  { weight: 4, arbitrary: fc.dictionary(text, text, { maxKeys: 12 }) },
  { weight: 1, arbitrary: fc.dictionary(short, short, { minKeys: 200, maxKeys: 500 }) },
);
const instant = fc
  .oneof(
    fc.bigInt({ min: -LIMIT_NS, max: LIMIT_NS }),
    fc.bigInt({ min: NOW.epochNanoseconds - 10_000_000_000n, max: NOW.epochNanoseconds + 10_000_000_000n }),
    fc.bigInt({ min: -62_200_000_000_000_000_000n, max: -62_100_000_000_000_000_000n }),
  )
  .map((ns) => Temporal.Instant.fromEpochNanoseconds(ns));
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const kind = fc.constantFrom('Runbook' as const, 'Graph' as const, 'Other' as const);
const url = fc.oneof(
  text,
  text.map((path) => `https://h.example/${path}`),
  text.map((host) => `http://${host}`),
);
const input: fc.Arbitrary<AlertInput> = fc.record({
  labels: map,
  annotations: map,
  state: fc.constantFrom('Firing', 'Resolved'),
  startsAt: maybe(instant),
  endsAt: maybe(instant),
  occurredAt: maybe(instant),
  leaseUntil: maybe(instant),
  title: maybe(text),
  description: maybe(text),
  severity: maybe(text),
  notes: maybe(fc.array(text, { maxLength: 20 })),
  links: fc.array(fc.record({ title: text, url, kind }), { maxLength: 20 }),
  dedupKey: maybe(text),
  only: fc.constantFrom(undefined, undefined, undefined, 'State', 'Ending', 'Acknowledgement'),
  acknowledgedBy: maybe(text),
});
const names = fc.array(fc.string({ unit, minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 });
const source: fc.Arbitrary<AlertSource> = fc
  .record({
    labels: maybe(fc.dictionary(fc.string({ unit, minLength: 1, maxLength: 8 }), short, { maxKeys: 32 })),
    dedup: maybe(fc.record({ labels: names })),
    severity: maybe(
      fc.record({ label: short, map: fc.dictionary(short, fc.constant('Low' as const), { maxKeys: 4 }) }),
    ),
    isOpen: fc.boolean(),
    name: fc.constantFrom('prom', 'a'.repeat(40), 'a.b-c'),
  })
  .map(({ name, isOpen, labels, dedup, severity }) =>
    anAlertSource({
      name,
      spec: {
        ...(labels === undefined ? {} : { labels }),
        ...(dedup === undefined ? {} : { dedup }),
        ...(severity === undefined ? {} : { severity }),
        ...(isOpen ? { auth: { none: {} } } : {}),
      },
    }),
  );

const later = (seconds: number) => NOW.add({ seconds });
function reportFrom(one: AlertInput, of: AlertSource, seconds: number, known?: AlertSpec): Report {
  const made = toAlertSpec(one, of, later(seconds));
  return reportOf(one, { ...made, spec: receivedAfter(made.spec, known) });
}

describe('whatever a receiver hands over', () => {
  it('becomes an Alert that the API server takes', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(input, source, source, (one, of, via) => {
        const { spec } = toAlertSpec(one, of, NOW, via);
        expect(refusalsOf(spec)).toEqual([]);
        expect(alertName(of.metadata.name, spec.fingerprint)).toMatch(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])$/);
        // What Postgres would refuse of a row: it takes neither.
        expect(JSON.stringify(spec)).not.toMatch(/\\u0000|\\ud[89a-f]/i);
      }),
      { numRuns: 400, seed: SEED },
    );
  });

  it('and is one with what is stored, whatever that is, in whatever order', { timeout: 60_000 }, () => {
    const byHand: fc.Arbitrary<Partial<AlertSpec>> = fc.constantFrom(
      {},
      { state: 'Resolved' },
      { state: 'Resolved', expired: { at: '2026-03-01T14:00:05Z', reason: 'LeaseRanOut' } },
      { state: 'Expired', expired: { at: '2026-03-01T14:00:05Z', reason: 'DedupChanged' } },
    );
    const told = fc.record({ one: input, seconds: fc.integer({ min: 0, max: 20 }), byHand });
    const keyed = fc.array(told, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(keyed, source, (reports, of) => {
        let stored: AlertSpec | undefined;
        for (const { one, seconds, byHand: change } of reports) {
          const next = combined(stored, reportFrom({ ...one, dedupKey: 'k' }, of, seconds, stored));
          if (next === undefined) continue;
          expect(refusalsOf(next, stored)).toEqual([]);
          // As somebody, or the expirer, writes it: an end stands only with Resolved.
          const { endsAt: _, expired: __, ...rest } = next;
          stored = Object.keys(change).length === 0 ? next : { ...rest, ...change };
          expect(refusalsOf(stored)).toEqual([]);
        }
      }),
      { numRuns: 150, seed: SEED },
    );
  });

  it('and where it finds no room, the Alert that counts it is taken, too', { timeout: 60_000 }, () => {
    const count = fc.integer({ min: 0, max: 9 });
    fc.assert(
      fc.property(input, source, count, count, fc.boolean(), (one, of, firing, more, isNews) => {
        const sample = toAlertSpec(one, of, NOW).spec;
        const counted = { count: firing + more, firing };
        const born = newOverflow({ sample, kind: 'f'.repeat(64), counted, now: NOW });
        expect(refusalsOf(born)).toEqual([]);
        const next = { count: more, firing: Math.min(more, firing) };
        const again = countedOverflow(born, { counted: next, labels: {}, isNews, now: later(20), sinceMs: 20_000 });
        expect(again === undefined ? [] : refusalsOf(again, born)).toEqual([]);
      }),
      { numRuns: 100, seed: SEED },
    );
  });
});
