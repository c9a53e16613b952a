/** One watch that is under way through the fault proxy: what a test can do to it while it runs. */
import type { ServerResponse } from 'node:http';

export interface LiveWatch {
  /** Path of the collection that is watched. */
  readonly path: string;
  /** Nothing more comes, and the connection stays open. */
  mute(): void;
  /** Breaks it off in the middle of a line: the first half of this event, or of one made up. */
  truncate(event?: unknown): void;
  /** Ends it in good order. */
  end(): void;
  /** Sends an event that the API server did not. */
  inject(event: unknown): void;
  /** Sends bytes that are no event. */
  garble(bytes: string): void;
  /** Each later line through this: none, several, or others. For events that get lost, or come in another order. */
  lines(change: (line: string) => string[]): void;
  /** From the API server; the proxy's own. */
  pass(bytes: Buffer): void;
}

export function createLiveWatch(path: string, response: ServerResponse): LiveWatch {
  let muted = false;
  let change: ((line: string) => string[]) | undefined;
  /** Bytes of a line that is not complete yet; only while lines are changed or something was sent in between. */
  let rest = Buffer.alloc(0);
  const send = (bytes: Buffer | string) => {
    // `writable` of an answer stays true after its end, and what the API server goes on sending would throw.
    if (!muted && !response.writableEnded && !response.destroyed) response.write(bytes);
  };
  return {
    path,
    mute() {
      muted = true;
    },
    truncate(event = { type: 'ADDED', object: { metadata: { name: 'half', resourceVersion: '1' } } }) {
      if (response.writableEnded || response.destroyed) return;
      const line = JSON.stringify(event);
      muted = true;
      response.write(line.slice(0, line.length / 2), () => response.destroy());
    },
    end: () => void response.end(),
    inject: (event) => send(`${JSON.stringify(event)}\n`),
    garble: (bytes) => send(bytes),
    lines(next) {
      change = next;
    },
    pass(bytes) {
      // Whole lines only, so that what a test injects stands between them.
      const all = Buffer.concat([rest, bytes]);
      const end = all.lastIndexOf(10) + 1;
      rest = all.subarray(end);
      if (end === 0) return;
      const whole = all.subarray(0, end);
      if (change === undefined) return send(whole);
      for (const line of whole.toString('utf8').trimEnd().split('\n')) {
        for (const kept of change(line)) send(`${kept}\n`);
      }
    },
  };
}
