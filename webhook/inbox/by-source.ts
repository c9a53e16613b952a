/** What lies in the inbox, by source, for people who look: one count serves all of them for a moment; that Postgres is away is an answer. */
import type { InboxState, SourceInbox } from '@funnelai/domain/wire-sources';
import type { InboxCount, InboxCountStore, InboxCounts } from '@funnelai/history/inbox-counts';
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import { type Answer, createAsk } from '../api/history-reader.ts';
import { INBOX_COUNT_REST, INBOX_COUNTED_MS, INBOX_GONE_LISTED } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';

export interface InboxView {
  state: InboxState;
  /** Undefined while nobody can say. */
  of(namespace: string, name: string): SourceInbox | undefined;
  /** Of sources that `isThere` does not know, in one namespace or all: a few, those with the most set aside first. */
  gone(isThere: (namespace: string, name: string) => boolean, namespace: string | undefined): GoneSource[];
}
export interface GoneSource {
  namespace: string;
  name: string;
  inbox: SourceInbox;
}
export interface InboxBySource {
  view(): Promise<InboxView>;
}
export interface OpenedInboxBySource extends InboxBySource {
  /** From now on it is counted there. */
  open(place: { store: InboxCountStore; scope: string }): void;
}

const unknown = (state: Omit<InboxState, 'available'>): InboxView => ({
  state: { available: false, ...state },
  of: () => undefined,
  gone: () => [],
});
const NOTHING: SourceInbox = { waiting: 0, setAside: 0, reasons: [] };
const NONE: InboxView = {
  ...unknown({ reason: 'There is no inbox: no database was given (--database-url-file).', isOff: true }),
  of: () => NOTHING,
};
const CLOSED = unknown({
  reason: 'The inbox is not open: this webhook has not read yet, or may not read, what tells this cluster from others.',
});
/** Where no database was named. */
export const noInbox: InboxBySource = { view: async () => NONE };

export function createInboxBySource(deps: { clock: Clock; log: Log; metrics: WebhookMetrics }): OpenedInboxBySource {
  const { clock, metrics } = deps;
  const ask = createAsk(deps);
  let place: { store: InboxCountStore; scope: string } | undefined;
  let last: { view: Promise<InboxView>; untilMs: number } | undefined;

  async function look({ store, scope }: NonNullable<typeof place>): Promise<InboxView> {
    const answer: Answer<InboxCounts> = await ask(() => store.count());
    if (!answer.available) return unknown({ reason: answer.reason });
    if (answer.value.isCut) metrics.limitReached('INBOX_SOURCES_COUNTED');
    return viewOf(answer.value, scope);
  }

  return {
    open(opened) {
      place = opened;
    },
    async view() {
      if (place === undefined) return CLOSED;
      const began = clock.monotonicMs();
      if (last !== undefined && began < last.untilMs) return last.view;
      const mine = { view: look(place), untilMs: Number.POSITIVE_INFINITY };
      last = mine;
      const view = await mine.view;
      // What failed has a rest of its own before it is asked for again.
      const tookMs = view.state.available ? clock.monotonicMs() - began : 0;
      mine.untilMs = began + Math.max(INBOX_COUNTED_MS, tookMs * INBOX_COUNT_REST);
      return view;
    },
  };
}

function viewOf({ sources, isCut }: InboxCounts, scope: string): InboxView {
  const bySource = new Map(sources.map((count) => [`${count.namespace}/${count.source}`, count]));
  return {
    state: { available: true, scope },
    of(namespace, name) {
      const count = bySource.get(`${namespace}/${name}`);
      if (count !== undefined) return inboxOf(count);
      return isCut ? undefined : NOTHING;
    },
    gone: (isThere, namespace) =>
      sources
        .filter(
          (one) => (namespace === undefined || one.namespace === namespace) && !isThere(one.namespace, one.source),
        )
        .sort((a, b) => b.setAside - a.setAside || b.waiting - a.waiting)
        .slice(0, INBOX_GONE_LISTED)
        .map((count) => ({ namespace: count.namespace, name: count.source, inbox: inboxOf(count) })),
  };
}

function inboxOf({ namespace: _n, source: _s, ...inbox }: InboxCount): SourceInbox {
  return inbox;
}
