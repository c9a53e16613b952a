import { isUtf8 } from 'node:buffer';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cloudEvents } from '../receivers/cloudevents.ts';
import { jsonLines } from '../receivers/json-lines.ts';
import { openTelemetryLogs } from '../receivers/opentelemetry-logs.ts';
import { anEnvelope } from '../testing/envelope.ts';
import { asUtf8 } from './charset.ts';
import { inUtf8, readingOf } from './envelope.ts';

const read = (body: Buffer) => asUtf8(body).body.toString('utf8');
const latin1 = (text: string) => Buffer.from(text, 'latin1');

describe('a body that is not UTF-8', () => {
  it('is read as Windows-1252 where it is none, and what is UTF-8 beside it stays', () => {
    expect(read(latin1('{"a":"M\xfcnchen \x80 7"}'))).toBe('{"a":"München € 7"}');
    // Cut by its sender in the middle of a character, behind one that is whole.
    const cut = Buffer.concat([Buffer.from('{"a":"界'), Buffer.from('界').subarray(0, 2), Buffer.from('","b":"ü"}')]);
    expect(read(cut)).toBe('{"a":"界ç•","b":"ü"}');
    expect(asUtf8(cut).odd).toEqual({
      field: '',
      found: 'the byte 0xe7 at offset 9 of the body',
      expected: 'UTF-8',
      done: 'read as Windows-1252 where it is no UTF-8',
    });
  });

  it('is UTF-16 by its mark, or by how JSON begins, in either order', () => {
    const texts = ['{"a":"界🙂"}', '[]', '\ufeff{"a":"ü"}'];
    for (const text of texts) {
      const little = Buffer.from(text, 'utf16le');
      for (const body of [little, Buffer.from(little).swap16(), Buffer.concat([little, Buffer.from([7])])]) {
        expect(read(body)).toBe(text);
        expect(asUtf8(body).odd?.done).toBe('read as UTF-16');
      }
    }
  });

  it('is left alone where it is UTF-8, or gzip', () => {
    for (const body of [Buffer.from('{"a":"ü界🙂"}'), Buffer.alloc(0), Buffer.from('\ufeff{}'), gzipSync('{}')])
      expect(asUtf8(body)).toEqual({ body });
  });

  it('is UTF-8 afterwards, whatever it was, and odd only where it was none', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(fc.oneof(fc.constantFrom(0xe2, 0x82, 0xac, 0xc0, 0xed, 0xa0, 0xf0, 0x90, 0xf5), fc.nat(127)), {
        maxLength: 12,
      }),
    );
    fc.assert(
      fc.property(bytes, (some) => {
        // Not as UTF-16 and gzip begin.
        const body = Buffer.from([0x7b, 0x22, ...some]);
        const { body: text, odd } = asUtf8(body);
        expect(isUtf8(text)).toBe(true);
        expect(odd === undefined).toBe(isUtf8(body));
        expect(asUtf8(text)).toEqual({ body: text });
      }),
      { numRuns: 3_000 },
    );
  });

  it('is said with each of its alerts, and binary data is left to its format', async () => {
    const lines = inUtf8(
      jsonLines,
      anEnvelope('JsonLines', { body: latin1('{"log":"gr\xfcn","level":"error"}\n{"log":"b","level":"error"}') }),
    );
    const { received } = await readingOf(jsonLines, lines);
    expect(received.map(({ input }) => [input.title, input.odd?.[0]?.done])).toEqual([
      ['grün', 'read as Windows-1252 where it is no UTF-8'],
      ['b', 'read as Windows-1252 where it is no UTF-8'],
    ]);
    const headers = { 'ce-specversion': '1.0', 'content-type': 'application/octet-stream' };
    const binary = anEnvelope('CloudEvents', { body: Buffer.from([0xff, 0xfe, 1]), headers });
    expect(inUtf8(cloudEvents, binary)).toBe(binary);
    const otlp = anEnvelope('OpenTelemetryLogs', {
      body: Buffer.from([0x0a, 0xff]),
      headers: { 'content-type': 'application/x-protobuf' },
    });
    expect(inUtf8(openTelemetryLogs, otlp)).toBe(otlp);
  });
});
