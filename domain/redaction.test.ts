import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toAlertSpec } from './alert-input.ts';
import { REDACTED, redactInput, redactNamed, redactText } from './redaction.ts';
import { isSecretName } from './secret-names.ts';
import { anInput, aSource, at } from './testing/builders.ts';

/** What people choose and generators make; long enough not to stand in the surroundings by chance. */
const aSecret = fc
  .stringMatching(/^[A-Za-z0-9][A-Za-z0-9._~+=!$*-]{7,40}$/)
  .filter((s) => !/^(true|redacted)/i.test(s));
const PLACES: readonly ((secret: string) => string)[] = [
  (s) => `Authorization: Bearer ${s.replace(/[!$*]/g, '')}`,
  (s) => `curl -H 'Authorization: token ${s}' https://x.example`,
  (s) => `{"user":"ana","password":"${s}"}`,
  (s) => JSON.stringify(JSON.stringify({ client_secret: s })),
  (s) => JSON.stringify(JSON.stringify(JSON.stringify({ apiKey: s }))),
  (s) => `DB_PASSWORD=${s}`,
  (s) => `api-key: ${s}`,
  (s) => `mysql --password ${s} -h db`,
  (s) => `mysql --password=${s} -h db`,
  (s) => `curl -u ana:${s} https://x.example`,
  (s) => `curl --proxy-user 'ana:${s}' https://x.example`,
  (s) => `postgres://app:${s}@db:5432/pay`,
  (s) => `https://app:x/${s}@host.example/path`,
  (s) => `https://${s.replace(/[^A-Za-z0-9]/g, '')}x@host.example/path`,
  (s) => `https://host.example/hook?a=1&token=${s}&b=2`,
  (s) => `https://host.example/hook?X-Amz-Signature=${s}`,
  (s) => `up{job="api", token="${s}"} == 0`,
  (s) => `AccountName=a;AccountKey=${s};EndpointSuffix=x`,
  (s) => `Set-Cookie: session=${s}; HttpOnly`,
  (s) => `-----BEGIN RSA PRIVATE KEY-----\n${s}\n-----END RSA PRIVATE KEY-----`,
  (s) => `-----BEGIN PRIVATE KEY-----\n${s}`,
  (s) => `Basic ${btoa(`ana:${s}`)}`,
  (s) => `<auth type="x"><Password>${s}</Password></auth>`,
  (s) => `see https://sso.example/?next=https%3A%2F%2Fx.example%3Ftoken%3D${s.replace(/[^A-Za-z0-9]/g, 'x')}`,
  (s) => `env: [{"name":"DB_PASSWORD","value":"${s}"}]`,
  (s) => JSON.stringify(JSON.stringify([{ key: 'api.token', value: { stringValue: s } }])),
  (s) => `- name: SMTP_PASS\n  value: ${s}`,
  (s) => `headers: [["X-Api-Key","${s}"]]`,
  (s) => `{ user: 'ana', pass: '${s}' }`,
  (s) => `bearer: ${s}`,
  (s) => `mysql -u root -p${s} pay`,
  (s) => `-----BEGIN PGP PRIVATE KEY BLOCK-----\n${s}\n-----END PGP PRIVATE KEY BLOCK-----`,
];
const HARMLESS = [
  'Pod pay/api-7d9f (api) is in waiting state (reason: CrashLoopBackOff).',
  'secretName: my-tls of namespace: pay is about to expire',
  'Basic plan is used up; the bearer token is missing',
  'http://[::1]:9090/graph?g0.expr=up%7Bjob%3D%22x%22%7D&g0.tab=1',
  'https://medium.example/@ana/post and http://host:8080/@ana',
  'https://runbooks.example/runbooks/kubernetes/kubepodcrashlooping#key-facts',
  'max_tokens=5, key=value, at 12:00:01, 10.0.0.1:8080',
  'git@github.com:acme/pay.git',
  '12 tests pass, low_pass: 3, bypass=on',
  '<secretName>my-tls</secretName> {"name":"region","value":"eu-1"} ["token","value"]',
];

describe('text', () => {
  it('loses a secret wherever it stands, whatever stands around it', () => {
    const around = fc.constantFrom(
      '',
      'Backup failed: ',
      '(exit 1) ',
      'a=b ',
      '{"x":1} ',
      '界 ',
      'https://ok.example/a?b=c ',
    );
    fc.assert(
      fc.property(aSecret, fc.constantFrom(...PLACES), around, around, (secret, place, before, after) => {
        const shown = redactText(`${before}${place(secret)} ${after}`);
        expect(shown).toContain(REDACTED);
        expect(shown).not.toContain(secret);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r',
    `ghp_${'a1B2'.repeat(9)}`,
    `glpat-${'a1B2'.repeat(5)}`,
    'AKIAIOSFODNN7EXAMPLE',
    `xoxb-${'1234567890'.repeat(2)}-abc`,
    'https://hooks.slack.com/services/T000/B000/XXXXXXXXXXXX',
    `sk_live_${'a1B2'.repeat(6)}`,
    `hvs.${'a1B2'.repeat(8)}`,
  ])('loses a token that is known by its shape: %s', (token) => {
    expect(redactText(`it said ${token}, then stopped`)).not.toContain(token.slice(-12));
  });

  it.each(HARMLESS)('stays as it is without one: %s', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('is not changed a second time', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PLACES, (s: string) => s),
        fc.string(),
        (place, text) => {
          const once = redactText(place(text));
          expect(redactText(once)).toBe(once);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['a token', (secret: string) => `ghp_${secret}`],
    ['a field', (secret: string) => `{"password":"${secret}"`],
    ['an address', (secret: string) => `postgres://app:${secret}!${secret}@db/pay`],
    ['a parameter', (secret: string) => `https://x.example/?sig=${secret}%2F${secret}`],
  ])('that is too long to be kept ends with a mark, and with no half of %s', (_what, make) => {
    const secret = 'a1B2'.repeat(9);
    for (let at = 16_250; at < 16_400; at += 1) {
      const shown = redactText(`${'x '.repeat(at / 2).slice(0, at)} ${make(secret)} and more ${'y'.repeat(20_000)}`);
      expect(shown).not.toContain('a1B2');
      expect(shown.endsWith('…')).toBe(true);
    }
  });

  it('that is too long keeps its beginning though it has no white space', () => {
    const shown = redactText(JSON.stringify(Array.from({ length: 3_000 }, (_, i) => `item-${i}`)));
    expect(shown.length).toBeGreaterThan(16_000);
  });

  it('is read in time that grows with its length and not with its square', () => {
    const pieces = [
      'aaaa',
      ' ',
      'a.',
      'token:"\\',
      'x://a:',
      '?b=',
      'key=',
      'Bearer ',
      '-p ',
      '"secret":"',
      'cookie:',
      'eyJa.',
      '"name":"token","value":',
      '["x-api-key",',
      '<token a>',
      'token%3D',
      ' -u a -p',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 4 }), (parts) => {
        const began = performance.now();
        redactText(parts.join('').repeat(4_000).slice(0, 16_384));
        expect(performance.now() - began).toBeLessThan(400);
      }),
      { numRuns: 60 },
    );
  });
});

describe('names', () => {
  it.each(
    'pass db_pass SMTP_PASS smtpPass dbpass bearer password PASSWD db_password dbpassword X-Api-Key apiKey clientSecret auth.token token2 password_value AccountKey aws_secret_access_key connection_string Authorization'.split(
      ' ',
    ),
  )('%s names a secret', (name) => expect(isSecretName(name)).toBe(true));

  it.each('secretName secret_name tokens token_type key keystone monkey access_key_id passenger author'.split(' '))(
    '%s does not',
    (name) => expect(isSecretName(name)).toBe(false),
  );

  it('hide what stands under them, but not that there is nothing', () => {
    expect(redactNamed('password', 'hunter2')).toBe(REDACTED);
    expect(['', 'true', 'null', '****'].map((value) => redactNamed('password', value))).toEqual([
      '',
      'true',
      'null',
      '****',
    ]);
  });
});

describe('what was looked at before', () => {
  it('is judged alike, secret or not, however often it comes', () => {
    const secret = 'https://app:hunter2hunter2@host.example/x';
    const plain = 'https://host.example/x?a=1';
    for (let round = 0; round < 3; round += 1) {
      expect([redactText(secret), redactText(plain)]).toEqual([`https://${REDACTED}@host.example/x`, plain]);
      const { input } = redactInput(
        anInput({ labels: { pod: 'a', db_password: 'hunter2hunter2' }, annotations: { link: secret, pod: plain } }),
      );
      expect(input.labels).toEqual({ pod: 'a', db_password: REDACTED });
      expect(input.annotations).toEqual({ link: `https://${REDACTED}@host.example/x`, pod: plain });
    }
  });
});

describe('a report', () => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r';
  const leaky = anInput({
    labels: { alertname: 'Leak', db_password: 'hunter2', target: 'postgres://app:hunter2@db/pay' },
    annotations: {
      summary: `got ${jwt}`,
      description: '{"password":"hunter2"}',
      runbook_url: 'https://r.example/?token=hunter2',
    },
    title: 'token=hunter2',
    severity: 'Bearer hunter2',
    dedupKey: 'https://u:hunter2@x.example/1',
    notes: ['password: hunter2'],
    links: [{ title: 'Source', url: 'http://u:hunter2@prom/graph?sig=hunter2', kind: 'Source' }],
  });

  it('is stored without its secrets, and says which of its parts had any', () => {
    const { spec } = toAlertSpec(leaky, aSource(), at(60));
    expect(JSON.stringify(spec)).not.toMatch(/hunter2|eyJ/);
    expect(spec.notes?.[0]).toBe(
      'secrets taken out of: label db_password, label target, annotation summary, annotation description, annotation runbook_url, title, severity, key and 1 more',
    );
    expect(spec.links).toEqual([
      { title: 'Runbook', url: 'https://r.example/?token=[redacted]', kind: 'Runbook' },
      { title: 'Source', url: 'http://prom/graph?sig=[redacted]', kind: 'Source' },
    ]);
  });

  it('is the same fault as before, and as another only if it was', () => {
    const of = (labels: Record<string, string>) => toAlertSpec(anInput({ labels }), aSource(), at(60)).spec.fingerprint;
    expect(of({ password: 'a1b2c3d4' })).not.toBe(of({ password: 'e5f6a7b8' }));
    expect(of({ password: 'a1b2c3d4' })).toBe(of({ password: 'a1b2c3d4' }));
  });

  it('that has none is left alone', () => {
    const plain = anInput({ annotations: { summary: HARMLESS[0] ?? '' } });
    const { input, notes } = redactInput(plain);
    expect(notes).toEqual([]);
    expect(input.labels).toBe(plain.labels);
    expect(input.annotations).toBe(plain.annotations);
  });
});
