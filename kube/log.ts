/** Structured logs to stdout. Secrets are taken out here, once, so that no caller has to remember it. */
import { type Logger, pino } from 'pino';

export type Log = Logger;

const SECRET_KEY = /^(authorization|cookie|set-cookie|.*(token|password|passwd|secret|private-?key|client-?key).*)$/i;
/** Names that end like a secret's and are none. */
const HARMLESS_KEY = /^(secretRef|secretName|continueToken)$/;
const REDACTED = '[redacted]';
const DEEPEST = 6;
const LONGEST_LIST = 100;

/** A logger by name: `log.info({ incident: 'pay/amber-falcon' }, 'opened')`. */
export function createLog(name: string, level = 'info'): Log {
  return pino({
    name,
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { log: (fields) => redact(fields, 0) as Record<string, unknown> },
    serializers: { err: describeError, error: describeError },
    hooks: {
      logMethod(args, method) {
        method.apply(this, args.map((a) => (typeof a === 'string' ? redactText(a) : a)) as typeof args);
      },
    },
  });
}

/** A logger that says nothing. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}

/** Takes bearer tokens and the passwords of URLs out of a text. */
export function redactText(text: string): string {
  return text
    .replace(/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]+/gi, `$1 ${REDACTED}`)
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]+@/gi, `$1:${REDACTED}@`);
}

/** A copy without secrets, bounded in depth and width. */
export function redact(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Error) return describeError(value);
  if (depth >= DEEPEST) return '[deeper]';
  if (Array.isArray(value)) return value.slice(0, LONGEST_LIST).map((v) => redact(v, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [
      k,
      SECRET_KEY.test(k) && !HARMLESS_KEY.test(k) && typeof v !== 'number' ? REDACTED : redact(v, depth + 1),
    ]),
  );
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return redact(error, 1);
  const { name, message, stack, cause } = error;
  const extra = Object.fromEntries(
    Object.entries(error).filter(([k]) => ['status', 'reason', 'code', 'transient', 'perhapsStored'].includes(k)),
  );
  return {
    type: name,
    message: redactText(message),
    ...extra,
    stack: stack && redactText(stack),
    ...(cause === undefined ? {} : { cause: redactText(cause instanceof Error ? cause.message : String(cause)) }),
  };
}
