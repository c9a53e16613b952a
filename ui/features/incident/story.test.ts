import type { Phase } from '@funnelai/crds/generated/types';
import type { IncidentDetail, TimelineEntry } from '@funnelai/domain/wire';
import { describe, expect, it } from 'vitest';
import { anAlertItem, anIncident, anIncidentItem } from '../../testing/builders.ts';
import { foldRuns } from './fold.ts';
import { historyNote } from './history-words.ts';
import { linksOf } from './links.ts';
import { toMarkdown } from './markdown.ts';
import { sentenceOf } from './sentence.ts';
import { phaseSpans } from './spans.ts';

const item = anIncidentItem({
  phase: 'Mitigation',
  owner: 'ana',
  createdAt: '2026-11-23T13:00:00Z',
  phaseSince: '2026-11-23T13:20:00Z',
});
const timeline: TimelineEntry[] = [
  {
    at: '2026-11-23T13:00:00Z',
    kind: 'Opened',
    text: 'opened by rule pods',
    by: 'system:serviceaccount:funnel-system:funnelai-operator',
    to: 'Detection',
    sequence: 1,
  },
  { at: '2026-11-23T13:00:01Z', kind: 'AlertJoined', text: 'Pod *x* | y joined', alert: 'prom-1' },
  {
    at: '2026-11-23T13:02:00Z',
    kind: 'Phase',
    text: 'moved from Triggered to Responding',
    by: 'ana',
    from: 'Detection',
    to: 'Response',
    sequence: 2,
  },
  {
    at: '2026-11-23T13:20:00Z',
    kind: 'Phase',
    text: 'moved from Responding to Mitigated',
    by: 'bo',
    from: 'Response',
    to: 'Mitigation',
    reason: 'rolled back',
    sequence: 3,
  },
];
const detail: IncidentDetail = {
  incident: anIncident(item),
  item,
  alerts: [anAlertItem()],
  alertsTotal: 1,
  timeline,
  history: { available: true },
};
const at = (time: string): number => Date.parse(`2026-11-23T${time}Z`);

describe('time in each phase', () => {
  it('comes from the moves, the last one running', () => {
    expect(phaseSpans(timeline, item, at('13:25:00'))).toEqual({
      Detection: 120_000,
      Response: 1_080_000,
      Mitigation: 300_000,
    });
  });

  it('adds up over rounds', () => {
    const again: TimelineEntry[] = [
      ...timeline,
      { at: '2026-11-23T13:30:00Z', kind: 'Phase', text: '', from: 'Mitigation', to: 'Response' },
    ];
    const back = { ...item, phase: 'Response' as const, phaseSince: '2026-11-23T13:30:00Z' };
    expect(phaseSpans(again, back, at('13:31:00')).Response).toBe(1_080_000 + 60_000);
  });

  it('is that of the phase itself when the story is missing', () => {
    expect(phaseSpans([], item, at('13:21:00'))).toEqual({ Mitigation: 60_000 });
  });

  it('does not tell of a closed one how long it had been closed before', () => {
    const phase = (minute: number, from: Phase, to: Phase): TimelineEntry => ({
      at: `2026-11-23T14:${minute}:00Z`,
      kind: 'Phase',
      text: '',
      from,
      to,
    });
    const moves = [phase(10, 'Mitigation', 'Closed'), phase(20, 'Closed', 'Response'), phase(30, 'Response', 'Closed')];
    const closed = { ...item, phase: 'Closed' as const, phaseSince: '2026-11-23T14:30:00Z' };
    expect(phaseSpans([...timeline, ...moves], closed, at('15:00:00'))).not.toHaveProperty('Closed');
    const open = { ...item, phase: 'Response' as const, phaseSince: '2026-11-23T14:20:00Z' };
    expect(phaseSpans([...timeline, ...moves.slice(0, 2)], open, at('15:00:00')).Closed).toBe(600_000);
  });

  it('stands still once closed', () => {
    const closed = { ...item, phase: 'Closed' as const, phaseSince: '2026-11-23T14:00:00Z' };
    expect(
      phaseSpans(
        [...timeline, { at: closed.phaseSince, kind: 'Phase', text: '', from: 'Mitigation', to: 'Closed' }],
        closed,
        at('15:00:00'),
      ).Mitigation,
    ).toBe(2_400_000);
  });
});

describe('a line of the timeline', () => {
  it('names people, calls the operator funnelAI, and begins with what happened otherwise', () => {
    expect(timeline.map(sentenceOf)).toEqual([
      'Opened by rule pods',
      'Pod *x* | y joined',
      'ana acknowledged: moved from Triggered to Responding',
      'bo moved from Responding to Mitigated',
    ]);
  });
});

describe('a move for those who have acknowledged upstream', () => {
  it('is funnelAI’s, which acknowledged nothing; the reason tells who did, in the Markdown too', () => {
    const reason = 'acknowledged upstream by Icinga through AlertSource events';
    const by = 'system:serviceaccount:funnel-system:funnelai-operator';
    const moved = timeline.map((entry) => (entry.sequence === 2 ? { ...entry, by, reason } : entry));
    expect(moved.map(sentenceOf)[2]).toBe('funnelAI moved from Triggered to Responding');
    expect(toMarkdown({ ...detail, timeline: moved }, 'UTC', 'u')).toContain(
      `funnelAI moved from Triggered to Responding (${reason})`,
    );
  });
});

describe('an incident as Markdown', () => {
  const text = toMarkdown(detail, 'Europe/Oslo', 'https://funnel.example/incidents/demo/checkout-amber-falcon');

  it('has state, links and the story in order, with the zone', () => {
    expect(text).toContain('## Checkout answers 5xx in eu-west');
    expect(text).toContain('**High**, P2, Mitigated, owner ana');
    expect(text).toContain('### Mon 23 Nov 2026');
    expect(text).toContain('- `14:20:00 UTC+01:00` bo moved from Responding to Mitigated (rolled back)');
    expect(text.indexOf('Runbook')).toBeLessThan(text.indexOf('dashboard'));
  });

  it('lets no text from outside become formatting', () => {
    expect(text).toContain('Pod \\*x\\* \\| y joined');
  });

  it('says when history is missing', () => {
    expect(toMarkdown({ ...detail, history: { available: false, reason: 'Postgres is away' } }, 'UTC', 'u')).toContain(
      'older entries may be missing: Postgres is away',
    );
  });
});

describe('a long run of alerts', () => {
  const joined = (second: number, kind: TimelineEntry['kind'] = 'AlertJoined'): TimelineEntry => ({
    at: `2026-11-23T13:00:0${second}Z`,
    kind,
    text: 'x',
  });
  const act: TimelineEntry = { at: '2026-11-23T13:00:00Z', kind: 'Phase', text: 'moved' };
  it('is one line, and never swallows what people did', () => {
    const entries = [
      joined(9),
      joined(8),
      joined(7, 'AlertResolved'),
      joined(6, 'AlertExpired'),
      act,
      joined(5),
      joined(4),
      joined(3),
    ];
    const folded = foldRuns(entries, () => 'today');
    expect(folded.map((part) => (part.kind === 'run' ? part.summary : part.entry.kind))).toEqual([
      'Alerts: 2 joined, 1 resolved, 1 expired',
      'Phase',
      'AlertJoined',
      'AlertJoined',
      'AlertJoined',
    ]);
    expect(folded.flatMap((part) => (part.kind === 'run' ? part.entries : [part.entry]))).toEqual(entries);
  });
  it('ends with the day', () => {
    const entries = [joined(9), joined(8), joined(7), joined(6), joined(5)];
    expect(foldRuns(entries, (entry) => (entry.at > joined(6).at ? 'b' : 'a'))).toHaveLength(5);
  });
});

describe('links', () => {
  it('come runbook first, say which alert they are of, each once', () => {
    const links = [
      { title: 'Source', url: 'https://prom.example/1', kind: 'Source' as const },
      { title: 'Runbook', url: 'https://runbooks.example/a', kind: 'Runbook' as const },
    ];
    const another = { title: 'Source', url: 'https://prom.example/2', kind: 'Source' as const };
    const alerts = [anAlertItem({ links }), anAlertItem({ links: [another, ...links.slice(1)] })];
    expect(linksOf({ ...detail, alerts }).map(({ title }) => title)).toEqual([
      'Runbook: KubePodCrashLooping',
      'Checkout dashboard',
      'Source: KubePodCrashLooping',
    ]);
  });
});

describe('what is said of history', () => {
  it('is nothing while it has everything', () => {
    expect(historyNote({ available: true })).toBeUndefined();
  });
  it('is a glance while changes are on their way, and a warning once something stands between', () => {
    expect(historyNote({ available: true, behind: 2 })).toMatchObject({
      isTrouble: false,
      head: '2 changes on the way to history',
    });
    const stuck = historyNote({ available: true, behind: 1, trouble: 'Postgres refuses it: title' });
    expect(stuck).toMatchObject({ isTrouble: true, head: 'History is 1 change behind.' });
    expect(stuck?.text).toContain('Postgres refuses it: title');
  });
  it('is that it cannot be read, and why, whatever else', () => {
    const away = historyNote({ available: false, reason: 'Postgres is away', behind: 3 });
    expect(away).toMatchObject({ isTrouble: true, head: 'History cannot be read now.' });
    expect(away?.text).toContain('Postgres is away');
  });
});
