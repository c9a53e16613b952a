/**
 * One leader among replicas, by a Lease. It gives no fencing: a leader that was paused may believe in itself for a moment too long, so
 * what a leader does must bear being done twice. Clocks of other machines are never trusted: a lease runs out when we have seen it
 * unchanged for its duration, on our own clock.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { KubeObject, Resource } from '@funnelai/crds/meta';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import { isAlreadyExists, isConflict, isNotFound, messageOf } from './errors.ts';
import type { Log } from './log.ts';
import { gauge, type Metrics, noMetrics } from './metrics.ts';
import { microTime } from './micro-time.ts';

export const LEASES: Resource = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

export interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export interface LeaderElectionOptions {
  client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  namespace: string;
  name: string;
  /** Of this start of this process: see {@link processIdentity}. */
  identity: string;
  clock: Clock;
  log: Log;
  /** Leadership begins. `transitions` grows with each change of leader. */
  onStarted(term: { transitions: number }): void;
  /** Leadership ended unasked: stop working at once. Not called for a stop by `signal`. */
  onLost(): void;
  /** The lease is held, as of before that renewal was sent. */
  onRenewed?: ((atMonotonicMs: number) => void) | undefined;
  /** What stood in the way of the last look at the lease; undefined once one went through, whoever holds it. */
  onTrouble?: ((message: string | undefined) => void) | undefined;
  /** Give the lease up. Abort it after the work has stopped: another may begin at once. */
  signal: AbortSignal;
  leaseDurationMs?: number | undefined;
  renewDeadlineMs?: number | undefined;
  retryPeriodMs?: number | undefined;
  metrics?: Metrics | undefined;
  random?: (() => number) | undefined;
}

/** A holder who claims the lease for longer is believed for this long: a slip of an editor must not lock everyone out. */
const LONGEST_BELIEVED_MS = 60_000;
/**
 * Retries are spread by up to this much of the period, so that standbys do not come all at once. Earlier, never later: of the three seconds
 * in which a stop is to be followed the next leader needs one for its caches.
 */
const JITTER = 0.2;

/** A name for this start of this process: a restarted one must not take itself for the holder. */
export function processIdentity(name: string = hostname()): string {
  return `${name}_${randomUUID()}`;
}

/**
 * Competes until it leads, renews until it is lost or `signal` aborts. Resolves after onLost (compete again by calling it again), or once
 * the lease is released. Throws RangeError for durations that cannot work.
 */
export async function runLeaderElection(o: LeaderElectionOptions): Promise<void> {
  await new Election(o).run();
}

type Outcome = { held: true; transitions: number } | { held: false; holder: string };

class Election {
  readonly #o: LeaderElectionOptions;
  readonly #leaseMs: number;
  readonly #renewMs: number;
  readonly #retryMs: number;
  readonly #leading;
  /** The lease as last seen, and when its content was first seen so. */
  #seen: { lease: Lease; content: string; atMs: number } | undefined;
  #holderLogged: string | undefined;
  /** A claim of ours was sent, and nothing since says that another holds it. */
  #perhapsHeld = false;

  constructor(o: LeaderElectionOptions) {
    this.#o = o;
    this.#leaseMs = o.leaseDurationMs ?? 12_000;
    this.#renewMs = o.renewDeadlineMs ?? 8_000;
    this.#retryMs = o.retryPeriodMs ?? 2_000;
    if (!(this.#leaseMs > this.#renewMs && this.#renewMs > this.#retryMs && this.#leaseMs >= 1000)) {
      throw new RangeError(
        `lease ${this.#leaseMs} ms, renew deadline ${this.#renewMs} ms, retry ${this.#retryMs} ms: expected each to be longer than the next`,
      );
    }
    this.#leading = gauge(o.metrics ?? noMetrics(), {
      name: 'leader_election_master_status',
      help: '1 while this process leads.',
      labelNames: ['name'],
    });
  }

  async run(): Promise<void> {
    const { signal, log, name, identity } = this.#o;
    this.#leading.set({ name }, 0);
    const term = await this.#acquire();
    if (term === undefined) return this.#release();
    const { transitions, beganMs } = term;
    log.info({ lease: name, identity, transitions }, 'leading');
    this.#o.onRenewed?.(beganMs);
    this.#leading.set({ name }, 1);
    this.#o.onStarted({ transitions });
    const lost = await this.#renew(beganMs);
    this.#leading.set({ name }, 0);
    if (signal.aborted) return this.#release();
    log.error({ lease: name, identity }, `leadership lost: ${lost}`);
    this.#o.onLost();
  }

  async #acquire(): Promise<{ transitions: number; beganMs: number } | undefined> {
    const { signal, clock } = this.#o;
    while (!signal.aborted) {
      const beganMs = clock.monotonicMs();
      try {
        const outcome = await this.#try(this.#renewMs);
        this.#o.onTrouble?.(undefined);
        if (outcome.held) return { transitions: outcome.transitions, beganMs };
        this.#sayHolder(outcome.holder);
      } catch (error) {
        if (!signal.aborted) this.#complain(error);
      }
      await clock.sleep(this.#jittered(), signal).catch(() => {});
    }
    return undefined;
  }

  /** Returns why it ended. Times count from before a renewal was sent: others count from when they saw it stored. */
  async #renew(beganMs: number): Promise<string> {
    const { signal, clock } = this.#o;
    let renewedAtMs = beganMs;
    let last = 'no renewal went through';
    while (!signal.aborted) {
      const untilLost = Math.max(renewedAtMs + this.#renewMs - clock.monotonicMs(), 0);
      await clock.sleep(Math.min(this.#retryMs, untilLost), signal).catch(() => {});
      if (signal.aborted) break;
      const began = clock.monotonicMs();
      // Also true when this process was stopped for a while: then it must not even try.
      const left = renewedAtMs + this.#renewMs - began;
      if (left <= 0) return `not renewed for ${Math.round(began - renewedAtMs)} ms: ${last}`;
      try {
        const outcome = await this.#try(left);
        this.#o.onTrouble?.(undefined);
        if (!outcome.held) return `${outcome.holder || 'nobody'} holds the lease now`;
        renewedAtMs = began;
        this.#o.onRenewed?.(began);
      } catch (error) {
        last = messageOf(error);
        if (!signal.aborted) this.#complain(error);
      }
    }
    return 'stopped';
  }

  /** One attempt to get or keep the lease. Throws when the API server does not let it find out. */
  async #try(leftMs: number): Promise<Outcome> {
    const { client, namespace, name, identity, clock, signal } = this.#o;
    const deadline = clock.monotonicMs() + leftMs;
    const call = () => ({
      signal,
      timeoutMs: Math.max(1, Math.min(deadline - clock.monotonicMs(), this.#renewMs / 2)),
    });
    let lease: Lease;
    try {
      lease = await client.get<Lease>(LEASES, { namespace, name }, call());
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const fresh = this.#claim(undefined);
      this.#perhapsHeld = true;
      try {
        this.#note(await client.create<Lease>(LEASES, fresh, call()));
        return { held: true, transitions: fresh.spec?.leaseTransitions ?? 0 };
      } catch (race) {
        if (!isAlreadyExists(race)) throw race;
        lease = await client.get<Lease>(LEASES, { namespace, name }, call());
      }
    }
    this.#note(lease);
    const holder = lease.spec?.holderIdentity ?? '';
    if (holder !== identity) this.#perhapsHeld = false;
    if (holder !== identity && holder !== '' && !this.#expired()) return { held: false, holder };
    const claim = this.#claim(lease);
    this.#perhapsHeld = true;
    try {
      this.#note(await client.replace<Lease>(LEASES, claim, call()));
    } catch (error) {
      // Someone else wrote in between: they may hold it now, or only have edited a label.
      if (!isConflict(error)) throw error;
      const now = await client.get<Lease>(LEASES, { namespace, name }, call());
      this.#note(now);
      const taker = now.spec?.holderIdentity ?? '';
      if (taker !== identity) return { held: false, holder: taker };
      throw error;
    }
    return { held: true, transitions: claim.spec?.leaseTransitions ?? 0 };
  }

  #claim(lease: Lease | undefined): Lease {
    const { namespace, name, identity, clock } = this.#o;
    const now = microTime(clock.now());
    // Of a lease that someone deleted we remember the number: it never goes back.
    const last = (lease ?? this.#seen?.lease)?.spec;
    const mine = last?.holderIdentity === identity;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: lease?.metadata ?? { namespace, name },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#leaseMs / 1000),
        acquireTime: mine && last.acquireTime ? last.acquireTime : now,
        renewTime: now,
        leaseTransitions: last === undefined ? 0 : (last.leaseTransitions ?? 0) + (mine ? 0 : 1),
      },
    };
  }

  #note(lease: Lease): void {
    const content = JSON.stringify(lease.spec ?? {});
    if (this.#seen?.content === content) this.#seen.lease = lease;
    else this.#seen = { lease, content, atMs: this.#o.clock.monotonicMs() };
  }

  #expired(): boolean {
    if (!this.#seen) return false;
    const claimedMs = (this.#seen.lease.spec?.leaseDurationSeconds ?? this.#leaseMs / 1000) * 1000;
    const durationMs = Math.min(claimedMs, LONGEST_BELIEVED_MS);
    return this.#o.clock.monotonicMs() - this.#seen.atMs > durationMs;
  }

  /** Lets the next one begin at once. Also after an attempt that was cut short: it may have been stored. */
  async #release(): Promise<void> {
    const { client, namespace, identity, clock, log, name } = this.#o;
    if (!this.#perhapsHeld) return;
    const call = { timeoutMs: this.#renewMs / 2 };
    try {
      const lease = await client.get<Lease>(LEASES, { namespace, name }, call);
      if (lease.spec?.holderIdentity !== identity) return;
      const now = microTime(clock.now());
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
      await client.replace<Lease>(LEASES, { ...lease, spec }, call);
      log.info({ lease: name }, 'lease released');
    } catch (error) {
      log.warn({ lease: name, err: error }, 'the lease was not released; it runs out by itself');
    }
  }

  #jittered(): number {
    return this.#retryMs * (1 - JITTER * (this.#o.random ?? Math.random)());
  }

  #sayHolder(holder: string): void {
    if (holder === this.#holderLogged) return;
    this.#holderLogged = holder;
    this.#o.log.info({ lease: this.#o.name, holder }, 'another leads; standing by');
  }

  #complain(error: unknown): void {
    this.#o.onTrouble?.(messageOf(error));
    this.#o.log.warn({ lease: this.#o.name, err: error }, `lease: ${messageOf(error)}`);
  }
}
