/** The lines that `npm start` wants on the first page, read anew when asked for: they are written after this process has started. */
import { readFile } from 'node:fs/promises';
import type { Welcome } from '@funnelai/domain/wire';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { z } from 'zod';

const schema = z.object({ lines: z.array(z.object({ label: z.string(), command: z.string() })).max(20) });

/** Returns a reader of that file; it answers undefined without one, while it holds no line, and when it cannot be read. */
export function createWelcomeReader(path: string | undefined, log: Log): () => Promise<Welcome | undefined> {
  if (path === undefined) return async () => undefined;
  return async () => {
    try {
      const welcome = schema.parse(JSON.parse(await readFile(path, 'utf8')));
      return welcome.lines.length === 0 ? undefined : welcome;
    } catch (error) {
      log.warn({ path, why: messageOf(error) }, 'the welcome file cannot be read; the page goes without');
      return undefined;
    }
  };
}
