import { describe, expect, it } from 'vitest';
import { CREDENTIALS_PER_SECRET, credentialsIn, type SecretWay, wayInto } from './source-credentials.ts';
import { aSource } from './testing/builders.ts';

const way = (auth: NonNullable<ReturnType<typeof aSource>['spec']['auth']>) => wayInto(aSource({ auth }).spec);
const held = (auth: Parameters<typeof way>[0], data: Record<string, string>) =>
  credentialsIn(way(auth) as SecretWay, (key) => (Object.hasOwn(data, key) ? data[key] : undefined));
const bearer = { bearer: { secretRef: { name: 's', key: 'token' } } };
const users = { basic: { secretRef: { name: 's', key: 'users' } } };
const pair = { basic: { secretRef: { name: 's' } } };

describe('the credentials of a source', () => {
  it('are one a line, so that two are valid while they are changed', () => {
    expect(held(bearer, { token: ' old \r\n\nnew\n' })).toEqual(['old', 'new']);
    expect(held(users, { users: 'ana:a\nbo:b:c' })).toEqual(['ana:a', 'bo:b:c']);
    expect(held(pair, { username: 'ana\n', password: 'old\nnew' })).toEqual(['ana:old', 'ana:new']);
    expect(held(bearer, { token: 'x\n'.repeat(99) })).toHaveLength(CREDENTIALS_PER_SECRET);
  });

  it('are said to be missing by the key that is missing, empty, or no pair', () => {
    expect(held(bearer, {})).toEqual({ fault: 'KeyMissing', key: 'token' });
    expect(held(bearer, { token: ' \n ' })).toEqual({ fault: 'KeyEmpty', key: 'token' });
    expect(held(pair, { username: 'ana' })).toEqual({ fault: 'KeyMissing', key: 'password' });
    expect(held(users, { users: 'ana:a\nnobody' })).toEqual({ fault: 'NoColon', key: 'users' });
  });

  it('are none where nobody is asked, and where another source routes alerts here', () => {
    expect(way({ none: {} })).toEqual({ kind: 'None' });
    const spec = { format: 'Alertmanager' as const, acceptFrom: { namespace: 'infra', name: 'prom' } };
    expect(wayInto(spec)).toEqual({ kind: 'Accepted', namespace: 'infra', name: 'prom' });
    expect(() => way({})).toThrow('expected one of bearer, basic, hmac and none');
  });
});
