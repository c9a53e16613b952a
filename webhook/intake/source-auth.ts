/** Knows the credentials of each AlertSource: reads its Secret by name, believes it shortly, and reads early when a proof is wrong. */

import type { KeyObject } from 'node:crypto';
import type { AlertSource } from '@funnelai/crds/generated/types';
import type { KubeObject } from '@funnelai/crds/meta';
import { credentialsIn, type SecretFault, type SecretWay, wayInto } from '@funnelai/domain/source-credentials';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { SECRETS } from '@funnelai/kube/core-kinds';
import { isNotFound, KubeError, messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import {
  SECRET_AHEAD_MS,
  SECRET_BELIEVED_MS,
  SECRET_EARLY_REREAD_MS,
  SECRET_READ_MS,
  SECRET_REST_MS,
  SECRET_TTL_MS,
  SECRET_WAIT_MS,
  SECRETS_REMEMBERED,
} from '../limits.ts';
import { isSigned, signingKeys } from './signature.ts';
import { isOneOf, tokenHashes } from './tokens.ts';
import type { Proof } from './vouch.ts';

/** `notConfigured` and `unavailable` are for the sender's retry; why stands in our log and in the source's conditions only. */
export type AuthOutcome = 'ok' | 'wrong' | 'notConfigured' | 'unavailable';

export interface SourceAuth {
  check(source: AlertSource, way: SecretWay, proof: Proof): Promise<AuthOutcome>;
  /** Reads the Secret of a source that nobody asked about lately, for when it cannot be read any more. Never throws. */
  prepare(source: AlertSource): Promise<void>;
}

interface Secret extends KubeObject {
  data?: Record<string, string>;
}
interface Entry {
  hashes: Buffer[];
  keys: KeyObject[];
  /** Why there are none. */
  missing?: string;
  readAtMs: number;
}

export function createSourceAuth(deps: { client: KubeClient; clock: Clock; log: Log }): SourceAuth {
  const entries = new Map<string, Entry>();
  const reading = new Map<string, Promise<Entry>>();

  async function fetchEntry(namespace: string, way: SecretWay): Promise<Entry> {
    const readAtMs = deps.clock.monotonicMs();
    const none = { hashes: [], keys: [], readAtMs };
    try {
      const { data } = await deps.client.get<Secret>(
        SECRETS,
        { namespace, name: way.secret },
        { timeoutMs: SECRET_READ_MS },
      );
      const found = credentialsIn(way, (key) => textUnder(data, key));
      if (!Array.isArray(found)) return { ...none, missing: wordsFor(found, way.secret) };
      return way.kind === 'Hmac' ? { ...none, keys: signingKeys(found) } : { ...none, hashes: tokenHashes(found) };
    } catch (error) {
      if (isNotFound(error)) return { ...none, missing: `Secret ${way.secret} does not exist` };
      throw error;
    }
  }

  /** One read at a time for each source, whoever waits for it. */
  function read(id: string, namespace: string, way: SecretWay): Promise<Entry> {
    const running = reading.get(id);
    if (running !== undefined) return running;
    const started = fetchEntry(namespace, way)
      .then((entry) => {
        if (!entries.has(id) && entries.size >= SECRETS_REMEMBERED) entries.delete(entries.keys().next().value ?? '');
        entries.set(id, entry);
        failure = undefined;
        return entry;
      })
      .catch((error: unknown) => {
        if (error instanceof KubeError && (error.transient || error.perhapsStored))
          failure = { error, atMs: deps.clock.monotonicMs() };
        throw error;
      })
      .finally(() => reading.delete(id));
    reading.set(id, started);
    return started;
  }

  /** Of the last reading, where that met no API server. */
  let failure: { error: KubeError; atMs: number } | undefined;
  const isResting = ({ atMs }: { atMs: number }) => deps.clock.monotonicMs() - atMs < SECRET_REST_MS;
  /** An API server that is away takes no tokens: what was known of them is believed a while, and nobody waits for it again and again. */
  async function readOrBelieve(
    id: string,
    namespace: string,
    way: SecretWay,
    known: Entry | undefined,
  ): Promise<Entry> {
    const nowMs = deps.clock.monotonicMs();
    const isBelieved = known !== undefined && nowMs - known.readAtMs < SECRET_BELIEVED_MS;
    const failed = failure;
    if (failed !== undefined && isResting(failed)) {
      if (isBelieved) return known;
      throw failed.error;
    }
    const news = read(id, namespace, way);
    if (!isBelieved) return news;
    // Once it was away it is asked by the way: whoever comes now is not to wait out what may be the next failure.
    const patience = failed === undefined ? undefined : deps.clock.sleep(SECRET_WAIT_MS).then(() => known);
    try {
      return await (patience === undefined ? news : Promise.race([news, patience]));
    } catch (error) {
      if (failure === undefined || failure.error !== error) throw error;
      return known;
    } finally {
      news.catch(() => {});
    }
  }

  return {
    async check(source, way, proof) {
      const { namespace = '', name } = source.metadata;
      const id = idOf(source, way);
      const where = { source: `${namespace}/${name}` };
      try {
        const age = (e: Entry) => deps.clock.monotonicMs() - e.readAtMs;
        let entry = entries.get(id);
        if (entry === undefined || age(entry) >= SECRET_TTL_MS) entry = await readOrBelieve(id, namespace, way, entry);
        if (isProven(way, proof, entry)) return 'ok';
        if (age(entry) >= SECRET_EARLY_REREAD_MS) {
          if (failure !== undefined && isResting(failure)) throw failure.error;
          entry = await read(id, namespace, way);
          if (isProven(way, proof, entry)) return 'ok';
        }
        if (entry.missing === undefined) return 'wrong';
        deps.log.warn({ ...where, why: entry.missing }, 'alerts refused: the source has no credentials');
        return 'notConfigured';
      } catch (error) {
        deps.log.warn({ ...where, why: messageOf(error) }, 'alerts refused: the Secret of the source cannot be read');
        return 'unavailable';
      }
    },
    async prepare(source) {
      const way = wayInto(source.spec);
      if (!('secret' in way)) return;
      const id = idOf(source, way);
      const known = entries.get(id);
      const isFull = known === undefined && entries.size >= SECRETS_REMEMBERED;
      if (isFull || (known !== undefined && deps.clock.monotonicMs() - known.readAtMs < SECRET_AHEAD_MS)) return;
      // Why it could not be read is said to whoever asks next.
      await read(id, source.metadata.namespace ?? '', way).catch(() => {});
    },
  };
}

/** The reference is part of it: a source that names another Secret is not judged by the old one. */
function idOf({ metadata: { namespace = '', name } }: AlertSource, way: SecretWay): string {
  return [namespace, name, way.kind, way.secret, ...way.keys].join('/');
}

function isProven(way: SecretWay, proof: Proof, { hashes, keys }: Entry): boolean {
  if ('text' in proof) return isOneOf(proof.text, hashes);
  return way.kind === 'Hmac' && isSigned(way.hmac, proof.signed, proof.body, keys);
}

function textUnder(data: Record<string, string> | undefined, key: string): string | undefined {
  const encoded = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

function wordsFor({ fault, key }: SecretFault, secret: string): string {
  if (fault === 'KeyMissing') return `Secret ${secret} has no key ${key}`;
  if (fault === 'KeyEmpty') return `key ${key} of Secret ${secret} is empty`;
  return `key ${key} of Secret ${secret} has a line without a colon`;
}
