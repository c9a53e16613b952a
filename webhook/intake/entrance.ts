/** Which source a request is for, and whether who sends it may: each refusal says what its owner has to change. Reads no body. */
import type { AlertSource } from '@funnelai/crds/generated/types';
import type { SecretWay } from '@funnelai/domain/source-credentials';
import type { Cache } from '@funnelai/kube/cache';
import type { LeaseBook } from '../leases/collector.ts';
import * as limits from '../limits.ts';
import type { Receiver } from '../receivers/receiver.ts';
import { demandNames } from '../server/names.ts';
import { HttpProblem, retryAfter } from '../server/problems.ts';
import type { SourceAuth } from './source-auth.ts';
import type { SourceLookup } from './source-lookup.ts';
import { type Proof, refuted } from './vouch.ts';

export interface EntranceDeps {
  sources: Cache<AlertSource>;
  lookup: SourceLookup;
  auth: Pick<SourceAuth, 'check'>;
  leases?: LeaseBook;
}

/** @throws {HttpProblem} there is none, or nobody can say: 404 is never retried, so it is said only of what the API server itself does not have. */
export async function findSource(
  deps: EntranceDeps,
  params: { namespace: string; source: string },
): Promise<AlertSource> {
  const { namespace, source: name } = params;
  demandNames({ namespace, name }, 'source');
  const source = deps.sources.get(namespace, name);
  if (source !== undefined) return source;
  if (!deps.sources.synced || !deps.sources.fresh()) throw nobodyCanSay(deps);
  const found = await deps.lookup.find(namespace, name).catch(() => {
    throw nobodyCanSay(deps);
  });
  if (found !== undefined) return found;
  throw new HttpProblem('NotFound', `There is no AlertSource ${name} in namespace ${namespace}.`);
}

function nobodyCanSay(deps: EntranceDeps): HttpProblem {
  deps.leases?.missed();
  return new HttpProblem('Unavailable', 'The API server is away: it is not known whether this source exists.', {
    headers: retryAfter(limits.RETRY_AFTER_MS),
  });
}

/** Throws HttpProblem unless the proof is the source's own. */
export async function authenticate(
  deps: EntranceDeps,
  source: AlertSource,
  way: SecretWay,
  proof: Proof,
): Promise<void> {
  const outcome = await deps.auth.check(source, way, proof);
  if (outcome === 'ok') return;
  if (outcome === 'wrong') throw refuted(way);
  // Its body stays unread for a fault of ours: no lease may run out by that.
  if (outcome === 'unavailable') deps.leases?.missed();
  const message =
    outcome === 'notConfigured'
      ? 'This AlertSource has no usable credentials yet. Its owner must create the Secret that it names; its condition Ready says what is missing.'
      : 'The credentials of this AlertSource cannot be checked now.';
  throw new HttpProblem('Unavailable', message, { headers: retryAfter(limits.RETRY_AFTER_MS) });
}

/** Returns the path behind the source's own. Throws where its format does not listen: a sender that is told 200 there would lose its alerts. */
export function pathUnder(source: AlertSource, receiver: Receiver, path: string): string {
  if (receiver.paths.includes(path)) return path;
  throw nobodyListens(source, receiver, path);
}

export function nobodyListens({ metadata }: AlertSource, receiver: Receiver, path: string): HttpProblem {
  const own = `/alerts/${metadata.namespace}/${metadata.name}`;
  return new HttpProblem(
    'NotFound',
    `AlertSource ${metadata.name} (${receiver.format}) does not listen at ${JSON.stringify(path.slice(0, 120))}, only at ${receiver.paths.map((p) => own + p).join(' and ')}.`,
  );
}

/** A missing type is taken for the format's own: what is not of it is refused by the receiver, with the place. */
export function mediaTypeOf(receiver: Receiver, header: string | undefined): string {
  const type = header?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === '' || receiver.takes(type)) return type;
  const hint =
    type === 'application/x-www-form-urlencoded'
      ? ' (curl -d sends that by itself: add -H "content-type: application/json")'
      : '';
  throw new HttpProblem(
    'UnsupportedMediaType',
    `content-type: found ${JSON.stringify(type.slice(0, 80))}${hint}, expected ${receiver.expects}.`,
  );
}
