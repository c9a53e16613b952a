/** Bodies that are only looked at, at sources with limits and alerts of their own: what is said is what would happen, and nothing does. */
import type { Alert, AlertSource, CorrelationRule } from '@funnelai/crds/generated/types';
import { alertName, fingerprintOf, fingerprintOfKey } from '@funnelai/domain/fingerprint';
import { HistoryUnavailable } from '@funnelai/history/errors';
import type { FoldedAlert, FoldKey } from '@funnelai/history/folded';
import { IndexedCache } from '@funnelai/kube/indexed-cache';
import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { alertmanager } from '../receivers/alertmanager.ts';
import { pagerDutyEvents } from '../receivers/pagerduty-events.ts';
import type { Receiver } from '../receivers/receiver.ts';
import { anAlert, anAlertSource } from '../testing/builders.ts';
import { createForesight } from './foresight.ts';
import type { Sight } from './grouping.ts';
import { createLiveBook, type LiveBook } from './live-book.ts';
import { previewOf } from './preview.ts';
import { noRouting } from './routing.ts';
import { createSourceRates, type SourceRates } from './source-rates.ts';

const clock = new FakeClock('2026-03-01T10:00:00Z');
const cacheOf = <T extends Alert | CorrelationRule>(objects: T[]): IndexedCache<T> => {
  const cache = new IndexedCache<T>({ name: 'test', clock, log: silentLog(), fresh: () => true });
  cache.replace(objects, '1');
  return cache;
};
const POSTGRES = { find: async (): Promise<FoldedAlert | undefined> => undefined };

let live: LiveBook;
let rates: SourceRates;
let asked: FoldKey[];
beforeEach(() => {
  asked = [];
});

interface World {
  source: AlertSource;
  alerts?: Alert[];
  receiver?: Receiver;
  folds?: typeof POSTGRES | undefined;
  inbox?: { isWaiting(fingerprint: string): boolean } | undefined;
  sight?: Sight;
}
/** Returns what asks there what a body would become, and with which status a dry run answers. */
function at({ source, alerts: held = [], receiver = alertmanager, sight, ...o }: World) {
  const alerts = cacheOf(held);
  live = createLiveBook({ alerts, rules: cacheOf<CorrelationRule>([]) });
  const sources = { get: () => source };
  rates = createSourceRates({ sourceOf: sources.get, alerts, clock });
  const folds = 'folds' in o ? o.folds : POSTGRES;
  const foresight = createForesight({
    alerts,
    sources,
    live,
    rates,
    folds: folds && {
      find: (key) => {
        asked.push(key);
        return folds.find();
      },
    },
    inbox: 'inbox' in o ? o.inbox : { isWaiting: () => false },
    clock,
    log: silentLog(),
  });
  return (body: unknown) => {
    const envelope = {
      body: Buffer.from(JSON.stringify(body)),
      headers: {},
      mediaType: 'application/json',
      path: '',
      query: new URLSearchParams(),
      source,
      now: clock.now(),
    };
    const deps = { clock, routing: noRouting, foresight, ...(sight === undefined ? {} : { sight }) };
    return previewOf(receiver, envelope, deps);
  };
}
const storm = (count: number, alertname = 'Pods') => ({
  alerts: Array.from({ length: count }, (_, i) => ({ status: 'firing', labels: { alertname, pod: `p${i}` } })),
});
const fates = (alerts: readonly { fate?: { kind: string } }[]) => alerts.map(({ fate }) => fate?.kind);

describe('an event of PagerDuty', () => {
  const source = anAlertSource({ name: 'pd', spec: { format: 'PagerDutyEvents' } });
  const trusting = anAlertSource({ name: 'pd', spec: { format: 'PagerDutyEvents', trustAcknowledge: true } });
  const fingerprint = fingerprintOfKey('db-1');
  const fires = (o: Partial<Alert['spec']> = {}) =>
    anAlert({
      name: alertName('pd', fingerprint),
      spec: { sourceRef: { name: 'pd' }, fingerprint, dedupKey: 'db-1', title: 'DB is down', ...o },
    });
  const event = (event_action: string) => ({ routing_key: 'k', event_action, dedup_key: 'db-1', client: 'bo' });
  const ask = (of: AlertSource, alerts: Alert[], action = 'acknowledge', sight?: Sight) =>
    at({ source: of, alerts, receiver: pagerDutyEvents, ...(sight && { sight }) })(event(action));

  it('that acknowledges what nobody knows makes no alert, and says so', async () => {
    const { preview, status } = await ask(trusting, []);
    expect(status).toBe(200);
    expect(preview).toMatchObject({ alerts: [], total: 0, noted: [{ index: 0, namespace: 'demo' }] });
    const text =
      'An acknowledgement by bo: no alert of this key fires, so there is nothing to note it on, and none is made.';
    expect(preview.noted[0]?.text).toBe(text);
    expect(preview.answer.message).toBe('1 report makes no alert');
    expect((await ask(source, [fires({ state: 'Resolved' })])).preview.noted[0]?.text).toBe(text);
  });

  it('that acknowledges what fires is noted on it, and moves its incident only where the source trusts it', async () => {
    const plain = (await ask(source, [fires()])).preview;
    expect(plain).toMatchObject({ alerts: [], total: 0, noted: [{ name: alertName('pd', fingerprint) }] });
    expect(plain.noted[0]?.text).toMatch(/noted on the alert that fires.*changes nothing else.*trustAcknowledge/);
    expect((await ask(trusting, [fires()])).preview.noted[0]?.text).toContain('the incident moves to Response');
    const known = fires({ acknowledgedUpstream: { at: '2026-03-01T09:00:00Z' } });
    expect((await ask(source, [known])).preview.noted[0]?.text).toContain('one is noted already');
  });

  it('that resolves by its key alone is shown as the Alert that fires, resolved', async () => {
    const { alerts } = (await ask(source, [fires()], 'resolve')).preview;
    expect(alerts).toMatchObject([{ spec: { title: 'DB is down', state: 'Resolved' }, fate: { kind: 'Changed' } }]);
    expect(alerts[0]?.fate?.text).toBe('resolves the Alert that fires');
  });

  it('tells who may not list alerts there nothing of what fires', async () => {
    const blind = { alerts: () => false, sources: () => true };
    const seen = [await ask(source, [fires()], 'acknowledge', blind), await ask(source, [], 'acknowledge', blind)];
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]?.preview.noted[0]).toMatchObject({ text: expect.stringContaining('where that fires') });
    const { alerts } = (await ask(source, [fires()], 'resolve', blind)).preview;
    expect(alerts[0]).not.toHaveProperty('fate');
    expect(JSON.stringify(alerts)).not.toContain('DB is down');
  });
});

describe('a body over the rate of its source', () => {
  const source = anAlertSource({ spec: { limits: { ratePerSecond: 1, burst: 2 } } });

  it('is said to wait in the inbox as far as it is over, and to look at it uses nothing up', async () => {
    const look = at({ source });
    const first = (await look(storm(5))).preview;
    expect(fates(first.alerts)).toEqual(['New', 'New', 'Inbox', 'Inbox', 'Inbox']);
    const over = 'source demo/prom is over limits.ratePerSecond (1 alert a second, burst 2)';
    const text = `${over}: 3 alerts wait in the inbox and become Alerts at that rate`;
    expect(first.limits).toEqual([{ limit: 'ratePerSecond', alerts: 3, text }]);
    expect(first.answer).toMatchObject({
      status: 200,
      message: '5 of 5 alerts would be stored, 3 of them in the inbox for now',
    });
    expect((await look(storm(5))).preview).toEqual(first);
    const pace = { source: 'demo/prom', rate: { ratePerSecond: 1, burst: 2 } };
    expect(rates.take(pace, 2)).toBe(0);
    expect(fates((await look(storm(1))).preview.alerts)).toEqual(['Inbox']);
  });

  it('is refused as a whole where its sender holds it, and no fault of the body', async () => {
    const look = at({ source, receiver: { ...alertmanager, holdsAt429: true } });
    expect((await look(storm(2))).preview.answer.status).toBe(200);
    rates.take({ source: 'demo/prom', rate: { ratePerSecond: 1, burst: 2 } }, 2);
    const { preview, status } = await look(storm(2));
    expect(status).toBe(200);
    expect(preview.answer).toMatchObject({ status: 429, code: 'TooMany' });
    expect(preview.answer.message).toMatch(
      /^nothing of the body would be stored now: source demo\/prom is over .*; it may come again in 2 s$/,
    );
    expect(fates(preview.alerts)).toEqual(['NotStored', 'NotStored']);
  });

  it('without an inbox has to be sent again', async () => {
    const { preview, status } = await at({ source, inbox: undefined, folds: undefined })(storm(3));
    expect(status).toBe(200);
    expect(preview.answer).toMatchObject({ status: 503, code: 'Unavailable' });
    expect(preview.answer.message).toMatch(
      /^2 of 3 alerts would be stored; 1 would not be now: .*no database was given/,
    );
  });

  it('is within it with all that fires already: a repeat writes nothing', async () => {
    const labels = { alertname: 'Pods', pod: 'p0' };
    const { fingerprint } = fingerprintOf(labels);
    const held = anAlert({ name: alertName('prom', fingerprint), spec: { fingerprint, labels, severity: 'Medium' } });
    const { alerts, limits } = (await at({ source, alerts: [held] })(storm(3))).preview;
    expect(fates(alerts)).toEqual(['Same', 'New', 'New']);
    expect(limits).toEqual([]);
  });
});

describe('a body for which its source has no room', () => {
  const source = anAlertSource({ spec: { limits: { maxLiveAlerts: 20 } } });
  const held = Array.from({ length: 16 }, (_, i) => {
    const labels = { alertname: 'Pods', pod: `held${i}` };
    const { fingerprint } = fingerprintOf(labels);
    return anAlert({ name: alertName('prom', fingerprint), spec: { fingerprint, labels } });
  });

  it('is said to be folded as far as that goes, by which overflow Alert, and nothing is reserved', async () => {
    const look = at({ source, alerts: held });
    const first = (await look(storm(5))).preview;
    expect(fates(first.alerts)).toEqual(['New', 'New', 'Folded', 'Folded', 'Folded']);
    const overflow = alertName('prom', live.kindOf('demo', { labels: { alertname: 'Pods' }, severity: 'Medium' }));
    expect(first.alerts[4]?.fate?.text).toBe(`folded: kept in Postgres, and counted by the overflow Alert ${overflow}`);
    const bound = 'source demo/prom has no more room under limits.maxLiveAlerts (20)';
    const text = `${bound}: 3 alerts are kept in Postgres and counted by an overflow Alert`;
    expect(first.limits).toEqual([{ limit: 'maxLiveAlerts', alerts: 3, text }]);
    expect(first.answer).toMatchObject({ status: 200, message: '5 of 5 alerts would be stored, 3 of them folded' });
    expect((await look(storm(5))).preview).toEqual(first);
    expect([live.objectsOf('demo/prom'), live.overflowsOf('demo/prom')]).toEqual([16, 0]);
    expect(asked).toEqual([]);
  });

  it('is taken as a kind of its own where none of it fires yet', async () => {
    const full = [
      ...held,
      anAlert({ name: 'a', spec: { fingerprint: 'a' } }),
      anAlert({ name: 'b', spec: { fingerprint: 'b' } }),
    ];
    expect(fates((await at({ source, alerts: full })(storm(2, 'Fresh'))).preview.alerts)).toEqual(['New', 'Folded']);
  });

  it('has to be sent again without a database', async () => {
    const look = at({ source, alerts: held, folds: undefined, inbox: undefined });
    const { preview } = await look(storm(4));
    expect(preview.answer).toMatchObject({ status: 503, code: 'Unavailable' });
    expect(preview.limits).toMatchObject([{ limit: 'maxLiveAlerts', alerts: 2 }]);
    expect(preview.limits[0]?.text).toContain('limits.maxLiveAlerts (20), and no database is configured');
  });

  it('asks Postgres for no more than the first hundred, and for none once it is away', async () => {
    const overflow = anAlert({
      name: 'o',
      spec: { fingerprint: 'o', folded: { count: 1, firing: 1, asOf: clock.now().toString() } },
    });
    const roomy = anAlertSource({ spec: { limits: { maxLiveAlerts: 5_000 } } });
    await at({ source: roomy, alerts: [overflow] })(storm(150));
    expect(asked).toHaveLength(100);
    asked = [];
    const away = { find: async () => Promise.reject(new HistoryUnavailable('away')) };
    expect(fates((await at({ source: roomy, alerts: [overflow], folds: away })(storm(3))).preview.alerts)).toEqual([
      'New',
      'New',
      'New',
    ]);
    expect(asked).toHaveLength(1);
  });
});
