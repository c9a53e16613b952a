/**
 * Holds the operator's Lease for as long as a command works, so that no operator acts beside it. Where there is no place for a Lease
 * (its namespace is gone, or out of reach) it goes on without, and says so: whoever uninstalls must not hang on that either.
 */
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { isNotFound, messageOf } from '@funnelai/kube/errors';
import { LEASES, type Lease, runLeaderElection } from '@funnelai/kube/leader';
import type { Log } from '@funnelai/kube/log';
import { LEASE_NAME } from '../manager.ts';

/** Longer than the Lease of an operator that was killed lasts. */
const PATIENCE_MS = 20_000;

export interface HeldLease {
  /** True once another has taken it. */
  isLost(): boolean;
  release(): Promise<void>;
}

/** @throws Error naming the operator that leads and keeps leading. */
export async function holdLease(o: {
  client: KubeClient;
  clock: Clock;
  log: Log;
  namespace: string;
  instance: string;
  signal: AbortSignal;
}): Promise<HeldLease> {
  const before = await holderOf(o.client, o.namespace);
  const ending = new AbortController();
  let isLost = false;
  const held = Promise.withResolvers<boolean>();
  const election = runLeaderElection({
    ...o,
    name: LEASE_NAME,
    identity: o.instance,
    signal: ending.signal,
    onStarted: () => held.resolve(true),
    onLost: async () => {
      // Also when its namespace is being deleted around us: then nobody else can have it either.
      const taker = await holderOf(o.client, o.namespace);
      isLost = taker.kind === 'held' && taker.by !== o.instance;
    },
  });
  const cancel = o.clock.after(PATIENCE_MS, () => held.resolve(false));
  o.signal.addEventListener('abort', () => held.resolve(false), { once: true });
  const release = async () => {
    ending.abort();
    await election;
  };
  const isHeld = await held.promise;
  cancel();
  if (isHeld) return { isLost: () => isLost, release };
  await release();
  o.signal.throwIfAborted();
  const holder = await holderOf(o.client, o.namespace);
  const isRenewed = before.kind === 'none' || holder.kind === 'none' || holder.renewedAt !== before.renewedAt;
  if (holder.kind === 'held' && isRenewed) {
    throw new Error(
      `${holder.by} holds the Lease ${o.namespace}/${LEASE_NAME} and renews it: an operator runs, and would put the finalizers back. Stop every operator, then run this again`,
    );
  }
  const because = holder.kind === 'held' ? `${holder.by} had it, and renews it no more` : holder.because;
  o.log.warn(
    `the Lease ${o.namespace}/${LEASE_NAME} cannot be had (${because}); going on, for no operator can lead without it`,
  );
  return { isLost: () => false, release: async () => {} };
}

type Holder = { kind: 'held'; by: string; renewedAt: string | undefined } | { kind: 'none'; because: string };

async function holderOf(client: KubeClient, namespace: string): Promise<Holder> {
  try {
    const lease = await client.get<Lease>(LEASES, { namespace, name: LEASE_NAME });
    const by = lease.spec?.holderIdentity ?? '';
    if (by === '') return { kind: 'none', because: 'nobody holds it, and it cannot be written' };
    return { kind: 'held', by, renewedAt: lease.spec?.renewTime };
  } catch (error) {
    return { kind: 'none', because: isNotFound(error) ? `there is none in ${namespace}` : messageOf(error) };
  }
}
