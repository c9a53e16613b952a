/**
 * Undoes Content-Encoding (RFC 9110, 8.4): gzip, deflate, br, zstd, and two of them on top of each other. What goes into each step and what
 * comes out of it is bounded alike, so that no body grows beyond what may be held, nor keeps a step busy for nothing. A body that is not
 * whole, or has something behind its end, is refused: half of it would be stored, and the sender told 200.
 */
import { pipeline } from 'node:stream';
import {
  type BrotliDecompress,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  type Gunzip,
  type ZstdDecompress,
} from 'node:zlib';
import { INTAKE_CODINGS, ZSTD_WINDOW_LOG } from '../limits.ts';
import { zstdFrames } from './zstd-frames.ts';

type Coding = 'gzip' | 'deflate' | 'br' | 'zstd';
type Bytes = AsyncIterable<Buffer>;
type Decoder = Gunzip | BrotliDecompress | ZstdDecompress;

/** For the header Accept-Encoding of a 415. */
export const ACCEPTED_CODINGS = 'gzip, deflate, br, zstd';
const CODINGS: ReadonlyMap<string, Coding> = new Map<string, Coding>([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  // As the OpenTelemetry Collector calls it.
  ['zlib', 'deflate'],
  ['br', 'br'],
  ['zstd', 'zstd'],
]);
const SHOWN = 40;

/** The body's encoding is not one that is understood. */
export class UnknownCoding extends Error {
  /** The bound of limits.ts that was reached, by name. */
  readonly limit: 'INTAKE_CODINGS' | undefined;
  constructor(found: string, limit?: 'INTAKE_CODINGS') {
    super(
      `content-encoding: found ${found}, expected ${ACCEPTED_CODINGS}, at most ${INTAKE_CODINGS} of them, or none. Set the compression of the sender to gzip, or to none.`,
    );
    this.name = 'UnknownCoding';
    this.limit = limit;
  }
}
/** It is, but the body is not of it. */
export class BrokenCoding extends Error {
  constructor(coding: Coding, why: string) {
    super(
      `content-encoding: found ${coding} with a body that is not valid ${coding} (${why}), expected one that is, or no such header`,
    );
    this.name = 'BrokenCoding';
  }
}

/** Returns the codings of a header in the order in which they were applied. Throws `UnknownCoding`. */
export function codingsIn(header = ''): Coding[] {
  const names = header.split(',').map((name) => name.trim().toLowerCase());
  const asked = names.filter((name) => name !== '' && name !== 'identity');
  if (asked.length > INTAKE_CODINGS) throw new UnknownCoding(`${asked.length} of them`, 'INTAKE_CODINGS');
  return asked.map((name) => {
    const coding = CODINGS.get(name);
    if (coding === undefined) throw new UnknownCoding(JSON.stringify(name.slice(0, SHOWN)));
    return coding;
  });
}

export interface Steps {
  /** Goes round what each step takes; what the last one gives is left to the caller. */
  bounded(bytes: Bytes): Bytes;
  /** Is told of bytes that a step takes into memory. */
  hold(bytes: number): void;
}

/** Returns what was there before the codings were applied. */
export function decoded(body: Bytes, codings: readonly Coding[], { bounded, hold }: Steps): Bytes {
  return codings.toReversed().reduce((bytes, coding) => undo(coding, bounded(bytes), hold), body);
}

function undo(coding: Coding, bytes: Bytes, hold: Steps['hold']): Bytes {
  switch (coding) {
    case 'gzip':
      return through(coding, createGunzip(), bytes);
    case 'br':
      return through(coding, createBrotliDecompress(), bytes);
    case 'deflate':
      return inflated(bytes);
    case 'zstd':
      return unframed(bytes, hold);
  }
}

/** "deflate" is zlib's format (RFC 1950); many send what is inside of it (RFC 1951), which cannot begin as zlib's header does. */
async function* inflated(bytes: Bytes): Bytes {
  const iterator = bytes[Symbol.asyncIterator]();
  let next = await iterator.next();
  while (next.done !== true && next.value.length === 0) next = await iterator.next();
  const first = next.done === true ? Buffer.alloc(0) : next.value;
  const isZlib = first.length === 0 || ((first[0] ?? 0) & 0x0f) === 8;
  const whole = (async function* () {
    yield first;
    yield* { [Symbol.asyncIterator]: () => iterator };
  })();
  yield* through('deflate', isZlib ? createInflate() : createInflateRaw(), whole);
}

async function* unframed(bytes: Bytes, hold: Steps['hold']): Bytes {
  const parts: Buffer[] = [];
  for await (const part of bytes) {
    hold(part.length);
    parts.push(part);
  }
  let frames: Buffer[];
  try {
    frames = zstdFrames(Buffer.concat(parts));
  } catch (error) {
    if (error instanceof RangeError) throw new BrokenCoding('zstd', error.message);
    throw error;
  }
  const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG };
  for (const frame of frames) yield* through('zstd', createZstdDecompress({ params }), only(frame));
}

async function* only(bytes: Buffer): Bytes {
  yield bytes;
}

/** What goes wrong before the decoder is passed on as it is; what goes wrong in it is the body's fault. */
async function* through(coding: Coding, decoder: Decoder, bytes: Bytes): Bytes {
  let fed = 0;
  let cause: { error: unknown } | undefined;
  const feed = (async function* () {
    try {
      for await (const part of bytes) {
        fed += part.length;
        yield part;
      }
    } catch (error) {
      cause = { error };
      throw error;
    }
  })();
  pipeline(feed, decoder, () => {});
  try {
    yield* decoder as Bytes;
  } catch (error) {
    if (cause !== undefined) throw cause.error;
    throw error instanceof Error ? new BrokenCoding(coding, error.message) : error;
  }
  // gzip's decoder reads on by itself: the next member, or zeros that fill up a block.
  if (coding !== 'gzip' && fed > decoder.bytesWritten)
    throw new BrokenCoding(coding, 'something stands behind its end');
}
