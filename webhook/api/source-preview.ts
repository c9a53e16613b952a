/** What a body would become, asked by a person: they are told of other namespaces what they could read there with kubectl, and no more. */
import type { AlertSource } from '@funnelai/crds/generated/types';
import { refusedPreview } from '@funnelai/domain/refused-preview';
import type { SourcePreview } from '@funnelai/domain/wire-sources';
import { z } from 'zod';
import type { Person } from '../auth/identity.ts';
import { mediaTypeOf, pathUnder } from '../intake/entrance.ts';
import { inUtf8 } from '../intake/envelope.ts';
import { mapBounded } from '../intake/gate.ts';
import type { Sight } from '../intake/grouping.ts';
import { previewOf } from '../intake/preview.ts';
import { ACCESS_CHECKS_AT_ONCE } from '../limits.ts';
import { HttpProblem } from '../server/problems.ts';
import type { ApiContext } from './context.ts';

export const previewSchema = z.strictObject({
  body: z.string(),
  encoding: z.enum(['utf8', 'base64']).optional(),
  contentType: z.string().max(256).optional(),
  path: z.string().max(256).optional(),
  headers: z.record(z.string().max(256), z.string().max(4_096)).optional(),
  query: z.string().max(4_096).optional(),
});

/** Who sends them proves something by them; a preview proves nothing. */
const NOT_FOR_PREVIEWS = new Set(['authorization', 'cookie']);

export async function preview(
  api: ApiContext,
  who: Person,
  source: AlertSource,
  asked: z.infer<typeof previewSchema>,
): Promise<SourcePreview> {
  const receiver = api.receivers[source.spec.format];
  const given = Object.entries(asked.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  const headers = {
    ...Object.fromEntries(given.filter(([name]) => !NOT_FOR_PREVIEWS.has(name))),
    ...(asked.contentType === undefined ? {} : { 'content-type': asked.contentType }),
  };
  try {
    const path = pathUnder(source, receiver, asked.path ?? receiver.paths[0] ?? '');
    const mediaType = mediaTypeOf(receiver, asked.contentType);
    const bytes = Buffer.from(asked.body, asked.encoding ?? 'utf8');
    const query = new URLSearchParams(asked.query ?? '');
    const came = { body: bytes, headers, mediaType, path, query, source, now: api.clock.now() };
    const envelope = inUtf8(receiver, came);
    const sight = await sightOf(api, who, source);
    const { clock, routing, foresight } = api;
    return (await previewOf(receiver, envelope, { clock, routing, foresight, sight })).preview;
  } catch (error) {
    // What the sender would be refused with is what was asked for.
    if (!(error instanceof HttpProblem)) throw error;
    return refusedPreview({ status: error.status, code: error.code, message: error.message });
  }
}

/** Only its own namespace and those that its routes name are asked about: of any other it may not be told what fires there. */
async function sightOf(api: ApiContext, who: Person, { metadata, spec }: AlertSource): Promise<Sight> {
  const named = [metadata.namespace ?? '', ...(spec.routes ?? []).map(({ namespace }) => namespace)];
  const rights = await mapBounded([...new Set(named)], ACCESS_CHECKS_AT_ONCE, async (namespace) => ({
    namespace,
    alerts: await api.access.may(who, { verb: 'list', resource: 'alerts', namespace }),
    sources: await api.access.may(who, { verb: 'get', resource: 'alertsources', namespace }),
  }));
  const among = (what: 'alerts' | 'sources') => {
    const seen = new Set(rights.filter((right) => right[what]).map(({ namespace }) => namespace));
    return (namespace: string) => seen.has(namespace);
  };
  return { alerts: among('alerts'), sources: among('sources') };
}
