import { Agent } from 'node:https';
import { connect } from 'node:net';
import type { Alert } from '@funnelai/crds/generated/types';
import type { KubeList } from '@funnelai/crds/meta';
import { systemClock } from '@funnelai/kube/clock';
import { startAlertmanager } from '@funnelai/test/harness/alertmanager';
import { writesIn } from '@funnelai/test/harness/etcd';
import { until } from '@funnelai/test/harness/wait';
import { change, event } from '@pagerduty/pdjs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { aSource, aTeam, type Running, startInProcess, type Team, untilKnown } from '../testing/world.ts';

const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
let webhook: Running;
let team: Team;
beforeAll(async () => {
  team = await aTeam(stage);
  await aSource(team, { name: 'events', format: 'PagerDutyEvents' });
  webhook = await startInProcess(stage.kubeconfig);
  await untilKnown(webhook.url, team, 'events');
});
afterAll(() => webhook?.stop());

/** The client speaks https only; what ends TLS in front of a webhook is left out here. */
function address() {
  const { port } = new URL(webhook.url);
  const agent = Object.assign(new Agent(), { createConnection: () => connect(Number(port), '127.0.0.1') });
  return { agent, server: `localhost/alerts/${team.namespace}/events` };
}

type EventAction = Parameters<typeof event>[0]['data']['event_action'];
/** The types of the client ask for a payload, PagerDuty does not. */
const send = (event_action: EventAction, dedup_key: string, payload?: object, routing_key = team.token) =>
  event({ ...address(), data: { routing_key, event_action, dedup_key, ...(payload && { payload }) } as never });

async function alerts(): Promise<Alert[]> {
  const list: KubeList<Alert> = JSON.parse(
    await team.kubectl.run(['get', 'alerts.funnelai.dev', '-n', team.namespace, '-o', 'json']),
  );
  return list.items;
}
const alertOf = async (key: string) => (await alerts()).find(({ spec }) => spec.dedupKey === key);

const payload = { summary: 'HTTP check failed', source: 'srv01', severity: 'critical', class: 'http check' };

describe('PagerDuty’s own client', () => {
  it('triggers, acknowledges and resolves, and hears what PagerDuty would say', async () => {
    const triggered = await send('trigger', 'srv01/HTTP', payload);
    expect([triggered.status, triggered.data]).toEqual([
      202,
      { status: 'success', message: 'Event processed', dedup_key: 'srv01/HTTP' },
    ]);
    const fired = (await alertOf('srv01/HTTP'))?.spec;
    expect(fired).toMatchObject({ state: 'Firing', severity: 'Critical', title: 'HTTP check failed' });

    expect((await send('acknowledge', 'srv01/HTTP')).status).toBe(202);
    const noted = (await alertOf('srv01/HTTP'))?.spec;
    expect(noted).toEqual({ ...fired, acknowledgedUpstream: { at: expect.any(String) } });

    expect((await send('resolve', 'srv01/HTTP')).status).toBe(202);
    const over = (await alertOf('srv01/HTTP'))?.spec;
    const resolved = { state: 'Resolved', endsAt: expect.any(String), receivedAt: expect.any(String) };
    expect(over).toEqual({ ...noted, ...resolved, firingStartsAt: fired?.startsAt });
  });

  it('writes once for a trigger that it repeats, once for an acknowledgement', async () => {
    const at = (second: number) => ({ ...payload, timestamp: `2026-01-01T12:00:0${second}.000+0000` });
    await send('trigger', 'repeated', at(0));
    for (const second of [1, 2, 3]) expect((await send('trigger', 'repeated', at(second))).status).toBe(202);
    for (const _ of [1, 2]) expect((await send('acknowledge', 'repeated')).status).toBe(202);
    expect((await send('trigger', 'repeated', at(4))).status).toBe(202);
    const alert = await alertOf('repeated');
    expect(alert?.spec).toMatchObject({ startsAt: '2026-01-01T12:00:00.000000Z', acknowledgedUpstream: {} });
    const writes = await writesIn(inject('etcdUrl'), 'alerts', team.namespace);
    expect(writes.get(alert?.metadata.name ?? '')).toBe(2);
  });

  it('is trusted with what it acknowledges once the source says so, beside the first word of all', async () => {
    await send('trigger', 'taken', payload);
    await send('acknowledge', 'taken');
    const first = (await alertOf('taken'))?.spec.acknowledgedUpstream;
    expect(first).not.toHaveProperty('trusted');
    const trusts = (trustAcknowledge: boolean) =>
      team.kubectl.run([
        ...['patch', 'alertsources.funnelai.dev', 'events', '-n', team.namespace, '--type=merge', '-p'],
        JSON.stringify({ spec: { trustAcknowledge } }),
      ]);
    await trusts(true);
    const word = await until('a trusted word', 10_000, async () => {
      await send('acknowledge', 'taken');
      return (await alertOf('taken'))?.spec.acknowledgedUpstream?.trusted;
    });
    await trusts(false);
    expect(word.at > (first?.at ?? '')).toBe(true);
    expect((await alertOf('taken'))?.spec.acknowledgedUpstream).toEqual({ ...first, trusted: word });
  });

  it('forgets the acknowledgement with the next episode', async () => {
    for (const action of ['trigger', 'acknowledge', 'resolve', 'trigger'] as const)
      expect((await send(action, 'again', action === 'trigger' ? payload : undefined)).status).toBe(202);
    const spec = (await alertOf('again'))?.spec;
    expect([spec?.state, spec?.acknowledgedUpstream]).toEqual(['Firing', undefined]);
  });

  it('makes no alert of a change, nor of an acknowledgement of what never fired', async () => {
    const data = {
      routing_key: team.token,
      payload: { summary: 'Release 4.2', timestamp: '', custom_details: {} },
      links: [],
    };
    const changed = await change({ ...address(), data: data as never });
    expect([changed.status, changed.data]).toEqual([202, { status: 'success', message: 'Change event processed' }]);
    expect((await send('acknowledge', 'never fired')).status).toBe(202);
    expect((await alerts()).map(({ spec }) => spec.title)).not.toContain('Release 4.2');
    expect(await alertOf('never fired')).toBeUndefined();
  });

  it('hears what is wrong in PagerDuty’s error body, and 401 with another key', async () => {
    const bad = await send('triggered' as EventAction, 'x', payload);
    expect([bad.status, bad.data]).toEqual([
      400,
      {
        status: 'invalid event',
        message: 'Event object is invalid',
        errors: [expect.stringContaining('event_action')],
      },
    ]);
    expect((await send('trigger', 'x', payload, 'another')).status).toBe(401);
    expect(await alertOf('x')).toBeUndefined();
  });
});

describe('Alertmanager’s PagerDuty receiver', () => {
  it('fires and resolves, a repeat each second or not', async () => {
    const url = `${webhook.url}/alerts/${team.namespace}/events/v2/enqueue`;
    const alertmanager = await startAlertmanager({ url, token: team.token, asPagerDuty: true });
    const ago = (seconds: number) => systemClock.now().subtract({ seconds }).toString();
    const down = { labels: { alertname: 'Down', severity: 'page' }, startsAt: ago(60) };
    const is = (state: string) => async () =>
      (await alerts()).find(({ spec }) => spec.title.includes('Down') && spec.state === state);
    try {
      await alertmanager.send([down]);
      const fired = await until('the alert to fire', 20_000, is('Firing'));
      await alertmanager.send([{ ...down, endsAt: ago(1) }]);
      const over = await until('the alert to be over', 20_000, is('Resolved'));
      expect(over.metadata.uid).toBe(fired.metadata.uid);
      expect([fired.spec.title, over.spec.title]).toEqual(['Down (page)', 'Down (page)']);
    } finally {
      await alertmanager.stop();
    }
  });
});
