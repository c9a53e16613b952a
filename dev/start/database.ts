/** The private Postgres of an installation: found, made when it is not there yet, and kept running. */
import { join } from 'node:path';
import { findPostgres } from '../postgres/binaries.ts';
import { createPostgres, storedMajor } from '../postgres/server.ts';
import { patiently, type Say } from '../process/say.ts';
import type { Supervisor } from '../supervise/supervisor.ts';
import { postgresPart } from './parts.ts';

/** Resolves the URL of its owner, a secret, once it accepts connections. */
export async function startPrivatePostgres(
  { directory, say }: { directory: string; say: Say },
  supervisor: Supervisor,
  port: number,
): Promise<string> {
  const binaries = await findPostgres(say, { storedMajor: storedMajor(directory) });
  return patiently(say, 'starting Postgres', 'it keeps the history', async () => {
    const server = await createPostgres({ binaries, directory, logs: join(directory, 'logs'), port, fsync: true });
    if (server.place.moved) {
      say(
        `  Postgres runs as ${server.place.account}, who may not enter ${directory}: its data is in ${server.place.directory} (--fresh wipes it there)`,
      );
    }
    await supervisor.add(postgresPart(server));
    return server.url;
  });
}
