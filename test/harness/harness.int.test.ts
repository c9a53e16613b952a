import pg from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { createDatabase } from './database.ts';
import { writesIn, writesOf } from './etcd.ts';
import { createKubectl } from './kubectl.ts';
import { userOf } from './users.ts';

const kubectl = createKubectl({ assets: inject('assets'), kubeconfig: inject('kubeconfig') });

describe('the test harness', () => {
  it('knows each context as the user that it is named for', async () => {
    for (const context of ['ana', 'viewer', 'operator'] as const) {
      const name = await kubectl.run(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], { as: context });
      expect(name).toBe(userOf(context).name);
    }
  });

  it('gives each test file a database of its own', async () => {
    const { url, drop } = await createDatabase(inject('databaseUrl'));
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      const { rows } = await client.query<{ one: number }>('select 1 as one');
      expect(rows).toEqual([{ one: 1 }]);
    } finally {
      await client.end();
      await drop();
    }
  });

  it('reads from etcd how often a key was written', async () => {
    expect(await writesOf(inject('etcdUrl'), 'incidents', 'default', 'not-there')).toBe(0);
    expect(await writesIn(inject('etcdUrl'), 'incidents', 'not-there')).toEqual(new Map());
  });
});
