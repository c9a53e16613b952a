/**
 * A complete list of one kind, item by item made small before the next comes: in pages, or out of the first events of a watch that the
 * server opens with all that is there. What becomes of the list is the reflector's.
 */
import type { KubeList, KubeObject, Resource } from '@funnelai/crds/meta';
import type { KubeClient, ListOptions } from './client.ts';
import { isGone, KubeError } from './errors.ts';
import type { Log } from './log.ts';
import { isListEnd, type WatchEvent } from './watch.ts';

export interface Listing<T extends KubeObject> {
  items: T[];
  /** As of which all of it is. */
  resourceVersion: string;
}

const PAGE = 500;
const LIST_TIMEOUT_MS = 60_000;

/** The list in pages; all in one answer when the pages outlive their snapshot. Throws KubeError. */
export async function pagedList<T extends KubeObject>(
  client: Pick<KubeClient, 'list'>,
  resource: Resource,
  o: Pick<
    ListOptions,
    'namespace' | 'fieldSelector' | 'labelSelector' | 'signal' | 'resourceVersion' | 'resourceVersionMatch'
  >,
  prepare: (item: T) => T,
): Promise<Listing<T>> {
  const { resourceVersion: version, resourceVersionMatch: match, ...rest } = o;
  const common = { ...rest, timeoutMs: LIST_TIMEOUT_MS };
  const first = version === undefined ? {} : { resourceVersion: version, resourceVersionMatch: match };
  const items: T[] = [];
  const take = (list: KubeList<T>) => {
    for (const item of list.items) items.push(prepare(item));
  };
  let page = await client.list<T>(resource, { ...common, ...first, limit: PAGE });
  take(page);
  while (page.metadata.continue) {
    try {
      page = await client.list<T>(resource, { ...common, limit: PAGE, continue: page.metadata.continue });
    } catch (error) {
      if (!isGone(error)) throw error;
      // The pages took longer than the server keeps a snapshot: all in one answer, then.
      page = await client.list<T>(resource, { ...common, ...first });
      items.length = 0;
    }
    take(page);
  }
  return { items, resourceVersion: needVersion(resource, page.metadata.resourceVersion) };
}

/** Gathers the list out of the events of a watch opened with `sendInitialEvents` (KEP-3157). */
export class StreamedList<T extends KubeObject> {
  readonly #resource: Resource;
  readonly #prepare: (item: T) => T;
  readonly #items = new Map<string, T>();

  constructor(resource: Resource, prepare: (item: T) => T) {
    this.#resource = resource;
    this.#prepare = prepare;
  }

  get size(): number {
    return this.#items.size;
  }

  /** The list once this event has completed it; undefined before. What changes while it is sent comes as events among the others. */
  take(event: WatchEvent<T>): Listing<T> | undefined {
    const { type, object } = event;
    if (isListEnd(event)) {
      const resourceVersion = needVersion(this.#resource, object.metadata.resourceVersion);
      return { items: [...this.#items.values()], resourceVersion };
    }
    if (type === 'BOOKMARK') {
      throw new Error(
        `list of ${this.#resource.plural}: expected the end of the initial events, found a bookmark that does not say so, after ${this.size} objects`,
      );
    }
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    if (type === 'DELETED') this.#items.delete(key);
    else this.#items.set(key, this.#prepare(object));
    return undefined;
  }
}

function needVersion(resource: Resource, resourceVersion = ''): string {
  if (resourceVersion === '' || resourceVersion === '0') {
    throw new Error(`list of ${resource.plural}: expected a resourceVersion, found ${JSON.stringify(resourceVersion)}`);
  }
  return resourceVersion;
}

/** How a server refuses parameters that it does not know, or whose feature gate is off. */
const NOT_STREAMED = new Set([400, 422]);
/** Streamed lists that broke off one after the other before pages are tried: something between us and the server may not bear them. */
const MOST_BROKEN_STREAMS = 2;

/** What is known of a server's streamed lists. */
export class Streaming {
  readonly #log: Log;
  #broken = 0;
  /** The server has said that it does not stream lists. */
  isRefused = false;

  constructor(log: Log) {
    this.#log = log;
  }

  get isTried(): boolean {
    return !this.isRefused && this.#broken < MOST_BROKEN_STREAMS;
  }

  /** A list is in, however it was read: streaming is worth another try. */
  listed(): void {
    this.#broken = 0;
  }

  /** One did not come to its end. */
  broke(error: unknown, accepted: boolean): void {
    if (accepted) this.#broken++;
    else if (error instanceof KubeError && NOT_STREAMED.has(error.status)) {
      this.isRefused = true;
      this.#log.info({ err: error }, 'the API server does not stream lists; reading them in pages');
    }
  }
}
