/**
 * One connection to GET /api/stream that never gives up: it reads, notices silence, and connects again within five seconds of
 * the server being back. It is read by fetch and not by EventSource, which hides comments (so silence), statuses and retries.
 */
import type { StreamEvent } from '@funnelai/domain/wire';
import { createSseParser } from './sse.ts';

/** The server sends a comment every 15 s; two of them missing means that the connection is dead. */
const SILENCE_MS = 35_000;
/** Waits between attempts; the last one repeats, and stays below the promised five seconds. */
const BACKOFF_MS = [250, 500, 1_000, 2_000, 4_000] as const;
/** How long a connection may take until its headers are there. */
const CONNECT_MS = 10_000;
/** Who may not listen is not asked about every few seconds: rights are granted by people. */
const FORBIDDEN_EVERY_MS = 60_000;

export interface ConnectionHandlers {
  onEvent(event: StreamEvent): void;
  /** Said once per loss, not per attempt. */
  onDown(reason: string): void;
  /** Kubernetes does not let this person watch; asked again now and then. */
  onForbidden(): void;
  onSignedOut(): void;
}
export interface Connection {
  /** Tries at once instead of waiting: the network came back, or a person looks. */
  retryNow(): void;
  close(): void;
}

/** Wait before attempt `n` (from 0), in milliseconds. */
export const backoffMs = (attempt: number): number => BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)] ?? 4_000;

async function readEvents(
  path: string,
  signal: AbortSignal,
  alive: () => void,
  onEvent: (event: StreamEvent) => void,
): Promise<string> {
  const response = await fetch(path, {
    headers: { accept: 'text/event-stream' },
    credentials: 'same-origin',
    signal,
    cache: 'no-store',
  });
  if (response.status === 401) return 'signed-out';
  if (response.status === 403) return 'forbidden';
  if (!response.ok || response.body === null) return `the stream answered ${response.status}`;
  alive();
  const parser = createSseParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return 'the stream ended';
    alive();
    for (const data of parser.push(value)) {
      // A parting word of the server (`bye`) changes nothing: the end of the stream follows it.
      const event = JSON.parse(data) as StreamEvent;
      if (event.type !== 'bye') onEvent(event);
    }
  }
}

/** Opens the stream at once and keeps it open until `close`. */
export function openConnection(path: string, handlers: ConnectionHandlers): Connection {
  let closed = false;
  let attempt = 0;
  let abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  let down = false;

  const watch = (ms: number) => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => abort.abort(new Error('the stream was silent')), ms);
  };

  async function run(): Promise<void> {
    abort = new AbortController();
    watch(CONNECT_MS);
    let reason: string;
    try {
      reason = await readEvents(
        path,
        abort.signal,
        () => watch(SILENCE_MS),
        (event) => {
          attempt = 0;
          down = false;
          handlers.onEvent(event);
        },
      );
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    clearTimeout(watchdog);
    if (closed) return;
    if (reason === 'signed-out') return handlers.onSignedOut();
    if (reason === 'forbidden') {
      handlers.onForbidden();
      down = false;
      timer = setTimeout(run, FORBIDDEN_EVERY_MS);
      return;
    }
    if (!down) handlers.onDown(reason);
    down = true;
    timer = setTimeout(run, backoffMs(attempt++));
  }
  void run();

  return {
    retryNow() {
      if (closed || !down) return;
      clearTimeout(timer);
      abort.abort();
      attempt = 0;
      timer = setTimeout(run, 0);
    },
    close() {
      closed = true;
      clearTimeout(timer);
      clearTimeout(watchdog);
      abort.abort();
    },
  };
}
