import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SENDERS } from '../source/senders.ts';
import { firstSource } from './first-source.ts';
import { describeSources, parseSourceFilter, toSourceQuery, widenedSources, writeSourceFilter } from './url.ts';
import { mayWords, rateWord, refusalsInWords, trustWord } from './words.ts';

describe('what came to a source, in words', () => {
  it.each([
    [0, '0'],
    [0.02, '<0.1'],
    [0.44, '0.4'],
    [12.4, '12'],
    [1_240.2, '1,240'],
  ])('%d a minute is %s', (rate, word) => {
    expect(rateWord(rate)).toBe(word);
  });

  it('says what an acknowledgement there is worth', () => {
    expect(trustWord(true)).toContain('count here');
    for (const isTrusted of [false, undefined]) expect(trustWord(isTrusted)).toContain('change nothing');
  });

  it('says what a source may have taken', () => {
    expect(mayWords({ ratePerSecond: 1_000, burst: 10_000 })).toBe('1,000 alerts a second, 10,000 at once');
    expect(mayWords({ ratePerSecond: 1, burst: 1 })).toBe('1 alert a second, 1 at once');
  });

  it('names why bodies were refused, the most frequent reason first, and shows a code that it does not know', () => {
    const traffic = { alertsPerMinute: 0, bodies: 0, alerts: 0, stored: 0 };
    const rejected = { Invalid: 3, Unauthenticated: 1_204, Teapot: 1, NotFound: 0 };
    expect(refusalsInWords({ ...traffic, rejected })).toBe('1,204 wrong or no token, 3 not understood, 1 Teapot');
  });
});

describe('the URL of the source list', () => {
  it('says the whole filter, and is read back the same', () => {
    const search = new URLSearchParams(
      'namespace=demo&format=Flux&ready=False&traffic=Refused&q=x&sort=-rate&limit=400',
    );
    const filter = parseSourceFilter(search);
    expect(writeSourceFilter(filter, 'demo').toString()).toBe(search.toString());
    expect(toSourceQuery(filter, 'demo')).toMatchObject({ namespace: 'demo', sort: '-rate', ready: ['False'] });
    expect(describeSources(filter, 'demo', 1)).toBe(
      '1 source in demo, format Flux, not ready, some refused in a day, matching “x”',
    );
    expect(describeSources(widenedSources(filter), undefined, 2)).toBe('2 sources in all namespaces');
    expect(parseSourceFilter(new URLSearchParams('sort=colour')).sort).toBe('');
  });
});

describe('the lines that make the first source', () => {
  it('name it after its format, and hold no token', () => {
    const lines = firstSource('OpenTelemetryLogs', 'shop');
    expect(lines).toContain('metadata: {name: open-telemetry-logs, namespace: shop}');
    expect(lines).toContain('--from-literal=token="$(openssl rand -hex 32)"');
    expect(firstSource('Alertmanager', 'shop')).toContain('name: prom,');
  });

  it.each(Object.keys(SENDERS))('are whole for %s', (format) => {
    const [, yaml = ''] = /<<'END'\n([\s\S]*)\nEND$/.exec(firstSource(format, 'shop')) ?? [];
    const source = parse(yaml);
    expect(source).toMatchObject({ kind: 'AlertSource', metadata: { namespace: 'shop' }, spec: { format } });
    expect(Object.keys(source.spec.auth)).toHaveLength(1);
  });
});
