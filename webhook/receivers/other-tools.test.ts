/** The sources of docs/senders/others.md, given what those tools send: as recorded, or as their own templates write it. */
import { readFileSync } from 'node:fs';
import type { AlertSource } from '@funnelai/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { recorded, specsFrom } from '../testing/envelope.ts';

const PAGE = readFileSync(new URL('../../docs/senders/others.md', import.meta.url), 'utf8');
const sources = new Map(
  [...PAGE.matchAll(/^```yaml\n([\s\S]*?)^```/gm)]
    .flatMap(([, body = '']) => parseAllDocuments(body).map((one): AlertSource => one.toJS()))
    .filter(({ kind }) => kind === 'AlertSource')
    .map((source) => [source.metadata.name ?? '', source.spec] as const),
);

function becomes(
  name: string,
  body: unknown,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) {
  const spec = sources.get(name);
  return spec === undefined
    ? expect.fail(`no source ${name} on the page`)
    : specsFrom(spec.format, { body, headers, spec });
}

describe('the source of the docs', () => {
  it('for Falco has an alert for each rule, host and container', async () => {
    const { body, headers } = recorded('CloudEvents', 'firing.falco.json');
    const event: { output_fields: object } = JSON.parse(body.toString());
    const here = async (over: object, attributes: object = {}) =>
      (await becomes('falco', { ...event, ...over }, { ...(headers as Record<string, string>), ...attributes }))[0];
    const first = await here({});
    expect(first).toMatchObject({
      state: 'Firing',
      severity: 'Info',
      title: 'Terminal shell in container',
      labels: { alertname: 'Terminal shell in container', host: 'node-1' },
    });
    expect((await here({ output: 'said otherwise' }))?.fingerprint).toBe(first?.fingerprint);
    const others = await Promise.all([
      here({}, { 'ce-rule': 'Write below etc' }),
      here({}, { 'ce-hostname': 'node-2' }),
      here({ output_fields: { 'container.id': '77ab' } }),
      here({ output_fields: null }),
    ]);
    expect(new Set([first, ...others].map((spec) => spec?.fingerprint)).size).toBe(5);
  });

  it.each<[string, (state: string) => object, down: string, up: string, title: string]>([
    [
      'kuma',
      (status) => ({
        heartbeat: { monitorID: 7, status: Number(status), msg: 'connect ECONNREFUSED', important: true },
        monitor: { id: 7, name: 'Shop', type: 'http', url: 'https://shop.example.com', hostname: null },
        msg: '[Shop] [Down] connect ECONNREFUSED',
      }),
      '0',
      '1',
      'Shop is down',
    ],
    [
      'healthchecks',
      (status) => ({ check: '0b1c6f9e', name: 'backup', status, tags: 'prod db', now: '2026-01-31T12:00:00+00:00' }),
      'down',
      'up',
      'backup did not report',
    ],
    [
      'gatus',
      (state) => ({ group: 'web', name: 'shop', url: 'https://shop.example.com', state, text: '', errors: '' }),
      'TRIGGERED',
      'RESOLVED',
      'shop is down',
    ],
    [
      'argocd',
      (health) => ({
        app: 'shop',
        project: 'web',
        namespace: 'shop',
        health,
        phase: 'Succeeded',
        message: '',
        url: 'https://argocd.example.com/applications/argocd/shop',
      }),
      'Degraded',
      'Healthy',
      'shop: degraded',
    ],
  ])('for %s fires and resolves one alert', async (name, body, down, up, title) => {
    const [[fires], [ends]] = await Promise.all([becomes(name, body(down)), becomes(name, body(up))]);
    expect(fires).toMatchObject({ state: 'Firing', severity: 'High', title });
    expect(ends).toMatchObject({ state: 'Resolved', fingerprint: fires?.fingerprint });
  });

  it('for Uptime Kuma takes neither its test nor what is pending', async () => {
    expect(await becomes('kuma', { heartbeat: null, monitor: null, msg: 'Testing' })).toEqual([]);
    expect(await becomes('kuma', { heartbeat: { status: 2 }, monitor: { id: 7, name: 'Shop' }, msg: '' })).toEqual([]);
  });

  it('for Argo CD tells of a sync that failed, also of an application that has no health', async () => {
    const body = { app: 'pay', project: 'web', namespace: 'pay', health: '', phase: 'Failed', message: 'm', url: '' };
    expect(await becomes('argocd', body)).toMatchObject([{ state: 'Firing', title: 'pay: sync failed' }]);
  });
});
