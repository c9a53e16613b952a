/** Reads a request's body within its bounds: as it comes, or inflated from gzip. Parsing is left to others. */
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** The body is larger than may be held. */
export class BodyTooLarge extends Error {
  readonly limit: number;
  constructor(limit: number) {
    super(`the body is larger than ${limit} bytes`);
    this.name = 'BodyTooLarge';
    this.limit = limit;
  }
}
/** The body's encoding is broken, or not one that is understood. */
export class BodyEncodingError extends Error {
  readonly supported: boolean;
  constructor(message: string, supported: boolean) {
    super(message);
    this.name = 'BodyEncodingError';
    this.supported = supported;
  }
}
/** The client went away in the middle. */
export class BodyAborted extends Error {}

/**
 * Returns the whole body. `hold` is told of bytes as they are taken into memory and may throw to refuse more.
 * Throws `BodyTooLarge` (also when only the inflated body is too large), `BodyEncodingError`, `BodyAborted`.
 */
export async function readBody(
  request: IncomingMessage,
  limit: number,
  hold: (bytes: number) => void,
): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new BodyTooLarge(limit);
  if (encoding === 'identity' || encoding === '') return collectPlain(request, limit, hold);
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw new BodyEncodingError(
      `content-encoding: found ${JSON.stringify(encoding.slice(0, 40))}, expected gzip or none`,
      false,
    );
  }
  const gunzip = createGunzip();
  pipeline(request, gunzip, () => {});
  try {
    return await collect(gunzip, limit, hold);
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      throw new BodyEncodingError(
        `content-encoding: found gzip with a body that is not valid gzip (${error.message}), expected one that is, or no such header`,
        true,
      );
    }
    throw error;
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
