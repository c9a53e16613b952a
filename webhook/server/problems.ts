/** Every answer that is not 2xx, as one kind of error, and how the API server's refusals become one. */
import type { Problem } from '@funnelai/domain/wire';
import { KubeError, messageOf, type StatusCause } from '@funnelai/kube/errors';

export type ProblemCode =
  | 'Unauthenticated'
  | 'Forbidden'
  | 'NotFound'
  | 'Conflict'
  | 'Invalid'
  | 'Unavailable'
  | 'TooLarge'
  | 'TooMany'
  | 'MethodNotAllowed'
  | 'UnsupportedMediaType'
  | 'Internal';

const STATUS: Record<ProblemCode, number> = {
  Unauthenticated: 401,
  Forbidden: 403,
  NotFound: 404,
  Conflict: 409,
  Invalid: 400,
  Unavailable: 503,
  TooLarge: 413,
  TooMany: 429,
  MethodNotAllowed: 405,
  UnsupportedMediaType: 415,
  Internal: 500,
};

export interface ProblemDetails {
  status?: number;
  headers?: Record<string, string>;
  field?: string;
  missing?: Problem['missing'];
  conflict?: Problem['conflict'];
  cause?: unknown;
}

/** Thrown by handlers; the error handler turns it into the answer. */
export class HttpProblem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly details: ProblemDetails;
  constructor(code: ProblemCode, message: string, details: ProblemDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'HttpProblem';
    this.code = code;
    this.status = details.status ?? STATUS[code];
    this.details = details;
  }
  /** The body of the answer. */
  toBody(requestId: string): Problem {
    const { field, missing, conflict } = this.details;
    return {
      code: this.code,
      message: this.message,
      requestId,
      ...(field === undefined ? {} : { field }),
      ...(missing === undefined ? {} : { missing }),
      ...(conflict === undefined ? {} : { conflict }),
    };
  }
}

/** `Retry-After` in whole seconds, at least one. */
export function retryAfter(ms: number): Record<string, string> {
  return { 'retry-after': String(Math.max(1, Math.ceil(ms / 1000))) };
}

/** Returns the problem for whatever was thrown; unknown things become `Internal` without their words. */
export function problemFrom(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof KubeError) return fromKube(error);
  return (
    fromFastify(error) ??
    new HttpProblem('Internal', 'Something went wrong in funnelAI. The log has it under this request’s id.', {
      cause: error,
    })
  );
}

function fromKube(error: KubeError): HttpProblem {
  const cause = error.details?.causes?.[0];
  const field = cause?.field === undefined || cause.field === '<nil>' ? {} : { field: cause.field };
  const said = apiServerWords(error);
  const words = cause?.message === undefined ? said : wordsOf(error);
  switch (error.status) {
    case 400:
    case 422:
      return new HttpProblem('Invalid', words, { status: 422, ...field, cause: error });
    case 401:
      return new HttpProblem('Unauthenticated', 'The API server no longer accepts this sign-in. Sign in again.', {
        cause: error,
      });
    case 403:
      return new HttpProblem('Forbidden', said, { cause: error });
    case 404:
    case 410:
      return new HttpProblem('NotFound', said, { cause: error });
    case 409:
      return new HttpProblem('Conflict', said, { cause: error });
    case 413:
      return new HttpProblem('TooLarge', said, { cause: error });
    default: {
      const wait = retryAfter(error.retryAfterMs ?? 1_000);
      const stored = error.perhapsStored ? ' The change may or may not have been made: look before you repeat it.' : '';
      const message = `The Kubernetes API server did not answer as it should: ${messageOf(error)}.${stored}`;
      return new HttpProblem('Unavailable', message, { headers: wait, cause: error });
    }
  }
}

/** What the API server itself said: the client puts the request and the status before it. */
export function apiServerWords(error: KubeError): string {
  return error.message.replace(/^[A-Z]+ \/\S*: \d+ \S+: /, '');
}

/** Each cause of a refusal once, in the API server's words. */
function wordsOf(error: KubeError): string {
  const causes = error.details?.causes ?? [];
  const isNamed = (c: StatusCause) => c.field !== undefined && c.field !== '<nil>';
  // Beside a fault that has a field, the one without says only that some rules could not be looked at for it.
  const said = causes.some(isNamed) ? causes.filter(isNamed) : causes;
  const lines = said.map((c) => (isNamed(c) ? `${c.field}: ${c.message ?? ''}` : (c.message ?? '')));
  return [...new Set(lines)].join('; ');
}

function fromFastify(error: unknown): HttpProblem | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  const status = Number(error.statusCode);
  if (status === 413)
    return new HttpProblem('TooLarge', 'The body of the request is larger than is accepted.', { cause: error });
  if (status === 415)
    return new HttpProblem('UnsupportedMediaType', 'Expected a body of content-type application/json.', {
      cause: error,
    });
  // The static plugin's word for a directory.
  if (status === 403) return new HttpProblem('NotFound', 'There is nothing here.', { cause: error });
  if (status === 404) return new HttpProblem('NotFound', withoutQuery(error.message), { cause: error });
  // A path whose part is longer than any name can be.
  if (status === 414) return new HttpProblem('NotFound', 'There is nothing at a path this long.', { cause: error });
  if (status >= 400 && status < 500)
    return new HttpProblem('Invalid', withoutQuery(error.message), { status, cause: error });
  return undefined;
}

/** The router repeats the address, and a query may hold a token. */
function withoutQuery(message: string): string {
  return message.replace(/\?[^\s'"]*/g, '');
}
