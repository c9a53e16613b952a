/** One request to a source as its traffic counts it, filled in while it is answered, and what of it is kept when it was refused. Pure. */
import type { IncomingHttpHeaders } from 'node:http';
import type { AlertSource } from '@funnelai/crds/generated/types';
import { cleanText, cutBytes } from '@funnelai/domain/bytes';
import type { Rejection } from '@funnelai/domain/wire-sources';
import type { Temporal } from 'temporal-polyfill';
import type { IntakeAnswer } from '../intake/answer.ts';
import { REJECTION_HEADER_BYTES, REJECTION_MESSAGE_BYTES } from '../limits.ts';
import { problemFrom } from '../server/problems.ts';
import { redactedBody, redactedText } from './redact.ts';

export interface Arrival {
  /** Absent while it is not known for whom it is: nobody's traffic then. */
  source?: AlertSource;
  /** Its sender has proven to be the source's own. */
  isKnown: boolean;
  /** Behind the source's own path. */
  path: string;
  headers: IncomingHttpHeaders;
  body?: Buffer;
  /** Alerts of it, good and bad. */
  alerts: number;
  stored: number;
  /** Those that were over the rate of the source; none where absent. */
  overRate?: number;
  refusal?: Refusal;
  /** A dry run is nobody's traffic. */
  isDryRun: boolean;
}
export interface Refusal {
  /** Code of the answer. */
  reason: string;
  status: number;
  message: string;
}

/** Whoever wants to know of each request, after it was answered. Must not throw. */
export interface ArrivalListener {
  saw(arrival: Arrival): void;
}

export const noListener: ArrivalListener = { saw: () => {} };

/** The refusal in an answer; undefined where every alert was taken. `why` is the reason of a 429 or 503, without numbers that differ each time. */
export function refusalIn({ status, body }: IntakeAnswer, why: string | undefined): Refusal | undefined {
  if (status === 200) return undefined;
  const first = body.problems[0];
  const place = first === undefined ? '' : `alerts[${first.index}]${first.field === '' ? '' : `.${first.field}`}`;
  const message =
    status === 503 || status === 429
      ? (why ?? 'not stored; its sender was told to send it again')
      : first === undefined
        ? body.message
        : `${place}: found ${first.found}, expected ${first.expected}`;
  return { reason: body.code, status, message };
}

/** The refusal of a request that ended in an error. */
export function refusalOf(error: unknown): Refusal {
  const { code, status, message } = problemFrom(error);
  return { reason: code, status, message };
}

/** What is kept of a refusal, whose message was made fit to be kept. */
export function rejectionOf(arrival: Arrival, refusal: Refusal, now: Temporal.Instant): Rejection {
  const { headers, body } = arrival;
  const at = now.toString({ fractionalSecondDigits: 3 });
  const contentType = headers['content-type'];
  const userAgent = headers['user-agent'];
  const short = (text: string) => cutBytes(cleanText(redactedText(text)), REJECTION_HEADER_BYTES);
  // Where we could not store it, or nobody vouched for it, the body is not what is wrong.
  const shown = body !== undefined && arrival.isKnown && refusal.status >= 400 && refusal.status < 500;
  return {
    firstAt: at,
    lastAt: at,
    count: 1,
    ...refusal,
    isKnown: arrival.isKnown,
    path: short(arrival.path),
    ...(contentType === undefined ? {} : { contentType: short(contentType) }),
    ...(userAgent === undefined ? {} : { userAgent: short(userAgent) }),
    ...(shown ? { body: redactedBody(body, contentType ?? '') } : {}),
  };
}

/** The message as it is kept: it may quote what was sent. */
export function messageOfRefusal({ message }: Pick<Refusal, 'message'>): string {
  return cutBytes(cleanText(redactedText(message)), REJECTION_MESSAGE_BYTES);
}
