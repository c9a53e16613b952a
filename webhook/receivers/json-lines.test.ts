import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INTAKE_ALERTS, INTAKE_RECORDS, INTAKE_REPEATS, RECORD_FIELDS } from '../limits.ts';
import { read, recorded, specsFrom } from '../testing/envelope.ts';
import { jsonLines } from './json-lines.ts';

const from = (file: string) => specsFrom('JsonLines', recorded('JsonLines', file));
const lines = (...values: unknown[]) => values.map((v) => (typeof v === 'string' ? v : JSON.stringify(v))).join('\n');
const specs = (...values: unknown[]) => specsFrom('JsonLines', { body: lines(...values) });
const line = (o: object = {}) => ({
  date: 1_769_860_800.000681,
  log: 'cannot reach the database',
  level: 'error',
  ...o,
});

describe('lines as agents write them', () => {
  it('are read alike as a list, one a line, and one after the other', async () => {
    const [asLines, asStream, asList] = await Promise.all(
      ['firing.ndjson', 'firing.fluent-bit-json-stream.txt', 'firing.fluent-bit-json.json'].map(from),
    );
    expect(new Set([asLines?.[0], asStream?.[0], asList?.[0]].map((spec) => spec?.fingerprint)).size).toBe(1);
    expect([asLines?.length, asStream?.length, asList?.length]).toEqual([1, 3, 3]);
  });

  it.each([
    ['double', 1_769_860_800.000681, '2026-01-31T12:00:00.000681Z'],
    ['iso8601', '2026-01-31T12:00:00.000681Z', '2026-01-31T12:00:00.000681Z'],
    ['epoch', 1_769_860_800, '2026-01-31T12:00:00.000000Z'],
    ['epoch_ms', 1_769_860_800_000, '2026-01-31T12:00:00.000000Z'],
    ['epoch_ms as text', '1769860800000', '2026-01-31T12:00:00.000000Z'],
    ['java_sql_timestamp', '2026-01-31 12:00:00.000681', '2026-01-31T12:00:00.000681Z'],
  ])('begin at the date of the record in format %s', async (_, date, startsAt) => {
    expect(await specs(line({ date }))).toMatchObject([{ startsAt }]);
  });

  it('are one alert for one fault: whichever pod and node wrote it, whatever its numbers were', async () => {
    const [first] = await from('firing.ndjson');
    const [again] = await from('repeat.ndjson');
    expect(again?.fingerprint).toBe(first?.fingerprint);
    expect(first?.labels).toMatchObject({
      service: 'checkout',
      namespace: 'shop-prod',
      container: 'checkout',
      provider: 'stripe',
    });
    expect(Object.keys(first?.labels ?? {})).not.toContain('pod');
    expect(first?.annotations?.pod).toBe('checkout-7f9c6d5b8-x2x4z');
  });

  it('are two where anything that names a thing differs, though their titles are equal', async () => {
    const differ = await specs(
      line(),
      line({ device: 'sda' }),
      line({ device: 'sdb' }),
      line({ host: 'web-1' }),
      line({ host: 'web-2' }),
      line({ logger: 'db' }),
    );
    expect(new Set(differ.map((spec) => spec.fingerprint)).size).toBe(6);
    expect(new Set(differ.map((spec) => spec.title)).size).toBe(1);
  });

  it('are one whichever pod wrote it, also where only its host says which, and no host is lost that is none', async () => {
    const pods = await specs(line({ hostname: 'shop-7f9c6d5b8-x2x4z' }), line({ hostname: 'shop-5c8d7f9b4d-qqw8t' }));
    expect(new Set(pods.map((spec) => spec.fingerprint)).size).toBe(1);
    expect(pods[0]?.annotations).toMatchObject({ pod: 'shop-7f9c6d5b8-x2x4z' });
    expect(await specs(line({ host: 'web-1' }))).toMatchObject([{ labels: { host: 'web-1' } }]);
  });

  it('say so where nothing in them tells one from another', async () => {
    const [nameless, told] = await specs({ level: 'error', order: 4711 }, line());
    expect(nameless?.notes).toEqual([expect.stringContaining('are this one alert')]);
    expect(told?.notes).toBeUndefined();
  });

  it('below WARN are no alerts; those that say no level, or one that nobody knows, are', async () => {
    const kept = await read('JsonLines', {
      body: lines(
        line({ level: 'info' }),
        line({ level: 'DEBUG' }),
        line({ level: 'warn' }),
        line({ level: undefined }),
        line({ level: 'audit' }),
        line({ level: 50 }),
      ),
    });
    expect(kept.received.map(({ index }) => index)).toEqual([2, 3, 4, 5]);
    expect(kept.ignored).toHaveLength(2);
    expect(kept.ignored[0]).toContain('info');
  });

  it('carry the sender’s word where the source’s map knows it', async () => {
    const body = lines(line({ level: 50 }), line({ level: 'WARN', log: 'b' }), line({ level: 'fatal', log: 'c' }));
    const spec = { severity: { map: { '50': 'Low' as const } } };
    expect((await specsFrom('JsonLines', { body, spec })).map((s) => s.severity)).toEqual([
      'Low',
      'Medium',
      'Critical',
    ]);
  });

  it('with JSON in their text are read as its fields', async () => {
    const [spec] = await from('firing.vector.json');
    expect(spec).toMatchObject({
      title: 'cannot reach db-2',
      severity: 'High',
      labels: { peer: 'db-2', service: 'checkout' },
    });
    expect(spec?.notes).toEqual(['message was JSON in a text and is read as its fields']);
    expect(await specs(line({ log: '{"cut in the mid' }))).toMatchObject([{ title: '{"cut in the mid' }]);
  });

  it('that name an alert are that alert: its labels are its identity, and it may say that it is over', async () => {
    const [firing] = await from('firing.full.ndjson');
    const [resolved] = await from('resolved.full.ndjson');
    expect(firing).toMatchObject({ state: 'Firing', severity: 'Critical', startsAt: '2026-01-31T12:00:00.000000Z' });
    expect(firing?.labels).toEqual({ alertname: 'CertificateExpiry', host: 'shop.example.com', port: '443' });
    expect(resolved).toMatchObject({
      state: 'Resolved',
      endsAt: '2026-01-31T12:30:00.000000Z',
      fingerprint: firing?.fingerprint,
    });
    const flat = { alertname: 'Disk', host: 'a', message: '93 % used', status: 'firing' };
    const both = await specs(flat, { ...flat, message: '12 % used', status: 'resolved' });
    expect(new Set(both.map((spec) => spec.fingerprint)).size).toBe(1);
    expect(both.map((spec) => spec.state)).toEqual(['Firing', 'Resolved']);
  });

  it('that name an alert and a host are about that host, whatever pod it was that looked', async () => {
    const kubernetes = { pod_name: 'checker-7f9c6d5b8-x2x4z', host: 'node-7' };
    const about = (host: string) => ({ alertname: 'CertificateExpiry', host, kubernetes });
    const two = await specs(about('shop.example.com'), about('blog.example.com'));
    expect(two.map((spec) => spec.labels?.host)).toEqual(['shop.example.com', 'blog.example.com']);
    expect(new Set(two.map((spec) => spec.fingerprint)).size).toBe(2);
    const [itself] = await specs(about(kubernetes.pod_name));
    expect(Object.keys(itself?.labels ?? {})).not.toContain('host');
  });

  it('that name none never resolve, whatever their status is', async () => {
    expect(await specs(line({ status: 'resolved' }))).toMatchObject([{ state: 'Firing' }]);
    expect(await specs({ alertname: 'a', status: 'OK' })).toMatchObject([
      { state: 'Firing', notes: ['state "OK" is neither firing nor resolved: taken for firing'] },
    ]);
  });

  it('are read by the source’s mapping before all else', async () => {
    const mapping = {
      when: 'item.lvl >= 40',
      labels: { alertname: "'PostgresError'", code: 'item.code' },
      title: "'%s says %s'.format([item.unit, item.code])",
    };
    const body = lines({ lvl: 50, unit: 'pg', code: '57P03' }, { lvl: 30, unit: 'pg', code: '0' }, { lvl: 50 });
    const { received, problems, ignored } = await read('JsonLines', { body, spec: { mapping } });
    expect(received).toMatchObject([
      { input: { title: 'pg says 57P03', labels: { alertname: 'PostgresError', code: '57P03' } } },
    ]);
    expect(problems[0]).toMatchObject({ index: 2, field: 'mapping.title' });
    expect(ignored).toEqual(['1: mapping.when is not true']);
  });
});

describe('a line that is none', () => {
  it('is named by its number, and spoils no other', async () => {
    const { received, problems } = await read('JsonLines', recorded('JsonLines', 'malformed.ndjson'));
    expect(received.map(({ index }) => index)).toEqual([0, 4]);
    expect(problems.map((p) => [p.index, p.found])).toEqual([
      [1, 'line 2 of the body, which is not JSON (column 24 of the record)'],
      [2, 'a list of 2'],
      [3, '"just a text"'],
      [5, 'an object without fields'],
    ]);
  });

  it('is said by its place where the body is one document', async () => {
    await expect(read('JsonLines', { body: '{\n  "a": 1,\n}' })).rejects.toThrow('line 3, column 1');
    await expect(read('JsonLines', { body: '[{"log":"a"},' })).rejects.toThrow('found its end');
    await expect(read('JsonLines', { body: '' })).rejects.toThrow('nothing');
    await expect(read('JsonLines', { body: Buffer.from([0x7b, 0xff]) })).rejects.toThrow('UTF-8');
  });

  it('is told apart from objects that stand one after the other, whatever is in their texts', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.string(), { minKeys: 1 }), { minLength: 1, maxLength: 8 }),
        async (objects) => {
          const body = objects.map((o) => JSON.stringify(o)).join('');
          const { received, problems, ignored } = await read('JsonLines', { body });
          expect(received.length + problems.length + ignored.length).toBe(objects.length);
        },
      ),
    ));
});

describe('a body without end', () => {
  it('is refused by the number of its lines', async () => {
    await expect(read('JsonLines', { body: '1\n'.repeat(INTAKE_RECORDS + 1) })).rejects.toThrow(
      `at most ${INTAKE_RECORDS}`,
    );
  });

  it('is a few reports where one fault is logged without end, and is refused by the number of its faults', async () => {
    const flood = (fault: (i: number) => string) =>
      read('JsonLines', {
        body: lines(...Array.from({ length: INTAKE_ALERTS + 5 }, (_, i) => line({ log: `${fault(i)} after ${i} ms` }))),
      });
    expect((await flood(() => 'declined')).received).toHaveLength(INTAKE_REPEATS);
    await expect(flood((i) => `disk-${i % 100}-${Math.floor(i / 100)}`)).rejects.toThrow(`at most ${INTAKE_ALERTS}`);
  });

  it('keeps the order of what fires, is over, and fires again', async () => {
    const said = (status: string) => ({ alertname: 'Disk', host: 'a', status });
    const many = (status: string) => Array.from({ length: INTAKE_REPEATS * 2 }, () => said(status));
    const states = (await specs(...many('firing'), said('resolved'), ...many('firing'))).map((spec) => spec.state);
    expect(states.indexOf('Resolved')).toBe(INTAKE_REPEATS);
    expect(states.at(-1)).toBe('Firing');
  });

  it('has only so many fields of a line looked at, and says so', async () => {
    const many = Object.fromEntries(Array.from({ length: RECORD_FIELDS + 5 }, (_, i) => [`f${i}`, 'x']));
    expect((await read('JsonLines', { body: [line(many)] })).reached).toEqual(['RECORD_FIELDS']);
  });

  it('is read however deep it is nested', async () => {
    const deep = `{"log":"a","deep":${'{"d":'.repeat(20_000)}1${'}'.repeat(20_000)}}`;
    expect(await specs(deep)).toMatchObject([{ title: 'a' }]);
    expect(await specs(`${deep}${deep}`)).toHaveLength(2);
  });
});

it('takes the types that agents send', () => {
  const types = ['application/x-ndjson', 'application/json', 'text/plain', 'application/msgpack'];
  expect(types.map(jsonLines.takes)).toEqual([true, true, true, false]);
});
