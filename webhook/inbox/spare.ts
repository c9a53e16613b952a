/** Says to people whether alerts take the long way now: by the inbox, because the API server does not take them, late out of it, or none at all. */
import type { IntakeSpare } from '@funnelai/domain/wire';
import type { Clock } from '@funnelai/kube/clock';
import { INBOX_LATE_MS, SPARE_SAID_EVERY_MS } from '../limits.ts';
import type { ApiServer } from './api-server.ts';
import type { Inbox } from './inbox.ts';

export interface Spare {
  /** Undefined while all alerts go straight to etcd. */
  now(): IntakeSpare | undefined;
  /** Calls `listener` when that changes, and now and then while it lasts. */
  subscribe(listener: (spare: IntakeSpare | undefined) => void): () => void;
}
export const noSpare: Spare = { now: () => undefined, subscribe: () => () => {} };

interface SpareDeps {
  api: Pick<ApiServer, 'isAway' | 'subscribe'>;
  inbox: Pick<Inbox, 'depth' | 'takes' | 'subscribe'>;
  clock: Clock;
}

export function createSpare({ api, inbox, clock }: SpareDeps): Spare {
  const listeners = new Set<(spare: IntakeSpare | undefined) => void>();
  let last: IntakeSpare | undefined;
  let saidAtMs = Number.NEGATIVE_INFINITY;

  function look(): void {
    const { rows = 0, oldestAgeMs = 0 } = inbox.depth() ?? {};
    const why = api.isAway() ? awayWith(inbox) : oldestAgeMs > INBOX_LATE_MS ? 'late' : undefined;
    const before = last;
    last =
      why === undefined ? undefined : { why, waiting: rows, since: sinceOf(why, before) ?? clock.now().toString() };
    const nowMs = clock.monotonicMs();
    if (last?.why === before?.why && (last === undefined || nowMs - saidAtMs < SPARE_SAID_EVERY_MS)) return;
    saidAtMs = nowMs;
    for (const listener of [...listeners]) listener(last);
  }
  api.subscribe(look);
  inbox.subscribe(look);

  return {
    now: () => last,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const awayWith = (inbox: Pick<Inbox, 'takes'>) => (inbox.takes() ? 'apiServerAway' : 'bothAway');
/** Kept while alerts were late or went by the inbox: that none is stored at all is another matter, with a beginning of its own. */
const sinceOf = (why: IntakeSpare['why'], before: IntakeSpare | undefined): string | undefined =>
  (why === 'bothAway') === (before?.why === 'bothAway') ? before?.since : undefined;
