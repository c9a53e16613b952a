import type { AlertSpec } from '@funnelai/crds/generated/types';
import type { StoredRow } from '@funnelai/history/inbox';
import { describe, expect, it } from 'vitest';
import type { Report } from '../intake/report.ts';
import type { StoreRequest } from '../intake/store.ts';
import { anAlert } from '../testing/builders.ts';
import { planOf, rowsOf } from './rows.ts';

const time = (second: number) => `2026-01-01T12:00:0${second}.000000Z`;
const fingerprint = (n: number) => String(n).padStart(64, '0');
const report = (n: number, second: number, o: Partial<AlertSpec> = {}): Report => ({
  spec: { ...anAlert().spec, fingerprint: fingerprint(n), receivedAt: time(second), ...o },
  startNamed: true,
  endNamed: false,
});
const request = (namespace: string, source: string, first: Report, ...more: Report[]): StoreRequest => ({
  namespace,
  source,
  fingerprint: first.spec.fingerprint,
  demo: namespace === 'infra',
  reports: [first, ...more],
});
/** At `pay` one fault is what are two at `infra`, from where they were routed. */
const routed: StoreRequest = {
  ...request('pay', 'platform', report(1, 1), report(1, 3), report(1, 2, { state: 'Resolved' })),
  keep: () => request('infra', 'prom', report(7, 1), report(8, 3), report(7, 2, { state: 'Resolved' })),
};
const stored = (some: StoreRequest): StoredRow[] => rowsOf(some).map((row, id) => ({ ...row, id: String(id) }));

describe('an alert that was routed', () => {
  it('comes out of the inbox as it went in, its reports in the order of receipt', () => {
    const { keep: _, ...there } = routed;
    const [first, third, second] = routed.reports;
    expect(planOf(stored(routed))).toEqual({
      unreadable: [],
      requests: [{ ...there, reports: [first, second, third] }],
    });
    expect(planOf(stored(there)).requests).toEqual(planOf(stored(routed)).requests);
  });

  it('comes out as what it is at home where it is to go there: each fault by itself', () => {
    const [a, b, a2] = routed.keep?.().reports ?? [];
    expect(planOf(stored(routed), () => 'home').requests).toEqual([
      { namespace: 'infra', source: 'prom', demo: true, fingerprint: fingerprint(7), reports: [a, a2] },
      { namespace: 'infra', source: 'prom', demo: true, fingerprint: fingerprint(8), reports: [b] },
    ]);
  });

  it('that is to go nowhere is unreadable for that reason; beside it all else is read', () => {
    const rows = [...stored(routed), ...stored(request('pay', 'platform', report(1, 4)))];
    const plan = planOf(rows, (_row, home) => (home === undefined ? { why: 'it has no home' } : 'home'));
    expect(plan.requests).toHaveLength(2);
    expect(plan.unreadable).toEqual([{ row: rows[1], why: 'it has no home' }]);
  });

  it('of which another version wrote a home that this one cannot read is not guessed at', () => {
    const [row] = stored(request('pay', 'platform', report(1, 1)));
    const reports = row?.reports.replace('"startNamed"', '"home":{"namespace":"infra"},"startNamed"') ?? '';
    expect(planOf([{ ...(row ?? expect.fail()), reports }]).unreadable).toMatchObject([{ why: expect.any(String) }]);
  });
});
