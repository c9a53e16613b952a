import type { Incident } from '@funnelai/crds/generated/types';
import { describe, expect, it } from 'vitest';
import type { Person } from '../auth/identity.ts';
import { DETAIL_ALERTS, EARLIER_EPISODES } from '../limits.ts';
import { anAlert, anIncident } from '../testing/builders.ts';
import type { ApiContext } from './context.ts';
import { OFF } from './history-reader.ts';
import { describeIncident, earlierEpisodes, historyState, mergesInto } from './incident-detail.ts';

const numbered = (changeSequence: number, condition?: { status: 'True' | 'False'; message: string }): Incident => ({
  ...anIncident(),
  status: {
    observedGeneration: 1,
    changeSequence,
    ...(condition && {
      conditions: [{ type: 'HistoryMirrored', reason: 'X', lastTransitionTime: '2026-03-01T10:00:00Z', ...condition }],
    }),
  },
});
const has = (...sequences: number[]) => ({
  available: true as const,
  value: { changes: sequences.map((sequence) => ({ sequence })) },
});

describe('what a page says of history', () => {
  it('is nothing more than that it is there when it has every change', () => {
    expect(historyState(numbered(2, { status: 'True', message: 'fine' }), has(1, 2))).toEqual({ available: true });
    // After a restore of the cluster history may know of more.
    expect(historyState(numbered(2), has(1, 2, 3))).toEqual({ available: true });
  });

  it("is by how many changes it is behind, and why, in the operator's words", () => {
    expect(historyState(numbered(5), has(1, 2))).toEqual({ available: true, behind: 3 });
    expect(historyState(numbered(1, { status: 'False', message: 'Postgres refuses it: …' }), has())).toEqual({
      available: true,
      behind: 1,
      trouble: 'Postgres refuses it: …',
    });
  });

  it('is why it is away, and since it cannot be asked, what the operator last said', () => {
    const away = { available: false as const, reason: 'no answer within 3 s', isOff: false };
    expect(historyState(numbered(5, { status: 'False', message: 'changes wait' }), away)).toEqual({
      available: false,
      reason: 'no answer within 3 s',
      trouble: 'changes wait',
    });
  });
});

it('an incident with thousands of alerts shows the most urgent of them, says how many there are, and tells of the same', async () => {
  const alerts = Array.from({ length: 5_000 }, (_, n) =>
    anAlert({ name: `prom-${n}`, spec: { title: `Alert ${n}`, severity: n === 4_999 ? 'Critical' : 'Low' } }),
  );
  const api = {
    history: { storyOf: async () => OFF },
    access: { may: async () => true },
    alerts: { synced: true, byIndex: () => alerts },
    incidents: { byIndex: () => [] },
  } as unknown as ApiContext;
  const detail = await describeIncident(api, {} as Person, anIncident());
  expect([detail.alerts.length, detail.alertsTotal]).toEqual([DETAIL_ALERTS, 5_000]);
  expect(detail.alerts[0]?.name).toBe('prom-4999');
  const told = detail.timeline.flatMap(({ kind, alert }) => (kind === 'AlertJoined' ? (alert ?? []) : []));
  expect(new Set(told)).toEqual(new Set(detail.alerts.map(({ name }) => name)));
});

describe('earlier episodes', () => {
  const at = (minute: number) => `2026-03-01T10:${String(minute).padStart(2, '0')}:00Z`;
  const episodesTo = (last: number) =>
    Array.from({ length: last }, (_, i) => ({
      episode: i + 1,
      state: 'Resolved' as const,
      startsAt: at(2 * i),
      endsAt: at(2 * i + 1),
    }));

  it('are those before the one in which the alert is shown, the newest of them', () => {
    const alert = anAlert({ name: 'prom-1', spec: { title: 'Disk is full' }, status: { episode: 3 } });
    const shown = new Map([[alert.metadata.uid ?? '', alert]]);
    expect(earlierEpisodes([{ alert, episodes: episodesTo(3) }], shown)).toEqual([
      { alert: 'prom-1', title: 'Disk is full', startsAt: at(0), endsAt: at(1) },
      { alert: 'prom-1', title: 'Disk is full', startsAt: at(2), endsAt: at(3) },
    ]);
    const flapping = { ...alert, status: { episode: 30 } };
    const many = earlierEpisodes(
      [{ alert: flapping, episodes: episodesTo(29) }],
      new Map([[alert.metadata.uid ?? '', flapping]]),
    );
    expect(many).toHaveLength(EARLIER_EPISODES);
    expect(many.at(-1)?.startsAt).toBe(at(56));
  });
});

it('others say that they were merged into it, and taken out of it again', () => {
  const merge = (sequence: number, from: string, to: string) =>
    ({ sequence, kind: 'Merge', from, to, at: `2026-01-01T12:0${sequence}:00Z`, recordedAt: '', by: 'ana' }) as const;
  const others = [
    anIncident({
      metadata: { name: 'one' },
      status: { observedGeneration: 1, changes: [merge(2, '', 'big'), merge(6, 'big', ''), merge(7, '', 'else')] },
    }),
    anIncident({ metadata: { name: 'two' }, status: { observedGeneration: 1, changes: [merge(4, 'else', 'big')] } }),
    anIncident({ metadata: { name: 'none' } }),
  ];
  expect(mergesInto('big', others).map(({ incident, isOut }) => [incident, isOut])).toEqual([
    ['one', false],
    ['two', false],
    ['one', true],
  ]);
});
