import { describe, expect, it } from 'vitest';
import { answerFor } from '../intake/answer.ts';
import type { IngestResult } from '../intake/ingest.ts';
import { readRecorded, recordedFormats } from '../testing/recorded.ts';
import { pagerDutyEvents, readPagerDuty } from './pagerduty-events.ts';
import type { Envelope } from './receiver.ts';

const read = (event: unknown, path = '') => readPagerDuty(Buffer.from(JSON.stringify(event)), path);
const trigger = (o: object = {}, payload: object = {}) => ({
  routing_key: 'R1',
  event_action: 'trigger',
  dedup_key: 'srv01/HTTP',
  payload: { summary: 'HTTP check failed', source: 'srv01', severity: 'critical', ...payload },
  ...o,
});
const input = (event: unknown) => read(event).received[0]?.input;
const stored: IngestResult = { created: 1, updated: 0, unchanged: 0, refused: [], unavailable: 0 };

function told(event: unknown, path = '', result: IngestResult = stored) {
  const reading = read(event, path);
  return pagerDutyEvents.reply?.(answerFor(reading, result, 'r'), reading, { path } as Envelope);
}

describe('a trigger', () => {
  it('without dedup_key is the same alert when it is sent again, and another when its content is', () => {
    const bare = (payload: object) => input(trigger({ dedup_key: undefined }, payload))?.dedupKey;
    expect(bare({ timestamp: '2026-03-01T14:00:00Z', severity: 'warning' })).toBe(bare({}));
    expect(bare({ source: 'srv02' })).not.toBe(bare({}));
    expect(bare({ custom_details: { disk: '/var' } })).not.toBe(bare({ custom_details: { disk: '/srv' } }));
    expect(input(trigger({ dedup_key: undefined }))?.notes).toEqual([expect.stringContaining('no dedup_key')]);
  });

  it('gives rules short details to match on, and keeps the rest as annotations', () => {
    const details = {
      cluster: 'eu-1',
      source: 'not this',
      trace: 'a\nb',
      error: { code: 502 },
      retries: 3,
      none: null,
    };
    expect(input(trigger({}, { class: 'http check', custom_details: details }))).toMatchObject({
      labels: { alertname: 'http check', source: 'srv01', cluster: 'eu-1', retries: '3' },
      annotations: { trace: 'a\nb', error: '{"code":502}' },
    });
    expect(input(trigger({}, { custom_details: 'just text' }))?.labels.custom_details).toBe('just text');
  });

  it('is taken with what there is of it', () => {
    const { title, notes } = input(trigger({}, { summary: undefined, class: 'ping', severity: undefined })) ?? {};
    expect(title).toBe('ping on srv01');
    expect(notes).toEqual([expect.stringContaining('payload.summary'), expect.stringContaining('payload.severity')]);
    expect(read(trigger({ payload: {} })).problems[0]?.field).toBe('payload');
  });

  it('is called what it is, not how many of it fire', () => {
    for (const state of ['[FIRING:1]', '[FIRING:12]', '[RESOLVED]', '[FIRING:2, RESOLVED:1]']) {
      const { title, labels } = input(trigger({}, { summary: `${state} Down (page)` })) ?? {};
      expect([title, labels?.alertname]).toEqual(['Down (page)', 'Down (page)']);
    }
    expect(input(trigger({}, { summary: '[FIRING:1]' }))?.title).toBe('[FIRING:1]');
    expect(input(trigger({}, { summary: '[db-1] is down' }))?.title).toBe('[db-1] is down');
  });

  it('with a timestamp began then, if nothing is stored yet', () => {
    const { startsAt, occurredAt } = input(trigger({}, { timestamp: '2026-03-01T14:02:10.315+0000' })) ?? {};
    expect([startsAt, occurredAt?.toString()]).toEqual([undefined, '2026-03-01T14:02:10.315Z']);
  });
});

describe('what follows a trigger', () => {
  it('resolves by the key alone, and changes nothing else', () => {
    expect(input({ event_action: 'resolve', dedup_key: 'srv01/HTTP' })).toMatchObject({
      state: 'Resolved',
      only: 'State',
    });
    expect(input(trigger({ event_action: 'resolve' }))).toMatchObject({
      state: 'Resolved',
      title: 'HTTP check failed',
    });
    expect(input(trigger({ event_action: 'resolve' }))?.only).toBe('State');
  });

  it('is noted when it is an acknowledgement', () => {
    const acknowledge = { event_action: 'acknowledge', dedup_key: 'srv01/HTTP', client: 'Icinga' };
    expect(input(acknowledge)).toMatchObject({ only: 'Acknowledgement', acknowledgedBy: 'Icinga' });
  });

  it('is refused without a key', () => {
    for (const event_action of ['resolve', 'acknowledge'])
      expect(read({ event_action, payload: { summary: 'x' } }).problems[0]?.field).toBe('dedup_key');
  });
});

describe('the answer', () => {
  it('is PagerDuty’s own, with the key', () => {
    expect(told(trigger())).toMatchObject({
      status: 202,
      body: { status: 'success', message: 'Event processed', dedup_key: 'srv01/HTTP' },
    });
    const change = { payload: { summary: 'Release 4.2' } };
    expect(told(change, '/v2/change/enqueue')).toMatchObject({
      status: 202,
      body: { status: 'success', message: 'Change event processed' },
    });
  });

  it('names what is wrong in PagerDuty’s error body, also when it is no JSON', () => {
    expect(told({ event_action: 'triggered' })).toMatchObject({
      status: 400,
      body: { status: 'invalid event', errors: [expect.stringContaining('event_action: found "triggered"')] },
    });
    const reading = readPagerDuty(Buffer.from('{"event_action":'), '');
    expect(pagerDutyEvents.reply?.(answerFor(reading, stored, 'r'), reading, { path: '' } as Envelope)).toMatchObject({
      status: 400,
      body: { status: 'invalid event', errors: [expect.stringContaining('line 1')] },
    });
  });

  it('says what is odd about an event that was taken beside what PagerDuty says', () => {
    const warning = { index: 0, field: 'occurredAt', found: '2036', expected: 'a time before now', done: 'left out' };
    expect(told(trigger(), '', { ...stored, warnings: { alerts: 1, listed: [warning] } })).toMatchObject({
      status: 202,
      body: { status: 'success', warnings: ['occurredAt left out: found 2036, expected a time before now'] },
    });
  });

  it('has the same shape where the event is not stored, or not let in', () => {
    const why = 'the API server is away';
    expect(told(trigger(), '', { ...stored, created: 0, unavailable: 1, why })).toMatchObject({
      status: 503,
      headers: { 'retry-after': expect.any(String) },
      body: { status: 'unavailable', message: expect.stringContaining(why), errors: [expect.stringContaining(why)] },
    });
    expect(pagerDutyEvents.refuse?.({ status: 401, message: 'The token is wrong.' }, {}).body).toEqual({
      status: 'invalid key',
      message: 'The token is wrong.',
      errors: ['The token is wrong.'],
    });
  });
});

it('shows its routing_key as the token, and none of what is no event', () => {
  const token = (body: string) => pagerDutyEvents.senderToken?.({ body: Buffer.from(body) } as Envelope);
  expect(token(JSON.stringify(trigger()))).toBe('R1');
  for (const body of ['', '{', '[{"routing_key":"R1"}]', '{"routing_key":{}}', '"R1"'])
    expect(token(body)).toBeUndefined();
});

it('leaves change events out, with the reason', async () => {
  const format = recordedFormats().find(({ receiver }) => receiver === pagerDutyEvents) ?? expect.fail();
  const change = format.bodies.find(({ story }) => story === 'change') ?? expect.fail();
  const reading = await readRecorded(format, change);
  expect(reading).toMatchObject({ received: [], problems: [], ignored: [expect.stringContaining('no alert')] });
});
