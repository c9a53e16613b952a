import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REJECTED_BODY_BYTES } from '../limits.ts';
import { redactedBody } from './redact.ts';

const of = (body: unknown, type = 'application/json') =>
  redactedBody(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), type);
const SECRET = 's3cr3tVALUE99';

describe('a body that is kept', () => {
  it.each([
    ['a password field', { password: SECRET, title: 'kept' }],
    ['a name that only holds the word', { db_password_old: SECRET, title: 'kept' }],
    ['an object of credentials', { credentials: { user: 'u', pin: SECRET }, title: 'kept' }],
    ['a number', { apiKey: 12, x: { 'api-key': SECRET }, title: 'kept' }],
    ['the routing key of PagerDuty', { routing_key: SECRET, title: 'kept' }],
    ['a pair of name and value', { vars: [{ name: 'DB_PASSWORD', value: SECRET }], title: 'kept' }],
    ['a bearer token in a text', { text: `curl -H "Authorization: Bearer ${SECRET}" x`, title: 'kept' }],
    ['a URL with credentials', { url: `postgres://app:${SECRET}@db/x`, title: 'kept' }],
    ['a query of a URL', { url: `https://h/x?a=1&access_token=${SECRET}&b=2`, title: 'kept' }],
    [
      'JSON in JSON',
      { Message: JSON.stringify({ token: SECRET, more: JSON.stringify({ pwd: SECRET }) }), title: 'kept' },
    ],
    ['a JSON web token', { text: 'x eyJhbGciOiJIUzI1NiJ9.s3cr3tVALUE99.abc y', title: 'kept' }],
  ])('shows nothing of %s', (_what, body) => {
    const shown = of(body);
    expect(shown).not.toContain(SECRET);
    expect(shown).toContain('kept');
    expect(shown).toContain('[redacted]');
  });

  it.each([
    ['broken JSON', `{"title":"kept","password":"${SECRET}", oops`],
    ['broken JSON that ends in the secret', `{"title":"kept","token":"${SECRET}`],
    ['broken JSON with an object under the name', `{"title":"kept","secrets":{"a":"${SECRET}","b":1}, oops`],
    ['a form', `title=kept&password=${SECRET}&x=1`],
    ['a header', `title: kept\nX-Api-Key: ${SECRET}\n`],
    ['escaped JSON that broke', `{"title":"kept","m":"{\\"password\\":\\"${SECRET}\\"}", oops`],
  ])('shows nothing of a secret in %s', (_what, body) => {
    expect(of(body)).not.toContain(SECRET);
    expect(of(body)).toContain('kept');
  });

  it('leaves what is no secret', () => {
    const body = { labels: { alertname: 'DesignPassed', author: 'ana', signal: 'up', assignee: 'bo', monkey: 'x' } };
    expect(JSON.parse(of(body))).toEqual(body);
  });

  it('is cut, and is never bytes', () => {
    expect(Buffer.byteLength(of({ text: 'ü'.repeat(9_000) }))).toBeLessThanOrEqual(REJECTED_BODY_BYTES);
    expect(redactedBody(Buffer.from([0, 1, 2, 3, 255, 254]), '')).toBe('6 bytes of no known type, which is no text');
    expect(redactedBody(Buffer.from('abc'), 'application/x-protobuf')).toContain('application/x-protobuf');
  });

  it('of whatever kind throws nothing and shows no password, wherever it stands', () => {
    const bodies = fc.array(fc.oneof(fc.json(), fc.string()), { maxLength: 4 });
    fc.assert(
      fc.property(bodies, fc.nat(3), (parts, at) => {
        const text = [...parts.slice(0, at), `"password":"${SECRET}"`, ...parts.slice(at)].join(',');
        expect(of(text)).not.toContain(SECRET);
        expect(of(`{${text}`)).not.toContain(SECRET);
      }),
    );
  });

  it('takes no time worth the name though it is one long word', () => {
    const started = performance.now();
    for (const word of ['a', 'pass', 'token.', '-----BEGIN ', 'a://b', '\\']) of(word.repeat(8_192 / word.length));
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
