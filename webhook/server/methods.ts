/** Tells a path that does not exist (404) from one that is there for other methods (405, with which: RFC 9110, 15.5.6). */
import type { FastifyInstance, HTTPMethods } from 'fastify';
import { HttpProblem } from './problems.ts';

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];
/** The rest are pages and files, or the intake's, which has a word of its own for senders. */
const OURS = /^\/(api\/|sign-in$|healthz$|readyz$)/;

/** Call it before the routes under /api and the probes are registered, and what it returns after them. */
export function refuseOtherMethods(app: FastifyInstance): () => void {
  const known = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    if (!OURS.test(url)) return;
    const methods = known.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    known.set(url, methods);
  });
  return () => {
    for (const [url, methods] of [...known]) {
      const allow = [...methods].sort().join(', ');
      const refuse = async (): Promise<never> => {
        const message = `There is ${allow} at this path, nothing else.`;
        throw new HttpProblem('MethodNotAllowed', message, { headers: { allow } });
      };
      // Before the body is read: what it holds does not matter.
      app.route({ url, method: METHODS.filter((one) => !methods.has(one)), onRequest: refuse, handler: refuse });
    }
  };
}
