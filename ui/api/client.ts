/** The one door from the pages to the HTTP API: JSON in and out, a deadline per call, every failure an ApiError. */
import { ApiError, problemOf } from './problem.ts';

/** A read or write that takes longer is given up; writes may then have been carried out, and the message says so. */
const DEADLINE_MS = 20_000;

let onSignedOut: () => void = () => {};

/** Says what happens when any request answers 401. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}
/** For the live stream, which reads by itself. */
export function signedOut(): void {
  onSignedOut();
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  body?: unknown;
  signal?: AbortSignal;
  /** A 401 is an answer like others here: the sign-in form itself. */
  expectsSignedOut?: boolean;
}

async function send(path: string, o: RequestOptions, accept: string): Promise<Response> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const method = o.method ?? 'GET';
  const headers: Record<string, string> = { accept };
  if (method !== 'GET') headers['x-funnelai'] = '1';
  if (o.body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: o.body === undefined ? null : JSON.stringify(o.body),
      credentials: 'same-origin',
      signal: o.signal ? AbortSignal.any([o.signal, deadline]) : deadline,
    });
  } catch (error) {
    if (o.signal?.aborted) throw error;
    const what = deadline.aborted ? `did not answer within ${DEADLINE_MS / 1000} s` : 'cannot be reached';
    const after = method === 'GET' ? '' : ' The change may or may not have been made: look before you repeat it.';
    throw new ApiError(0, { code: 'Unavailable', message: `funnelAI ${what}.${after}`, requestId: '' });
  }
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => undefined);
  if (response.status === 401 && !o.expectsSignedOut) onSignedOut();
  throw problemOf(response.status, response.statusText, body);
}

/** The JSON answer; `undefined` for an empty one. Throws ApiError. */
export async function requestJson<T>(path: string, o: RequestOptions = {}): Promise<T> {
  const response = await send(path, o, 'application/json');
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** The answer as text, for YAML. Throws ApiError. */
export async function requestText(path: string, o: RequestOptions = {}): Promise<string> {
  return (await send(path, o, 'text/plain, application/yaml')).text();
}

/** A query string of the values that are there; lists repeat their key. */
export function queryString(values: Record<string, string | number | readonly string[] | undefined>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined || value === '') continue;
    if (typeof value === 'string' || typeof value === 'number') query.append(key, String(value));
    else for (const one of value) query.append(key, one);
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
