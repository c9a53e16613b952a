import type { AlertSpec } from '@funnelai/crds/generated/types';
import { toAlertSpec } from '@funnelai/domain/alert-input';
import { sameAlert } from '@funnelai/domain/merge';
import { noteOf } from '@funnelai/domain/possible-times';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { answerFor } from '../intake/answer.ts';
import type { IngestResult } from '../intake/ingest.ts';
import { combined, reportOf } from '../intake/report.ts';
import { INTAKE_ALERT_ENTRIES, INTAKE_ALERTS, INTAKE_FAULTS_PER_ALERT } from '../limits.ts';
import { anAlertSource } from '../testing/builders.ts';
import { alertmanager, readAlertmanager } from './alertmanager.ts';
import { BodyProblem, TooManyAlerts } from './problem.ts';
import type { Envelope, Reading } from './receiver.ts';

const NOW = Temporal.Instant.from('2026-01-01T12:00:00Z');
const ZERO = '0001-01-01T00:00:00Z';
const labels = { alertname: 'Down' };
const micros = (time: string) => `2026-01-01T${time}.000000Z`;
const webhook = (...alerts: unknown[]) => readAlertmanager({ version: '4', alerts }, 'Webhook', NOW);
const apiV2 = (...alerts: unknown[]) => readAlertmanager(alerts, 'ApiV2', NOW);

describe('what Alertmanager’s webhook sends', () => {
  it('is read alert by alert, firing and resolved in one body', () => {
    const { received, problems } = webhook(
      {
        status: 'firing',
        labels,
        annotations: { summary: 'It is down' },
        startsAt: '2026-01-01T11:00:00.123456789Z',
        endsAt: ZERO,
        generatorURL: 'http://prometheus/graph',
        fingerprint: 'abc',
      },
      { status: 'resolved', labels, startsAt: '2026-01-01T11:00:00Z', endsAt: '2026-01-01T11:30:00+01:00' },
    );
    expect(problems).toEqual([]);
    expect(received.map((r) => [r.index, r.input.state])).toEqual([
      [0, 'Firing'],
      [1, 'Resolved'],
    ]);
    expect(received[0]?.input).toMatchObject({
      labels,
      state: 'Firing',
      annotations: { summary: 'It is down' },
      links: [{ url: 'http://prometheus/graph', kind: 'Source' }],
    });
    expect(received[0]?.input.startsAt?.toString()).toBe('2026-01-01T11:00:00.123456789Z');
    expect(received[0]?.input.endsAt).toBeUndefined();
  });

  it('names every fault of every bad alert by index and field, and keeps the good ones', () => {
    const { received, problems } = webhook(
      { status: 'firing', labels },
      7,
      { status: 'gone', labels: { a: [1], b: null } },
      { status: 'firing', labels: {} },
      { status: 'firing', labels: { pod: '' } },
    );
    expect(received.map((r) => r.index)).toEqual([0]);
    expect(problems.map((p) => [p.index, p.field, p.found])).toEqual([
      [1, '', 'the number 7'],
      [2, 'labels["a"]', 'a list of 1'],
      [2, 'status', '"gone"'],
      [3, 'labels', 'none'],
      [4, 'labels', '1 without a value'],
    ]);
  });

  it('is taken with values that are no text, and says what was made of them', () => {
    const body = (id: string) =>
      `{"alerts":[{"status":"firing","labels":{"alertname":"Down","code":500,"up":false,"id":${id},"password":71234567},
        "annotations":{"value":12.5,"last":[1,{"a":2}],"none":null}}]}`;
    const { received, problems } = alertmanager.read({
      body: Buffer.from(body('9007199254740993')),
      path: '',
      now: NOW,
    } as Envelope) as Reading;
    const { spec, odd } = toAlertSpec(received[0]?.input ?? expect.fail(), anAlertSource(), NOW);
    expect(problems).toEqual([]);
    expect(spec.labels).toMatchObject({ alertname: 'Down', code: '500', up: 'false', id: '9007199254740993' });
    expect(spec.annotations).toEqual({ value: '12.5', last: '[1,{"a":2}]' });
    expect(odd[0]).toEqual({
      field: 'labels["code"]',
      found: 'the number 500',
      expected: 'text',
      done: 'taken as text',
    });
    expect(spec.notes).toContain('annotations["last"] taken as text: found a list of 2, expected text');
    expect(JSON.stringify([spec, odd])).not.toContain('71234567');
  });

  it('is taken without a time that is none, where its state needs none', () => {
    const at = (alert: object, read: typeof webhook | typeof apiV2 = webhook) => {
      const { received, problems } = read({ labels, ...alert });
      const input = received[0]?.input;
      return input === undefined ? problems[0]?.field : [input.state, ...(input.odd ?? []).map(noteOf)];
    };
    const left = (field: string) => expect.stringContaining(`${field} left out: found "yesterday"`);
    expect(at({ status: 'firing', startsAt: 'yesterday' })).toEqual(['Firing', left('startsAt')]);
    expect(at({ status: 'resolved', endsAt: 'yesterday' })).toEqual(['Resolved', left('endsAt')]);
    expect(at({ startsAt: 'yesterday' }, apiV2)).toEqual(['Firing', left('startsAt')]);
    // Whether it is over stands there and nowhere else.
    expect(at({ endsAt: 'yesterday' })).toBe('endsAt');
    expect(at({ endsAt: 'yesterday' }, apiV2)).toBe('endsAt');
  });

  it('says with each alert how many others its sender left out', () => {
    const { received } = readAlertmanager(
      { alerts: [{ status: 'firing', labels }], truncatedAlerts: 7 },
      'Webhook',
      NOW,
    );
    const { spec } = toAlertSpec(received[0]?.input ?? expect.fail(), anAlertSource(), NOW);
    expect(spec.notes).toEqual([expect.stringContaining('7 more alerts out')]);
  });

  it('never takes an unknown status for resolved, and without one goes by the end', () => {
    expect(webhook({ status: 'gone', labels }).received).toEqual([]);
    expect(webhook({ status: ' RESOLVED', labels }).received[0]?.input.state).toBe('Resolved');
    expect(webhook({ status: 'Firing', labels }).received[0]?.input.state).toBe('Firing');
    expect(webhook({ labels, endsAt: ZERO }).received[0]?.input.state).toBe('Firing');
    expect(webhook({ status: '', labels, endsAt: ZERO }).received[0]?.input.state).toBe('Firing');
    expect(webhook({ labels, endsAt: '2026-01-01T11:59:59Z' }).received[0]?.input.state).toBe('Resolved');
  });

  it('takes the word of a sender whose clock is ahead', () => {
    const { input } = webhook({ status: 'resolved', labels, endsAt: '2026-01-01T12:00:30Z' }).received[0] ?? {};
    expect([input?.state, input?.endsAt?.toString()]).toEqual(['Resolved', '2026-01-01T12:00:30Z']);
  });

  it('keeps a label called __proto__ as one of its own, and pollutes nothing', () => {
    const body = JSON.parse('{"alerts":[{"status":"firing","labels":{"__proto__":"x","constructor":"y"}}]}');
    const { input } = readAlertmanager(body, 'Webhook', NOW).received[0] ?? {};
    expect(Object.entries(input?.labels ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('takes an empty list, and says where a bare list belongs', () => {
    expect(webhook()).toEqual({ received: [], problems: [], truncated: 0, ignored: [] });
    expect(() => readAlertmanager([], 'Webhook', NOW)).toThrow('…/api/v2/alerts');
    expect(() => readAlertmanager({}, 'Webhook', NOW)).toThrow('alerts: found nothing, expected a list of alerts');
  });
});

describe('what Prometheus sends to API v2', () => {
  it('takes an end that lies ahead for a lease: it fires until it hears no more', () => {
    const { input } =
      apiV2({ labels, startsAt: '2026-01-01T11:00:00Z', endsAt: '2026-01-01T12:04:00Z' }).received[0] ?? {};
    expect(input?.state).toBe('Firing');
    expect(input?.endsAt).toBeUndefined();
    expect(input?.leaseUntil?.toString()).toBe('2026-01-01T12:04:00Z');
  });

  it('takes an end that is past, or now, for resolved', () => {
    for (const endsAt of ['2026-01-01T11:59:00Z', '2026-01-01T12:00:00Z']) {
      const { input } = apiV2({ labels, startsAt: '2026-01-01T11:00:00Z', endsAt }).received[0] ?? {};
      expect(input?.state).toBe('Resolved');
      expect(input?.endsAt?.toString()).toBe(endsAt);
    }
  });

  it('drops labels without a value, and an alert that has no other', () => {
    expect(apiV2({ labels: { alertname: 'Down', pod: '', node: null } }).received[0]?.input.labels).toEqual(labels);
    expect(apiV2({ labels: { pod: '' } }).problems[0]?.field).toBe('labels');
  });

  it('is answered with nothing, unless there is something to mend', () => {
    const path = '/api/v2/alerts';
    const reading = apiV2({ labels });
    const reply = (o: Partial<IngestResult>) =>
      alertmanager.reply?.(
        answerFor(reading, { created: 1, updated: 0, unchanged: 0, refused: [], unavailable: 0, ...o }, 'r'),
        reading,
        { path } as Envelope,
      );
    expect(reply({})).toMatchObject({ status: 200, body: undefined });
    const warning = { index: 0, field: 'labels["pod"]', found: 'nothing', expected: 'a value', done: 'left out' };
    expect(reply({ warnings: { alerts: 1, listed: [warning] } })).toMatchObject({
      status: 200,
      body: { warnings: [warning] },
    });
  });

  it('ignores a status: it is not part of that API', () => {
    expect(apiV2({ labels, status: 'resolved' }).received[0]?.input.state).toBe('Firing');
  });
});

describe('times of a sender whose clock or unit is odd', () => {
  const firing = { status: 'firing', labels };
  const stored = (alert: object, read = apiV2) => {
    const { received, problems } = read({ labels, ...alert });
    expect(problems).toEqual([]);
    return toAlertSpec(received[0]?.input ?? expect.fail(), anAlertSource(), NOW).spec;
  };

  it('are taken: a start years ahead, with an end of now, is over now', () => {
    const spec = stored({ startsAt: '2036-01-01T00:00:00Z', endsAt: '2026-01-01T12:00:00Z' });
    expect(spec).toMatchObject({ state: 'Resolved', startsAt: micros('12:00:00'), endsAt: micros('12:00:00') });
    expect(spec.notes).toEqual([
      'startsAt left out: found 2036-01-01T00:00:00Z, expected a time before 2026-01-01T12:05:00Z',
    ]);
  });

  it('are taken: an end a little before its start is the start', () => {
    const spec = stored({ startsAt: '2026-01-01T11:59:59Z', endsAt: '2026-01-01T11:59:58Z' });
    expect(spec).toMatchObject({ state: 'Resolved', startsAt: micros('11:59:59'), endsAt: micros('11:59:59') });
    expect(spec.notes?.[0]).toBe(
      'endsAt taken for startsAt: found 2026-01-01T11:59:58Z, expected a time not before startsAt 2026-01-01T11:59:59Z',
    );
  });

  it.each([
    ['in seconds', 1_767_265_200],
    ['in milliseconds', 1_767_265_200_000],
    ['in microseconds, as text', '1767265200000000'],
    ['in seconds that were taken for milliseconds', '1970-01-21T10:54:25.2Z'],
    ['in milliseconds that were taken for seconds', '+057972-05-28T08:00:00.000Z'],
    ['without a colon in its offset', '2026-01-01T12:00:00+0100'],
    ['with a blank, as SQL has it', '2026-01-01 11:00:00'],
  ])('are read: a start %s', (_how, startsAt) => {
    expect(stored({ ...firing, startsAt }, webhook).startsAt).toBe(micros('11:00:00'));
  });

  it.each([
    [ZERO, 0],
    ['0001-01-01T00:00:00+09:00', 0],
    ['1601-01-01T00:00:00Z', 0],
    ['1970-01-01T00:00:00Z', 0],
    [0, 0],
    ['', 0],
    ['0000-06-01T00:00:00Z', 1],
    ['1899-12-30T00:00:00Z', 1],
    ['9999-12-31T23:59:59Z', 1],
    ['+123456-01-01T00:00:00Z', 1],
  ])('are none where they can be none: a start of %j', (startsAt, said) => {
    const spec = stored({ ...firing, startsAt }, webhook);
    expect([spec.startsAt, spec.notes?.length ?? 0]).toEqual([micros('12:00:00'), said]);
  });

  it('resolve nothing by an end that can be none, and nothing for ever', () => {
    expect(stored({ endsAt: '1970-01-01T00:00:00Z' }).state).toBe('Firing');
    expect(stored({ endsAt: '1899-12-30T00:00:00Z' })).toMatchObject({ state: 'Firing', notes: [expect.any(String)] });
    // Seconds for milliseconds: a lease of four minutes.
    expect(stored({ endsAt: '1970-01-21T10:54:29.04Z' })).toMatchObject({ leaseUntil: micros('12:04:00') });
    const over = stored({ status: 'resolved', endsAt: '9999-12-31T00:00:00Z' }, webhook);
    expect(over).toMatchObject({ state: 'Resolved', endsAt: micros('12:00:00'), notes: [expect.any(String)] });
    expect(stored({ endsAt: '9999-12-31T00:00:00Z' })).toMatchObject({ state: 'Firing' });
  });

  it('keep nothing from being resolved later', () => {
    const at = (minute: number) => NOW.add({ minutes: minute });
    const report = (minute: number, alert: object) => {
      const { input } = apiV2({ labels, startsAt: '2036-01-01T00:00:00Z', ...alert }).received[0] ?? expect.fail();
      return reportOf(input, toAlertSpec(input, anAlertSource(), at(minute)));
    };
    const fires = { endsAt: '2026-01-01T12:10:00Z' };
    const told = [report(0, fires), report(1, fires), report(2, { endsAt: '2026-01-01T12:00:00Z' })];
    const [first, repeat, over] = told.map((_, i) =>
      told.slice(0, i + 1).reduce(combined, undefined as AlertSpec | undefined),
    );
    expect(first?.startsAt).toBe(micros('12:00:00'));
    expect(sameAlert(first ?? expect.fail(), repeat ?? expect.fail())).toBe(true);
    expect(over?.state).toBe('Resolved');
  });
});

describe('any JSON at all', () => {
  const nearly = fc.record(
    {
      labels: fc.oneof(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.jsonValue())), fc.jsonValue()),
      annotations: fc.jsonValue(),
      status: fc.oneof(fc.constantFrom('firing', 'resolved'), fc.jsonValue()),
      startsAt: fc.oneof(
        fc.constant(ZERO),
        fc.date({ noInvalidDate: true }).map((d) => d.toISOString()),
        fc.string(),
      ),
      endsAt: fc.oneof(
        fc.constant(ZERO),
        fc.date({ noInvalidDate: true }).map((d) => d.toISOString()),
        fc.string(),
      ),
      generatorURL: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );

  it('is read or refused as a whole, never anything else; each alert is either received or named', () => {
    const bodies = fc.oneof(
      fc.jsonValue(),
      fc.array(fc.oneof(nearly, fc.jsonValue())),
      fc.record({ alerts: fc.array(fc.oneof(nearly, fc.jsonValue())) }),
    );
    fc.assert(
      fc.property(bodies, fc.constantFrom('Webhook' as const, 'ApiV2' as const), (body, shape) => {
        try {
          const { received, problems } = readAlertmanager(body, shape, NOW);
          const list = (shape === 'ApiV2' ? body : (body as { alerts: unknown[] }).alerts) as unknown[];
          const seen = new Set([...received, ...problems].map((x) => x.index));
          expect(seen.size).toBe(list.length);
          for (const { input } of received) toAlertSpec(input, anAlertSource(), NOW);
        } catch (error) {
          expect(error).toBeInstanceOf(BodyProblem);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is refused for its count before an alert of it is looked at', () => {
    const untouchable = new Proxy(
      {},
      { ownKeys: () => expect.fail('it was read'), get: () => expect.fail('it was read') },
    );
    const many = Array.from({ length: INTAKE_ALERTS + 1 }, () => untouchable);
    expect(() => webhook(...many)).toThrow(TooManyAlerts);
    expect(() => apiV2(...many)).toThrow(
      `alerts: found ${INTAKE_ALERTS + 1} in one body, expected at most ${INTAKE_ALERTS}`,
    );
    expect(webhook(...many.slice(1).map(() => ({ status: 'firing', labels }))).received).toHaveLength(INTAKE_ALERTS);
  });

  it('names a few faults of an alert, though all of its labels are wrong, and refuses labels without end', () => {
    const labelled = (count: number, value: unknown) =>
      webhook({
        status: 'firing',
        labels: Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${i}`, value])),
      });
    expect(labelled(1_000, 7).received[0]?.input.odd).toHaveLength(INTAKE_FAULTS_PER_ALERT);
    expect(labelled(1_000, [7]).problems).toHaveLength(INTAKE_FAULTS_PER_ALERT);
    expect(labelled(INTAKE_ALERT_ENTRIES, 'x').received).toHaveLength(1);
    expect(labelled(INTAKE_ALERT_ENTRIES + 1, 'x').problems).toEqual([
      { index: 0, field: 'labels', found: '4097 of them', expected: 'at most 4096' },
    ]);
  });

  it('is read however deep it is nested', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    expect(webhook({ labels: deep }).problems[0]?.found).toBe('a list of 1');
  });
});
