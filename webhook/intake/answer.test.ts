import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { readAlertmanager } from '../receivers/alertmanager.ts';
import { answerFor } from './answer.ts';
import type { IngestResult } from './ingest.ts';

const labels = { alertname: 'Down' };
const reading = (...alerts: unknown[]) =>
  readAlertmanager({ alerts }, 'Webhook', Temporal.Instant.from('2026-01-01T12:00:00Z'));
const result = (o: Partial<IngestResult>): IngestResult => ({
  created: 0,
  updated: 0,
  unchanged: 0,
  refused: [],
  unavailable: 0,
  ...o,
});

describe('the answer to a body', () => {
  it('is 200 when all is stored, and for an empty body', () => {
    expect(answerFor(reading({ status: 'firing', labels }), result({ created: 1 }), 'r')).toMatchObject({
      status: 200,
      body: { code: 'Stored', created: 1 },
    });
    expect(answerFor(reading(), result({}), 'r').status).toBe(200);
  });

  it('is 429 where the sender holds what is over its rate, and says when to come back', () => {
    const why = 'source demo/prom is over limits.ratePerSecond (1 alert a second, burst 2)';
    const over = result({ unavailable: 1, why, retryAfterMs: 2_500, isTooMany: true });
    expect(answerFor(reading({ status: 'firing', labels }), over, 'r')).toMatchObject({
      status: 429,
      headers: { 'retry-after': '3' },
      body: { code: 'TooMany', notStored: 1, message: expect.stringContaining(why) },
    });
  });

  it('says what made no alert, and why', () => {
    const left = { ...reading(), ignored: ['a change is no alert', 'another'] };
    expect(answerFor(left, result({}), 'r').body.message).toBe(
      '0 of 0 alerts are stored; 2 parts make no alert, the first: a change is no alert',
    );
  });

  it('says which store has what was stored', () => {
    const two = reading({ status: 'firing', labels }, { status: 'firing', labels: { alertname: 'Up' } });
    const stores = (o: Partial<IngestResult>) => answerFor(two, result(o), 'r').headers['funnelai-stored-in'];
    expect(stores({ created: 1, unchanged: 1 })).toBe('etcd');
    expect(stores({ inbox: 2 })).toBe('inbox');
    expect(stores({ created: 1, inbox: 1 })).toBe('etcd, inbox');
    expect(stores({ unavailable: 2 })).toBeUndefined();
    expect(answerFor(two, result({ created: 1, inbox: 1 }), 'r')).toMatchObject({
      status: 200,
      body: { inbox: 1, message: '2 of 2 alerts are stored, 1 of them in the inbox for now' },
    });
  });

  it('says what the sender should mend of what was taken, whatever else was not', () => {
    const warning = { index: 1, field: 'labels["pod"]', found: 'nothing', expected: 'a value', done: 'left out' };
    const warnings = { alerts: 3, listed: [warning] };
    const two = reading({ status: 'firing', labels }, { status: 'firing', labels }, 3);
    expect(answerFor(two, result({ created: 2, warnings }), 'r')).toMatchObject({
      status: 400,
      body: {
        warnings: [warning],
        message: expect.stringContaining(
          '2 of 3 alerts are stored; 3 with warnings, the first: alerts[1].labels["pod"] left out: found nothing, expected a value; 1 is not',
        ),
      },
    });
    expect(answerFor(two, result({ created: 2 }), 'r').body).not.toHaveProperty('warnings');
  });

  it('says when the sender itself left alerts out', () => {
    const cut = readAlertmanager(
      { truncatedAlerts: 7, alerts: [{ status: 'firing', labels }] },
      'Webhook',
      Temporal.Instant.from('2026-01-01T12:00:00Z'),
    );
    expect(answerFor(cut, result({ created: 1 }), 'r')).toMatchObject({
      status: 200,
      body: {
        message: '1 of 1 alert is stored (the sender left 7 more out of this body: raise max_alerts of its webhook)',
      },
    });
  });

  it('is 400 when only bad alerts are left over, and names the first', () => {
    const { status, body } = answerFor(
      reading({ status: 'firing', labels }, { labels: 3 }),
      result({ created: 1 }),
      'r',
    );
    expect(status).toBe(400);
    expect(body.message).toBe(
      '1 of 2 alerts are stored; 1 is not: alerts[1].labels: found the number 3, expected an object of text values',
    );
  });

  it('is 503 when a good alert was not stored, though others are bad: nothing else is retried', () => {
    const { status, headers, body } = answerFor(
      reading({ status: 'firing', labels }, 3),
      result({ unavailable: 1, retryAfterMs: 12_300, why: 'away' }),
      'r',
    );
    expect([status, headers['retry-after']]).toEqual([503, '13']);
    expect(body).toMatchObject({ notStored: 1, problems: [{ index: 1 }] });
  });

  it('lists no more than a hundred problems of a body that is all wrong', () => {
    const { body } = answerFor(reading(...Array.from({ length: 250 }, () => 0)), result({}), 'r');
    expect(body.problems).toHaveLength(100);
    expect(body.message).toContain('250 are not');
  });

  it('repeats no secret of what it found wrong', () => {
    const bad = reading(
      { status: 'Bearer hunter2hunter2', labels },
      { status: 'firing', labels: { password: [31337] } },
      { labels, endsAt: 'https://ana:hunter2@x.example' },
    );
    const text = JSON.stringify(answerFor(bad, result({}), 'r').body);
    expect(text).not.toMatch(/hunter2|31337/);
    expect(text).toContain('labels[\\"password\\"]');
  });
});
