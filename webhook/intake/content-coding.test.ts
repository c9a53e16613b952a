import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { silentLog } from '@funnelai/kube/log';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { INTAKE_BODY_BYTES, ZSTD_FRAMES } from '../limits.ts';
import { aBareApp, type BareApp, type RawAnswer, sendRaw } from '../testing/bare-app.ts';
import { anAlertSource } from '../testing/builders.ts';
import { zstdFrames } from './zstd-frames.ts';

let app: BareApp;
let titles: (string | undefined)[] = [];
beforeAll(async () => {
  const source = anAlertSource({ spec: { format: 'JsonLines' } });
  app = await aBareApp(silentLog(), { source, received: ({ input }) => titles.push(input.title) });
});
afterEach(() => {
  titles = [];
});
afterAll(() => app.stop());

/** In chunks of a size: where they are cut must not matter. */
function post(body: Buffer, coding: string, chunk = 1_000): Promise<RawAnswer> {
  const head = `POST /alerts/demo/prom HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer t\r\nContent-Type: application/json\r\nContent-Encoding: ${coding}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const parts: (string | Buffer)[] = [head];
  for (let at = 0; at < body.length; at += chunk) {
    const part = body.subarray(at, at + chunk);
    parts.push(`${part.length.toString(16)}\r\n`, part, '\r\n');
  }
  return sendRaw(app.port, [...parts, '0\r\n\r\n']);
}
const line = (message: string) => `${JSON.stringify({ level: 'error', message })}\n`;
const BODY = Buffer.from(line('Disk ü full') + line('Fan stopped'));
const TWO = ['Disk ü full', 'Fan stopped'];

const streamed = (bytes: Buffer) =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_contentSizeFlag]: 0, [constants.ZSTD_c_checksumFlag]: 1 } });
/** RFC 8878, 3.1.2. */
const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

describe('a compressed body', () => {
  it.each([
    ['gzip', gzipSync(BODY)],
    ['X-GZIP', gzipSync(BODY)],
    ['gzip', Buffer.concat([gzipSync(BODY.subarray(0, 30)), gzipSync(BODY.subarray(30))])],
    ['deflate', deflateSync(BODY)],
    ['zlib', deflateSync(BODY)],
    ['deflate', deflateRawSync(BODY)],
    ['deflate', deflateRawSync(BODY, { level: 0 })],
    ['br', brotliCompressSync(BODY)],
    ['zstd', zstdCompressSync(BODY)],
    ['zstd', Buffer.concat([streamed(BODY.subarray(0, 30)), skippable, streamed(BODY.subarray(30))])],
    ['gzip, identity', gzipSync(BODY)],
    [' , gzip ,', gzipSync(BODY)],
    ['identity', BODY],
    ['deflate, gzip', gzipSync(deflateSync(BODY))],
    ['zstd,br', brotliCompressSync(zstdCompressSync(BODY))],
  ])('of %s is read as what it was before, however it is cut into pieces (%#)', async (coding, body) => {
    for (const chunk of [1, 7, 1_000]) {
      titles = [];
      const answer = await post(body, coding, chunk);
      expect([answer.status, titles]).toEqual([200, TWO]);
    }
  });

  it.each([
    ['gzip', gzipSync(BODY).subarray(0, -1), 'gzip with a body that is not valid gzip (unexpected end of file)'],
    ['deflate', deflateSync(BODY).subarray(0, -1), 'deflate with a body that is not valid deflate'],
    ['br', brotliCompressSync(BODY).subarray(0, -1), 'br with a body that is not valid br'],
    ['zstd', zstdCompressSync(BODY).subarray(0, -1), 'not valid zstd (its end in the middle of a frame)'],
    ['zstd', BODY, 'not valid zstd (something else at byte 0)'],
    ['zstd', skippable, 'not valid zstd (no frame)'],
    ['zstd', Buffer.concat(Array(ZSTD_FRAMES + 1).fill(zstdCompressSync(BODY))), 'more than 64 frames'],
    ['br', Buffer.concat([brotliCompressSync(BODY), BODY]), 'something stands behind its end'],
    ['deflate', Buffer.concat([deflateSync(BODY), deflateSync(BODY)]), 'something stands behind its end'],
    ['gzip', Buffer.concat([gzipSync(BODY), BODY]), 'not valid gzip (incorrect header check)'],
    ['br', BODY, 'not valid br'],
    ['deflate', Buffer.alloc(0), 'not valid deflate'],
    ['br, gzip', gzipSync(BODY), 'not valid br'],
  ])('of %s that is not whole, or not of it, is 400 and not stored by half (%#)', async (coding, body, words) => {
    const answer = await post(body, coding);
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining(words)]);
    expect(titles).toEqual([]);
  });

  const large = Buffer.alloc(INTAKE_BODY_BYTES + 1, ' ');
  /** Pieces of nothing: 40 MB of raw deflate that make no byte, and compress by a thousand. */
  const emptyBlocks = Buffer.alloc(40_000_000, Buffer.from([0, 0, 0, 0xff, 0xff]));
  it.each([
    ['gzip', gzipSync(large)],
    ['deflate', deflateSync(large)],
    ['deflate', deflateRawSync(large)],
    ['br', brotliCompressSync(large, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ['zstd', zstdCompressSync(large)],
    ['gzip, gzip', gzipSync(gzipSync(large))],
    ['zstd, br', brotliCompressSync(zstdCompressSync(large))],
    ['deflate, gzip', gzipSync(emptyBlocks, { level: 1 })],
    ['deflate', emptyBlocks.subarray(0, INTAKE_BODY_BYTES + 1)],
    ['identity', large],
  ])('of %s is 413 where any step of it makes more than a body may have (%#)', async (coding, body) => {
    const answer = await post(body, coding, 1_000_000);
    expect([answer.status, answer.body]).toEqual([413, expect.stringContaining('expected at most so many')]);
  });

  it('of zstd with a window that would take more memory than its sender may ask for is 400', async () => {
    const wide = { params: { [constants.ZSTD_c_windowLog]: 25, [constants.ZSTD_c_contentSizeFlag]: 0 } };
    const answer = await post(zstdCompressSync(Buffer.alloc(20_000_000, 'ab'), wide), 'zstd');
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('too much memory')]);
  });

  it.each([
    ['snappy', 'found \\"snappy\\"'],
    ['gzip, lz4', 'found \\"lz4\\"'],
    ['gzip, gzip, gzip', 'found 3 of them'],
  ])('of %s is 415 with what is understood and what to set', async (coding, found) => {
    const answer = await post(BODY, coding);
    expect([answer.status, answer.headers['accept-encoding']]).toEqual([415, 'gzip, deflate, br, zstd']);
    expect(answer.body).toContain(`content-encoding: ${found}, expected gzip, deflate, br, zstd`);
    expect(answer.body).toContain('Set the compression of the sender to gzip');
  });
});

describe('a zstd body', () => {
  it('is cut where its frames end, whatever their headers have', () => {
    const known = zstdCompressSync(Buffer.alloc(100_000, 'a'));
    const frames = [zstdCompressSync(Buffer.alloc(0)), known, streamed(BODY), zstdCompressSync(Buffer.alloc(300))];
    expect(zstdFrames(Buffer.concat(frames))).toEqual(frames);
    for (let cut = 1; cut < known.length; cut += 1)
      expect(() => zstdFrames(known.subarray(0, cut))).toThrow('its end in the middle of a frame');
  });
});
