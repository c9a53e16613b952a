import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toAlertSpec } from './alert-input.ts';
import { utf8Bytes } from './bytes.ts';
import { anInput, aSource, at, time } from './testing/builders.ts';

const spec = (input: Parameters<typeof anInput>[0] = {}, source = aSource()) =>
  toAlertSpec(anInput(input), source, at(60)).spec;
const textBytes = (...maps: (Record<string, string> | undefined)[]) =>
  maps.flatMap((m) => Object.entries(m ?? {})).reduce((sum, [n, v]) => sum + utf8Bytes(n) + utf8Bytes(v), 0);

describe('toAlertSpec', () => {
  it('adds the labels of the source after the fingerprint, and lets those of the sender win', () => {
    const enriched = spec(
      { labels: { alertname: 'A', cluster: 'mine' } },
      aSource({ labels: { cluster: 'eu-1', team: 'pay' } }),
    );
    expect(enriched.labels).toEqual({ alertname: 'A', cluster: 'mine', team: 'pay' });
    expect(enriched.fingerprint).toBe(spec({ labels: { alertname: 'A', cluster: 'mine' } }).fingerprint);
    expect(JSON.stringify(spec({ labels: JSON.parse('{"__proto__":"x"}') }).labels)).toBe('{"__proto__":"x"}');
  });

  it('finds the title, best first', () => {
    const titled = (annotations: Record<string, string>, labels: Record<string, string> = { alertname: 'A' }) =>
      spec({ annotations, labels }).title;
    expect(titled({ message: 'm', title: 't', summary: ' s\n1 ' })).toBe('s 1');
    expect(titled({ message: 'm', title: 't', summary: ' ' })).toBe('t');
    expect(titled({ message: 'm' })).toBe('m');
    expect(titled({})).toBe('A');
    expect(titled({}, { z: '1', a: '2' })).toBe('a=2, z=1');
    expect(titled({}, {})).toBe('Alert without labels');
    expect(utf8Bytes(titled({ summary: '界'.repeat(300) }))).toBeLessThanOrEqual(256);
  });

  it('fills in the times that are missing, and stores no end of what fires', () => {
    const times = (input: Parameters<typeof anInput>[0]) => (({ startsAt, endsAt }) => [startsAt, endsAt])(spec(input));
    expect(times({ endsAt: at(999) })).toEqual([time(0), undefined]);
    expect(times({ startsAt: undefined })).toEqual([time(60), undefined]);
    expect(times({ startsAt: undefined, occurredAt: at(50) })).toEqual([time(50), undefined]);
    expect(times({ occurredAt: at(50) })).toEqual([time(0), undefined]);
    expect(times({ state: 'Resolved', startsAt: undefined, occurredAt: at(50) })).toEqual([time(50), time(50)]);
    expect(times({ state: 'Resolved' })).toEqual([time(0), time(60)]);
    expect(times({ state: 'Resolved', startsAt: undefined, endsAt: at(30) })).toEqual([time(30), time(30)]);
    expect(times({ state: 'Resolved', startsAt: at(10), endsAt: at(5) })).toEqual([time(10), time(10)]);
  });

  it('keeps the word for the severity as it was sent, from the label that the source names', () => {
    expect(
      spec({ labels: { level: 'SEV1' } }, aSource({ severity: { label: 'level', map: { sev1: 'Critical' } } })),
    ).toMatchObject({ severity: 'Critical', originalSeverity: 'SEV1' });
    expect(spec({ labels: { a: 'b' } })).not.toHaveProperty('originalSeverity');
  });

  it('says of an acknowledgement whether the source whose alert it is trusts it, at the time when it came', () => {
    const by = 'Icinga';
    const acknowledged = (source = aSource(), via = source) =>
      toAlertSpec(anInput({ only: 'Acknowledgement', acknowledgedBy: by }), source, at(60), via).spec
        .acknowledgedUpstream;
    expect(acknowledged()).toEqual({ at: time(60), by });
    expect(acknowledged(aSource({ trustAcknowledge: false }))).toEqual({ at: time(60), by });
    const trusting = aSource({ trustAcknowledge: true });
    expect(acknowledged(trusting)).toEqual({ at: time(60), by, trusted: { at: time(60), by } });
    // Routed, it is a word of those who accepted it.
    expect(acknowledged(aSource(), trusting)).toEqual({ at: time(60), by });
    expect(spec({}, trusting)).not.toHaveProperty('acknowledgedUpstream');
  });

  it('takes links over http alone, each once, without credentials', () => {
    const { spec: linked, notes } = toAlertSpec(
      anInput({
        annotations: { runbook_url: 'https://r.example/a', dashboard: 'javascript:alert(1)' },
        links: [
          { title: 'Source', url: 'http://u:p@prom:9090/graph?g0=up', kind: 'Source' },
          { title: 'again', url: 'https://r.example/a', kind: 'Other' },
        ],
      }),
      aSource(),
      at(60),
    );
    expect(linked.links).toEqual([
      { title: 'Runbook', url: 'https://r.example/a', kind: 'Runbook' },
      { title: 'Source', url: 'http://prom:9090/graph?g0=up', kind: 'Source' },
    ]);
    expect(notes).toEqual(['secrets taken out of: link', expect.stringContaining('1 links left out')]);
  });

  it('carries a note where nobody vouched for it, before all others', () => {
    const notes = Array.from({ length: 20 }, (_, i) => `note ${i}`);
    expect(spec({ notes }, aSource({ auth: { none: {} } })).notes?.[0]).toContain('nobody vouches for this alert');
    expect(spec({ notes }).notes?.[0]).toBe('note 0');
  });

  it("takes the sender's own key for the identity", () => {
    const keyed = spec({ dedupKey: 'x'.repeat(600) });
    expect(utf8Bytes(keyed.dedupKey ?? '')).toBeLessThanOrEqual(512);
    expect(keyed.fingerprint).not.toBe(spec({ dedupKey: 'x'.repeat(599) }).fingerprint);
  });

  it('cuts the longest values first, with a mark, and says which', () => {
    const { spec: cut, notes } = toAlertSpec(
      anInput({ annotations: { description: '長'.repeat(9000), short: 'kept' } }),
      aSource(),
      at(60),
    );
    expect(cut.labels).toEqual(anInput().labels);
    expect(cut.annotations?.short).toBe('kept');
    expect(cut.annotations?.description).toMatch(/^長+…$/);
    expect(notes).toEqual([
      expect.stringMatching(/^annotation values cut to \d+ bytes: description$/),
      expect.stringMatching(/^description cut to 4096 of \d+ bytes$/),
    ]);
    expect(cut.notes).toEqual(notes);
  });

  it('keeps of a few labels what it keeps of them beside a text that has to be cut', () => {
    const odd = fc.constantFrom('__proto__', '10', '9', '', 'a\u0000', 'a\ufffd', 'a\ud800');
    const text = fc.oneof({ weight: 12, arbitrary: fc.string({ maxLength: 6 }) }, { weight: 1, arbitrary: odd });
    fc.assert(
      fc.property(fc.dictionary(text, text, { maxKeys: 8 }), (labels) => {
        const [alone, beside] = [spec({ labels }), spec({ labels, annotations: { long: 'x'.repeat(9_000) } })];
        expect(JSON.stringify(alone.labels)).toBe(JSON.stringify(beside.labels));
        expect(alone.fingerprint).toBe(beside.fingerprint);
      }),
    );
  });

  it('bounds everything in bytes, splits no character and stores neither NUL nor half a surrogate', () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', '界', '🙂', '\ud800', '\u0000', '\udc00'), maxLength: 30 }),
      fc.nat(5000).map((n) => '🙂'.repeat(n)),
    );
    const map = fc.dictionary(fc.oneof(fc.string({ minLength: 1 }), text), text, { maxKeys: 400 });
    fc.assert(
      fc.property(map, map, (labels, annotations) => {
        const bounded = spec({ labels, annotations });
        expect(textBytes(bounded.labels, bounded.annotations)).toBeLessThanOrEqual(8192);
        expect(Object.keys(bounded.labels ?? {}).length).toBeLessThanOrEqual(256);
        const all = JSON.stringify(bounded);
        expect(all).not.toMatch(/\\u0000|\\ud[89a-f]/i);
      }),
      { numRuns: 40 },
    );
  });
});
