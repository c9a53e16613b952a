import type { AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { dedupHashOf } from '@funnelai/domain/dedup-identity';
import { HEARTBEAT_FINGERPRINT } from '@funnelai/domain/heartbeat';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { EXPIRY_DOUBT_MS, LEASE_RECHECK_MS, SOURCE_GONE_MS } from '../limits.ts';
import { anAlert, anAlertSource } from '../testing/builders.ts';
import { createCandidates } from './candidates.ts';
import { type Known, LEASE_GRACE_MS, leaseVerdict } from './decide.ts';

const MINUTE = 60_000;
const at = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms).toString();
const until = (untilMs: number): Known => ({ beganMs: 0, untilMs, gaps: [] });
const leased = (seenMs: number, untilMs: number, o: Partial<AlertSpec> = {}) =>
  anAlert({ spec: { receivedAt: at(seenMs), leaseUntil: at(untilMs), ...o } });

/** Passes every ten seconds; says in which of them Postgres was asked. */
function asks(
  alert: ReturnType<typeof anAlert>,
  source: AlertSource | undefined,
  o: { fromMs: number; toMs: number; learn: (known: Known) => ReturnType<typeof leaseVerdict> },
): number[] {
  const candidates = createCandidates();
  const asked: number[] = [];
  for (let ms = o.fromMs; ms <= o.toMs; ms += 10_000) {
    candidates.begin(until(ms));
    if (candidates.ask(alert, source).kind !== 'lookUp') continue;
    asked.push(ms);
    candidates.learned(alert, source, o.learn(until(ms)));
  }
  return asked;
}

describe('whether to ask Postgres about an alert', () => {
  it('is no question before the lease that stands in it is over, and after a look not before what that told', () => {
    const alert = leased(0, 4 * MINUTE);
    const over = 4 * MINUTE + LEASE_GRACE_MS;
    // Heard of at three minutes, for four more.
    const learn = (known: Known) =>
      leaseVerdict({ lastSeen: at(3 * MINUTE), leaseUntil: at(7 * MINUTE), expireAfterMs: 0 }, known);
    expect(asks(alert, undefined, { fromMs: 0, toMs: 7 * MINUTE, learn })).toEqual([over]);
  });

  it('is one now and then for an alert without a lease: a later report may have brought one', () => {
    const asked = asks(anAlert(), undefined, {
      fromMs: 0,
      toMs: 2 * LEASE_RECHECK_MS,
      learn: () => ({ kind: 'never' }),
    });
    expect(asked).toEqual([0, LEASE_RECHECK_MS, 2 * LEASE_RECHECK_MS]);
  });

  it('is one in each pass for what expired a moment ago, and now and then after that', () => {
    const alert = leased(0, MINUTE, { state: 'Expired', expired: { at: at(2 * MINUTE), reason: 'LeaseRanOut' } });
    const toMs = 2 * MINUTE + EXPIRY_DOUBT_MS;
    const asked = asks(alert, undefined, { fromMs: 2 * MINUTE, toMs, learn: () => ({ kind: 'never' }) });
    expect(asked).toHaveLength(EXPIRY_DOUBT_MS / 10_000 + 1);
    const late = asks(alert, undefined, {
      fromMs: toMs,
      toMs: toMs + LEASE_RECHECK_MS,
      learn: () => ({ kind: 'never' }),
    });
    expect(late).toEqual([toMs, toMs + LEASE_RECHECK_MS]);
  });

  it('is none for what has resolved, for the silence of a source, and for what expired with its identity', () => {
    const never = [
      leased(0, MINUTE, { state: 'Resolved' }),
      leased(0, MINUTE, { fingerprint: HEARTBEAT_FINGERPRINT }),
      leased(0, MINUTE, { state: 'Expired', expired: { at: at(MINUTE), reason: 'DedupChanged' } }),
    ];
    for (const alert of never)
      expect(asks(alert, undefined, { fromMs: 0, toMs: 60 * MINUTE, learn: () => ({ kind: 'never' }) })).toEqual([]);
  });

  it('is none for what counts folded alerts, which nobody reports, nor for what is being deleted', () => {
    const source = anAlertSource({ spec: { expireAfter: '1m' } });
    const overflow = leased(0, MINUTE, { folded: { count: 7, firing: 7, asOf: at(0) } });
    const leaving = leased(0, MINUTE);
    leaving.metadata.deletionTimestamp = at(MINUTE);
    for (const alert of [overflow, leaving])
      expect(asks(alert, source, { fromMs: 0, toMs: 60 * MINUTE, learn: () => ({ kind: 'never' }) })).toEqual([]);
    expect(
      asks(leased(0, MINUTE), source, { fromMs: 0, toMs: 60 * MINUTE, learn: () => ({ kind: 'never' }) }),
    ).not.toEqual([]);
  });

  it('is none once the source is gone for good: nobody can report what fires under it', () => {
    const alert = leased(0, 600 * MINUTE);
    const passes = (o: { isBackAtMs?: number; alert?: typeof alert } = {}) => {
      const candidates = createCandidates();
      for (let ms = 0; ms <= 2 * SOURCE_GONE_MS; ms += 10_000) {
        candidates.begin(until(ms));
        const source = ms === o.isBackAtMs ? anAlertSource() : undefined;
        const asked = candidates.ask(o.alert ?? alert, source);
        if (asked.kind === 'orphaned') return [ms, asked.reason];
      }
      return 'never';
    };
    expect(passes()).toEqual([SOURCE_GONE_MS, 'SourceDeleted']);
    // Replaced, it is another source; what is counted then counts from the next time that it is gone.
    expect(passes({ isBackAtMs: 5 * MINUTE })).toEqual([5 * MINUTE + 10_000 + SOURCE_GONE_MS, 'SourceDeleted']);
    expect(passes({ alert: leased(0, MINUTE, { state: 'Resolved' }) })).toBe('never');
  });

  it('is asked anew when the source changes, and when the clock was set back', () => {
    const candidates = createCandidates();
    const alert = anAlert({ spec: { receivedAt: at(0) } });
    const patient = anAlertSource({ spec: { expireAfter: '6h' } });
    candidates.begin(until(60 * MINUTE));
    expect(candidates.ask(alert, patient).kind).toBe('nothing');
    const hasty = {
      ...patient,
      metadata: { ...patient.metadata, generation: 2 },
      spec: { ...patient.spec, expireAfter: '5m' },
    };
    expect(candidates.ask(alert, hasty).kind).toBe('lookUp');
    candidates.learned(alert, hasty, { kind: 'runs', leftMs: 60 * MINUTE });
    candidates.begin(until(61 * MINUTE));
    expect(candidates.ask(alert, hasty).kind).toBe('nothing');
    candidates.begin(until(30 * MINUTE));
    expect(candidates.ask(alert, hasty).kind).toBe('lookUp');
  });

  it('is settled without it for what its source does not name any more, seen so in two passes', () => {
    const candidates = createCandidates();
    const alert = leased(0, MINUTE, { dedupHash: dedupHashOf(undefined), labels: { alertname: 'Down', pod: 'a' } });
    const source = anAlertSource({ spec: { dedup: { labels: ['alertname'] } } });
    candidates.begin(until(0));
    expect(candidates.ask(alert, source).kind).toBe('nothing');
    candidates.begin(until(10_000));
    expect(candidates.ask(alert, source).kind).toBe('orphaned');
    // A later report was made under the new rules: it is another version.
    const renewed = { ...alert, metadata: { ...alert.metadata, resourceVersion: '2' } };
    candidates.begin(until(20_000));
    expect(candidates.ask(renewed, source).kind).toBe('nothing');
  });

  it('is never passed over once the lease is over, however often it was looked up before', () => {
    const moment = fc.nat(120).map((n) => n * 10_000);
    fc.assert(
      fc.property(fc.array(moment, { minLength: 1, maxLength: 6 }), fc.nat(30), (reports, leaseTens) => {
        const leaseMs = 10_000 * (leaseTens + 1);
        const known = [...reports].sort((a, b) => a - b);
        const first = known[0] ?? 0;
        const last = known.at(-1) ?? 0;
        const candidates = createCandidates();
        const alert = leased(first, first + leaseMs);
        const source = anAlertSource();
        let ranOut: number | undefined;
        for (let ms = first; ranOut === undefined && ms < last + leaseMs + 600_000; ms += 10_000) {
          candidates.begin(until(ms));
          if (candidates.ask(alert, source).kind !== 'lookUp') continue;
          const heard = known.filter((one) => one <= ms).at(-1) ?? first;
          const terms = { lastSeen: at(heard), leaseUntil: at(heard + leaseMs), expireAfterMs: 0 };
          const verdict = leaseVerdict(terms, until(ms));
          if (verdict.kind === 'ranOut') ranOut = ms;
          else candidates.learned(alert, source, verdict);
        }
        // As if it had been looked up in each pass.
        let expected: number | undefined;
        for (let ms = first; expected === undefined; ms += 10_000) {
          const heard = known.filter((one) => one <= ms).at(-1) ?? first;
          if (ms - heard >= leaseMs + LEASE_GRACE_MS) expected = ms;
        }
        expect(ranOut).toBe(expected);
      }),
    );
  });
});
