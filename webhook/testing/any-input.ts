/** Whatever a receiver may hand over, and whatever a source may say: texts, times and links that were somebody's once, and some that were not. */
import type { AlertSource } from '@funnelai/crds/generated/types';
import type { AlertInput } from '@funnelai/domain/alert-input';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { anAlertSource } from './builders.ts';

/** About when it is handed over. */
export const HANDED_OVER: Temporal.Instant = Temporal.Instant.from('2026-03-01T14:00:00Z');
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
    fc.bigInt({
      min: HANDED_OVER.epochNanoseconds - 10_000_000_000n,
      max: HANDED_OVER.epochNanoseconds + 10_000_000_000n,
    }),
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
export const anyInput: fc.Arbitrary<AlertInput> = fc.record({
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
export const anySource: fc.Arbitrary<AlertSource> = fc
  .record({
    labels: maybe(fc.dictionary(fc.string({ unit, minLength: 1, maxLength: 8 }), short, { maxKeys: 32 })),
    dedup: maybe(fc.record({ labels: names })),
    severity: maybe(
      fc.record({ label: short, map: fc.dictionary(short, fc.constant('Low' as const), { maxKeys: 4 }) }),
    ),
    isOpen: fc.boolean(),
    trustAcknowledge: fc.boolean(),
    name: fc.constantFrom('prom', 'a'.repeat(40), 'a.b-c'),
  })
  .map(({ name, isOpen, trustAcknowledge, labels, dedup, severity }) =>
    anAlertSource({
      name,
      spec: {
        trustAcknowledge,
        ...(labels === undefined ? {} : { labels }),
        ...(dedup === undefined ? {} : { dedup }),
        ...(severity === undefined ? {} : { severity }),
        ...(isOpen ? { auth: { none: {} } } : {}),
      },
    }),
  );
