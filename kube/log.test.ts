import { describe, expect, it } from 'vitest';
import { redact, redactText } from './log.ts';

describe('logs', () => {
  it('hold no secret, under whatever key or however deep', () => {
    const secret = 's3cr3t-value';
    const fields = {
      headers: { Authorization: `Bearer ${secret}`, cookie: secret, accept: 'x' },
      token: secret,
      user: { password: secret, nested: [{ clientSecret: secret }] },
      url: `postgres://fun:${secret}@db/x`,
      text: `sent Authorization: Bearer ${secret}`,
      err: new Error(`login as bearer ${secret} failed`),
    };
    const text = JSON.stringify(redact(fields, 0));
    expect(text).not.toContain(secret);
    expect(text).toContain('"accept":"x"');
    expect(text).toContain('postgres://fun:[redacted]@db/x');
  });

  it('keep what only looks like one', () => {
    expect(redact({ secretRef: { name: 'prom', key: 'token' }, tokens: 3 }, 0)).toEqual({
      secretRef: { name: 'prom', key: 'token' },
      tokens: 3,
    });
    expect(redactText('the bearer of bad news: https://x/y:z')).toContain('https://x/y:z');
  });
});
