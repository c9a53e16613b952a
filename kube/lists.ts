/**
 * Lists taken into a cache: as of now, or exactly as of the version that the cache claims to be at, which proves that its watch missed
 * nothing. What was missed is put right and counted. When a list is wanted is list-demand.ts's, and the reflector's.
 */
import type { KubeObject, Resource } from '@funnelai/crds/meta';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import { isGone } from './errors.ts';
import { type IndexedCache, versionOf } from './indexed-cache.ts';
import type { ListDemand } from './list-demand.ts';
import { type Listing, pagedList, type Streaming } from './listing.ts';
import type { Log } from './log.ts';
import type { ReflectorMetrics } from './reflector-metrics.ts';

export interface ListsOptions<T extends KubeObject> {
  client: KubeClient;
  resource: Resource;
  namespace?: string | undefined;
  fieldSelector?: string | undefined;
  labelSelector?: string | undefined;
  cache: IndexedCache<T>;
  demand: ListDemand;
  streaming: Streaming;
  /** How often an exact list checks that nothing was missed. */
  relistMs: number;
  clock: Clock;
  log: Log;
  metrics: ReflectorMetrics;
  signal: AbortSignal;
}

export class Lists<T extends KubeObject> {
  readonly #o: ListsOptions<T>;
  #listedAtMs = Number.NEGATIVE_INFINITY;

  constructor(o: ListsOptions<T>) {
    this.#o = o;
  }

  /** Until the next check is due. */
  checkDueMs(): number {
    return this.#listedAtMs + this.#o.relistMs - this.#o.clock.monotonicMs();
  }

  /** A list as of now, in pages. Resolves the version to watch from, as do all. */
  async take(): Promise<string> {
    const { demand } = this.#o;
    demand.listBegins();
    let version: string;
    try {
      version = await this.believe(await this.#pages({}));
    } catch (error) {
      demand.listFailed();
      throw error;
    }
    demand.listEnds();
    return version;
  }

  /** Takes a list as of now. It was read with quorum: it can never be older than what we have seen, unless etcd itself was put back. */
  async believe({ items, resourceVersion }: Listing<T>): Promise<string> {
    const { cache, log, demand, streaming } = this.#o;
    const backwards = versionOf(resourceVersion) < versionOf(cache.resourceVersion);
    if (backwards) {
      log.warn({ held: cache.resourceVersion, listed: resourceVersion }, 'versions went backwards: etcd was restored');
    }
    const difference = await cache.replaceInTurns(items, resourceVersion, { trusted: backwards });
    streaming.listed();
    this.#listed(difference.missed);
    demand.listed();
    return resourceVersion;
  }

  /**
   * The list exactly as of `version`, at which the cache claims to be: whatever differs was missed. Where the server no longer has that
   * version, a list as of now does half of it: it finds what is missing, but cannot tell when it was deleted.
   */
  async check(version: string): Promise<string> {
    let exact: Listing<T>;
    try {
      exact = await this.#pages({ resourceVersion: version, resourceVersionMatch: 'Exact' });
    } catch (error) {
      if (!isGone(error)) throw error;
      return this.take();
    }
    const difference = await this.#o.cache.replaceInTurns(exact.items, version);
    this.#listed(difference.missed);
    return version;
  }

  #listed(missed: number): void {
    const { cache, clock, log, metrics } = this.#o;
    this.#listedAtMs = clock.monotonicMs();
    metrics.listed(cache.size, cache.resourceVersion);
    if (missed === 0) return;
    metrics.missed(missed);
    log.error({ missed }, 'the watch had missed events; the list put them right');
  }

  #pages(version: { resourceVersion?: string; resourceVersionMatch?: 'Exact' }): Promise<Listing<T>> {
    const { client, resource, namespace, fieldSelector, labelSelector, signal, cache } = this.#o;
    const selection = { namespace, fieldSelector, labelSelector, signal };
    return pagedList<T>(client, resource, { ...selection, ...version }, (item) => cache.prepare(item));
  }
}
