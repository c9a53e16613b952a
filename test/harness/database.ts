/** A database of one's own on the shared test server, so that no test reads another's rows. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** Makes an empty database and resolves its URL and how to drop it. `ownerUrl` is the provided `databaseUrl`. */
export async function createDatabase(ownerUrl: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onServer(ownerUrl, `create database ${name}`);
  const url = new URL(ownerUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(ownerUrl, `drop database if exists ${name} with (force)`) };
}

async function onServer(ownerUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
