/**
 * Cuts a zstd body (RFC 8878) into its frames. Node's decoder stops in silence after the first, and where one was cut off: a body of lines
 * would be stored by half and answered 200. Walks from block to block, decodes nothing.
 */
import { ZSTD_FRAMES } from '../limits.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const BLOCK_HEADER_BYTES = 3;
const RUN_LENGTH = 1;
const RESERVED = 3;
const CHECKSUM_BYTES = 4;

/** Returns each frame that holds content. Throws RangeError, in words that complete "found …", for what ends within one, is none, or has too many. */
export function zstdFrames(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0, count = 1; at < bytes.length; count += 1) {
    if (count > ZSTD_FRAMES) throw new RangeError(`more than ${ZSTD_FRAMES} frames`);
    const magic = uint(bytes, at, 4);
    if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE) {
      at = within(bytes, at + 8 + uint(bytes, at + 4, 4));
      continue;
    }
    if (magic !== MAGIC) throw new RangeError(`something else at byte ${at}`);
    const end = endOf(bytes, at);
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  if (frames.length === 0) throw new RangeError('no frame');
  return frames;
}

function endOf(bytes: Buffer, start: number): number {
  const descriptor = uint(bytes, start + 4, 1);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : (CONTENT_SIZE_BYTES[sizeFlag] ?? 0);
  let at = start + 5 + (isSingleSegment ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 3] ?? 0) + sizeBytes;
  for (let isLast = false; !isLast; ) {
    const header = uint(bytes, at, BLOCK_HEADER_BYTES);
    const type = (header >> 1) & 3;
    if (type === RESERVED) throw new RangeError(`a block of no known type at byte ${at}`);
    isLast = (header & 1) === 1;
    at += BLOCK_HEADER_BYTES + (type === RUN_LENGTH ? 1 : header >> 3);
  }
  return within(bytes, at + ((descriptor & 4) === 0 ? 0 : CHECKSUM_BYTES));
}

function uint(bytes: Buffer, at: number, length: 1 | 3 | 4): number {
  within(bytes, at + length);
  return bytes.readUIntLE(at, length);
}

function within(bytes: Buffer, end: number): number {
  if (end > bytes.length) throw new RangeError('its end in the middle of a frame');
  return end;
}
