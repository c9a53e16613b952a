/**
 * Holds the operator's Lease for as long as a command works, so that no operator acts beside it. Where there is no place for a Lease
 * (its namespace is gone, or out of reach) it goes on without, and says so: whoever uninstalls must not hang on that either.
 */
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { isForbidden, isNotFound, messageOf } from '@funnelai/kube/errors';
import { LEASES, type Lease, runLeaderElection } from '@funnelai/kube/leader';
import type { Log } from '@funnelai/kube/log';
import { LEASE_NAME } from '../manager.ts';

/** Longer than the Lease of an operator that was killed lasts. */
const PATIENCE_MS = 20_000;
const LOOK_MS = 500;
/** An operator that renews so often while we look is not about to stop. */
const SURELY_ALIVE = 2;

export interface HeldLease {
  /** True once another has taken it. */
  isLost(): boolean;
  release(): Promise<void>;
}

interface LeaseOptions {
  client: KubeClient;
  clock: Clock;
  log: Log;
  namespace: string;
  instance: string;
  signal: AbortSignal;
}

/** @throws Error naming the operator that leads and keeps leading. */
export async function holdLease(o: LeaseOptions): Promise<HeldLease> {
  const because = await whyNot(o);
  if (because !== undefined) return without(o, because);
  const ending = new AbortController();
  let isHeld = false;
  let isLost = false;
  const election = runLeaderElection({
    ...o,
    name: LEASE_NAME,
    identity: o.instance,
    signal: ending.signal,
    onStarted: () => {
      isHeld = true;
    },
    onLost: async () => {
      // Also when its namespace is being deleted around us: then nobody else can have it either.
      const { holder } = await look(o).catch(() => ({ holder: '' }));
      isLost = holder !== '' && holder !== o.instance;
    },
  });
  const release = async () => {
    ending.abort();
    await election;
  };
  const leader = await leaderThatStays(o, () => isHeld);
  if (isHeld) return { isLost: () => isLost, release };
  await release();
  o.signal.throwIfAborted();
  if (leader === undefined) return without(o, 'nobody renews it, and it could not be taken');
  throw new Error(
    `${leader} holds the Lease ${o.namespace}/${LEASE_NAME} and renews it: an operator runs, and would put the finalizers back. Stop every operator, then run this again`,
  );
}

function without(o: LeaseOptions, because: string): HeldLease {
  o.log.warn(`the Lease ${o.namespace}/${LEASE_NAME} cannot be had (${because}); going on without it`);
  return { isLost: () => false, release: async () => {} };
}

/** @returns who keeps the Lease from us; undefined once it is ours, or when nobody is seen to renew it. */
async function leaderThatStays(o: LeaseOptions, isOurs: () => boolean): Promise<string | undefined> {
  const began = o.clock.monotonicMs();
  let renewals = -1;
  let last = '';
  let holder = '';
  while (!isOurs() && o.clock.monotonicMs() - began < PATIENCE_MS && !o.signal.aborted) {
    const seen = await look(o).catch(() => undefined);
    const isOthers = seen !== undefined && seen.holder !== '' && seen.holder !== o.instance;
    if (isOthers && seen.renewedAt !== last) {
      renewals += 1;
      last = seen.renewedAt;
      holder = seen.holder;
    }
    if (renewals >= SURELY_ALIVE) return holder;
    await o.clock.sleep(LOOK_MS, o.signal).catch(() => {});
  }
  return isOurs() || renewals <= 0 ? undefined : holder;
}

/** @returns why no Lease can be had here, as the API server says; undefined when it can. */
async function whyNot({ client, namespace }: LeaseOptions): Promise<string | undefined> {
  try {
    await look({ client, namespace });
    return undefined;
  } catch (error) {
    if (isForbidden(error)) return messageOf(error);
    if (!isNotFound(error)) throw error;
  }
  const metadata = { namespace, name: LEASE_NAME };
  try {
    await client.create<Lease>(
      LEASES,
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata },
      { dryRun: true },
    );
    return undefined;
  } catch (error) {
    if (isForbidden(error) || isNotFound(error)) return messageOf(error);
    throw error;
  }
}

async function look(o: Pick<LeaseOptions, 'client' | 'namespace'>): Promise<{ holder: string; renewedAt: string }> {
  const { spec } = await o.client.get<Lease>(LEASES, { namespace: o.namespace, name: LEASE_NAME });
  return { holder: spec?.holderIdentity ?? '', renewedAt: spec?.renewTime ?? '' };
}
