import { describe, expect, it } from 'vitest';
import { read, recorded, specsFrom } from '../testing/envelope.ts';
import { cloudEvents } from './cloudevents.ts';

const from = (file: string) => specsFrom('CloudEvents', recorded('CloudEvents', file));
const event = (o: object = {}) => ({ specversion: '1.0', id: '1', source: '/jobs', type: 'backup.failed', ...o });
const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
const one = async (o: object = {}) => (await specsFrom('CloudEvents', { body: event(o), headers: structured }))[0];

describe('a CloudEvent', () => {
  it('is the same alert structured, in a batch, and in headers; its id and time tell nothing apart', async () => {
    const files = ['firing.json', 'repeat.json', 'resolved.json', 'firing.binary.json'];
    const prints = (await Promise.all(files.map(from))).flat().map((spec) => spec.fingerprint);
    expect(new Set([...prints, (await from('batch.json'))[0]?.fingerprint]).size).toBe(1);
  });

  it('says what, where and how bad', async () => {
    const [spec] = await from('firing.json');
    expect(spec).toMatchObject({
      state: 'Firing',
      severity: 'High',
      title: 'Backup of orders failed after 312 s',
      startsAt: '2026-01-31T12:00:00.123456Z',
      labels: {
        alertname: 'com.example.backup.failed',
        source: 'https://backup.example.com/jobs',
        subject: 'db/orders',
        team: 'storage',
      },
      links: [{ url: 'https://runbooks.example.com/backup' }],
    });
    expect(Object.keys(spec?.labels ?? {})).not.toContain('traceparent');
    expect(spec?.annotations).toMatchObject({ traceparent: expect.any(String), attempt: '3' });
  });

  it('keeps attributes in any script that headers carry encoded', async () => {
    const [spec] = await from('firing.binary.json');
    expect(spec?.labels?.site).toBe('München 東京');
  });

  it('may carry data of any type', async () => {
    expect(await from('firing.binary-text.txt')).toMatchObject([
      { title: 'disk.full', description: 'disk full on /var\n' },
    ]);
    expect(await one({ data_base64: Buffer.from('{"title":"from bytes"}').toString('base64') })).toMatchObject({
      title: 'from bytes',
    });
    expect(await one({ data: '{"title":"from a text"}' })).toMatchObject({
      title: 'from a text',
      notes: expect.arrayContaining(['data was JSON in a text and is read as its fields']),
    });
    expect(await one({ data: [1, { a: 2 }] })).toMatchObject({ title: 'backup.failed' });
  });

  it('is told apart by a key or a subject that is a number, as JSON may have them', async () => {
    for (const name of ['dedupkey', 'subject']) {
      const prints = (await Promise.all([{ [name]: 4711 }, { [name]: 4712 }, { [name]: '4711' }].map(one))).map(
        (spec) => spec?.fingerprint,
      );
      expect(new Set(prints.slice(0, 2)).size).toBe(2);
      expect(prints[2]).toBe(prints[0]);
    }
    expect(await one({ severity: 2 })).toMatchObject({ originalSeverity: '2' });
  });

  it('has the data that come as bytes, also beside data that are null', async () => {
    const data_base64 = Buffer.from('{"title":"from bytes"}').toString('base64');
    expect(await one({ data: null, data_base64 })).toMatchObject({ title: 'from bytes' });
  });

  it('is another alert for another source, type or subject, and never by parts that run together', async () => {
    const prints = await Promise.all(
      [
        {},
        { source: '/job' },
        { type: 'backup.late' },
        { subject: 'a' },
        { subject: 'b' },
        { type: 'backup.failed","a' },
      ].map(one),
    );
    expect(new Set(prints.map((spec) => spec?.fingerprint)).size).toBe(6);
    expect((await one({ dedupkey: 'k', source: '/x' }))?.fingerprint).toBe(
      (await one({ dedupkey: 'k', type: 'y' }))?.fingerprint,
    );
  });

  it('says that it names no subject, for then two faults of one type are one alert, unless a mapping tells them apart', async () => {
    const note = 'the event names no subject: all events of its source and type are this one alert';
    expect((await one())?.notes).toEqual([note]);
    expect((await one({ subject: 'db/orders' }))?.notes ?? []).toEqual([]);
    expect((await one({ dedupkey: 'orders' }))?.notes ?? []).toEqual([]);
    const rule = (name: string) => event({ rule: name });
    const spec = { mapping: { key: 'item.rule' } };
    const headers = { 'content-type': 'application/cloudevents-batch+json' };
    const [shell, write] = await specsFrom('CloudEvents', { body: [rule('shell'), rule('write')], headers, spec });
    expect(shell?.fingerprint).not.toBe(write?.fingerprint);
    expect(shell?.notes ?? []).toEqual([]);
  });

  it.each([
    [{ type: 'backup.failed.resolved' }, 'Resolved'],
    [{ type: 'backup.failed.firing' }, 'Firing'],
    [{ state: 'Resolved' }, 'Resolved'],
    [{ data: { status: 'RESOLVED' } }, 'Resolved'],
    [{ data: { state: 'firing' }, type: 'backup.failed.resolved' }, 'Firing'],
    [{ state: 'firing', data: { status: 'resolved' } }, 'Firing'],
    [{ type: 'backup.unresolved' }, 'Firing'],
    [{ type: 'backup.resolved.v1' }, 'Firing'],
    [{ state: 'ok' }, 'Firing'],
    [{ data: { status: 'closed' } }, 'Firing'],
    [{ data: { state: ['resolved'] } }, 'Firing'],
  ])('%j is %s', async (o, state) => {
    expect((await one(o))?.state).toBe(state);
  });

  it('notes a state that it does not know, and a time that it cannot read', async () => {
    expect((await one({ subject: 'a', state: 'ok', time: 'soon' }))?.notes).toEqual([
      'state "ok" is neither firing nor resolved: taken for firing',
      'time is none that can be read: "soon"',
    ]);
  });

  it('resolves the episode of which it speaks at its own time', async () => {
    expect(await one({ type: 'backup.failed.resolved', time: '2026-01-31T12:30:00Z' })).toMatchObject({
      endsAt: '2026-01-31T12:30:00.000000Z',
    });
  });

  it('may have its version as a number, and no other version', async () => {
    expect(await one({ specversion: 1 })).toMatchObject({ labels: { alertname: 'backup.failed' } });
    const { problems } = await read('CloudEvents', { body: [event(), event({ specversion: 2 })], headers: structured });
    expect(problems).toMatchObject([{ index: 1, field: 'specversion', found: 'the number 2', expected: '"1.0"' }]);
  });

  it('is read by the source’s mapping before all else', async () => {
    const mapping = {
      key: 'item.data.host',
      state: "item.data.status == 'PASS' ? 'resolved' : 'firing'",
      when: "item.type != 'ping'",
    };
    const body = [event({ data: { host: 'web-1', status: 'PASS' } }), event({ type: 'ping' })];
    const parts = { body, headers: { 'content-type': 'application/cloudevents-batch+json' }, spec: { mapping } };
    expect(await specsFrom('CloudEvents', parts)).toMatchObject([
      { dedupKey: 'web-1', state: 'Resolved', labels: { alertname: 'backup.failed' } },
    ]);
  });
});

describe('what is no CloudEvent', () => {
  it('is named in its batch, whose others are taken', async () => {
    const { received, problems } = await read('CloudEvents', recorded('CloudEvents', 'malformed.json'));
    expect(received.map(({ index }) => index)).toEqual([0, 4]);
    expect(problems.map((p) => `${p.index} ${p.field}`)).toEqual(['1 source', '2 ', '3 specversion']);
  });

  it('is refused as a whole when there is none in it', async () => {
    await expect(
      read('CloudEvents', { body: { hello: 1 }, headers: { 'content-type': 'application/json' } }),
    ).rejects.toThrow('ce-specversion');
    await expect(read('CloudEvents', { body: 'hello', headers: { 'content-type': 'text/plain' } })).rejects.toThrow(
      'headers of a CloudEvent',
    );
    await expect(read('CloudEvents', { body: [1, 2], headers: structured })).rejects.toThrow('a list of 2');
    expect(await read('CloudEvents', { body: [], headers: structured })).toMatchObject({ received: [], problems: [] });
  });

  it('is not asked for where the type says so', () => {
    const types = [
      'application/cloudevents+json',
      'application/xml',
      'application/cloudevents+avro',
      'application/x-www-form-urlencoded',
    ];
    expect(types.map(cloudEvents.takes)).toEqual([true, true, false, false]);
  });
});
