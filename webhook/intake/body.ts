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
    if (
      error instanceof Error &&
      'code' in error &&
      (error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE')
    ) {
      throw new BodyAborted('the client closed the connection before its body was complete');
    }
    throw error;
  }
  return Buffer.concat(parts, size);
}
