/** What a failed request is to the pages: the API's own Problem, or one made here when no proper answer came. */
import type { Problem } from '@funnelai/domain/wire';

/** An answer that is not 2xx, or none at all (`status` 0). `message` is written for people. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem;

  constructor(status: number, problem: Problem) {
    super(problem.message);
    this.name = 'ApiError';
    this.status = status;
    this.problem = problem;
  }

  /** Worth another try: nothing answered, or what answered is itself in trouble. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Any thrown thing as an ApiError, so that pages handle one type. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ApiError(0, { code: 'Internal', message, requestId: '' });
}

const isProblem = (body: unknown): body is Problem =>
  typeof body === 'object' && body !== null && 'code' in body && 'message' in body;

/** The Problem of an answer that is not 2xx; a proxy's error page becomes one that says where it came from. */
export function problemOf(status: number, statusText: string, body: unknown): ApiError {
  if (isProblem(body)) return new ApiError(status, body);
  return new ApiError(status, {
    code: 'Internal',
    message: `Expected an answer of funnelAI's API, got HTTP ${status}${statusText ? ` ${statusText}` : ''} without one. A proxy in between may be failing.`,
    requestId: '',
  });
}
