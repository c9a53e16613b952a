import { createHmac } from 'node:crypto';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { AlertSource } from '@funnelai/crds/generated/types';
import { silentLog } from '@funnelai/kube/log';
import { describe, expect, it } from 'vitest';
import type { Received } from '../receivers/receiver.ts';
import { aBareApp, type RawAnswer, sendRaw } from '../testing/bare-app.ts';
import { anAlertSource } from '../testing/builders.ts';
import { recordedFormats } from '../testing/recorded.ts';

const PATHS: Record<string, string> = { OpenTelemetryLogs: '/v1/logs', PagerDutyEvents: '/v2/enqueue' };
const TYPES: Record<string, string> = { CloudEvents: 'application/cloudevents+json' };

/** Bodies that are none of any format, and what of the request goes with them. */
const ODD: [what: string, body: Buffer, headers: string][] = [
  ['nothing', Buffer.alloc(0), ''],
  ['blanks', Buffer.from(' \r\n\t'), ''],
  ['null', Buffer.from('null'), ''],
  ['a text', Buffer.from('"firing"'), ''],
  ['a number', Buffer.from('7'), ''],
  ['a list of nothing', Buffer.from('[null]'), ''],
  ['a list of lists', Buffer.from('[[],[]]'), ''],
  [
    'alerts that are null',
    Buffer.from('{"alerts":null,"incident":null,"resourceLogs":null,"data":null,"Type":null}'),
    '',
  ],
  ['half an object', Buffer.from('{"alerts":[{'), ''],
  ['a number that is none', Buffer.from('{"alerts":NaN}'), ''],
  ['a form', Buffer.from('alerts=1&labels=2'), ''],
  ['XML', Buffer.from('<?xml version="1.0"?><alerts/>'), ''],
  ['lists in lists', Buffer.from(`${'['.repeat(50_000)}${']'.repeat(50_000)}`), ''],
  ['objects without end', Buffer.from('{"alerts":'.repeat(50_000)), ''],
  ['a prototype', Buffer.from('{"__proto__":{"alerts":[]},"constructor":{"prototype":1}}'), ''],
  ['gzip that is not named', gzipSync('{"alerts":[]}'), ''],
  ['gzip that is none', Buffer.from('{"alerts":[]}'), 'Content-Encoding: gzip\r\n'],
  ['half of gzip', gzipSync(Buffer.alloc(5_000, '[')).subarray(0, 20), 'Content-Encoding: gzip\r\n'],
  ['gzip that is far more', gzipSync(Buffer.alloc(9 * 1024 * 1024, ' ')), 'Content-Encoding: gzip\r\n'],
  ['half of brotli', brotliCompressSync('{"alerts":[]}').subarray(0, 9), 'Content-Encoding: br\r\n'],
  ['half of zstd', zstdCompressSync('{"alerts":[]}').subarray(0, 12), 'Content-Encoding: zstd\r\n'],
  ['gzip called deflate', gzipSync('{"alerts":[]}'), 'Content-Encoding: deflate\r\n'],
  ['snappy', Buffer.from('{"alerts":[]}'), 'Content-Encoding: snappy\r\n'],
  ['gzip three times', gzipSync('{"alerts":[]}'), 'Content-Encoding: gzip, gzip, gzip\r\n'],
  ['too many at once', Buffer.from(`[${'{},'.repeat(99_999)}{}]`), ''],
  ['another type', Buffer.from('<a/>'), 'Content-Type: text/xml\r\n'],
];

function request(path: string, body: Buffer, headers: string): (string | Buffer)[] {
  const type = /content-type/i.test(headers) ? '' : 'Content-Type: application/json\r\n';
  return [
    `POST /alerts/demo/prom${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${type}${headers}Content-Length: ${body.length}\r\n\r\n`,
    body,
  ];
}
const textOf = ({ body }: RawAnswer): string => Buffer.from(body, 'latin1').toString('utf8');

async function anEntrance(source: AlertSource) {
  const received: Received[] = [];
  const app = await aBareApp(silentLog(), {
    source: { ...source, metadata: { ...source.metadata, namespace: 'demo', name: 'prom' } },
    received: (alert) => received.push(alert),
  });
  const post = (body: Buffer, headers = 'Authorization: Bearer t\r\n', path = '') =>
    sendRaw(app.port, request(path, body, headers));
  return { post, received, stop: () => app.stop() };
}

describe.each(recordedFormats().map((format) => [format.receiver.format, format] as const))(
  '%s',
  (name, { source }) => {
    it('refuses what is none of it by what was found and what was expected, and stores nothing', async () => {
      const { post, received, stop } = await anEntrance(source);
      const type = TYPES[name] === undefined ? '' : `Content-Type: ${TYPES[name]}\r\n`;
      for (const [what, body, headers] of ODD) {
        const own = /content-type/i.test(headers) ? headers : `${type}${headers}`;
        const answer = await post(body, `Authorization: Bearer t\r\n${own}`, PATHS[name] ?? '');
        // A line of a log may be any object.
        const mayBeTaken = answer.status === 200 && name === 'JsonLines';
        expect([what, mayBeTaken || (answer.status >= 400 && answer.status < 500)]).toEqual([what, true]);
        if (!mayBeTaken) expect([what, textOf(answer)]).toEqual([what, expect.stringMatching(/found .+, expected /s)]);
      }
      if (name !== 'JsonLines') expect(received).toEqual([]);
      await stop();
    });
  },
);

describe('what can be read all the same', () => {
  const body = '{"alerts":[{"status":"firing","labels":{"alertname":"Voll","city":"M\xfcnchen"}}]}';
  const city = (received: Received[]) => received.map(({ input }) => input.labels.city);

  it('is text in another encoding, with a word about it, whatever charset its sender names', async () => {
    const { post, received, stop } = await anEntrance(anAlertSource());
    const bodies = [Buffer.from(body, 'latin1'), Buffer.from(body, 'utf16le'), Buffer.from(`\ufeff${body}`, 'utf8')];
    for (const [i, charset] of ['latin1', 'utf-16', 'utf-7'].entries()) {
      const type = `Authorization: Bearer t\r\nContent-Type: application/json; charset=${charset}\r\n`;
      const answer = await post(bodies[i] ?? expect.fail(), type);
      expect(answer.status).toBe(200);
    }
    expect(city(received)).toEqual(['München', 'München', 'München']);
    expect(received.map(({ input }) => input.odd?.length ?? 0)).toEqual([1, 1, 0]);
    await stop();
  });

  it('proves who sent it by what was sent: a signature over its bytes, a token in its text', async () => {
    const bytes = Buffer.from(body, 'latin1');
    const signed = anAlertSource({
      spec: { auth: { hmac: { secretRef: { name: 's', key: 'k' }, header: 'X-Signature' } } },
    });
    const proofs: unknown[] = [];
    const signature = createHmac('sha256', 'k').update(bytes).digest('hex');
    const app = await aBareApp(silentLog(), { source: signed, check: (proof) => proofs.push(proof) });
    await sendRaw(app.port, request('', bytes, `X-Signature: ${signature}\r\n`));
    expect(proofs).toMatchObject([{ body: bytes }]);
    await app.stop();
    const pagerDuty = await anEntrance(anAlertSource({ spec: { format: 'PagerDutyEvents' } }));
    const event =
      '{"routing_key":"t","event_action":"trigger","dedup_key":"k","payload":{"summary":"f\xfcr","source":"s"}}';
    expect((await pagerDuty.post(Buffer.from(event, 'latin1'), '')).status).toBe(202);
    expect(pagerDuty.received[0]?.input.title).toBe('für');
    await pagerDuty.stop();
  });
});
