import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { anAlert } from '../testing/builders.ts';
import { type ApiV2Read, answerApiV2 } from './alertmanager-api.ts';

const startedAt = Temporal.Instant.from('2026-01-01T11:00:00Z');
const fire = (name: string, labels: Record<string, string>, o: Parameters<typeof anAlert>[0] = {}) =>
  anAlert({ name, ...o, spec: { labels, fingerprint: name.padEnd(64, '0'), ...o.spec } });
const alerts = [
  fire('b', { alertname: 'Down', pod: 'api-1' }, { status: { incidentRef: { name: 'calm-otter' } } }),
  fire('a', { alertname: 'Slow', pod: 'api-1' }),
  fire('c', { alertname: 'Down', pod: 'api-2' }, { status: { incidentRef: { name: 'calm-otter' } } }),
  fire('d', { alertname: 'Down' }, { spec: { state: 'Resolved', endsAt: '2026-01-01T12:30:00Z' } }),
  fire('e', { alertname: 'Down' }, { spec: { state: 'Expired' } }),
];
const ask = (query = '', path: ApiV2Read = '/api/v2/alerts') =>
  answerApiV2({ path, query: new URLSearchParams(query), alerts, startedAt });
// biome-ignore lint/suspicious/noExplicitAny: what is told is what the test looks into
const told = (query = '', path?: ApiV2Read) => ask(query, path).body as any[];
const prints = (query = '') => told(query).map(({ fingerprint }) => fingerprint[0]);

describe('Alertmanager’s API, told of one source', () => {
  it('tells what fires, as Alertmanager would, and nothing of what has ended or expired', () => {
    expect(prints()).toEqual(['a', 'b', 'c']);
    expect(told()[0]).toEqual({
      labels: { alertname: 'Slow', pod: 'api-1' },
      annotations: {},
      startsAt: '2026-01-01T12:00:00.000Z',
      endsAt: '0001-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T12:00:01.000Z',
      fingerprint: 'a000000000000000',
      receivers: [{ name: 'funnelai' }],
      status: { state: 'active', silencedBy: [], inhibitedBy: [], mutedBy: [] },
    });
  });

  it('holds every matcher of the question against the labels', () => {
    expect(prints('filter=alertname%3D%22Down%22')).toEqual(['b', 'c']);
    expect(prints('filter=alertname%3D%22Down%22&filter=pod%21~%22.%2A-1%22')).toEqual(['c']);
    expect(prints('active=false&silenced=true')).toEqual([]);
    expect(prints('receiver=funnel.%2A')).toEqual(['a', 'b', 'c']);
    expect(prints('receiver=other')).toEqual([]);
  });

  it('says in a plain text what it cannot read, as its clients expect', () => {
    for (const query of ['filter=pod%3D~%22(%22', 'filter=%3D', 'active=perhaps', 'receiver=(']) {
      const answer = ask(query);
      expect(answer.status).toBe(400);
      expect(typeof answer.body).toBe('string');
    }
  });

  it('groups by incident, and has no silences', () => {
    expect(told('', '/api/v2/alerts/groups').map(({ labels, alerts }) => [labels, alerts.length])).toEqual([
      [{}, 1],
      [{ incident: 'calm-otter' }, 2],
    ]);
    expect(told('', '/api/v2/silences')).toEqual([]);
    expect(ask('', '/api/v2/status').body).toMatchObject({ cluster: { status: 'disabled' } });
  });
});
