/**
 * Lets deleted incidents go once Postgres has all of them. One that the API server does not let go, for whatever reason, holds up no other:
 * neither its deletion nor its history.
 */
import type { Incident } from '@funnelai/crds/generated/types';
import { INCIDENTS } from '@funnelai/crds/meta';
import type { Mirror } from '@funnelai/history/mirror';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { isConflict, isInvalid, isNotFound, KubeError, messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { keyOf } from '@funnelai/kube/paths';
import { createSeldom } from '@funnelai/kube/seldom';
import { FIELD_MANAGER } from '../identity.ts';
import { decideRelease } from './decide.ts';
import type { MirrorBook } from './facts.ts';

const RETRY_MS = 5_000;
/** An API server that failed so often is asked for no more of a batch: each call may wait out its deadline. */
const MOST_FAILURES = 2;

export interface ReleaserOptions {
  book: Pick<MirrorBook, 'of' | 'forget'>;
  client: Pick<KubeClient, 'jsonPatch'>;
  clock: Clock;
  log: Log;
  /** The incident as it was answered. */
  observe(incident: Incident): void;
  /** Brings it again. */
  offer(uid: string): void;
}

/** @returns what takes the finalizer off those of a batch that may go; throws what the mirror throws. */
export function createReleaser(o: ReleaserOptions): (mirror: Mirror, batch: readonly Incident[]) => Promise<void> {
  const seldom = createSeldom(o.clock);

  function later({ metadata: { uid = '' } }: Incident): void {
    o.clock.after(RETRY_MS, () => o.offer(uid));
  }

  function say(incident: Incident, error: KubeError): void {
    const word = seldom.say(`${error.status} ${error.reason}`);
    if (word) o.log.warn({ incident: keyOf(incident), err: error }, `not let go yet: ${messageOf(error)}`);
  }

  /** Marks the row first: a deletion once begun cannot be taken back, and after the finalizer nobody would remember it. */
  async function release(mirror: Mirror, incident: Incident, ops: Parameters<KubeClient['jsonPatch']>[2]) {
    const { uid = '', namespace = '', name, deletionTimestamp } = incident.metadata;
    const { known } = await mirror.markDeleted('Incident', uid, deletionTimestamp ?? o.clock.now().toString());
    if (!known) {
      // The row is not there any more, whatever was known of it: the object stays until it is.
      o.book.forget(uid);
      o.offer(uid);
      return;
    }
    try {
      o.observe(
        await o.client.jsonPatch<Incident>(INCIDENTS, { namespace, name }, ops, { fieldManager: FIELD_MANAGER }),
      );
    } catch (error) {
      // It changed in between, and comes again with that change; or it is gone already.
      if (!isConflict(error) && !isInvalid(error) && !isNotFound(error)) throw error;
    }
  }

  return async (mirror, batch) => {
    let failures = 0;
    for (const incident of batch) {
      const verdict = decideRelease(incident, o.book.of(incident.metadata.uid ?? ''));
      if (verdict.kind !== 'release') continue;
      if (failures >= MOST_FAILURES) {
        later(incident);
        continue;
      }
      try {
        await release(mirror, incident, verdict.ops);
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        if (error.transient) failures += 1;
        say(incident, error);
        later(incident);
      }
    }
  };
}
