import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from './connection.ts';
import { createSseParser } from './sse.ts';

const STREAM = ': hello\n\nid: 5\ndata: {"a":1}\n\n:\n\nevent: bye\r\ndata: one\r\ndata: two\r\n\r\ndata:three\n\n';
const EVENTS = ['{"a":1}', 'one\ntwo', 'three'];

describe('server-sent events', () => {
  it('are read however the network cuts them', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: STREAM.length }), { maxLength: 12 }), (cuts) => {
        const parser = createSseParser();
        const places = [0, ...cuts.sort((a, b) => a - b), STREAM.length];
        const events = places.slice(1).flatMap((end, i) => parser.push(STREAM.slice(places[i] ?? 0, end)));
        expect(events).toEqual(EVENTS);
      }),
    );
  });

  it('wait for the blank line: half an event is none', () => {
    const parser = createSseParser();
    expect(parser.push('data: x\n')).toEqual([]);
    expect(parser.push('\n')).toEqual(['x']);
  });

  it('are asked for again soon, and never more than five seconds apart', () => {
    const waits = Array.from({ length: 20 }, (_, n) => backoffMs(n));
    expect(waits[0]).toBeLessThan(500);
    expect(Math.max(...waits)).toBeLessThan(5_000);
    expect([...waits].sort((a, b) => a - b)).toEqual(waits);
  });
});
