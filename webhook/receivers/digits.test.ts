import { describe, expect, it } from 'vitest';
import { specsFrom } from '../testing/envelope.ts';
import type { SourceFormat } from './receiver.ts';

/** Two ids that are one as numbers. */
const IDS = ['9007199254740993', '9007199254740992'] as const;
const trigger = (key: string, details = '{}') =>
  `{"routing_key":"t","event_action":"trigger","dedup_key":${key},"payload":{"summary":"s","source":"x","severity":"error","custom_details":${details}}}`;
const otlp = (value: string) =>
  `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":17,"timeUnixNano":1769860800123456789,"body":{"stringValue":"m"},"attributes":[{"key":"alertname","value":{"stringValue":"A"}},{"key":"disk","value":{"intValue":${value}}}]}]}]}]}`;

const BODIES: [what: string, format: SourceFormat, body: (id: string) => string, spec?: object][] = [
  [
    'Datadog’s monitor, written without quotes',
    'Datadog',
    (id) => `{"alert_transition":"Triggered","alert_id":${id},"title":"t","alert_scope":"host:a"}`,
  ],
  ['PagerDuty’s dedup_key', 'PagerDutyEvents', (id) => trigger(id)],
  ['a key in a line', 'JsonLines', (id) => `{"alertname":"A","dedupKey":${id}}\n{"level":"info"}`],
  ['a label in a line', 'JsonLines', (id) => `{"alertname":"A","labels":{"disk":${id}}}`],
  [
    'JSON in a text of a line',
    'JsonLines',
    (id) => `{"log":"{\\"alertname\\":\\"A\\",\\"labels\\":{\\"disk\\":${id}}}"}`,
  ],
  ['what a mapping names', 'Generic', (id) => `{"id":${id}}`, { mapping: { key: 'item.id' } }],
  ['what a mapping makes a text of', 'Generic', (id) => `{"id":${id}}`, { mapping: { key: 'string(item.id)' } }],
  [
    'JSON in a text that a mapping opens',
    'Generic',
    (id) => `{"j":"{\\"id\\":${id}}"}`,
    { mapping: { key: 'json(item.j).id' } },
  ],
];

describe('ids beyond 2^53', () => {
  it.each(BODIES)('tell two faults apart: %s', async (_, format, body, spec = {}) => {
    const [one, other] = await Promise.all(IDS.map((id) => specsFrom(format, { body: body(id), spec })));
    expect([one?.length, other?.length]).toEqual([1, 1]);
    expect(one?.[0]?.fingerprint).not.toBe(other?.[0]?.fingerprint);
    expect(JSON.stringify(one)).toContain(IDS[0]);
  });

  it.each([
    ['a number', IDS[0]],
    ['the text that it should be', `"${IDS[0]}"`],
  ])('keep their digits in OTLP’s intValue, be it %s', async (_, value) => {
    expect(JSON.stringify(await specsFrom('OpenTelemetryLogs', { body: otlp(value) }))).toContain(`"${IDS[0]}"`);
  });

  it('keep their digits in annotations, and as times', async () => {
    const [spec] = await specsFrom('PagerDutyEvents', { body: trigger('"k"', `{"order":${IDS[0]}}`) });
    expect(JSON.stringify([spec?.annotations, spec?.labels])).toContain(IDS[0]);
    const [timed] = await specsFrom('OpenTelemetryLogs', { body: otlp('1') });
    expect(timed?.startsAt).toBe('2026-01-31T12:00:00.123456Z');
  });
});
