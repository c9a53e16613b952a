/**
 * Reads PagerDuty's Events API v2: trigger, acknowledge and resolve at /v2/enqueue, change events at /v2/change/enqueue, and answers
 * as PagerDuty does, so that its clients need another address and nothing else.
 */
import { createHash } from 'node:crypto';
import type { AlertInput } from '@funnelai/domain/alert-input';
import { utf8Bytes } from '@funnelai/domain/bytes';
import { noteOf } from '@funnelai/domain/possible-times';
import type { IntakeAnswer } from '../intake/answer.ts';
import { parseJson } from '../intake/json.ts';
import { INTAKE_ALERT_ENTRIES } from '../limits.ts';
import { type EventOutcome, readEvents } from './events.ts';
import { anyText, inner, lenientTime, scalar, scalarText, textsOf } from './lenient.ts';
import { BodyProblem, describe } from './problem.ts';
import { type Reading, type Receiver, type Reply, takesJson } from './receiver.ts';
import { type Fault, isRecord, own } from './values.ts';

const CHANGE = '/v2/change/enqueue';
const EXPECTED = 'an event of PagerDuty’s Events API v2: a JSON object with routing_key and event_action';
/** A custom detail of one line and at most this many bytes is a label, which rules can match; others are annotations. */
const LABEL_BYTES = 256;

export const pagerDutyEvents: Receiver = {
  format: 'PagerDutyEvents',
  paths: ['', '/v2/enqueue', CHANGE],
  takes: takesJson,
  expects: 'application/json',
  read: ({ body, path }) => readPagerDuty(body, path),
  senderToken: ({ body }) => {
    try {
      const event = parseJson(body);
      return isRecord(event) ? scalar(event, 'routing_key') : undefined;
    } catch {
      return undefined;
    }
  },
  senderTokenField: 'routing_key',
  reply: (answer, reading, { path }) => replyOf(answer, reading, path),
  refuse: ({ status, message }) => ({ headers: {}, body: errorOf(status, [message]) }),
};

/** Throws nothing: a body that is no event at all is a problem like any other, for PagerDuty's clients know one error body only. */
export function readPagerDuty(body: Buffer, path: string): Reading {
  try {
    const event = parseJson(body);
    if (!isRecord(event)) throw new BodyProblem('', describe(event), EXPECTED);
    return readEvents(event, EXPECTED, path === CHANGE ? readChange : readEvent);
  } catch (error) {
    if (!(error instanceof BodyProblem)) throw error;
    const problem = { index: 0, field: '', found: error.found, expected: EXPECTED };
    return { received: [], problems: [problem], truncated: 0, ignored: [] };
  }
}

function replyOf(answer: IntakeAnswer, reading: Reading, path: string): Reply {
  const { status, headers } = answer;
  if (status === 200) {
    const dedupKey = reading.received[0]?.input.dedupKey;
    const message = path === CHANGE ? 'Change event processed' : 'Event processed';
    const key = dedupKey === undefined ? {} : { dedup_key: dedupKey };
    const odd = answer.body.warnings?.map(noteOf);
    const warnings = odd === undefined ? {} : { warnings: odd };
    return { status: 202, headers, body: { status: 'success', message, ...key, ...warnings } };
  }
  if (status !== 400) return { status, headers, body: errorOf(status, [answer.body.message]) };
  const errors = answer.body.problems.map(
    ({ field, found, expected }) => `${field === '' ? 'the event' : field}: found ${found}, expected ${expected}`,
  );
  return { status, headers, body: { ...errorOf(status, errors), message: 'Event object is invalid' } };
}

/** What `status` says beside the message: PagerDuty's own words where its documentation has some. */
const ERRORS = new Map([
  [401, 'invalid key'],
  [404, 'not found'],
  [429, 'throttle exceeded'],
  [503, 'unavailable'],
]);

/** Its clients print these three and nothing else. */
const errorOf = (status: number, errors: readonly string[]) => ({
  status: ERRORS.get(status) ?? 'invalid event',
  message: errors[0] ?? '',
  errors,
});

function readChange(event: Record<string, unknown>, faults: Fault[]): EventOutcome {
  const summary = scalar(inner(event, 'payload'), 'summary');
  if (summary !== undefined) return { ignored: `change event ${describe(summary)}: a change is no alert` };
  faults.push({ field: 'payload.summary', found: 'nothing', expected: 'a text' });
  return undefined;
}

function readEvent(event: Record<string, unknown>, faults: Fault[]): EventOutcome {
  const action = scalar(event, 'event_action')?.toLowerCase();
  if (action === 'trigger') return triggered(event, faults);
  if (action === 'resolve' || action === 'acknowledge') return followUp(event, action, faults);
  const found = describe(own(event, 'event_action'));
  faults.push({ field: 'event_action', found, expected: '"trigger", "acknowledge" or "resolve"' });
  return undefined;
}

function triggered(event: Record<string, unknown>, faults: Fault[]): EventOutcome {
  const payload = inner(event, 'payload');
  const notes: string[] = [];
  const content = contentOf(event, payload, notes);
  if (content === undefined) {
    const found = describe(own(event, 'payload'));
    faults.push({ field: 'payload', found, expected: 'an object with summary, source and severity' });
    return undefined;
  }
  let dedupKey = scalar(event, 'dedup_key');
  if (dedupKey === undefined) {
    dedupKey = keyOfContent(payload);
    notes.push('no dedup_key: the key is made of summary, source, component, group, class and custom_details');
  }
  const occurredAt = lenientTime(payload, 'timestamp', notes);
  return { input: { ...content, state: 'Firing', dedupKey, occurredAt, notes } };
}

/** Most senders resolve by key alone, and Alertmanager under the title "[RESOLVED] …": what the trigger said stays. */
function followUp(event: Record<string, unknown>, action: 'resolve' | 'acknowledge', faults: Fault[]): EventOutcome {
  const dedupKey = scalar(event, 'dedup_key');
  if (dedupKey === undefined) {
    const found = describe(own(event, 'dedup_key'));
    faults.push({ field: 'dedup_key', found, expected: `the key of the event to ${action}` });
    return undefined;
  }
  const bare: AlertInput = {
    labels: { alertname: dedupKey },
    annotations: {},
    state: 'Resolved',
    only: 'State',
    links: [],
    dedupKey,
  };
  if (action === 'acknowledge')
    return { input: { ...bare, state: 'Firing', only: 'Acknowledgement', acknowledgedBy: scalar(event, 'client') } };
  const payload = inner(event, 'payload');
  const notes: string[] = [];
  const occurredAt = lenientTime(payload, 'timestamp', notes);
  const content = scalar(payload, 'summary') === undefined ? {} : contentOf(event, payload, notes);
  return { input: { ...bare, ...content, occurredAt, notes } };
}

/** How Alertmanager and Grafana begin a summary; rules that group by it would see another name with every alert that joins. */
const STATE_AND_COUNT = /^\[(?:FIRING|RESOLVED)(?::\d{1,9})?(?:, [^\]]{0,40})?\]\s{0,9}/;

/** Undefined when there is nothing by which a person could tell what is wrong. */
function contentOf(
  event: Record<string, unknown>,
  payload: Record<string, unknown>,
  notes: string[],
): Pick<AlertInput, 'labels' | 'annotations' | 'title' | 'severity' | 'links'> | undefined {
  const [sent, source, component, group, type] = ['summary', 'source', 'component', 'group', 'class'].map((key) =>
    scalar(payload, key),
  );
  const summary = sent?.replace(STATE_AND_COUNT, '') || sent;
  const what = summary ?? type ?? component;
  if (what === undefined && source === undefined) return undefined;
  const title = summary ?? [what ?? 'Event', source].filter((part) => part !== undefined).join(' on ');
  if (summary === undefined) notes.push('no payload.summary: the title is made of class, component and source');
  const severity = scalar(payload, 'severity');
  if (severity === undefined) notes.push('no payload.severity: it is the default of the source');
  const details = detailsOf(own(payload, 'custom_details'));
  const isLabel = (value: string) => utf8Bytes(value) <= LABEL_BYTES && !/[\r\n]/.test(value);
  const short = details.filter(([, value, isScalar]) => isScalar && isLabel(value));
  const labels = textsOf([
    ['alertname', type ?? title],
    ['source', source],
    ['component', component],
    ['group', group],
    ['class', type],
    ['severity', severity],
    ...short.map(([name, value]) => [name, value] as const),
  ]);
  const annotations = textsOf(
    details
      .filter(([, value, isScalar]) => !(isScalar && isLabel(value)))
      .map(([name, value]) => [name, value] as const),
  );
  return { labels, annotations, title, severity, links: linksOf(event) };
}

/** custom_details is an object by PagerDuty's documentation, and a bare text or list in the wild. */
function detailsOf(details: unknown): [name: string, value: string, isScalar: boolean][] {
  const entries: [string, unknown][] = isRecord(details) ? Object.entries(details) : [['custom_details', details]];
  return entries.slice(0, INTAKE_ALERT_ENTRIES).flatMap(([name, value]): [string, string, boolean][] => {
    const shown = anyText(value);
    return shown === undefined ? [] : [[name, shown, scalarText(value) !== undefined]];
  });
}

function linksOf(event: Record<string, unknown>): AlertInput['links'] {
  const list = (key: string) => {
    const value = own(event, key);
    return (Array.isArray(value) ? value : []).slice(0, INTAKE_ALERT_ENTRIES).filter(isRecord);
  };
  const clientUrl = scalar(event, 'client_url');
  return [
    ...list('links').flatMap((link) => {
      const url = scalar(link, 'href');
      return url === undefined ? [] : [{ title: scalar(link, 'text') ?? 'Link', url, kind: 'Other' as const }];
    }),
    ...list('images').flatMap((image) => {
      const url = scalar(image, 'href') ?? scalar(image, 'src');
      return url === undefined ? [] : [{ title: scalar(image, 'alt') ?? 'Image', url, kind: 'Graph' as const }];
    }),
    ...(clientUrl === undefined
      ? []
      : [{ title: scalar(event, 'client') ?? 'Source', url: clientUrl, kind: 'Source' as const }]),
  ];
}

/** The same trigger sent twice is one alert; PagerDuty itself would make a new one each time. Severity and time may change within it. */
function keyOfContent(payload: Record<string, unknown>): string {
  const parts = ['summary', 'source', 'component', 'group', 'class', 'custom_details'].map(
    (key) => anyText(own(payload, key)) ?? null,
  );
  return createHash('sha256').update(JSON.stringify(parts), 'utf8').digest('hex').slice(0, 32);
}
