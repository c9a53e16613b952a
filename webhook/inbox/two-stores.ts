/**
 * Two stores as one: etcd while the API server takes alerts quickly, else the inbox, and only with both away neither. Nobody waits out a
 * time-out: after a few failures in a row the API server, or one namespace, is left alone but for probes, which no request waits for either. That the inbox
 * is drained into etcd is drain.ts's; that the order of the stores does not matter is the merge's (domain/merge.ts).
 */
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { AlertStore, StoreOutcome, StoreRequest } from '../intake/store.ts';
import { INBOX_REST_MS, LANE_WAIT_CALM_MS, LANE_WAIT_MS, LANE_WAIT_NEW_MS } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { ApiServer, Asked } from './api-server.ts';
import type { Inbox } from './inbox.ts';
import type { Lane } from './lane.ts';
import { withPatience } from './patience.ts';

export interface TwoStoresDeps {
  etcd: AlertStore;
  inbox: Inbox;
  api: ApiServer;
  lane: Lane;
  clock: Clock;
  metrics: WebhookMetrics;
}

const LANE_WAITS = { waitMs: LANE_WAIT_MS, calmWaitMs: LANE_WAIT_CALM_MS, newWaitMs: LANE_WAIT_NEW_MS };

export function createTwoStores({ etcd, inbox, api, lane, clock, metrics }: TwoStoresDeps): AlertStore {
  let resting: Promise<void> | undefined;

  const write = (request: StoreRequest, signal: AbortSignal): Promise<StoreOutcome> =>
    withPatience({ clock, api, namespace: request.namespace }, signal, (within) => etcd.store(request, within));

  async function attempt(request: StoreRequest, signal: AbortSignal, asked: MayAsk): Promise<StoreOutcome> {
    // What is thrown is a fault of ours: the API server has no part in it.
    let isGood = true;
    try {
      const outcome = await write(request, signal);
      isGood = answers(outcome);
      return outcome;
    } finally {
      asked.ended(isGood);
    }
  }

  async function inLane(leave: () => void, request: StoreRequest, signal: AbortSignal, asked: MayAsk) {
    try {
      return await attempt(request, signal, asked);
    } finally {
      leave();
    }
  }

  /** An error when it is not there, or nobody can say. */
  async function keep(request: StoreRequest, most?: number): Promise<StoreOutcome | Error> {
    try {
      await inbox.put([request], most);
      return { kind: 'inbox' };
    } catch (error) {
      return error instanceof Error ? error : new Error(messageOf(error));
    }
  }

  /** As `keep`; where the inbox has just failed, and may be back in a moment, it is asked once more then. */
  async function keepPatiently(request: StoreRequest, signal: AbortSignal): Promise<StoreOutcome | Error> {
    const kept = await keep(request);
    return kept instanceof Error && (await rested(signal)) ? keep(request) : kept;
  }

  /** Resolves with whether there was anything to wait for, and it is worth another try. All that wait do so together. */
  async function rested(signal: AbortSignal): Promise<boolean> {
    const restMs = inbox.restMs();
    if (restMs === undefined || signal.aborted) return false;
    resting ??= new Promise<void>((resolve) => {
      const end = () => {
        cancel();
        unsubscribe();
        resting = undefined;
        resolve();
      };
      const cancel = clock.after(restMs, end);
      const unsubscribe = inbox.subscribe(() => {
        if (!inbox.isAway()) end();
      });
    });
    await resting;
    return !signal.aborted;
  }

  /** Behind what waits there of the same fault, or may. */
  const keepBehind = (request: StoreRequest) => keep(request, request.mostInboxRows);

  /** In doubt it goes to the inbox as well: to merge what is stored already changes nothing. */
  async function orKeep(request: StoreRequest, outcome: StoreOutcome, signal: AbortSignal): Promise<StoreOutcome> {
    if (outcome.kind === 'unavailable') {
      const kept = await keepPatiently(request, signal);
      if (!(kept instanceof Error)) return kept;
      return { ...bothAway(outcome.message, kept, outcome.retryAfterMs), ...(outcome.isFull && { isFull: true }) };
    }
    // An older report that still waits would be taken for the newest: nothing in etcd says that this one came after it, or, of what is over,
    // nothing will once it has left the cluster.
    const passesBy = isOver(request) || request.mayOvertake === true;
    const mayBeForgotten = outcome.kind === 'unchanged' || (isStored(outcome) && passesBy);
    if (!mayBeForgotten || isHeld(outcome) || !inbox.mayHoldRows()) return outcome;
    // Asked before: a copy of this one that may lie there, or not, is no older report.
    const isBehind = inbox.isWaiting(request.fingerprint);
    const kept = await keepBehind({ ...request, isStored: true });
    // What fires comes again by itself; an end is said once, and the firing that waits would have the last word.
    if (!(kept instanceof Error) || !isBehind || !isOver(request)) return outcome;
    if (isHeld(await write({ ...request, isHeld: true }, signal))) return outcome;
    const message = `an older report of this alert waits in the inbox, which is away: ${kept.message}`;
    return { kind: 'unavailable', message };
  }

  async function store(given: StoreRequest, signal: AbortSignal): Promise<StoreOutcome> {
    let request = given;
    // Overtaken by this one, what waits of the same fault would be merged without what this one says of it.
    if (inbox.isWaiting(request.fingerprint) && request.mayOvertake !== true) {
      const kept = await keepBehind(request);
      if (!(kept instanceof Error)) return kept;
      // Then etcd at least has to say that this one came later; and of what is over go on saying it.
      request = { ...request, isOvertaking: true, ...(isOver(request) && { isHeld: true }) };
    }
    let verdict = api.ask(request.namespace);
    if (verdict.may === 'not') {
      const kept = await keepPatiently(request, signal);
      if (!(kept instanceof Error)) return kept;
      // That one may be back by now.
      verdict = api.ask(request.namespace);
      if (verdict.may === 'not') return bothAway(AWAY, kept, verdict.retryAfterMs);
    }
    if (verdict.may === 'probe') {
      const kept = await keep(request);
      if (kept instanceof Error) return orKeep(request, await attempt(request, signal, verdict), signal);
      // Answered from the inbox; whether the API server takes it is for those who come later to know.
      void attempt(request, new AbortController().signal, verdict).catch(() => {});
      return kept;
    }
    const leave = await lane.enter({ place: request.place, ...LANE_WAITS, signal });
    // It may have been given up while this one waited.
    if (leave !== undefined && !api.isAway(request.namespace))
      return orKeep(request, await inLane(leave, request, signal, verdict), signal);
    leave?.({ isUnused: true });
    const kept = await keep(request);
    return kept instanceof Error ? whicheverIsFirst(request, kept, signal, verdict) : kept;
  }

  /** With no second store all that helps is to wait for the first; or for the second one, which may be back within a second. */
  async function whicheverIsFirst(
    request: StoreRequest,
    why: Error,
    signal: AbortSignal,
    asked: MayAsk,
  ): Promise<StoreOutcome> {
    let last = why;
    while (!signal.aborted) {
      const wait = untilItTakes(signal);
      const leave = await lane.enter({ place: request.place, signal: wait.signal });
      wait.end();
      if (leave !== undefined) return orKeep(request, await inLane(leave, request, signal, asked), signal);
      if (signal.aborted) break;
      const kept = await keep(request);
      if (!(kept instanceof Error)) return kept;
      last = kept;
    }
    return bothAway('the API server has too much to do', last, undefined);
  }

  /** Aborts with `signal`, or once the inbox takes reports again. */
  function untilItTakes(signal: AbortSignal): { signal: AbortSignal; end(): void } {
    const stop = new AbortController();
    const abort = () => stop.abort();
    let cancel = () => {};
    const look = () => {
      cancel = clock.after(INBOX_REST_MS, () => (inbox.takes() ? abort() : look()));
    };
    look();
    signal.addEventListener('abort', abort, { once: true });
    return {
      signal: stop.signal,
      end() {
        cancel();
        signal.removeEventListener('abort', abort);
      },
    };
  }

  /** Holds nothing of the requests while they are written. */
  function putTogether(requests: readonly StoreRequest[], retryAfterMs: number): Promise<StoreOutcome> {
    const count = requests.length;
    return inbox.put(requests).then(
      (): StoreOutcome => {
        metrics.stored('inbox', count);
        return { kind: 'inbox' };
      },
      (error: unknown) => bothAway(AWAY, error instanceof Error ? error : new Error(messageOf(error)), retryAfterMs),
    );
  }

  return {
    together(requests) {
      const restMs = api.restMs();
      // While the inbox rests each has to wait for that by itself: what is put together is held by nobody.
      return restMs === undefined || inbox.restMs() !== undefined ? undefined : putTogether(requests, restMs);
    },
    async store(request, signal) {
      const outcome = await store(request, signal);
      if (outcome.kind === 'inbox') metrics.stored('inbox');
      else if (isStored(outcome)) metrics.stored('etcd');
      return outcome;
    },
  };
}

const AWAY = 'the API server is away';
type MayAsk = Extract<Asked, { ended: unknown }>;
type Unavailable = Extract<StoreOutcome, { kind: 'unavailable' }>;

const isOver = ({ reports }: StoreRequest): boolean => reports.at(-1)?.spec.state === 'Resolved';

const isHeld = (outcome: StoreOutcome): boolean => 'isHeld' in outcome && outcome.isHeld === true;

export const isStored = ({ kind }: StoreOutcome): boolean =>
  kind === 'created' || kind === 'updated' || kind === 'unchanged';

/** Did the API server answer, whatever it said? */
export const answers = (outcome: StoreOutcome): boolean =>
  outcome.kind !== 'unavailable' || outcome.isAnswered === true;

function bothAway(api: string, inbox: Error, retryAfterMs: number | undefined): Unavailable {
  const message = `${api}, and so is the inbox: ${inbox.message}`;
  return { kind: 'unavailable', message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}
