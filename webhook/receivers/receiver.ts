/** What a receiver is: one format that senders speak, read into alerts. Storing, and who may come in, are left to the intake. */
import type { IncomingHttpHeaders } from 'node:http';
import type { AlertSource, AlertSourceSpec } from '@funnelai/crds/generated/types';
import type { AlertInput } from '@funnelai/domain/alert-input';
import type { Oddity } from '@funnelai/domain/possible-times';
import type { Temporal } from 'temporal-polyfill';
import type { IntakeAnswer } from '../intake/answer.ts';
import type { AlertProblem } from './problem.ts';

export type SourceFormat = AlertSourceSpec['format'];

/** One request to a source. */
export interface Envelope {
  /** As it came, inflated, but in UTF-8. */
  readonly body: Buffer;
  /** What a signature is over, where that is not the body. */
  readonly signed?: Buffer;
  /** What was odd about the text of the body. */
  readonly odd?: Oddity;
  readonly headers: IncomingHttpHeaders;
  /** Lower case, without parameters; empty when the sender named none. */
  readonly mediaType: string;
  /** What stands behind the source's own path: one of the receiver's `paths`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly source: AlertSource;
  readonly now: Temporal.Instant;
}

/** One alert that could be read, and where it stood in the body. */
export interface Received {
  index: number;
  input: AlertInput;
}

export interface Reading {
  received: Received[];
  problems: AlertProblem[];
  /** Alerts that the sender itself says it left out of the body. */
  truncated: number;
  /** Why parts of the body make no alert though nothing is wrong with them: one line for each such part. */
  ignored: string[];
  /** Bounds of limits.ts that were reached on the way, by name. */
  reached?: readonly string[];
}

export interface Receiver {
  readonly format: SourceFormat;
  /** Where it answers, behind the source's own path; '' is that path itself. */
  readonly paths: readonly string[];
  /** Does it read bodies of this type? Asked only when the sender named one. */
  takes(mediaType: string): boolean;
  /** What `takes` takes, for the message to whoever sent another. */
  readonly expects: string;
  /** Is this body no text, so that its bytes are to be left alone? None is where absent. */
  isBinary?(envelope: Envelope): boolean;
  /**
   * Reads the body, alert by alert: a bad one never spoils a good one. Throws `BodyProblem` when the body as a whole is not of this
   * format, `TooManyAlerts`, `MappingBroken`.
   */
  read(envelope: Envelope): Reading | Promise<Reading>;
  /**
   * The token, for formats whose clients cannot set the header Authorization: PagerDuty's routing_key. Asked only when that header is
   * missing, with a body that nobody has vouched for; must not throw.
   */
  senderToken?(envelope: Envelope): string | undefined;
  /** Where in the body that token stands, for the answer to who shows none. */
  readonly senderTokenField?: string;
  /**
   * Where the body itself is signed, or a handshake is part of the format: asked once the sender has proven what the source asks of it, and
   * before anything is read. Throws HttpProblem for what must not be taken.
   */
  admit?(envelope: Envelope): Promise<void>;
  /**
   * Where a sender asks by OPTIONS, before it sends anything, whether it is wanted: returns the headers that say yes, undefined for what
   * is no such question. Nobody has vouched for it, and nothing follows from the answer.
   */
  consent?(headers: IncomingHttpHeaders): Record<string, string> | undefined;
  /** Query parameter that may hold the token, for senders that can set nothing but an address. Addresses end up in logs: not ours, but perhaps a proxy's. */
  readonly tokenParameter?: 'token' | 'access_token';
  /** Its clients are known to hold what was answered 429 and to send it again; others are answered 503, for most drop it at 429. */
  readonly holdsAt429?: true;
  /** What this format's clients expect to hear instead of our own receipt. */
  reply?(answer: IntakeAnswer, reading: Reading, envelope: Envelope): Reply;
  /** The same for what is refused as a whole: before, or without, a reading. Only headers and body; the status stays. */
  refuse?(refusal: { status: number; message: string }, headers: IncomingHttpHeaders): Pick<Reply, 'headers' | 'body'>;
}

export interface Reply {
  status: number;
  headers: Record<string, string>;
  /** Nothing is sent when it is undefined. */
  body: unknown;
}

const JSON_TYPE = /^application\/(json|[\w.-]+\+json)$/;

/** The media types of JSON, with or without a schema of its own. */
export const takesJson = (mediaType: string): boolean => JSON_TYPE.test(mediaType);
