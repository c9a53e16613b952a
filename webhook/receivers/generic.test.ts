import type { AlertSourceSpec } from '@funnelai/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { INTAKE_ALERTS, MAPPING_BODY_COST } from '../limits.ts';
import { anEnvelope, read, specsFrom } from '../testing/envelope.ts';
import { generic } from './generic.ts';
import { mappingOf } from './mapped.ts';
import { MappingBroken } from './problem.ts';

type Mapping = NonNullable<AlertSourceSpec['mapping']>;
const by = (mapping: Mapping, body: unknown, headers = {}) => ({ body, headers, spec: { mapping } });

describe('a body that only a mapping can read', () => {
  it('is one alert, a list of them, or where the mapping finds them', async () => {
    const key = { key: 'item.id' };
    expect(await specsFrom('Generic', by(key, { id: 'a' }))).toMatchObject([{ dedupKey: 'a', state: 'Firing' }]);
    expect(await specsFrom('Generic', by(key, [{ id: 'a' }, { id: 'b' }]))).toHaveLength(2);
    const found = by(
      { ...key, items: 'body.list.filter(e, e.on)' },
      {
        list: [
          { id: 'a', on: true },
          { id: 'b', on: false },
        ],
      },
    );
    expect(await specsFrom('Generic', found)).toMatchObject([{ dedupKey: 'a' }]);
    expect(await specsFrom('Generic', by(key, []))).toEqual([]);
  });

  it('keeps the neighbours of an item that fails, and says of it which expression, what and where', async () => {
    const { received, problems } = await read(
      'Generic',
      by({ key: 'item.id', title: 'item.name' }, [{ id: 1, name: 'x' }, { id: 2 }, 7]),
    );
    expect(received.map(({ index }) => index)).toEqual([0, 1]);
    expect(problems.map((p) => `${p.index} ${p.field} ${p.found}`)).toEqual([
      '2 mapping.key the error "field not found: id"',
      '2 mapping.title the error "field not found: name"',
    ]);
  });

  it('is an alert also where its title, a link or a time cannot be had: that is said, without its secrets', async () => {
    const item = { id: 'a', password: ['hunter2'], at: 'Bearer hunter2hunter2' };
    const [spec] = await specsFrom('Generic', by({ key: 'item.id', title: 'item.name', startsAt: 'item.at' }, item));
    expect(spec).toMatchObject({ dedupKey: 'a', state: 'Firing' });
    expect(spec?.notes).toEqual([
      expect.stringContaining('mapping.title left out: found the error "field not found: name"'),
      expect.stringContaining('mapping.startsAt left out: found "Bearer [redacted]'),
    ]);
  });

  it('sees the headers in lower case, and none that lets someone in', async () => {
    const headers = {
      authorization: 'Bearer s3cret',
      cookie: 's3cret',
      'x-api-key': 's3cret',
      'x-hub-signature-256': 's3cret',
      'proxy-authorization': 's3cret',
      'x-event-kind': 'disk',
    };
    const [spec] = await specsFrom(
      'Generic',
      by({ labels: { kind: 'headers["x-event-kind"]' }, annotationsFrom: 'headers' }, {}, headers),
    );
    expect(spec?.labels).toEqual({ alertname: 'src', kind: 'disk' });
    expect(JSON.stringify(spec)).not.toContain('s3cret');
  });

  it('is always grouped under some alertname, the same for every report of a fault', async () => {
    const mapping: Mapping = { labels: { host: 'item.host' }, title: 'item.title' };
    const [first, second] = await specsFrom(
      'Generic',
      by(mapping, [
        { host: 'a', title: '93 %' },
        { host: 'a', title: '94 %' },
      ]),
    );
    expect(first?.labels).toEqual({ alertname: 'src', host: 'a' });
    expect(first?.fingerprint).toBe(second?.fingerprint);
  });

  it('is refused where nothing tells its fault from another', async () => {
    const { received, problems } = await read(
      'Generic',
      by({ labels: { host: 'item.host' } }, [{ host: '' }, { host: 'b' }]),
    );
    expect(received.map(({ index }) => index)).toEqual([1]);
    expect(problems).toMatchObject([{ index: 0, field: 'labels', found: 'no label and no key' }]);
  });

  it('keeps names that mean something to JavaScript', async () => {
    const body = '{"__proto__":"p","constructor":"c","$typeName":"google.protobuf.Any"}';
    const [spec] = await specsFrom('Generic', by({ labelsFrom: 'item' }, body));
    expect(Object.entries(spec?.labels ?? {}).sort()).toEqual([
      ['$typeName', 'google.protobuf.Any'],
      ['__proto__', 'p'],
      ['alertname', 'src'],
      ['constructor', 'c'],
    ]);
    expect(({} as Record<string, unknown>).p).toBeUndefined();
  });

  it('is read however deep it is nested, and says what it left out', async () => {
    const deep = `{"id":"a","deep":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    const [spec] = await specsFrom('Generic', by({ key: 'item.id' }, deep));
    expect(spec?.notes?.[0]).toContain('nested deeper');
  });
});

describe('a mapping that is none', () => {
  it('is said as the owner’s to mend, before the body is looked at', async () => {
    const broken = read('Generic', by({ key: 'item.id', when: 'item.kind ==\n' }, 'no JSON'));
    await expect(broken).rejects.toThrow(MappingBroken);
    await expect(broken).rejects.toThrow('AlertSource src does not compile: mapping.when: line 1, column 11');
  });

  it('is compiled once for each generation of its source', () => {
    const { source } = anEnvelope('Generic', by({ key: 'item.id' }, {}));
    expect(mappingOf({ ...source, status: { observedGeneration: 1 } })).toBe(mappingOf(source));
    const edited = { ...source, metadata: { ...source.metadata, generation: 2 } };
    expect(mappingOf({ ...edited, spec: { ...edited.spec, mapping: { key: 'item.uid' } } })).not.toBe(
      mappingOf(source),
    );
  });
});

describe('a body that costs much', () => {
  it('is refused by the number of its items before one is read', async () => {
    const many = Array.from({ length: INTAKE_ALERTS + 1 }, () => ({}));
    await expect(read('Generic', by({ key: 'item.id' }, many))).rejects.toThrow(`at most ${INTAKE_ALERTS}`);
    expect((await read('Generic', by({ key: '"k"' }, many.slice(1)))).received).toHaveLength(INTAKE_ALERTS);
  });

  it('lets others have their turn, and ends', async () => {
    let turns = 0;
    let over = false;
    const probe = () => {
      turns += 1;
      if (!over) setImmediate(probe);
    };
    setImmediate(probe);
    const dear = `${'[0,1,2,3,4,5,6,7,8,9].all(x, '.repeat(4)}item.id != ""${')'.repeat(4)}`;
    const items = Array.from({ length: 600 }, (_, i) => ({ id: `i${i}` }));
    const reading = await read('Generic', by({ key: 'item.id', when: dear }, items));
    over = true;
    expect(turns).toBeGreaterThan(20);
    expect(reading.reached).toEqual(['MAPPING_BODY_COST']);
    expect(reading.received.length).toBeGreaterThan(0);
    expect(reading.problems.at(-1)).toMatchObject({ field: 'mapping.when', found: 'more work than one body may cost' });
    expect(reading.received.length + new Set(reading.problems.map((p) => p.index)).size).toBe(items.length);
    expect(MAPPING_BODY_COST).toBeGreaterThan(0);
  }, 60_000);
});

it('takes JSON, and says what it expects', () => {
  expect(['application/json', 'application/vnd.acme+json'].map(generic.takes)).toEqual([true, true]);
  expect(generic.takes('text/plain')).toBe(false);
});
