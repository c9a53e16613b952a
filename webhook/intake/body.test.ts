import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BodyAborted, BodyTooLarge, readBody } from './body.ts';

const LIMIT = 100;
function aRequest(headers: IncomingHttpHeaders = {}) {
  const stream = new PassThrough();
  return { stream, request: Object.assign(stream, { headers }) as unknown as IncomingMessage };
}

describe('a body', () => {
  it.each([
    ['', []],
    ['one part', ['one part']],
    ['several parts', ['several', ' ', 'parts']],
  ])('is %j, in whatever parts it came', async (whole, parts) => {
    const { stream, request } = aRequest();
    let held = 0;
    const body = readBody(request, LIMIT, (bytes) => {
      held += bytes;
    });
    for (const part of parts) stream.write(part);
    stream.end();
    expect([(await body).toString(), held]).toEqual([whole, whole.length]);
  });

  it('is aborted when its sender goes away in the midst of it, or had gone before', async () => {
    for (const error of [undefined, Object.assign(new Error('aborted'), { code: 'ECONNRESET' })]) {
      const { stream, request } = aRequest();
      const body = readBody(request, LIMIT, () => {});
      stream.write('half');
      stream.destroy(error);
      await expect(body).rejects.toThrow(BodyAborted);
      await expect(readBody(request, LIMIT, () => {})).rejects.toThrow(BodyAborted);
    }
  });

  it('is refused when it is too long or finds no room, and what is left of it is not taken into memory', async () => {
    const long = aRequest();
    const tooLong = readBody(long.request, LIMIT, () => {});
    long.stream.write('x'.repeat(LIMIT + 1));
    await expect(tooLong).rejects.toThrow(BodyTooLarge);
    await expect(readBody(aRequest({ 'content-length': '101' }).request, LIMIT, () => {})).rejects.toThrow(
      BodyTooLarge,
    );
    const { stream, request } = aRequest();
    let asked = 0;
    const refused = readBody(request, LIMIT, () => {
      asked += 1;
      throw new Error('no room');
    });
    stream.write('first');
    await expect(refused).rejects.toThrow('no room');
    stream.write('second');
    await new Promise((resolve) => setImmediate(resolve));
    expect([asked, request.isPaused(), request.listenerCount('data')]).toEqual([1, true, 0]);
  });

  it('counts when it is inflated', async () => {
    const { stream, request } = aRequest({ 'content-encoding': 'gzip' });
    const body = readBody(request, LIMIT, () => {});
    stream.end(gzipSync('x'.repeat(LIMIT + 1)));
    await expect(body).rejects.toThrow(BodyTooLarge);
  });
});
