/** What can go wrong between us and the API server, as types: who reads an error decides by them, never by its message. */

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

/** `details` of a Kubernetes Status: what the refusal is about. */
export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

export interface KubeErrorInit {
  status: number;
  reason: string;
  message: string;
  details?: StatusDetails | undefined;
  retryAfterMs?: number | undefined;
  transient: boolean;
  perhapsStored?: boolean;
  cause?: unknown;
}

/** The API server refused, or did not answer (`status` 0). */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** The Status' reason (`NotFound`, `Conflict`, …), or one of ours: `Timeout`, `ConnectionFailed`, `Aborted`, … */
  readonly reason: string;
  readonly details?: StatusDetails;
  /** How long the server asked us to wait. */
  readonly retryAfterMs?: number;
  /** Worth trying again as it is. A conflict is: after a fresh read. */
  readonly transient: boolean;
  /** A write whose fate is unknown: the server may have stored it though we saw no success. */
  readonly perhapsStored: boolean;

  constructor(init: KubeErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.status = init.status;
    this.reason = init.reason;
    if (init.details) this.details = init.details;
    if (init.retryAfterMs !== undefined) this.retryAfterMs = init.retryAfterMs;
    this.transient = init.transient;
    this.perhapsStored = init.perhapsStored ?? false;
  }

  /** `field: message` of each cause the server named; for conditions and for people. */
  get causes(): StatusCause[] {
    return this.details?.causes ?? [];
  }
}

/** The object is wrong: say so in its condition and wait for an edit; trying again changes nothing. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

const has = (status: number, reason?: string) => (e: unknown) =>
  e instanceof KubeError && e.status === status && (reason === undefined || e.reason === reason);

/** The object changed since it was read (or a precondition on uid failed). */
export const isConflict: (e: unknown) => boolean = (e) =>
  e instanceof KubeError && e.status === 409 && e.reason !== 'AlreadyExists';
export const isAlreadyExists: (e: unknown) => boolean = has(409, 'AlreadyExists');
export const isNotFound: (e: unknown) => boolean = has(404);
/** The resourceVersion or continue token is too old: list again. */
export const isGone: (e: unknown) => boolean = (e) =>
  e instanceof KubeError && (e.status === 410 || e.reason === 'Expired' || e.reason === 'Gone');
export const isForbidden: (e: unknown) => boolean = has(403);
/** Schema, CEL or admission refused the content. */
export const isInvalid: (e: unknown) => boolean = has(422);
/** The namespace is being deleted: creates are refused for good, which is nobody's fault. */
export const isNamespaceTerminating: (e: unknown) => boolean = (e) =>
  e instanceof KubeError &&
  e.status === 403 &&
  (e.causes.some((c) => c.reason === 'NamespaceTerminating') || e.message.includes('because it is being terminated'));

/** An admission webhook that has to say yes does not answer: the API server is well, and takes none of what that one looks at. */
export const isAdmissionAway: (e: unknown) => boolean = (e) =>
  e instanceof KubeError && e.status === 500 && e.message.includes('failed calling webhook');

/** A message for logs whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The connection could not be described: which file or value, what was expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
