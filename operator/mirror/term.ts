/**
 * The mirror of one term: says when Postgres is away, follows its epoch, and stops when another term writes. One whose Lease is renewed
 * after that takes the next epoch, once: the other was late. Later only if it still leads after longer than any Lease lasts, so that two
 * which both lead do not fight, and nobody is locked out for good.
 */
import { HistoryFenced, HistoryUnavailable } from '@funnelai/history/errors';
import type { Mirror } from '@funnelai/history/mirror';
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import type { Metrics } from '../metrics.ts';

/** Longer than any Lease lasts: who still leads then does lead. */
export const FENCED_REST_MS = 60_000;
/** So often a term that was fenced looks whether its Lease was renewed since. */
const PROOF_MS = 1_000;

export interface MirrorTerm {
  /** Does the work with the present mirror; what goes wrong is noted and thrown on. */
  use<T>(work: (mirror: Mirror) => Promise<T>): Promise<T>;
  /** False once another mirror has taken its place. */
  isPresent(mirror: Mirror): boolean;
  /** Versions of objects went backwards: rows of later versions are to give way. True when that is news. */
  wentBack(): boolean;
  stop(): void;
  /** Nobody waits any longer for what is under way: a Postgres that hangs must not keep the next term from its Lease. */
  cut(): void;
}

export interface MirrorTermOptions {
  openMirror(): Mirror;
  clock: Clock;
  log: Log;
  metrics: Pick<Metrics, 'historyAvailable' | 'historyFenced'>;
  /** Whether the Lease was renewed by a request that was sent after this moment of the clock. */
  leadsSince(monotonicMs: number): boolean;
  /** Rows may be gone, or of a cluster that was: what was known of them is to be asked anew. */
  onOtherEpoch(): void;
}

export function createMirrorTerm(o: MirrorTermOptions): MirrorTerm {
  const { clock, log, metrics } = o;
  let mirror = o.openMirror();
  let epoch: number | undefined;
  let server: number | undefined;
  let isBack = false;
  let isStopped = false;
  let mayHurry = true;
  let cancelRest: (() => void) | undefined;
  const over = new AbortController();

  /** What still comes through after a cut is of this term's epoch, or is refused: whoever comes later does it again. */
  function orCut<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const onCut = () => reject(new HistoryUnavailable('no answer before the term ended'));
      if (over.signal.aborted) onCut();
      over.signal.addEventListener('abort', onCut, { once: true });
      work.then(resolve, reject).finally(() => over.signal.removeEventListener('abort', onCut));
    });
  }

  function followEpoch(): void {
    const before = { epoch, server };
    epoch = mirror.epoch();
    server = mirror.server();
    const isOtherEpoch = before.epoch !== undefined && before.epoch !== epoch;
    // Of a standby that was promoted nobody knows how much of the last it got.
    if (isOtherEpoch || (before.server !== undefined && before.server !== server)) o.onOtherEpoch();
  }

  /** Nothing more is written in this epoch: whatever is tried gets the same answer. */
  function onFenced(error: HistoryFenced): void {
    if (isStopped || cancelRest !== undefined) return;
    metrics.historyFenced();
    log.error({ err: error }, 'history is written by another term: this one stops mirroring');
    rest(clock.monotonicMs());
  }

  function rest(fencedAtMs: number): void {
    const leftMs = fencedAtMs + FENCED_REST_MS - clock.monotonicMs();
    cancelRest = clock.after(Math.min(PROOF_MS, leftMs), () => {
      cancelRest = undefined;
      const isProven = mayHurry && o.leadsSince(fencedAtMs);
      if (!isProven && clock.monotonicMs() < fencedAtMs + FENCED_REST_MS) return rest(fencedAtMs);
      if (isProven) mayHurry = false;
      log.warn('still leading though another term took over history: taking the next epoch');
      mirror = o.openMirror();
      o.onOtherEpoch();
    });
  }

  return {
    async use(work) {
      try {
        if (isBack) {
          await orCut(mirror.renewEpoch());
          isBack = false;
        }
        const done = await orCut(work(mirror));
        if (!isStopped) metrics.historyAvailable(true);
        followEpoch();
        return done;
      } catch (error) {
        if (error instanceof HistoryUnavailable && !isStopped) metrics.historyAvailable(false);
        if (error instanceof HistoryFenced) onFenced(error);
        throw error;
      }
    },
    isPresent: (one) => one === mirror,
    wentBack() {
      if (isBack) return false;
      log.warn('versions of objects went backwards: the cluster was set back; history follows it');
      isBack = true;
      return true;
    },
    stop() {
      isStopped = true;
      cancelRest?.();
    },
    cut: () => over.abort(),
  };
}
