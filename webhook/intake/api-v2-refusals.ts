/**
 * How an entrance refuses where it speaks Alertmanager's API v2. amtool and its like read a JSON text there and nothing else (OpenAPI v2:
 * 400 and 500 of postAlerts and getAlerts), Prometheus prints no more than the status line: so our words are the whole body, and stand in the
 * status line too. Status and headers are left as they are.
 */
import { cleanText, cutBytes } from '@funnelai/domain/bytes';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { REASON_PHRASE_BYTES } from '../limits.ts';
import type { AlertProblem } from '../receivers/problem.ts';
import { placed } from './answer.ts';

const API_V2 = /^\/alerts\/[^/?]+\/[^/?]+\/api\/v2\/(?!(?:[^?]*\/)?dry-run\/?(?:\?|$))/;
const METHODS: ReadonlySet<string> = new Set(['GET', 'POST']);

/** Adds them to all that these routes refuse; a dry run is no part of that API, and keeps its answers. */
export function addApiV2Refusals(app: FastifyInstance): void {
  app.addHook('preSerialization', async (request: FastifyRequest, reply: FastifyReply, body: unknown) => {
    if (reply.statusCode < 400 || !METHODS.has(request.method) || !API_V2.test(request.url)) return body;
    const text = isRefusal(body) ? textOf(body) : undefined;
    if (text === undefined) return body;
    reply.raw.statusMessage = reasonPhrase(text);
    return text;
  });
}

interface Refusal {
  message: string;
  problems?: readonly AlertProblem[];
}

const isRefusal = (body: unknown): body is Refusal => typeof body === 'object' && body !== null && 'message' in body;

/** The message names the first fault; here there is no list beside it. */
function textOf({ message, problems = [] }: Refusal): string {
  return [message, ...problems.slice(1).map(placed)].join('; ');
}

/** Returns the text as a status line may hold it: no control characters, bounded, in bytes of UTF-8 (RFC 9112, 4: obs-text). */
export function reasonPhrase(text: string): string {
  const clean = cleanText(text).replace(/[\p{Cc}\s]+/gu, ' ');
  return Buffer.from(cutBytes(clean, REASON_PHRASE_BYTES), 'utf8').toString('latin1');
}
