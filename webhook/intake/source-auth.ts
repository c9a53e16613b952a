/** Knows the tokens of each AlertSource: reads its Secret by name, believes it shortly, and reads early when a token is wrong. */
import type { AlertSource } from '@funnelai/crds/generated/types';
import type { KubeObject, Resource } from '@funnelai/crds/meta';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { isNotFound, KubeError, messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import {
  SECRET_BELIEVED_MS,
  SECRET_EARLY_REREAD_MS,
  SECRET_READ_MS,
  SECRET_REST_MS,
  SECRET_TTL_MS,
  SECRETS_REMEMBERED,
} from '../limits.ts';
import { isOneOf, tokenHashes } from './tokens.ts';

/** `notConfigured` and `unavailable` are for the sender's retry; why stands in our log and in the source's conditions only. */
export type AuthOutcome = 'ok' | 'wrongToken' | 'notConfigured' | 'unavailable';

export interface SourceAuth {
  check(source: AlertSource, token: string): Promise<AuthOutcome>;
}

interface Secret extends KubeObject {
  data?: Record<string, string>;
}
interface Entry {
  hashes: Buffer[];
  /** Why there are none. */
  missing?: string;
  readAtMs: number;
}

const SECRETS: Resource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true };

export function createSourceAuth(deps: { client: KubeClient; clock: Clock; log: Log }): SourceAuth {
  const entries = new Map<string, Entry>();
  const reading = new Map<string, Promise<Entry>>();

  async function fetchEntry(source: AlertSource): Promise<Entry> {
    const { name, key } = source.spec.auth.bearer.secretRef;
    const namespace = source.metadata.namespace ?? '';
    const readAtMs = deps.clock.monotonicMs();
    try {
      const secret = await deps.client.get<Secret>(SECRETS, { namespace, name }, { timeoutMs: SECRET_READ_MS });
      const encoded = secret.data !== undefined && Object.hasOwn(secret.data, key) ? secret.data[key] : undefined;
      if (encoded === undefined) return { hashes: [], missing: `Secret ${name} has no key ${key}`, readAtMs };
      const hashes = tokenHashes(Buffer.from(encoded, 'base64'));
      return hashes.length > 0
        ? { hashes, readAtMs }
        : { hashes, missing: `key ${key} of Secret ${name} is empty`, readAtMs };
    } catch (error) {
      if (isNotFound(error)) return { hashes: [], missing: `Secret ${name} does not exist`, readAtMs };
      throw error;
    }
  }

  /** One read at a time for each source, whoever waits for it. */
  function read(id: string, source: AlertSource): Promise<Entry> {
    const running = reading.get(id);
    if (running !== undefined) return running;
    const started = fetchEntry(source)
      .then((entry) => {
        if (!entries.has(id) && entries.size >= SECRETS_REMEMBERED) entries.delete(entries.keys().next().value ?? '');
        entries.set(id, entry);
        return entry;
      })
      .finally(() => reading.delete(id));
    reading.set(id, started);
    return started;
  }

  let failedAtMs = Number.NEGATIVE_INFINITY;
  /** An API server that is away takes no tokens: what was known of them is believed a while, and nobody waits for it again and again. */
  async function readOrBelieve(id: string, source: AlertSource, known: Entry | undefined): Promise<Entry> {
    const nowMs = deps.clock.monotonicMs();
    const isBelieved = known !== undefined && nowMs - known.readAtMs < SECRET_BELIEVED_MS;
    if (isBelieved && nowMs - failedAtMs < SECRET_REST_MS) return known;
    try {
      return await read(id, source);
    } catch (error) {
      if (!isBelieved || !(error instanceof KubeError) || !(error.transient || error.perhapsStored)) throw error;
      failedAtMs = deps.clock.monotonicMs();
      return known;
    }
  }

  return {
    async check(source, token) {
      const { name, key } = source.spec.auth.bearer.secretRef;
      // The reference is part of the id: a source that names another Secret is not judged by the old one.
      const id = [source.metadata.namespace, source.metadata.name, name, key].join('/');
      const where = { source: `${source.metadata.namespace}/${source.metadata.name}` };
      try {
        const age = (e: Entry) => deps.clock.monotonicMs() - e.readAtMs;
        let entry = entries.get(id);
        if (entry === undefined || age(entry) >= SECRET_TTL_MS) entry = await readOrBelieve(id, source, entry);
        if (isOneOf(token, entry.hashes)) return 'ok';
        if (age(entry) >= SECRET_EARLY_REREAD_MS) {
          entry = await read(id, source);
          if (isOneOf(token, entry.hashes)) return 'ok';
        }
        if (entry.missing === undefined) return 'wrongToken';
        deps.log.warn({ ...where, why: entry.missing }, 'alerts refused: the source has no token');
        return 'notConfigured';
      } catch (error) {
        deps.log.warn({ ...where, why: messageOf(error) }, 'alerts refused: the Secret of the source cannot be read');
        return 'unavailable';
      }
    },
  };
}
