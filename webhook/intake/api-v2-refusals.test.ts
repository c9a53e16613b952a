import { silentLog } from '@funnelai/kube/log';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REASON_PHRASE_BYTES } from '../limits.ts';
import { aBareApp, type BareApp } from '../testing/bare-app.ts';
import { reasonPhrase } from './api-v2-refusals.ts';

let app: BareApp;
beforeAll(async () => {
  app = await aBareApp(silentLog());
});
afterAll(() => app.stop());

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${app.port}/alerts${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer t', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
/** The status line as a client that prints its bytes shows it. */
const printed = ({ statusText }: Response): string => Buffer.from(statusText, 'latin1').toString('utf8');

describe('a refusal where Alertmanager’s API v2 is spoken', () => {
  const bad = { labels: { alertname: 'Voll — über 90 %', 'a b': [7] }, endsAt: 'yesterday' };

  it('is one text with every fault, in the body and in the status line', async () => {
    const answer = await post('/demo/prom/api/v2/alerts', [{ labels: { alertname: 'Good' } }, bad]);
    const text = await answer.json();
    expect([answer.status, typeof text]).toEqual([400, 'string']);
    expect(text).toMatch(/^1 of 2 alerts are stored; 1 is not: /);
    expect(text).toContain('alerts[1].labels["a b"]: found a list of 1, expected text');
    expect(text).toContain('; alerts[1].endsAt: found "yesterday", expected an RFC 3339 time');
    expect(printed(answer)).toBe(text);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  });

  it.each([
    [
      'no JSON',
      '/demo/prom/api/v2/alerts',
      '[{',
      {},
      400,
      'the body: found its end at line 1, column 3, expected JSON',
    ],
    ['another type', '/demo/prom/api/v2/alerts', '[]', { 'content-type': 'text/html' }, 415, 'found "text/html"'],
    ['no token', '/demo/prom/api/v2/alerts', '[]', { authorization: '' }, 401, 'earer'],
    ['no such source', '/demo/none/api/v2/alerts', '[]', {}, 404, 'There is no AlertSource none'],
    ['no such path', '/demo/prom/api/v2/silences', '{}', {}, 404, 'does not listen at "/api/v2/silences"'],
    ['no name', '/demo/UPPER/api/v2/alerts', '[]', {}, 404, 'not a name that Kubernetes allows'],
  ])('%s: says so as a text', async (_, path, body, headers, status, words) => {
    const answer = await post(path, body, headers);
    const text = await answer.json();
    expect([answer.status, typeof text]).toEqual([status, 'string']);
    expect(text).toContain(words);
    expect(printed(answer)).toBe(text);
  });

  it('is our own shape for a dry run and for the webhook', async () => {
    const asText = { 'content-type': 'text/plain' };
    for (const path of ['/demo/prom/api/v2/alerts/dry-run', '/demo/prom/api/v2/alerts/dry-run?x=1', '/demo/prom']) {
      const answer = await post(path, '[]', asText);
      expect(await answer.json()).toMatchObject({ code: 'UnsupportedMediaType', message: expect.any(String) });
      expect(answer.statusText).toBe('Unsupported Media Type');
    }
  });

  it('takes no more of a status line than its bound, and no line break into it', () => {
    expect(reasonPhrase('a\r\nSet-Cookie: x\u0000\u0085b')).toBe('a Set-Cookie: x\u00ef\u00bf\u00bd b');
    const long = reasonPhrase('ü'.repeat(2_000));
    expect(long.length).toBeLessThanOrEqual(REASON_PHRASE_BYTES);
    expect(Buffer.from(long, 'latin1').toString('utf8')).toMatch(/^ü+…$/);
  });
});
