import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { readGrafana } from './grafana.ts';

const NOW = Temporal.Instant.from('2026-03-01T15:00:00Z');
const alert = (o: object = {}) => ({
  status: 'firing',
  labels: { alertname: 'Errors', instance: 'web-1' },
  startsAt: '2026-03-01T14:00:00Z',
  fingerprint: 'c6eadffa33fcdf37',
  ...o,
});
const unified = (alerts: unknown[], o: { orgId?: number; byFingerprint?: boolean } = {}) =>
  readGrafana({ orgId: o.orgId ?? 1, alerts }, o.byFingerprint ?? true, NOW);
const legacy = (o: object) => readGrafana({ ruleId: 37, ruleName: 'Disk full', ...o }, true, NOW);
const keys = (reading: ReturnType<typeof unified>) => reading.received.map(({ input }) => input.dedupKey);

describe('Grafana’s unified alerting', () => {
  it('says what to set where the body is one of a payload template', () => {
    expect(() => readGrafana({ title: 'x', message: 'y' }, true, NOW)).toThrow('payload template');
  });

  it('knows an alert by Grafana’s fingerprint, apart for each organisation', () => {
    expect(keys(unified([alert(), alert({ fingerprint: 'bc97ff14869b13e3' })]))).toEqual([
      '1/c6eadffa33fcdf37',
      '1/bc97ff14869b13e3',
    ]);
    expect(keys(unified([alert()], { orgId: 2 }))).toEqual(['2/c6eadffa33fcdf37']);
  });

  it('goes by the labels where the source says which count, or Grafana names no fingerprint', () => {
    expect(keys(unified([alert()], { byFingerprint: false }))).toEqual([undefined]);
    expect(keys(unified([alert({ fingerprint: '' }), alert({ fingerprint: undefined })]))).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('keeps the values, and links to dashboard, panel, silence, source and image', () => {
    const [received] = unified([
      alert({
        values: { B: 7.4, C: 1, D: null },
        valueString: "[ var='B' value=7.4 ]",
        dashboardURL: 'https://g.example/d/1',
        panelURL: 'https://g.example/d/1?viewPanel=4',
        silenceURL: 'https://g.example/silence',
        generatorURL: 'https://g.example/rule',
        imageURL: 'https://g.example/image.png',
      }),
    ]).received;
    expect(received?.input.annotations).toMatchObject({ values: 'B=7.4, C=1', valueString: "[ var='B' value=7.4 ]" });
    expect(received?.input.links.map(({ kind }) => kind)).toEqual(['Dashboard', 'Graph', 'Silence', 'Source', 'Graph']);
  });

  it('counts what Grafana itself left out', () => {
    expect(readGrafana({ truncatedAlerts: 3, alerts: [] }, true, NOW).truncated).toBe(3);
  });
});

describe('Grafana’s legacy alerting', () => {
  it('knows a rule by its id, whatever series are at fault', () => {
    const one = legacy({ state: 'alerting', evalMatches: [{ metric: 'web-1', value: 93 }] });
    const two = legacy({ state: 'ok', evalMatches: [] });
    expect([one, two].map((reading) => [reading.received[0]?.input.state, keys(reading)[0]])).toEqual([
      ['Firing', '1/rule/37'],
      ['Resolved', '1/rule/37'],
    ]);
  });

  it('fires on missing data, and says so', () => {
    const [received] = legacy({ state: 'no_data' }).received;
    expect(received?.input).toMatchObject({ state: 'Firing', notes: [expect.stringContaining('not known')] });
  });

  it('takes the state from the title where it is only there, and says so', () => {
    const [firing] = legacy({ title: '[Alerting] Disk full' }).received;
    expect(firing?.input).toMatchObject({ state: 'Firing', notes: [expect.stringContaining('title')] });
    expect(legacy({ title: '[OK] Disk full' }).received[0]?.input.state).toBe('Resolved');
  });

  it('never resolves by a title that is not Grafana’s own word about that rule', () => {
    for (const title of ['[OK] is what the probe said', 'OK', '[ok]', '[Recovered] Disk full']) {
      expect(legacy({ title }).received).toEqual([]);
      expect(legacy({ title }).problems[0]?.field).toBe('state');
    }
  });

  it('leaves out what says neither, with the reason', () => {
    expect(legacy({ state: 'pending' })).toMatchObject({ received: [], ignored: [expect.stringContaining('pending')] });
  });
});

it('says what it expected of anything else', () => {
  expect(() => readGrafana({ hello: 1 }, true, NOW)).toThrow('alerts');
  expect(() => readGrafana('x', true, NOW)).toThrow('Grafana');
});
