/**
 * Reads what Alertmanager's webhook (version 4) and Prometheus (Alertmanager's API v2) send, alert by alert.
 * Promises never to throw on an alert and never to let a bad one spoil a good one; storing is left to the intake.
 * Sources: Alertmanager's `template.Data` (notifier/webhook) and `postableAlerts` of its OpenAPI v2.
 */
import type { AlertInput } from '@funnelai/domain/alert-input';
import { senderLinks } from '@funnelai/domain/alert-links';
import { LAST_MS, possibleTime } from '@funnelai/domain/possible-times';
import { Temporal } from 'temporal-polyfill';
import { parseJson } from '../intake/json.ts';
import { INTAKE_ALERTS, INTAKE_FAULTS_PER_ALERT } from '../limits.ts';
import { anyText, scalarText } from './lenient.ts';
import { type AlertProblem, BodyProblem, describe, TooManyAlerts } from './problem.ts';
import { type Reading, type Received, type Receiver, takesJson } from './receiver.ts';
import { type Fault, isRecord, own, readMap, readTime, type Said } from './values.ts';

/** `Webhook`: an object with `alerts`; `ApiV2`: the list itself. */
export type Shape = 'Webhook' | 'ApiV2';

/** Where Alertmanager's own API v2 takes alerts, behind the source's path. */
const API_V2 = '/api/v2/alerts';

export const alertmanager: Receiver = {
  format: 'Alertmanager',
  paths: ['', API_V2],
  takes: takesJson,
  expects: 'application/json',
  read: ({ body, path, now }) => readAlertmanager(parseJson(body), path === API_V2 ? 'ApiV2' : 'Webhook', now),
  reply: (answer, _reading, { path }) =>
    // Alertmanager's own API v2 answers 200 with nothing, and its clients read no more than the status; people do.
    path === API_V2 && answer.status === 200 && answer.body.warnings === undefined
      ? { ...answer, body: undefined }
      : answer,
};

/**
 * Returns the alerts that can be read and, for each that cannot, every fault of it, up to a bound.
 * Throws `BodyProblem` when the body as a whole is not of that shape, `TooManyAlerts` before it looks at one of them. `now` decides whether an `endsAt` is past.
 */
export function readAlertmanager(body: unknown, shape: Shape, now: Temporal.Instant): Reading {
  const list = alertsOf(body, shape);
  if (list.length > INTAKE_ALERTS) throw new TooManyAlerts(list.length, INTAKE_ALERTS);
  const received: Received[] = [];
  const problems: AlertProblem[] = [];
  const truncated = shape === 'Webhook' ? truncatedOf(body) : 0;
  const notes = truncated === 0 ? undefined : [leftOutBySender(truncated)];
  for (const [index, raw] of list.entries()) {
    const faults: Fault[] = [];
    const input = readAlert(raw, shape, now, faults);
    if (input !== undefined && faults.length === 0)
      received.push({ index, input: notes === undefined ? input : { ...input, notes } });
    else for (const fault of faults.slice(0, INTAKE_FAULTS_PER_ALERT)) problems.push({ index, ...fault });
  }
  return { received, problems, truncated, ignored: [] };
}

/** Its sender does not read what it is answered: whoever looks at the alert hears of it. */
const leftOutBySender = (count: number): string =>
  `its sender left ${count} more alerts out of the notification with this one: raise max_alerts of its webhook`;

/** Alertmanager's max_alerts: what it cuts off is said here and nowhere else. */
function truncatedOf(body: unknown): number {
  const count = isRecord(body) ? own(body, 'truncatedAlerts') : undefined;
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : 0;
}

function alertsOf(body: unknown, shape: Shape): unknown[] {
  if (shape === 'ApiV2') {
    if (Array.isArray(body)) return body;
    throw new BodyProblem('', describe(body), 'a JSON list of alerts, as Prometheus sends to /api/v2/alerts');
  }
  if (!isRecord(body)) {
    const hint = Array.isArray(body) ? ' (a bare list goes to …/api/v2/alerts)' : '';
    throw new BodyProblem('', describe(body), `the JSON object of Alertmanager’s webhook, with "alerts"${hint}`);
  }
  const alerts = own(body, 'alerts');
  if (!Array.isArray(alerts)) throw new BodyProblem('alerts', describe(alerts), 'a list of alerts');
  return alerts;
}

function readAlert(raw: unknown, shape: Shape, now: Temporal.Instant, faults: Fault[]): AlertInput | undefined {
  if (!isRecord(raw)) {
    faults.push({ field: '', found: describe(raw), expected: 'an object with labels' });
    return undefined;
  }
  const said: Said = { faults, odd: [] };
  // What is nested says something to who reads it, and tells no two faults apart.
  const labels = readMap(raw, 'labels', said, scalarText);
  const annotations = readMap(raw, 'annotations', said, anyText);
  if (Object.keys(labels).length === 0 && !faults.some((f) => f.field.startsWith('labels'))) {
    faults.push({ field: 'labels', found: emptyOf(own(raw, 'labels')), expected: 'at least one label with a value' });
  }
  const status = statusOf(raw, shape, faults);
  const startsAt = readTime(raw, 'startsAt', said, false);
  // Whether it lies ahead or is past is asked of what it must have been: a zero of another calendar is no end.
  const bounds = { nowMs: now.epochMilliseconds, latestMs: LAST_MS };
  // Where nothing else says whether it is over, an end that cannot be read may be one.
  const end = possibleTime('endsAt', readTime(raw, 'endsAt', said, status === undefined), bounds);
  const endsAt = end.instant;
  const isPast = endsAt !== undefined && Temporal.Instant.compare(endsAt, now) <= 0;
  const resolved = status === undefined ? isPast : status === 'resolved';
  const odd = end.odd === undefined ? said.odd : [...said.odd, end.odd];
  const generator = own(raw, 'generatorURL');
  return {
    labels,
    annotations,
    state: resolved ? 'Resolved' : 'Firing',
    ...(startsAt === undefined ? {} : { startsAt }),
    // An end that lies ahead is the sender's lease: the alert fires still.
    ...(resolved && endsAt !== undefined ? { endsAt } : {}),
    ...(!resolved && shape === 'ApiV2' && endsAt !== undefined ? { leaseUntil: endsAt } : {}),
    ...(odd.length === 0 ? {} : { odd }),
    links: senderLinks({ generatorURL: typeof generator === 'string' ? generator : undefined }),
  };
}

const emptyOf = (labels: unknown): string => {
  if (!isRecord(labels)) return describe(labels);
  const count = Object.keys(labels).length;
  return count === 0 ? 'none' : `${count} without a value`;
};

/** Alertmanager's webhook says it in words; API v2, and a body without the word, says it by an `endsAt` that is past: undefined. */
function statusOf(
  raw: Record<string, unknown>,
  shape: Shape,
  faults: Fault[],
): 'firing' | 'resolved' | 'unknown' | undefined {
  const status = shape === 'Webhook' ? own(raw, 'status') : undefined;
  // An empty word is how Go writes none.
  if (status === undefined || status === null || status === '') return undefined;
  const word = typeof status === 'string' ? status.trim().toLowerCase() : undefined;
  if (word === 'firing' || word === 'resolved') return word;
  // Guessing could resolve what still burns.
  faults.push({ field: 'status', found: describe(status), expected: '"firing" or "resolved"' });
  return 'unknown';
}
