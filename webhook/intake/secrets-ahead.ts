/**
 * Has the Secrets of all sources read before they are needed: who sends for the first time, or the first time in an hour, may do so in the
 * very outage in which no Secret can be read. Reads by name only, a few at once; what a reading tells is source-auth's.
 */
import type { AlertSource } from '@funnelai/crds/generated/types';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import { SECRETS_AHEAD_AT_ONCE, SECRETS_AHEAD_RETRY_MS, SECRETS_AHEAD_ROUND_MS } from '../limits.ts';
import { mapBounded } from './gate.ts';
import type { SourceAuth } from './source-auth.ts';

export function createSecretsAhead(deps: {
  sources: Pick<Cache<AlertSource>, 'list' | 'synced' | 'fresh'>;
  auth: Pick<SourceAuth, 'prepare'>;
  clock: Clock;
}): { start(): void; stop(): void } {
  const { sources, auth, clock } = deps;
  /** Of each source as it is now: an edited one is another object. */
  const triedAtMs = new WeakMap<AlertSource, number>();
  let cancel = () => {};
  let stopped = false;

  async function round(): Promise<void> {
    if (!sources.synced || !sources.fresh()) return;
    const nowMs = clock.monotonicMs();
    const due = [...sources.list()].filter(
      (source) => nowMs - (triedAtMs.get(source) ?? Number.NEGATIVE_INFINITY) >= SECRETS_AHEAD_RETRY_MS,
    );
    await mapBounded(due, SECRETS_AHEAD_AT_ONCE, async (source) => {
      if (stopped) return;
      triedAtMs.set(source, nowMs);
      await auth.prepare(source);
    });
  }

  function arm(): void {
    if (stopped) return;
    cancel = clock.after(SECRETS_AHEAD_ROUND_MS, () => void round().finally(arm));
  }

  return {
    start: arm,
    stop() {
      stopped = true;
      cancel();
    },
  };
}
