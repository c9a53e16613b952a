/**
 * One stream for the whole browser. The tabs elect a leader by Web Lock; it holds the connections and hands each event on by
 * BroadcastChannel. A tab that is looked at takes the lead when nothing is heard, for timers of hidden tabs are slowed down.
 */
import type { StreamEvent } from '@funnelai/domain/wire';
import { type Connection, openConnection } from './connection.ts';
import type { LiveStatus } from './status.ts';

const NAME = 'funnelai.live';
/** How long a new tab waits for the leader's first word before it takes the lead itself. */
const PATIENCE_MS = 1_500;
/** Tabs repeat what they want this often, and it lapses after the second figure: hidden tabs are woken once a minute at most. */
const WANT_EVERY_MS = 30_000;
const WANT_LAPSES_MS = 200_000;

type Message =
  | { type: 'event'; scope: string; event: StreamEvent }
  | { type: 'status'; status: LiveStatus; hidden: boolean }
  | { type: 'want'; tab: string; scope: string | undefined };

export interface SharedStream {
  /** The namespace this tab needs to hear about; '' for all of them. */
  want(scope: string): void;
  close(): void;
}
export interface SharedStreamHandlers {
  onEvent(event: StreamEvent, scope: string): void;
  onStatus(status: LiveStatus): void;
  onSignedOut(): void;
}

/** Joins the browser's stream. */
export function joinSharedStream(handlers: SharedStreamHandlers): SharedStream {
  const tab = crypto.randomUUID();
  const channel = new BroadcastChannel(NAME);
  const wants = new Map<string, { scope: string; at: number }>();
  const connections = new Map<string, { connection: Connection; status: LiveStatus }>();
  let wanted: string | undefined;
  let leads = false;
  let heardAt = 0;
  /** How alerts come in, by scope, for tabs that join later: the stream says it at its beginning, and then only now and then. */
  const intake = new Map<string, StreamEvent>();
  let closed = false;
  let release: () => void = () => {};

  const tell = (message: Message) => channel.postMessage(message);
  const overall = (): LiveStatus => {
    let status: LiveStatus = { state: 'live' };
    for (const { status: one } of connections.values()) {
      if (one.state === 'down') return one;
      if (one.state !== 'live') status = one;
    }
    return connections.size === 0 ? { state: 'connecting' } : status;
  };
  const publish = () => {
    const status = overall();
    handlers.onStatus(status);
    tell({ type: 'status', status, hidden: document.visibilityState !== 'visible' });
  };

  /** Leader only: one connection per scope that some tab wants; '' covers every other. */
  function reconcile(): void {
    if (!leads) return;
    const now = Date.now();
    for (const [id, want] of wants) if (now - want.at > WANT_LAPSES_MS) wants.delete(id);
    let scopes = new Set([...wants.values()].map((want) => want.scope));
    if (wanted !== undefined) scopes.add(wanted);
    if (scopes.has('')) scopes = new Set(['']);
    for (const [scope, { connection }] of connections) {
      if (scopes.has(scope)) continue;
      connection.close();
      connections.delete(scope);
      intake.delete(scope);
    }
    for (const scope of scopes) if (!connections.has(scope)) open(scope);
    publish();
  }

  function open(scope: string): void {
    const entry: { connection: Connection; status: LiveStatus } = {
      status: { state: 'connecting' },
      connection: openConnection(scope === '' ? '/api/stream' : `/api/stream?namespace=${encodeURIComponent(scope)}`, {
        onEvent(event) {
          const was = entry.status.state;
          entry.status = { state: 'live' };
          if (was !== 'live') publish();
          handlers.onEvent(event, scope);
          tell({ type: 'event', scope, event });
          if (event.type === 'hello') intake.delete(scope);
          else if (event.type === 'intake') intake.set(scope, event);
        },
        onDown(reason) {
          entry.status = { state: 'down', since: Date.now(), reason };
          publish();
        },
        onForbidden() {
          entry.status = { state: 'forbidden' };
          publish();
        },
        onSignedOut: () => handlers.onSignedOut(),
      }),
    };
    connections.set(scope, entry);
  }

  function lead(): Promise<void> {
    leads = true;
    reconcile();
    return new Promise((resolve) => {
      release = resolve;
    });
  }
  function follow(): void {
    leads = false;
    for (const { connection } of connections.values()) connection.close();
    connections.clear();
    intake.clear();
    release();
  }
  function elect(steal: boolean): void {
    if (closed || leads) return;
    navigator.locks
      .request(NAME, { steal, mode: 'exclusive' }, () => (closed ? undefined : lead()))
      .catch(() => {
        // The lead was stolen by a tab that is looked at: wait in line again.
        follow();
        elect(false);
      });
  }

  const say = () => {
    if (wanted !== undefined) tell({ type: 'want', tab, scope: wanted });
    reconcile();
  };
  /** A visible tab that hears nothing or is told of a loss takes over, or tries at once. */
  const look = () => {
    if (document.visibilityState !== 'visible' || closed) return;
    if (leads) for (const { connection } of connections.values()) connection.retryNow();
    else {
      const asked = Date.now();
      setTimeout(() => !leads && heardAt < asked && elect(true), PATIENCE_MS);
    }
    say();
  };

  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.type === 'want') {
      if (data.scope === undefined) wants.delete(data.tab);
      else {
        const isNew = !wants.has(data.tab);
        wants.set(data.tab, { scope: data.scope, at: Date.now() });
        if (leads && isNew) for (const [scope, event] of intake) tell({ type: 'event', scope, event });
      }
      if (leads) reconcile();
      return;
    }
    if (leads) return;
    heardAt = Date.now();
    if (data.type === 'event') return handlers.onEvent(data.event, data.scope);
    handlers.onStatus(data.status);
    if (data.status.state === 'down' && data.hidden && document.visibilityState === 'visible') elect(true);
  };
  const interval = setInterval(say, WANT_EVERY_MS);
  const leave = () => tell({ type: 'want', tab, scope: undefined });
  document.addEventListener('visibilitychange', look);
  addEventListener('online', look);
  addEventListener('pagehide', leave);
  elect(false);

  return {
    want(scope) {
      if (wanted === scope) return;
      wanted = scope;
      say();
      look();
    },
    close() {
      closed = true;
      leave();
      follow();
      clearInterval(interval);
      document.removeEventListener('visibilitychange', look);
      removeEventListener('online', look);
      removeEventListener('pagehide', leave);
      channel.close();
    },
  };
}
