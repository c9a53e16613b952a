/** From what came back, or did not, to a KubeError: the one place that judges what a failure means. */
import { KubeError, type StatusDetails } from './errors.ts';

/** Methods that change nothing. */
export const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';

const REASON_BY_STATUS: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};
/** How much of a body that is no Status goes into a message. */
const EXCERPT = 300;
/** The most we believe a server that asks us to wait. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/** We do not trust the certificate that the server shows. */
const DISTRUSTED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
];
/** Errors raised before a byte of the request left: nothing can have been stored. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_CLOSED',
  ...DISTRUSTED,
]);

interface Asked {
  method: string;
  path: string;
}

/** Milliseconds that `Retry-After` asks for (seconds, or an HTTP date seen from `nowMs`). */
export function retryAfterMs(header: string | string[] | undefined, nowMs: number): number | undefined {
  const value = Array.isArray(header) ? header[0] : header;
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS) : undefined;
}

/** The error that an HTTP answer other than 2xx stands for. */
export function errorOfAnswer(asked: Asked, status: number, body: string, retryAfter: number | undefined): KubeError {
  const s = parseStatus(body);
  const details = s?.details;
  const wait =
    retryAfter ??
    (details?.retryAfterSeconds === undefined
      ? undefined
      : Math.min(details.retryAfterSeconds * 1000, LONGEST_RETRY_AFTER_MS));
  const reason = s?.reason || REASON_BY_STATUS[status] || `HTTP${status}`;
  const said = s?.message || body.slice(0, EXCERPT).trim() || 'no message';
  // Overload is refused at the door and says when to come back; any other 5xx may come from behind it, after the write.
  const refused = status < 500 || (status === 503 && wait !== undefined);
  return new KubeError({
    status,
    reason,
    message: `${asked.method} ${asked.path}: ${status} ${reason}: ${said}`,
    details,
    retryAfterMs: wait,
    transient: status >= 500 || status === 429 || status === 408 || (status === 409 && reason !== 'AlreadyExists'),
    perhapsStored: !isRead(asked.method) && !refused,
  });
}

/** The error for an ERROR event of a watch. */
export function errorOfEvent(asked: Asked, object: unknown): KubeError {
  const code = (object as { code?: unknown } | null)?.code;
  return errorOfAnswer(asked, typeof code === 'number' ? code : 500, JSON.stringify(object ?? null), undefined);
}

/** The error for a connection that failed before or during an answer. */
export function errorOfFailure(asked: Asked, cause: unknown, answered: boolean): KubeError {
  const code = codeOf(cause);
  return new KubeError({
    status: 0,
    reason: 'ConnectionFailed',
    message: `${asked.method} ${asked.path}: ${answered ? 'the answer broke off' : 'no answer'}: ${describe(cause)}`,
    transient: true,
    perhapsStored: !isRead(asked.method) && (answered || !NOT_SENT.has(code)),
    cause,
  });
}

/** One of our own reasons, with the fate of a write unknown unless said otherwise. */
export function ownError(
  asked: Asked,
  reason: string,
  message: string,
  o: { sent?: boolean; cause?: unknown } = {},
): KubeError {
  return new KubeError({
    status: 0,
    reason,
    message: `${asked.method} ${asked.path}: ${message}`,
    transient: true,
    perhapsStored: !isRead(asked.method) && o.sent !== false,
    ...(o.cause === undefined ? {} : { cause: o.cause }),
  });
}

/** True for a keep-alive connection that the server closed as we sent: safe to repeat when nothing can change. */
export function isStaleConnection(error: unknown): boolean {
  return error instanceof KubeError && ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(codeOf(error.cause));
}

/** True when the server's certificate is not what we trust: the authority may have been replaced, in a file that we read a while ago. */
export function isDistrusted(error: unknown): boolean {
  return DISTRUSTED.includes(codeOf(error instanceof KubeError ? error.cause : error));
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return code ?? '';
}

function describe(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  return error instanceof Error ? error.message || codeOf(error) : String(error);
}

function parseStatus(body: string): { reason?: string; message?: string; details?: StatusDetails } | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const s = JSON.parse(body) as Record<string, unknown>;
    if (s.kind !== 'Status') return undefined;
    const details = s.details !== null && typeof s.details === 'object' ? (s.details as StatusDetails) : undefined;
    return {
      ...(typeof s.reason === 'string' ? { reason: s.reason } : {}),
      ...(typeof s.message === 'string' ? { message: s.message } : {}),
      ...(details ? { details } : {}),
    };
  } catch {
    return undefined;
  }
}
