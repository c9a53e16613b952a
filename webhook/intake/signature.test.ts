import { createHmac } from 'node:crypto';
import type { Hmac } from '@funnelai/domain/source-credentials';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { recordedFormats } from '../testing/recorded.ts';
import { isSigned, readSignature, signingKeys } from './signature.ts';

const NOW = Temporal.Instant.from('2026-01-01T12:00:00Z');
const BODY = Buffer.from('{"alerts":[]}');
const secretRef = { name: 's', key: 'key' };
const sign = (text: string, o: { key?: string; algorithm?: string; encoding?: 'hex' | 'base64' } = {}) =>
  createHmac(o.algorithm ?? 'sha256', o.key ?? 'k')
    .update(text)
    .digest(o.encoding ?? 'hex');

/** Is this request the sender's? A text says why its headers are no use. */
function judged(hmac: Omit<Hmac, 'secretRef'>, headers: Record<string, string>, keys = ['k']): boolean | string {
  const whole = { secretRef, ...hmac };
  const signed = readSignature(whole, headers, NOW);
  return typeof signed === 'string' ? signed : isSigned(whole, signed, BODY, signingKeys(keys));
}

describe('the signature of a body', () => {
  const text = BODY.toString();

  it.each([
    ['Sentry', { header: 'Sentry-Hook-Signature' }, { 'sentry-hook-signature': sign(text) }],
    ['Flux', { header: 'X-Signature', prefix: 'sha256=' }, { 'x-signature': `sha256=${sign(text)}` }],
    [
      'GitHub of old',
      { header: 'X-Hub-Signature', prefix: 'sha1=', algorithm: 'sha1' as const },
      { 'x-hub-signature': `sha1=${sign(text, { algorithm: 'sha1' })}` },
    ],
    [
      'one in base64',
      { header: 'X-Sig', algorithm: 'sha512' as const, encoding: 'Base64' as const },
      { 'x-sig': sign(text, { algorithm: 'sha512', encoding: 'base64' }) },
    ],
    [
      'Grafana',
      { header: 'X-Grafana-Alerting-Signature', timestampHeader: 'X-Ts' },
      { 'x-grafana-alerting-signature': sign(`1767268800:${text}`), 'x-ts': '1767268800' },
    ],
    [
      'one with a time in milliseconds and a dot',
      { header: 'X-Sig', timestampHeader: 'X-Ts', separator: '.' },
      { 'x-sig': sign(`1767268800000.${text}`), 'x-ts': '1767268800000' },
    ],
    [
      'one that writes two while it rotates',
      { header: 'X-Sig' },
      { 'x-sig': `${sign(text, { key: 'z' })}, ${sign(text)}` },
    ],
  ])('of %s is taken', (_whose, hmac, headers) => {
    expect(judged(hmac, headers)).toBe(true);
  });

  it('of a body that notification-controller 1.9 signed is taken, over its bytes as they came', () => {
    const flux = recordedFormats().find(({ receiver }) => receiver.format === 'Flux');
    const sent = flux?.bodies.find(({ name }) => name === 'firing.v1-9');
    const hmac = { secretRef, header: 'X-Signature', prefix: 'sha256=' };
    const signed = readSignature(hmac, sent?.headers ?? {}, NOW);
    const isOf = (body: Buffer | undefined) =>
      typeof signed === 'object' && isSigned(hmac, signed, body ?? Buffer.alloc(0), signingKeys(['the-key']));
    expect(isOf(sent?.body)).toBe(true);
    expect(isOf(Buffer.from(JSON.stringify(JSON.parse(String(sent?.body)))))).toBe(false);
  });

  it('is taken under either key while the Secret holds two, and under no other', () => {
    const headers = { 'x-sig': sign(text, { key: 'new' }) };
    expect(judged({ header: 'X-Sig' }, headers, ['old', 'new'])).toBe(true);
    expect(judged({ header: 'X-Sig' }, headers, ['old'])).toBe(false);
    expect(judged({ header: 'X-Sig' }, headers, [])).toBe(false);
  });

  it('of another body, another time or another algorithm is none', () => {
    expect(judged({ header: 'X-Sig' }, { 'x-sig': sign('{}') })).toBe(false);
    const timed = { header: 'X-Sig', timestampHeader: 'X-Ts' };
    expect(judged(timed, { 'x-sig': sign(text) })).toContain('X-Ts: found no such header, expected the time');
    expect(judged(timed, { 'x-sig': sign(`1767268800:${text}`), 'x-ts': '1767268801' })).toBe(false);
    expect(judged({ header: 'X-Sig' }, { 'x-sig': sign(text, { algorithm: 'sha1' }) })).toContain('HMAC-SHA256');
  });

  it('that is missing or unreadable is said with what was expected', () => {
    expect(judged({ header: 'X-Sig' }, {})).toBe(
      'X-Sig: found no such header, expected the HMAC-SHA256 of the body under the key of this AlertSource, in hex',
    );
    expect(judged({ header: 'X-Sig', prefix: 'v1=' }, { 'x-sig': sign(text) })).toContain('in hex after "v1="');
  });

  it('is held to its time, with a tolerance of its own', () => {
    const timed = { header: 'X-Sig', timestampHeader: 'X-Ts', tolerance: '90s' };
    const sentAt = (seconds: number) => {
      const at = String(1767268800 + seconds);
      return judged(timed, { 'x-sig': sign(`${at}:${text}`), 'x-ts': at });
    };
    expect([sentAt(-90), sentAt(90)]).toEqual([true, true]);
    expect(sentAt(-91)).toContain('expected a time within 90s of 2026-01-01T12:00:00Z');
    expect(sentAt(91)).toContain('2026-01-01T12:01:31Z');
    expect(judged(timed, { 'x-sig': sign(text), 'x-ts': 'soon' })).toContain('found "soon"');
    expect(judged(timed, { 'x-sig': sign(text) })).toContain('X-Ts');
  });
});
