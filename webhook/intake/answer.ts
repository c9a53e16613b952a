/** What a sender is told, from what became of its alerts. Pure. */
import { INTAKE_PROBLEMS_LISTED, RETRY_AFTER_MS } from '../limits.ts';
import { type AlertProblem, type AlertWarning, discreet } from '../receivers/problem.ts';
import type { Reading } from '../receivers/receiver.ts';
import { retryAfter } from '../server/problems.ts';
import type { IngestResult } from './ingest.ts';
import { warned } from './warnings.ts';

export interface IntakeAnswer {
  status: 200 | 400 | 404 | 429 | 503;
  headers: Record<string, string>;
  body: IntakeReceipt;
}
/** Body of every answer to a body that could be read. */
export interface IntakeReceipt {
  code: 'Stored' | 'Invalid' | 'NotFound' | 'TooMany' | 'Unavailable';
  message: string;
  requestId: string;
  created: number;
  updated: number;
  unchanged: number;
  /** Alerts that are safe in the inbox and become Alerts later; none when absent. */
  inbox?: number;
  /** Alerts that must be sent again. */
  notStored: number;
  /** Alerts that will never be taken as they are, at most the first hundred faults. */
  problems: AlertProblem[];
  /** What was wrong with alerts that were taken, at most the first hundred; absent when nothing was. */
  warnings?: AlertWarning[];
}

/** Header of an answer: the stores that have what was stored, `etcd`, `inbox` or both. */
export const STORED_IN = 'funnelai-stored-in';

/**
 * Senders retry on 5xx and on nothing else (Alertmanager's notify/webhook, Prometheus' notifier), unless their format says that they do at 429, so 503 goes before 400:
 * a good alert that was not stored comes again, a bad one among it is named by that later answer too.
 */
export function answerFor(reading: Reading, result: IngestResult, requestId: string): IntakeAnswer {
  const all = [...reading.problems, ...result.refused].sort((a, b) => a.index - b.index);
  const bad = new Set(all.map((p) => p.index)).size;
  const { created, updated, unchanged } = result;
  const inbox = result.inbox ?? 0;
  const stored = created + updated + unchanged + inbox;
  const stores = [...(stored > inbox ? ['etcd'] : []), ...(inbox > 0 ? ['inbox'] : [])].join(', ');
  const storedIn: Record<string, string> = stores === '' ? {} : { [STORED_IN]: stores };
  const total = reading.received.length + new Set(reading.problems.map((p) => p.index)).size;
  const listed = all.slice(0, INTAKE_PROBLEMS_LISTED).map(discreet);
  const receipt = {
    requestId,
    created,
    updated,
    unchanged,
    ...(inbox > 0 ? { inbox } : {}),
    notStored: result.unavailable,
    problems: listed,
    ...(result.warnings === undefined ? {} : { warnings: result.warnings.listed }),
  };
  const cut =
    reading.truncated === 0
      ? leftOut(reading)
      : ` (the sender left ${reading.truncated} more out of this body: raise max_alerts of its webhook)`;
  const waits = inbox === 0 ? '' : `, ${inbox === stored ? '' : `${inbox} of them `}in the inbox for now`;
  const good = `${stored} of ${total} ${total === 1 ? 'alert is' : 'alerts are'} stored${waits}${cut}${warned(result.warnings)}`;
  const first = listed[0];
  const named = first === undefined ? '' : `; ${sentence(bad, first)}`;
  if (result.unavailable > 0) {
    const message = `${good}, ${result.unavailable} could not be stored: ${result.why ?? 'the API server is away'}. Send the whole body again${named}`;
    const headers = { ...storedIn, ...retryAfter(result.retryAfterMs ?? RETRY_AFTER_MS) };
    const body = { message, ...receipt };
    if (result.isTooMany) return { status: 429, headers, body: { code: 'TooMany', ...body } };
    return { status: 503, headers, body: { code: 'Unavailable', ...body } };
  }
  if (result.gone !== undefined) {
    return {
      status: 404,
      headers: storedIn,
      body: { code: 'NotFound', message: `${good}; ${result.gone}`, ...receipt },
    };
  }
  if (first !== undefined)
    return { status: 400, headers: storedIn, body: { code: 'Invalid', message: `${good}${named}`, ...receipt } };
  return { status: 200, headers: storedIn, body: { code: 'Stored', message: good, ...receipt } };
}

function sentence(bad: number, first: AlertProblem): string {
  return bad === 1 ? `1 is not: ${placed(first)}` : `${bad} are not, the first is ${placed(first)}`;
}

/** Returns one fault in a line: where, what was found, what was expected. */
export function placed({ index, field, found, expected }: AlertProblem): string {
  return `alerts[${index}]${field === '' ? '' : `.${field}`}: found ${found}, expected ${expected}`;
}

/** What of the body makes no alert, though nothing is wrong with it. */
function leftOut({ ignored }: Reading): string {
  const [first, ...others] = ignored;
  if (first === undefined) return '';
  return others.length === 0
    ? `; 1 part makes no alert: ${first}`
    : `; ${ignored.length} parts make no alert, the first: ${first}`;
}
