import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { STREAM_BATCH_MS, STREAM_HEARTBEAT_MS, STREAM_PENDING, STREAM_STALLED_MS } from '../limits.ts';
import { anIncident } from '../testing/builders.ts';
import { incidentItem } from './items.ts';
import { type EndReason, openStream } from './stream.ts';

/** A socket that takes everything until told to take nothing. */
class Socket extends EventEmitter {
  text = '';
  full = false;
  ended = false;
  destroyed = false;
  write(part: string): boolean {
    this.text += part;
    return !this.full;
  }
  end(): void {
    this.ended = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
  /** Events with data, parsed. */
  events(): { type: string; incidents?: { name: string; title: string }[]; reason?: string }[] {
    return [...this.text.matchAll(/^data: (.*)$/gm)].map((m) => JSON.parse(m[1] ?? ''));
  }
}
function aStream() {
  const clock = new FakeClock();
  const socket = new Socket();
  const reasons: EndReason[] = [];
  const stream = openStream(socket as unknown as ServerResponse, {
    clock,
    version: () => '7.8',
    onEnd: (r) => reasons.push(r),
  });
  const push = (uid: string, title = 't') =>
    stream.push({ kind: 'incident', uid, item: incidentItem(anIncident({ name: uid, spec: { title } })) });
  return { clock, socket, reasons, stream, push };
}

describe('a stream', () => {
  it('greets at once, and sends what changed together, each object once in its latest state', async () => {
    const { clock, socket, push } = aStream();
    expect(socket.events()[0]).toMatchObject({ type: 'hello', resumed: false });
    push('a', 'old');
    push('b');
    push('a', 'new');
    await clock.advance(STREAM_BATCH_MS - 1);
    expect(socket.events()).toHaveLength(1);
    await clock.advance(1);
    expect(socket.events()[1]?.incidents?.map((i) => [i.name, i.title])).toEqual([
      ['b', 't'],
      ['a', 'new'],
    ]);
  });

  it('keeps itself open by comments', async () => {
    const { clock, socket } = aStream();
    await clock.advance(2 * STREAM_HEARTBEAT_MS);
    expect(socket.text.match(/^:$/gm)).toHaveLength(2);
  });

  it('lets changes wait while the client is slow, and sends the latest of each when it is back', async () => {
    const { clock, socket, push } = aStream();
    socket.full = true;
    push('a', '1');
    await clock.advance(STREAM_BATCH_MS);
    const sent = socket.text;
    for (const title of ['2', '3', '4']) {
      push('a', title);
      await clock.advance(STREAM_BATCH_MS);
    }
    expect(socket.text).toBe(sent);
    socket.full = false;
    socket.emit('drain');
    expect(
      socket
        .events()
        .at(-1)
        ?.incidents?.map((i) => i.title),
    ).toEqual(['4']);
  });

  it('drops a client that takes nothing for too long, or lets too much gather', async () => {
    const stalled = aStream();
    stalled.socket.full = true;
    stalled.push('a');
    await stalled.clock.advance(STREAM_BATCH_MS + STREAM_STALLED_MS);
    expect([stalled.reasons, stalled.socket.destroyed]).toEqual([['slow'], true]);

    const flooded = aStream();
    for (let i = 0; i <= STREAM_PENDING; i += 1) flooded.push(`u${i}`);
    expect(flooded.reasons).toEqual(['slow']);
    expect(flooded.clock.pending()).toBe(0);
  });

  it('says why it ends, once, and leaves no timer behind', () => {
    const { clock, socket, reasons, stream, push } = aStream();
    push('a');
    stream.end('revoked');
    stream.end('shutdown');
    socket.emit('close');
    expect(socket.events().at(-1)).toEqual({ type: 'bye', reason: 'revoked' });
    expect([reasons, socket.ended, clock.pending()]).toEqual([['revoked'], true, 0]);
  });
});
