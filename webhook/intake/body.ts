/** Reads a request's body within its bounds: as it comes, or what it was before it was compressed. Parsing is left to others. */
import type { IncomingMessage } from 'node:http';
import { codingsIn, decoded } from './content-coding.ts';

/** The body is larger than may be held. */
export class BodyTooLarge extends Error {
  readonly limit: number;
  constructor(limit: number) {
    super(`the body is larger than ${limit} bytes`);
    this.name = 'BodyTooLarge';
    this.limit = limit;
  }
}
/** The client went away in the middle. */
export class BodyAborted extends Error {}

/**
 * Returns the whole body. `hold` is told of bytes as they are taken into memory and may throw to refuse more.
 * Throws `BodyTooLarge` (also when only what was compressed is too large), `UnknownCoding`, `BrokenCoding`, `BodyAborted`.
 */
export async function readBody(
  request: IncomingMessage,
  limit: number,
  hold: (bytes: number) => void,
): Promise<Buffer> {
  const codings = codingsIn(request.headers['content-encoding']);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new BodyTooLarge(limit);
  if (codings.length === 0) return collectPlain(request, limit, hold);
  const steps = { hold, bounded: (bytes: AsyncIterable<Buffer>) => bounded(bytes, limit) };
  return collect(decoded(request, codings, steps), limit, hold);
}

async function* bounded(bytes: AsyncIterable<Buffer>, limit: number): AsyncIterable<Buffer> {
  let size = 0;
  for await (const part of bytes) {
    size += part.length;
    if (size > limit) throw new BodyTooLarge(limit);
    yield part;
  }
}

const GONE = 'the client closed the connection before its body was complete';

/** By events: to iterate over a stream costs a body of one part more than to read it does. */
function collectPlain(request: IncomingMessage, limit: number, hold: (bytes: number) => void): Promise<Buffer> {
  // It has said so already, and says nothing more.
  if (request.destroyed) return Promise.reject(new BodyAborted(GONE));
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    function take(part: Buffer): void {
      size += part.length;
      try {
        if (size > limit) throw new BodyTooLarge(limit);
        hold(part.length);
        parts.push(part);
      } catch (error) {
        stop();
        // What is left of it is not read: see who answers.
        request.pause();
        reject(error);
      }
    }
    function end(): void {
      stop();
      resolve(parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, size));
    }
    function fail(error?: unknown): void {
      stop();
      reject(error === undefined || isCut(error) ? new BodyAborted(GONE) : error);
    }
    const close = () => fail();
    function stop(): void {
      request.off('data', take).off('end', end).off('error', fail).off('close', close);
    }
    request.on('data', take).on('end', end).on('error', fail).on('close', close);
  });
}

const isCut = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE');

async function collect(stream: AsyncIterable<Buffer>, limit: number, hold: (bytes: number) => void): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of stream) {
      size += part.length;
      if (size > limit) throw new BodyTooLarge(limit);
      hold(part.length);
      parts.push(part);
    }
  } catch (error) {
    throw isCut(error) ? new BodyAborted(GONE) : error;
  }
  return Buffer.concat(parts, size);
}
