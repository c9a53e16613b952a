/** Serves the UI's files: hashed ones for ever, the rest asked for anew each time; page routes get index.html. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpProblem } from './problems.ts';

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>funnelAI</title>
<h1>The pages are not built yet</h1>
<p>The API and the intake work. To have the pages, run <code>npm start</code>, or build them by hand and start the webhook with
<code>--ui-dir ui/dist</code>:</p><pre>cd ui &amp;&amp; npx vite build</pre>
<p>Until then: <code>kubectl get incidents.funnelai.dev -A</code></p></html>`;

/**
 * Registers the files, and the answer to every path that is nobody else's. `uiDir` absent or empty: a page that says how to build.
 * `refusalOf`: what is said to whoever GETs the address of a source and is no browser; undefined for other addresses.
 */
export async function addPages(
  app: FastifyInstance,
  uiDir: string | undefined,
  refusalOf: (request: FastifyRequest) => HttpProblem | undefined,
): Promise<void> {
  const index = uiDir === undefined ? undefined : join(uiDir, 'index.html');
  // Also while it does not exist: the build may come later.
  if (uiDir !== undefined) {
    await app.register(fastifyStatic, {
      root: uiDir,
      cacheControl: false,
      index: false,
      dotfiles: 'ignore',
      setHeaders: (reply, path) => {
        const isHashed = path.startsWith(join(uiDir, 'assets'));
        reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  // The static plugin takes a bare slash for a directory, which it refuses.
  app.route({ method: ['GET', 'HEAD'], url: '/', handler: (_request, reply) => sendIndex(reply, uiDir, index) });
  // Before the body is read: what it holds does not matter where there is nothing.
  app.addHook('onRequest', async (request) => {
    if (request.is404 && !READS.has(request.method)) throw nothingAt(request);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request);
    const wantsPage = wantsHtml(request);
    const refusal = wantsPage && !path.includes('/api/v2/') ? undefined : refusalOf(request);
    if (refusal !== undefined) throw refusal;
    // The last part of a page's path has no dot but in names; a missing script must not become a page.
    if (!wantsPage || path === '/api' || path.startsWith('/api/') || path.startsWith('/assets/')) {
      throw nothingAt(request);
    }
    return sendIndex(reply, uiDir, index);
  });
}

const READS = new Set(['GET', 'HEAD']);

const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? '';

const nothingAt = (request: FastifyRequest): HttpProblem =>
  new HttpProblem('NotFound', `There is no ${request.method} ${pathOf(request).slice(0, 200)} here.`);

function wantsHtml(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/html');
}

function sendIndex(reply: FastifyReply, uiDir: string | undefined, index: string | undefined): FastifyReply {
  if (uiDir !== undefined && index !== undefined && existsSync(index))
    return reply.code(200).sendFile('index.html', uiDir, { cacheControl: false });
  return reply.code(200).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(NOT_BUILT);
}
