/**
 * GET /api/stream: what changes in the caches, for one person and what they may watch, as server-sent events (WHATWG HTML, 9.2).
 * A slow client costs a bounded queue and is then dropped: it reads its lists anew when it comes back.
 */
import type { ServerResponse } from 'node:http';
import type { KubeObject } from '@funnelai/crds/meta';
import type { StreamEvent } from '@funnelai/domain/wire';
import type { Cache, CacheEvent } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import { STREAM_BATCH_MS, STREAM_HEARTBEAT_MS, STREAM_PENDING, STREAM_STALLED_MS } from '../limits.ts';

/** Why a stream ended; the client is told in the last event. */
export type EndReason = Extract<StreamEvent, { type: 'bye' }>['reason'] | 'slow' | 'clientClosed';

type Changes = Extract<StreamEvent, { type: 'changes' }>;
type Deleted = Changes['deleted'][number];
export type Change =
  | { kind: 'incident'; uid: string; item: Changes['incidents'][number] }
  | { kind: 'alert'; uid: string; item: Changes['alerts'][number] }
  | { kind: 'deleted'; uid: string; item: Deleted };

/** One client. Changes of one object between two batches become one: the latest. */
export interface Stream {
  push(change: Change): void;
  /** Sends one event at once. */
  say(event: StreamEvent): void;
  end(reason: EndReason): void;
}

interface StreamDeps {
  clock: Clock;
  /** Opaque id of the state that has been sent. */
  version(): string;
  onEnd(reason: EndReason): void;
}

/** Takes over the response, whose head was written, until it ends. */
export function openStream(response: ServerResponse, deps: StreamDeps): Stream {
  const { clock } = deps;
  const pending = new Map<string, Change>();
  let ended = false;
  let blocked = false;
  let cancelFlush: (() => void) | undefined;
  let cancelStall: (() => void) | undefined;
  let cancelHeartbeat = clock.after(STREAM_HEARTBEAT_MS, heartbeat);

  function write(text: string): void {
    if (ended || response.destroyed) return;
    if (response.write(text)) return;
    blocked = true;
    cancelStall ??= clock.after(STREAM_STALLED_MS, () => end('slow'));
  }
  function send(event: StreamEvent): void {
    write(`id: ${deps.version()}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  function flush(): void {
    cancelFlush = undefined;
    // While the client takes nothing, the latest state of each object waits here and not in the socket.
    if (blocked || pending.size === 0) return;
    const changes = [...pending.values()];
    pending.clear();
    send({
      type: 'changes',
      incidents: changes.flatMap((c) => (c.kind === 'incident' ? [c.item] : [])),
      alerts: changes.flatMap((c) => (c.kind === 'alert' ? [c.item] : [])),
      deleted: changes.flatMap((c) => (c.kind === 'deleted' ? [c.item] : [])),
    });
  }
  function heartbeat(): void {
    if (!blocked) write(':\n\n');
    cancelHeartbeat = clock.after(STREAM_HEARTBEAT_MS, heartbeat);
  }
  function end(reason: EndReason): void {
    if (ended) return;
    if (reason !== 'slow' && reason !== 'clientClosed')
      write(`event: bye\ndata: ${JSON.stringify({ type: 'bye', reason } satisfies StreamEvent)}\n\n`);
    ended = true;
    cancelFlush?.();
    cancelStall?.();
    cancelHeartbeat();
    pending.clear();
    if (reason === 'slow' || blocked) response.destroy();
    else response.end();
    deps.onEnd(reason);
  }

  response.on('drain', () => {
    blocked = false;
    cancelStall?.();
    cancelStall = undefined;
    flush();
  });
  response.on('close', () => end('clientClosed'));
  response.on('error', () => end('clientClosed'));
  send({ type: 'hello', at: clock.now().toString(), resumed: false });

  return {
    push(change) {
      if (ended) return;
      // Deleted and made anew is another uid, so the latest word on each is the whole truth.
      pending.delete(change.uid);
      pending.set(change.uid, change);
      if (pending.size > STREAM_PENDING) end('slow');
      else cancelFlush ??= clock.after(STREAM_BATCH_MS, flush);
    },
    say(event) {
      // A client that takes nothing is told by the next one; what it missed is not the latest any more.
      if (!ended && !blocked) send(event);
    },
    end,
  };
}

/** Feeds a stream from a cache; returns what stops it. `visible` says which objects are this stream's. */
export function feed<T extends KubeObject>(
  stream: Stream,
  cache: Cache<T>,
  visible: (object: T) => boolean,
  change: (object: T) => Change,
): () => void {
  return cache.subscribe((event: CacheEvent<T>) => {
    if (!visible(event.object)) return;
    stream.push(event.type === 'deleted' ? deletion(event.object) : change(event.object));
  });
}

function deletion({ kind, metadata }: KubeObject): Change {
  const uid = metadata.uid ?? '';
  const item: Deleted = {
    kind: kind === 'Incident' ? 'Incident' : 'Alert',
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid,
  };
  return { kind: 'deleted', uid, item };
}
