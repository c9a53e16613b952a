import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { firstSource } from '../sources/first-source.ts';
import { type Place, partsOf, proofOf, secretCommand, urlWithUser, usableBase } from './sender.ts';
import { GENERIC_BODY } from './senders/events.ts';
import { FORMATS, SENDERS, snippetsFor } from './senders.ts';

const SCHEMA = new URL('../../../crds/generated/json-schema/alertsource.json', import.meta.url);
const COLLECTOR_PAGE = new URL('../../../docs/senders/opentelemetry-logs.md', import.meta.url);
const place = (o: Partial<Place> = {}): Place => ({
  base: 'https://funnel.example',
  path: '/alerts/demo/prom',
  namespace: 'demo',
  name: 'prom',
  proof: { way: 'bearer', secret: { name: 'prom-token', key: 'token' } },
  ...o,
});
const WAYS: Place['proof'][] = [
  { way: 'bearer', secret: { name: 's', key: 'token' } },
  { way: 'basic', secret: { name: 's' } },
  { way: 'hmac', secret: { name: 's', key: 'key' } },
  { way: 'none' },
];

describe('what to write into a sender', () => {
  it('is there for every format that the API server takes, and no other is offered', async () => {
    const schema = JSON.parse(await readFile(SCHEMA, 'utf8'));
    const taken: string[] = schema.properties.spec.properties.format.enum;
    expect([...FORMATS].sort()).toEqual([...taken].sort());
    expect(taken.filter((format) => SENDERS[format] === undefined)).toEqual([]);
  });

  it.each(Object.keys(SENDERS))(
    '%s has the address of the source in it, whatever it asks its senders for',
    (format) => {
      for (const proof of WAYS) {
        const text = snippetsFor(format, place({ proof }))
          .map((snippet) => snippet.text)
          .join('\n');
        expect(text).toMatch(/funnel\.example/);
        expect(text).toMatch(/\/alerts\/demo\/prom/);
        expect(text).not.toMatch(/undefined|null|\[object/);
      }
      const titles = snippetsFor(format, place()).map(({ title }) => title);
      expect(new Set(titles).size).toBe(titles.length);
    },
  );

  it.each(['Alertmanager', 'Grafana', 'JsonLines'])('%s shows what the source asks for, and nothing else', (format) => {
    const textOf = (way: Place['proof']['way']) =>
      snippetsFor(format, place({ proof: { way, secret: { name: 's' } } }))
        // A curl command shows a user and a password in base64, by the same header.
        .filter(({ title }) => title !== 'By hand')
        .map(({ text }) => text)
        .filter((text) => !text.startsWith('[OUTPUT]'));
    for (const text of textOf('basic')) {
      expect(text).toMatch(/USER|username: \{name: s/);
      expect(text).not.toMatch(/bearer/i);
    }
    for (const text of textOf('bearer')) expect(text).not.toMatch(/basic|USER/i);
    for (const text of textOf('none')) expect(text).not.toMatch(/bearer|basic|USER|TOKEN|http_?config/i);
  });

  it('is a body that the first source of a mapping takes', () => {
    const [, yaml = ''] = /<<'END'\n([\s\S]*)\nEND$/.exec(firstSource('Generic', 'shop')) ?? [];
    const named = [...JSON.stringify(parse(yaml).spec.mapping).matchAll(/item\.(\w+)/g)].map(([, field]) => field);
    expect(Object.keys(JSON.parse(GENERIC_BODY)).sort()).toEqual([...new Set(named)].sort());
  });

  it('is YAML where it says so, whatever the source asks for', () => {
    for (const [format, snippets] of Object.entries(SENDERS)) {
      for (const { title, text, where } of WAYS.flatMap((proof) => snippets(place({ proof })))) {
        if (!/\.ya?ml|kubectl|provisioning|in Git|collector’s/.test(where)) continue;
        const faults = parseAllDocuments(text).flatMap(({ errors }) => errors.map(({ message }) => message));
        expect(faults, `${format}: ${title}`).toEqual([]);
      }
    }
  });

  it('subscribes to SNS by the protocol of the address: another one AWS refuses', () => {
    const text = (base: string) => snippetsFor('AwsSns', place({ base }))[0]?.text;
    expect(text('https://funnel.example')).toMatch(/--protocol https \\\n.*'https:/);
    expect(text('http://127.0.0.1:8484')).toMatch(/--protocol http \\\n.*'http:/);
  });

  it('has the collector drop the same as the page of the docs', async () => {
    const [collector] = snippetsFor('OpenTelemetryLogs', place());
    const condition = /^ +- 'severity_number .*'$/m.exec(collector?.text ?? '')?.[0].trim();
    expect(condition).toContain('alertname');
    expect(await readFile(COLLECTOR_PAGE, 'utf8')).toContain(condition);
  });

  it('of a format that is not known is the address at least', () => {
    expect(snippetsFor('Carrier', place())[0]?.text).toContain('https://funnel.example/alerts/demo/prom');
  });

  it('names scheme, host, port and path apart where a sender wants that', () => {
    expect(partsOf(place({ base: 'http://10.0.0.1:8080/funnel' }))).toEqual({
      scheme: 'http',
      host: '10.0.0.1',
      port: '8080',
      tls: false,
      prefix: '/funnel/alerts/demo/prom',
    });
    expect(partsOf(place()).port).toBe('443');
    const prometheus = SENDERS.Alertmanager?.(place()).find(({ title }) => title.startsWith('Prometheus'));
    expect(prometheus?.text).toContain("targets: ['funnel.example:443']");
  });

  it('never holds a secret, only how to read it', () => {
    expect(secretCommand(place())).toBe(
      "kubectl get secret prom-token -n demo -o jsonpath='{.data.token}' | base64 -d",
    );
    expect(secretCommand(place({ proof: { way: 'bearer', secret: { name: 'a', key: 'my.key' } } }))).toContain(
      'my\\.key',
    );
    expect(secretCommand(place({ proof: { way: 'none' } }))).toBeUndefined();
    expect(urlWithUser(place())).toBe('https://USER:PASSWORD@funnel.example/alerts/demo/prom');
  });

  it.each([
    [{ bearer: { secretRef: { name: 'a', key: 'b' } } }, 'bearer'],
    [{ basic: { secretRef: { name: 'a' } } }, 'basic'],
    [{ none: {} }, 'none'],
    [undefined, 'elsewhere'],
  ])('knows from the source what its senders show: %j', (auth, way) => {
    expect(proofOf({ spec: { format: 'Alertmanager', auth } } as unknown as Parameters<typeof proofOf>[0]).way).toBe(
      way,
    );
  });
});

describe('the address that a person types', () => {
  it.each([
    ['https://funnel.example/', 'https://funnel.example'],
    [' http://10.0.0.1:8080/a/b/ ', 'http://10.0.0.1:8080/a/b'],
    ['http://funnelai-webhook.funnel-system:8080', 'http://funnelai-webhook.funnel-system:8080'],
    ['funnel.example', undefined],
    ['ftp://x', undefined],
    ['https://user:pass@x', undefined],
    ['https://x/?a=b', undefined],
    ['', undefined],
  ])('%j is %j', (text, base) => {
    expect(usableBase(text)).toBe(base);
  });
});
