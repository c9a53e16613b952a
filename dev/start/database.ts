/** The database of an installation: a private Postgres that is made when it is not there yet and kept running, or one that a person named. */
import { join } from 'node:path';
import { createPool } from '@funnelai/history/pool';
import { findPostgres } from '../postgres/binaries.ts';
import { createPostgres, storedMajor } from '../postgres/server.ts';
import { Fault, messageOf } from '../process/fault.ts';
import { patiently, type Say } from '../process/say.ts';
import type { Supervisor } from '../supervise/supervisor.ts';
import { withoutSecret } from './named-cluster.ts';
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

const CONNECT_MS = 10_000;

/**
 * Asks a named database whether it can be used at all. Later it may come and go, for no incident waits for it; but one that
 * is not there to begin with is named wrongly. Throws a Fault that names it without its password.
 */
export async function checkNamedDatabase(url: string, say: Say): Promise<void> {
  const shown = withoutSecret(url);
  await patiently(say, 'asking the database', shown, async () => {
    try {
      const pool = createPool(url, { size: 1, connectTimeoutMs: CONNECT_MS });
      // Whatever fails is told by the query.
      pool.on('error', () => undefined);
      await pool.query('select 1').finally(() => pool.end());
    } catch (error) {
      throw new Fault(
        `--database-url: ${shown} cannot be used: ${messageOf(error) || 'no answer'}. Is it running, and are host, port, user, password and database right?`,
      );
    }
  });
}
