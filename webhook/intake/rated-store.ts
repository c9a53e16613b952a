/**
 * Keeps each source within its limits.ratePerSecond before anything is written: what is over goes into the inbox, from where it is
 * drained at that rate, or stays with its sender where that one is known to hold it. What writes nothing, the end of what fires, and its
 * first trusted acknowledgement are held back by neither. Promises, as every store, that what it calls stored is.
 */
import { HEARTBEAT_FINGERPRINT } from '@funnelai/domain/heartbeat';
import { overRateText } from '@funnelai/domain/rate';
import { messageOf } from '@funnelai/kube/errors';
import type { Inbox } from '../inbox/inbox.ts';
import { INBOX_ROWS_OVER_RATE } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { Pace, SourceRates, Weight } from './source-rates.ts';
import type { AlertStore, StoreOutcome, StoreRequest } from './store.ts';

/** What a sender that holds its alerts at 429 is told. */
export interface TooMany {
  message: string;
  retryAfterMs: number;
}

export interface RatedStore extends AlertStore {
  /**
   * Counts all of a body at once, for a sender that holds what was answered 429: either none of it is over, as far as a burst goes, or
   * nothing of it is to be stored.
   */
  admit(requests: readonly StoreRequest[]): Promise<TooMany | undefined>;
}

export interface RatedStoreDeps {
  /** Takes what is within the rate. */
  store: AlertStore;
  rates: SourceRates;
  /** Takes what is over. Absent without a database: then that is answered 503. */
  inbox: Pick<Inbox, 'put' | 'isWaiting'> | undefined;
  /** Whether it is of an alert that fires and is folded; none is where absent. */
  firesFolded?: (request: StoreRequest) => Promise<boolean>;
  metrics: Pick<WebhookMetrics, 'overRate' | 'stored'>;
}

export function createRatedStore({ store, rates, inbox, firesFolded, metrics }: RatedStoreDeps): RatedStore {
  /** What it says has to stand behind what waits of the same fault. */
  const isBehind = ({ fingerprint }: StoreRequest) => inbox?.isWaiting(fingerprint) === true;

  /** What is folded is no Alert: whether it fires is asked of Postgres, for what says that it is over. */
  async function weightOf(request: StoreRequest): Promise<Weight> {
    const weight = rates.weightOf(request);
    const mayEnd = weight === 'one' && request.reports.at(-1)?.spec.state === 'Resolved';
    return mayEnd && (await firesFolded?.(request)) === true ? 'once' : weight;
  }

  async function ofOne(request: StoreRequest, pace: Pace, signal: AbortSignal): Promise<StoreOutcome> {
    let waitMs = isBehind(request) ? undefined : rates.take(pace);
    if (waitMs === 0) return store.store(request, signal);
    let away = 'there is no inbox in which it could wait: no database was given';
    try {
      if (inbox !== undefined) {
        await inbox.put([request], INBOX_ROWS_OVER_RATE);
        metrics.stored('inbox');
        if (waitMs === undefined) return { kind: 'inbox' };
        metrics.overRate('inbox', 1);
        return { kind: 'inbox', isOverRate: true };
      }
    } catch (error) {
      away = `the inbox, in which it could wait, is away: ${messageOf(error)}`;
    }
    // Of what had to stand behind another it is not known yet whether it is over.
    waitMs ??= rates.take(pace);
    if (waitMs === 0) return store.store(request, signal);
    metrics.overRate('refused', 1);
    const message = `${overRateText(pace.source, pace.rate)}, and ${away}`;
    return { kind: 'unavailable', message, retryAfterMs: waitMs, isOverRate: true };
  }

  return {
    // While the API server is away nothing is taken straight, and no rate asked about.
    together: (requests) => store.together?.(requests),
    async store(request, signal) {
      const pace = request.isCounted ? undefined : rates.paceOf(request);
      if (pace === undefined) return store.store(request, signal);
      const weight = await weightOf(request);
      if (weight === 'once') return store.store({ ...request, mayOvertake: true }, signal);
      const own = { ...request, mostInboxRows: INBOX_ROWS_OVER_RATE };
      // With no room behind what waits of it, a repeat has to be written to be later than that.
      const mayBeWritten = weight === 'one' || (isBehind(request) && request.fingerprint !== HEARTBEAT_FINGERPRINT);
      return mayBeWritten ? ofOne(own, pace, signal) : store.store(own, signal);
    },
    async admit(requests) {
      const [first] = requests;
      const pace = first && rates.paceOf(first);
      if (pace === undefined) return undefined;
      const weights = await Promise.all(requests.map(weightOf));
      const counting = requests.filter((request, place) => !isBehind(request) && weights[place] === 'one');
      // What of one body is more than may ever come at once has the inbox: told to wait, it would for ever.
      const some = counting.slice(0, pace.rate.burst);
      const waitMs = some.length === 0 ? 0 : rates.take(pace, some.length);
      if (waitMs > 0) {
        metrics.overRate('held', counting.length);
        return { message: overRateText(pace.source, pace.rate), retryAfterMs: waitMs };
      }
      for (const request of some) request.isCounted = true;
      return undefined;
    },
  };
}
