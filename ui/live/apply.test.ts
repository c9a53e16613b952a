import type { IncidentPage } from '@funnelai/domain/wire';
import { describe, expect, it } from 'vitest';
import { parseFilter, toQuery } from '../features/incidents/url.ts';
import { anAlertItem, anIncident, anIncidentItem, aTimeline } from '../testing/builders.ts';
import {
  applyToIncident,
  applyToIncidents,
  type Changes,
  concernsIncident,
  listsAlert,
  listsIncident,
} from './apply.ts';

const query = (search = '', namespace: string | undefined = 'demo') =>
  toQuery(parseFilter(new URLSearchParams(search)), namespace);
const changes = (part: Partial<Changes>): Changes => ({
  type: 'changes',
  incidents: [],
  alerts: [],
  deleted: [],
  ...part,
});
const page = (...items: IncidentPage['items']): IncidentPage => ({
  items,
  total: items.length,
  tabs: { open: 0, mine: 0, unacknowledged: 0, postmortem: 0, closed: 0, all: 0 },
  facets: { severity: {}, priority: {}, phase: {}, owner: {}, rule: {} },
  resourceVersion: '1',
  asOf: '',
});

describe('a batch of the stream on a list of incidents', () => {
  const a = anIncidentItem({ name: 'a', uid: 'a', resourceVersion: '10' });
  const b = anIncidentItem({ name: 'b', uid: 'b', resourceVersion: '10' });

  it('replaces a row where it stands', () => {
    const next = applyToIncidents(
      page(a, b),
      query(),
      changes({ incidents: [{ ...b, resourceVersion: '11', title: 'worse' }] }),
      'ana',
    );
    expect(next.items.map((item) => item.title)).toEqual([a.title, 'worse']);
    expect(next.items[0]).toBe(a);
  });

  it('takes a row off the list that it left, and puts a new one in front', () => {
    const closed = { ...a, resourceVersion: '11', phase: 'Closed' as const };
    const fresh = anIncidentItem({ name: 'c', uid: 'c' });
    expect(
      applyToIncidents(page(a, b), query(), changes({ incidents: [closed, fresh] }), 'ana').items.map(
        (item) => item.uid,
      ),
    ).toEqual(['c', 'b']);
  });

  it('takes off what was deleted, by uid and not by name', () => {
    const deleted = [{ kind: 'Incident' as const, namespace: 'demo', name: 'b', uid: 'of-another-life' }];
    expect(applyToIncidents(page(a, b), query(), changes({ deleted }), 'ana').items).toHaveLength(2);
    expect(
      applyToIncidents(
        page(a, b),
        query(),
        changes({ deleted: [{ kind: 'Incident', namespace: 'demo', name: 'b', uid: 'b' }] }),
        'ana',
      ).items,
    ).toEqual([a]);
  });

  it('never goes back to an older state than the one that a write answered', () => {
    const stale = { ...a, resourceVersion: '9', title: 'before' };
    expect(applyToIncidents(page(a), query(), changes({ incidents: [stale] }), 'ana').items[0]?.title).toBe(a.title);
  });

  it('leaves the page the same object when nothing in it changed', () => {
    const held = page(a);
    const elsewhere = anIncidentItem({ namespace: 'payments' });
    expect(applyToIncidents(held, query(), changes({ incidents: [elsewhere] }), 'ana')).toBe(held);
  });
});

describe('what a list would show', () => {
  it('follows tab, facets, search and namespace', () => {
    const item = anIncidentItem({ owner: 'ana', phase: 'Response', title: 'Disk full' });
    expect(listsIncident(query('tab=mine'), item, 'ana')).toBe(true);
    expect(listsIncident(query('tab=mine'), item, 'bo')).toBe(false);
    expect(listsIncident(query('tab=unacknowledged'), item, 'ana')).toBe(false);
    expect(listsIncident(query('severity=Low'), item, 'ana')).toBe(false);
    expect(listsIncident(query('q=disk+falcon'), item, 'ana')).toBe(true);
    expect(listsIncident(query('', 'payments'), item, 'ana')).toBe(false);
    expect(listsIncident(toQuery(parseFilter(new URLSearchParams()), undefined), item, 'ana')).toBe(true);
  });

  it('finds alerts by any label', () => {
    const asked = { state: ['Firing'], severity: [], source: [], alertname: [], q: 'x2x', sort: '', limit: 1 };
    expect(listsAlert(asked, anAlertItem())).toBe(true);
    expect(listsAlert(asked, anAlertItem({ state: 'Resolved' }))).toBe(false);
  });
});

describe('a batch of the stream on an incident', () => {
  const item = anIncidentItem({ uid: 'i', resourceVersion: '10' });
  const detail = {
    incident: anIncident(item),
    item,
    alerts: [anAlertItem({ uid: 'x' })],
    alertsTotal: 5_000,
    timeline: aTimeline(item),
    history: { available: true },
  };

  it('changes its head at once and takes alerts that join', () => {
    const joined = anAlertItem({ uid: 'y', name: 'prom-2' });
    const next = applyToIncident(
      detail,
      changes({ incidents: [{ ...item, resourceVersion: '11', phase: 'Response' }], alerts: [joined] }),
    );
    expect(next.item.phase).toBe('Response');
    expect([next.alerts.map((alert) => alert.uid), next.alertsTotal]).toEqual([['y', 'x'], 5_001]);
  });

  it('does not concern it when it is about others', () => {
    const others = changes({ incidents: [anIncidentItem()], alerts: [anAlertItem({ incident: 'another' })] });
    expect(concernsIncident(detail, others)).toBe(false);
    expect(applyToIncident(detail, others)).toBe(detail);
    expect(concernsIncident(detail, changes({ alerts: [anAlertItem()] }))).toBe(true);
  });
});
