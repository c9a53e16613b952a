import { describe, expect, it } from 'vitest';
import { celInput } from './cel-input.ts';
import { checkMapping, compileMapping, type Mapping } from './mapping.ts';

const apply = (
  mapping: Mapping,
  item: unknown,
  o: { body?: unknown; headers?: object; index?: number; left?: number } = {},
) => {
  const { compiled, faults } = compileMapping(mapping);
  expect(faults).toEqual([]);
  return compiled.apply(
    {
      body: celInput(o.body ?? item).value,
      headers: celInput(o.headers ?? {}).value,
      item: celInput(item).value,
      index: o.index ?? 0,
    },
    { left: o.left ?? 1_000_000 },
  );
};

describe('a mapping', () => {
  it('makes an alert of an item, field by field', () => {
    const mapping: Mapping = {
      when: 'item.kind == "alert"',
      key: 'item.host + "/" + item.check',
      title: '"%s on %s".format([item.check, item.host])',
      description: 'has(item.text) ? item.text : ""',
      state: 'item.ok ? "resolved" : "firing"',
      severity: 'item.level',
      labels: { alertname: 'item.check', index: 'index', shard: 'headers["x-shard"]', none: 'null' },
      labelsFrom: 'item.tags',
      annotations: { value: 'item.value' },
      startsAt: 'item.since',
      endsAt: 'item.until',
      links: [{ title: 'Check', url: '"https://checks/" + item.check', kind: 'Dashboard' }],
    };
    const item = {
      kind: 'alert',
      host: 'db-1',
      check: 'disk',
      ok: true,
      level: 'page',
      value: 93.5,
      tags: { team: 'core', alertname: 'overridden', none: 'goes' },
      since: 1_769_860_800_000,
      until: '2026-01-31T12:30:00Z',
    };
    const outcome = apply(mapping, item, { headers: { 'x-shard': '7' }, index: 4 });
    expect(outcome).toMatchObject({
      alert: {
        key: 'db-1/disk',
        title: 'disk on db-1',
        state: 'Resolved',
        severity: 'page',
        labels: { team: 'core', alertname: 'disk', index: '4', shard: '7' },
        annotations: { value: '93.5' },
        links: [{ title: 'Check', url: 'https://checks/disk', kind: 'Dashboard' }],
      },
    });
    const alert = 'alert' in outcome ? outcome.alert : {};
    expect(alert.startsAt?.toString()).toBe('2026-01-31T12:00:00Z');
    expect(alert.endsAt?.toString()).toBe('2026-01-31T12:30:00Z');
    expect(Object.keys(alert)).not.toContain('description');
    expect(apply(mapping, { kind: 'log' })).toEqual({ skipped: true });
  });

  it('names every expression that does not compile, with line and column', () => {
    const faults = checkMapping({
      key: 'item.',
      labels: { 'a"b': 'item.x &&\n wrong', fine: 'item.x' },
      links: [{ title: 'x', url: '(' }],
      items: 'item.list',
    });
    expect(faults.map((f) => f.field)).toEqual([
      'mapping.key',
      'mapping.labels["a\\"b"]',
      'mapping.links[0].url',
      'mapping.items',
    ]);
    expect(faults[1]?.message).toContain('line 2, column 2: unknown name "wrong"');
    expect(faults[3]?.message).toContain('expected one of body, headers');
  });

  it('says which expression failed on an item, and why; never that it is over', () => {
    const faultsOf = (mapping: Mapping, item: unknown) => {
      const outcome = apply(mapping, item);
      return 'faults' in outcome ? outcome.faults.map((f) => `${f.field}: ${f.found}`) : outcome;
    };
    expect(faultsOf({ key: 'item.id', title: 'item.title' }, {})).toEqual([
      'mapping.key: the error "field not found: id"',
      'mapping.title: the error "field not found: title"',
    ]);
    expect(faultsOf({ state: 'item.status' }, { status: 'OK' })).toEqual(['mapping.state: "OK"']);
    expect(faultsOf({ state: 'item.ok' }, { ok: true })).toEqual(['mapping.state: "true"']);
    expect(faultsOf({ state: 'item.status' }, {})).toHaveLength(1);
    expect(faultsOf({ labelsFrom: 'item' }, { a: { b: 1 } })).toEqual(['mapping.labelsFrom["a"]: a map']);
    expect(faultsOf({ when: 'item.a' }, { a: 'yes' })).toEqual(['mapping.when: "yes"']);
    expect(apply({ title: 'item.a' }, { a: 'x' }, { left: -1 })).toMatchObject({
      faults: [{ found: expect.stringContaining('cost') }],
    });
  });

  it('takes an item without what only says more of it, and says which expression failed', () => {
    const item = { id: 'a', at: 'soon', list: [1] };
    const mapping: Mapping = {
      key: 'item.id',
      title: 'item.list',
      description: 'item.text',
      severity: 'item.word',
      startsAt: 'item.at',
      annotations: { value: 'item.value', id: 'item.id' },
      labels: { host: 'item.host', id: 'item.id' },
      links: [
        { title: 'Broken', url: 'item.url' },
        { title: 'Whole', url: "'https://x.example/' + item.id" },
      ],
    };
    const outcome = apply(mapping, item);
    expect(outcome).toMatchObject({
      alert: { key: 'a', labels: { id: 'a' }, annotations: { id: 'a' }, links: [{ title: 'Whole' }] },
      odd: expect.arrayContaining([
        { field: 'mapping.startsAt', found: '"soon"', expected: expect.stringContaining('a time'), done: 'left out' },
      ]),
    });
    expect('odd' in outcome ? outcome.odd?.map(({ field }) => field) : outcome).toEqual([
      'mapping.title',
      'mapping.description',
      'mapping.severity',
      'mapping.startsAt',
      'mapping.labels["host"]',
      'mapping.annotations["value"]',
      'mapping.links[0].url',
    ]);
    // Here the labels tell faults apart.
    expect(apply({ labels: { host: 'item.host', id: 'item.id' } }, item)).toMatchObject({
      faults: [{ field: 'mapping.labels["host"]' }],
    });
  });

  it('finds the list of alerts in a body', () => {
    const items = (source: string, body: unknown) =>
      compileMapping({ items: source }).compiled.items({ body: celInput(body).value, headers: celInput({}).value });
    expect(items('body.alerts', { alerts: [1, 2] })).toEqual({ items: [1, 2] });
    expect(items('body.alerts', { alerts: 7 })).toMatchObject({
      fault: { field: 'mapping.items', found: '7', expected: 'a list' },
    });
    expect(items('body.alerts', {})).toMatchObject({ fault: { found: expect.stringContaining('field not found') } });
    expect(compileMapping({ title: 'item.a' }).compiled.items({ body: 1, headers: 1 })).toBeUndefined();
  });
});
