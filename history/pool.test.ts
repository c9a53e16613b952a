import { describe, expect, it } from 'vitest';
import { parseDatabaseUrl } from './pool.ts';

describe('a database URL', () => {
  it('says everything by itself', () => {
    expect(parseDatabaseUrl('postgres://ana:p%40ss@db.example:5433/history?sslmode=require')).toMatchObject({
      host: 'db.example',
      port: 5433,
      user: 'ana',
      password: 'p@ss',
      database: 'history',
      ssl: {},
    });
    expect(parseDatabaseUrl('postgresql://ana@[::1]/history')).toMatchObject({ host: '::1', port: 5432, ssl: false });
    expect(parseDatabaseUrl('postgres://ana@/history?host=/run/postgresql')).toMatchObject({ host: '/run/postgresql' });
    expect(parseDatabaseUrl('postgres://ana@%2Frun%2Fpostgresql/history')).toMatchObject({ host: '/run/postgresql' });
  });

  it.each([
    ['postgres://db.example/history', 'no user'],
    ['postgres://ana@db.example', 'no database'],
    ['postgres://ana@/history', 'no host'],
    ['postgres:///history?user=ana', 'no host'],
    ['mysql://ana@db.example/history', 'expected postgres://'],
    ['db.example', 'expected postgres://'],
    ['postgres://ana@a,b/history', 'expected one host'],
    ['postgres://ana@db.example/history?sslmode=prefer', 'sslmode must be'],
    ['postgres://ana@db.example/history?pgbouncer=true', 'pgbouncer is not known'],
    ['postgres://ana:100%@db.example/history', 'percent-encoded'],
  ])('%s is refused: %s', (url, message) => expect(() => parseDatabaseUrl(url)).toThrow(message));

  it('never shows itself in a refusal', () => {
    for (const url of [
      'postgres://ana:geheim@',
      'postgres://ana:geheim@h:x/d',
      'x://ana:geheim@h/d',
      'postgres://ana:geheim%@h/d',
    ])
      expect(() => parseDatabaseUrl(url)).not.toThrow('geheim');
  });
});
