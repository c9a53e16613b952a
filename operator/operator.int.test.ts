/** The operator against a real API server and a real Postgres, told as stories: each in a namespace of its own, with an operator of its own. */

import { randomBytes } from 'node:crypto';
import type { Alert, AlertSource, CorrelationRule, Incident } from '@funnelai/crds/generated/types';
import {
  ALERT_SOURCES,
  ALERTS,
  API_VERSION,
  CORRELATION_RULES,
  HISTORY_FINALIZER,
  INCIDENTS,
  type KubeObject,
} from '@funnelai/crds/meta';
import { HistoryUnavailable } from '@funnelai/history/errors';
import { migrate } from '@funnelai/history/migrate';
import { createMirror, type Mirror } from '@funnelai/history/mirror';
import { createPool } from '@funnelai/history/pool';
import { createQueries } from '@funnelai/history/queries';
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { systemClock } from '@funnelai/kube/clock';
import { loadConnection } from '@funnelai/kube/config';
import { SECRETS } from '@funnelai/kube/core-kinds';
import { isNotFound } from '@funnelai/kube/errors';
import { EVENTS } from '@funnelai/kube/events';
import { silentLog } from '@funnelai/kube/log';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { anAlert, anIncident, aRule, crashingPods } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { mortal } from './testing/mortal-client.ts';
import { makeNamespaceOfResponders } from './testing/namespaces.ts';
import { type Running, runOperator } from './testing/run.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    kubeconfig: string;
    databaseUrl: string;
  }
}

let admin: KubeClient;
let ana: KubeClient;
let forOperator: KubeClient;
let operators: Running[] = [];
let pool: ReturnType<typeof createPool>;
/** Postgres as the operator sees it: away while this is true. */
let isPostgresAway = false;

async function clientOf(context: string): Promise<KubeClient> {
  return createKubeClient(await loadConnection({ kubeconfigPath: inject('kubeconfig'), context }), {
    userAgent: context === 'operator' ? 'funnelai-operator/test' : `test-${context}/1`,
  });
}

beforeAll(async () => {
  [admin, ana, forOperator] = await Promise.all([clientOf('admin'), clientOf('ana'), clientOf('operator')]);
  const url = new URL(inject('databaseUrl'));
  const name = `operator_${randomBytes(6).toString('hex')}`;
  const owner = createPool(url.href);
  await owner.query(`create database ${name}`);
  await owner.end();
  url.pathname = `/${name}`;
  pool = createPool(url.href);
  await migrate(pool, silentLog());
});

afterEach(async () => {
  isPostgresAway = false;
  await Promise.all(operators.map((operator) => operator.stop()));
  operators = [];
});

afterAll(async () => {
  await pool.end();
  await Promise.all([admin.close(), ana.close(), forOperator.close()]);
});

/** What a mirror knows without asking Postgres: it answers at once, and so with no promise that might be refused. */
const KNOWN: ReadonlySet<keyof Mirror> = new Set(['epoch', 'server']);

/** A mirror of the namespace alone: the stories share their Postgres, and none may fence another. */
function openMirror(namespace: string): Mirror {
  const real = createMirror({ pool, clock: systemClock, log: silentLog(), namespace });
  return new Proxy(real, {
    get: (target, name: keyof Mirror) =>
      isPostgresAway && !KNOWN.has(name)
        ? () => Promise.reject(new HistoryUnavailable('away, says the test'))
        : target[name],
  });
}

async function aNamespace(): Promise<string> {
  const namespace = `op-${randomBytes(5).toString('hex')}`;
  await makeNamespaceOfResponders(admin, namespace);
  return namespace;
}

/** A namespace with an operator that sees it and no other. */
async function anOperatedNamespace(): Promise<string> {
  const namespace = await aNamespace();
  await operate(namespace, forOperator);
  return namespace;
}

async function operate(namespace: string, client: KubeClient): Promise<Running> {
  const operator = runOperator({ client, openMirror: () => openMirror(namespace), namespace });
  operators.push(operator);
  await eventually('the operator leads', () => operator.leading(), 20_000);
  return operator;
}

const send = (alerts: Alert[]) => Promise.all(alerts.map((alert) => admin.create<Alert>(ALERTS, alert)));
const incidentsIn = async (namespace: string) => (await admin.list<Incident>(INCIDENTS, { namespace })).items;
const alertsIn = async (namespace: string) => (await admin.list<Alert>(ALERTS, { namespace })).items;
const get = (namespace: string, name: string) => admin.get<Incident>(INCIDENTS, { namespace, name });

/** Waits until the namespace has so many incidents, each numbered, and every alert an answer. */
async function settled(namespace: string, incidents: number): Promise<Incident[]> {
  return eventually(`${namespace} has ${incidents} incidents and every alert an answer`, async () => {
    const found = await incidentsIn(namespace);
    const answered = (await alertsIn(namespace)).every(({ status }) => status?.episode !== undefined);
    return found.length === incidents && answered && found.every(({ status }) => status?.phase !== undefined) && found;
  });
}

/** One incident with `count` alerts of one group. */
async function anOutage(namespace: string, count = 2): Promise<Incident> {
  await send(crashingPods(count, { namespace }));
  const [incident] = await settled(namespace, 1);
  if (incident === undefined) throw new Error('no incident');
  return incident;
}

async function resolveAll(namespace: string): Promise<void> {
  for (const alert of await alertsIn(namespace)) await setState(alert, 'Resolved');
}

function setState(alert: Alert, state: 'Firing' | 'Resolved', startsAt = alert.spec.startsAt): Promise<Alert> {
  const receivedAt = systemClock.now().toString({ fractionalSecondDigits: 6 });
  const { namespace = '', name } = alert.metadata;
  const spec = { state, startsAt, receivedAt, ...(state === 'Firing' && { endsAt: null }) };
  return admin.mergePatch<Alert>(ALERTS, { namespace, name }, { spec });
}

const move = (incident: Incident, phase: string, client = ana, more: object = {}) =>
  client.mergePatch<Incident>(INCIDENTS, key(incident), { spec: { phase, ...more } });
const key = ({ metadata }: KubeObject) => ({ namespace: metadata.namespace ?? '', name: metadata.name });

describe('correlation', () => {
  it('makes one incident of twelve crash-looping pods without a cluster label, and none of Watchdog', async () => {
    const namespace = await anOperatedNamespace();
    const watchdog = anAlert({ namespace, labels: { alertname: 'Watchdog', severity: 'none' }, severity: 'Info' });
    await send([...crashingPods(12, { namespace }), watchdog]);
    const [incident] = await settled(namespace, 1);
    const alerts = await alertsIn(namespace);
    const crashing = alerts.filter(({ spec }) => spec.title === 'KubePodCrashLooping');
    expect(new Set(crashing.map(({ status }) => status?.incidentRef?.name))).toEqual(
      new Set([incident?.metadata.name]),
    );
    expect(crashing[0]?.status?.explanation).toMatch(/built-in rule on .*namespace=pay; (opened|joined) /);
    const quiet = alerts.find(({ spec }) => spec.title === 'Watchdog');
    expect(quiet?.status?.incidentRef).toBeUndefined();
    expect(quiet?.status).toMatchObject({
      episode: 1,
      conditions: [{ type: 'Correlated', status: 'True', reason: 'Recorded' }],
    });
  });

  it('waves off what resolved before it was seen, and looks again when it fires after all', async () => {
    const namespace = await anOperatedNamespace();
    const [late] = await send([anAlert({ namespace, state: 'Resolved', endsAt: '2026-03-01T10:05:00Z' })]);
    if (late === undefined) throw new Error('no alert');
    await settled(namespace, 0);
    const [waved] = await alertsIn(namespace);
    expect(waved?.status?.explanation).toContain('resolved before it was correlated');
    expect(waved?.status?.conditions).toMatchObject([{ status: 'False', reason: 'ResolvedFirst' }]);
    await setState(late, 'Firing');
    await settled(namespace, 1);
  });

  it('follows a merge with every alert, and gives the group to the one merged into', async () => {
    const namespace = await anOperatedNamespace();
    const first = await anOutage(namespace);
    await send(crashingPods(1, { namespace, of: 'shop' }));
    const both = await settled(namespace, 2);
    const second = both.find(({ metadata }) => metadata.name !== first.metadata.name);
    if (second === undefined) throw new Error('no second incident');
    await move(first, 'Closed', ana, { mergedInto: { name: second.metadata.name } });
    const into = second.metadata.name;
    await eventually('all alerts moved', async () =>
      (await alertsIn(namespace)).every((a) => a.status?.incidentRef?.name === into),
    );
    await send(crashingPods(4, { namespace }).slice(3));
    await eventually('the next of the merged group joins there', async () => {
      const alerts = await alertsIn(namespace);
      return alerts.length === 4 && alerts.every((a) => a.status?.incidentRef?.name === into);
    });
    expect(await incidentsIn(namespace)).toHaveLength(2);
    expect((await get(namespace, first.metadata.name)).status?.changes?.map(({ kind }) => kind)).toContain('Merge');
  });

  it('opens a new incident for alerts that still fire when theirs is deleted', async () => {
    const namespace = await anOperatedNamespace();
    const first = await anOutage(namespace);
    await admin.delete(INCIDENTS, key(first));
    const other = await eventually('the alerts are in another incident', async () => {
      const names = new Set((await alertsIn(namespace)).map(({ status }) => status?.incidentRef?.name));
      const [name] = names;
      return names.size === 1 && name !== undefined && name !== first.metadata.name && name;
    });
    expect((await get(namespace, other)).spec.origin?.opening).toBe(2);
  });

  it('skips a rule that does not compile, says where it is wrong, and asks the next', async () => {
    const namespace = await anOperatedNamespace();
    await admin.create(CORRELATION_RULES, aRule('broken', { order: 1, match: ['alertname=~"Kube("'] }, namespace));
    await admin.create(
      CORRELATION_RULES,
      aRule(
        'pods',
        { order: 2, match: ['alertname="KubePodCrashLooping"'], groupBy: [{ label: 'namespace' }] },
        namespace,
      ),
    );
    await eventually('both rules have a status', async () => {
      const { items } = await admin.list<CorrelationRule>(CORRELATION_RULES, { namespace });
      return items.length === 2 && items.every(({ status }) => (status?.observedGeneration ?? -1) > 0);
    });
    const broken = await admin.get<CorrelationRule>(CORRELATION_RULES, { namespace, name: 'broken' });
    expect(broken.status?.conditions).toMatchObject([
      { type: 'Ready', status: 'False' },
      { type: 'Stalled', status: 'True' },
    ]);
    const incident = await anOutage(namespace);
    expect(incident.spec.origin?.ruleRef?.name).toBe('pods');
  });
});

describe('an incident', () => {
  it('names the acknowledger owner and numbers who did what, in order', async () => {
    const namespace = await anOperatedNamespace();
    const incident = await anOutage(namespace);
    await move(incident, 'Response', ana, { phaseReason: 'on it' });
    const owned = await eventually('ana owns it', async () => {
      const now = await get(namespace, incident.metadata.name);
      return now.spec.owner?.name === 'ana' && now.status?.observed?.owner === 'ana' && now;
    });
    const changes = owned.status?.changes ?? [];
    expect(changes.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(changes[3]).toMatchObject({
      kind: 'Phase',
      from: 'Detection',
      to: 'Response',
      by: 'ana',
      reason: 'on it',
      verified: true,
    });
    expect(changes[4]).toMatchObject({ kind: 'Owner', to: 'ana' });
    expect(owned.status?.acknowledgedAt).toBeDefined();
    await eventually('the Events tell of it', async () => {
      const { items } = await admin.list<KubeObject & { reason?: string }>(EVENTS, { namespace });
      const reasons = new Set(items.map(({ reason }) => reason));
      return reasons.has('Opened') && reasons.has('Acknowledged');
    });
  });

  it('is moved to Response for those who acknowledged upstream, by the operator, which makes nobody its owner', async () => {
    const namespace = await anOperatedNamespace();
    const incident = await anOutage(namespace, 1);
    const [alert] = await alertsIn(namespace);
    if (alert === undefined) throw new Error('no alert');
    const word = { at: systemClock.now().toString({ fractionalSecondDigits: 6 }), by: 'Icinga' };
    await admin.mergePatch(ALERTS, key(alert), { spec: { acknowledgedUpstream: { ...word, trusted: word } } });
    const moved = await eventually('it is in Response', async () => {
      const now = await get(namespace, incident.metadata.name);
      return now.status?.phase === 'Response' && now;
    });
    const change = moved.status?.changes?.at(-1);
    expect(change).toMatchObject({
      kind: 'Phase',
      from: 'Detection',
      by: 'system:serviceaccount:funnel-system:funnelai-operator',
      reason: 'acknowledged upstream by Icinga through AlertSource prom',
      verified: true,
    });
    expect(moved.status?.acknowledgedAt).toBe(change?.at);
    expect(moved.spec).not.toHaveProperty('owner');
  });

  it('resolves by its rule when all alerts have, and comes back when one fires again', async () => {
    const namespace = await anOperatedNamespace();
    await admin.create(
      CORRELATION_RULES,
      aRule('quick', { groupBy: [{ label: 'namespace' }], resolve: { after: '1s' } }, namespace),
    );
    await eventually('the rule is ready', async () => {
      const rule = await admin.get<CorrelationRule>(CORRELATION_RULES, { namespace, name: 'quick' });
      return rule.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    });
    const incident = await anOutage(namespace);
    await resolveAll(namespace);
    await eventually(
      'it is resolved',
      async () => (await get(namespace, incident.metadata.name)).status?.phase === 'Resolution',
    );
    const [alert] = await alertsIn(namespace);
    if (alert === undefined) throw new Error('no alert');
    await setState(alert, 'Firing', systemClock.now().toString({ smallestUnit: 'second' }));
    const back = await eventually('it came back', async () => {
      const now = await get(namespace, incident.metadata.name);
      return now.status?.phase === 'Detection' && now.status.round === 2 && now;
    });
    expect(back.status?.resolvedAt).toBeUndefined();
    expect(await incidentsIn(namespace)).toHaveLength(1);
    await eventually('the alert counts a second episode', async () => {
      const now = await admin.get<Alert>(ALERTS, key(alert));
      return now.status?.episode === 2 && now.status.incidentRef?.name === incident.metadata.name;
    });
  });

  it('that was declared stays open without alerts, gets the finalizer, and its opener on record', async () => {
    const namespace = await anOperatedNamespace();
    const declared = anIncident({ namespace, name: 'declared', phase: 'Response' });
    await ana.create(INCIDENTS, { ...declared, metadata: { name: 'declared', namespace } });
    const now = await eventually('it is numbered', async () => {
      const found = await get(namespace, 'declared');
      return found.status?.phase === 'Response' && found.spec.owner?.name === 'ana' && found;
    });
    expect(now.metadata.finalizers).toContain(HISTORY_FINALIZER);
    expect(now.status?.changes?.[0]).toMatchObject({ kind: 'Phase', to: 'Response', by: 'ana' });
  });
});

describe('history', () => {
  it('has every change of a deleted incident before it is gone', async () => {
    const namespace = await anOperatedNamespace();
    const incident = await anOutage(namespace);
    const queries = createQueries({ pool });
    const itsAlerts = async () => (await queries.alertsOf(incident.metadata.uid ?? '')).length;
    await eventually('its alerts are in history', async () => (await itsAlerts()) === 2);
    await move(incident, 'Response');
    await move(incident, 'Mitigation');
    // Deleted at once: the last moves are only in the admission log yet.
    await admin.delete(INCIDENTS, key(incident));
    await eventually('it is gone', () => get(namespace, incident.metadata.name).then(() => false, isNotFound));
    const record = await queries.incidentByUid(incident.metadata.uid ?? '');
    expect(record?.deletedAt).toBeDefined();
    const changes = await queries.changesOf(incident.metadata.uid ?? '');
    expect(changes.map(({ sequence }) => sequence)).toEqual(changes.map((_, i) => i + 1));
    expect(changes.filter(({ kind }) => kind === 'Phase').map(({ to }) => to)).toEqual([
      'Detection',
      'Response',
      'Mitigation',
    ]);
    // They fire on, in another incident; this one is told with what it had.
    await eventually('the alerts have another', async () => (await incidentsIn(namespace)).length === 1);
    expect(await itsAlerts()).toBe(2);
  });

  it('may be away: incidents open, move, and wait with their deletion; then it catches up', async () => {
    const namespace = await anOperatedNamespace();
    isPostgresAway = true;
    const incident = await anOutage(namespace);
    await move(incident, 'Response');
    await eventually(
      'the move is answered',
      async () => (await get(namespace, incident.metadata.name)).status?.phase === 'Response',
    );
    await admin.delete(INCIDENTS, key(incident));
    await eventually('the alerts have another', async () => (await incidentsIn(namespace)).length === 2);
    expect((await get(namespace, incident.metadata.name)).metadata.finalizers).toContain(HISTORY_FINALIZER);
    isPostgresAway = false;
    await eventually(
      'it is let go',
      () => get(namespace, incident.metadata.name).then(() => false, isNotFound),
      30_000,
    );
    const changes = await createQueries({ pool }).changesOf(incident.metadata.uid ?? '');
    expect(changes.filter(({ kind }) => kind === 'Phase').map(({ to }) => to)).toEqual(['Detection', 'Response']);
  });
});

describe('a source', () => {
  it('says that its Secret is missing, and is ready once it is there', async () => {
    const namespace = await anOperatedNamespace();
    const source: AlertSource = {
      apiVersion: API_VERSION,
      kind: 'AlertSource',
      metadata: { name: 'prom', namespace },
      spec: { format: 'Alertmanager', auth: { bearer: { secretRef: { name: 'prom-token', key: 'token' } } } },
    };
    await admin.create(ALERT_SOURCES, source);
    const readiness = async () => {
      const { status } = await admin.get<AlertSource>(ALERT_SOURCES, { namespace, name: 'prom' });
      return status?.conditions?.find(({ type }) => type === 'Ready');
    };
    await eventually('it lacks its Secret', async () => (await readiness())?.reason === 'SecretNotFound');
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'prom-token', namespace },
      stringData: { token: 'hush' },
    };
    await admin.create(SECRETS, secret as KubeObject);
    // Any change of the source is a reason to look before the minute is over.
    await admin.mergePatch(ALERT_SOURCES, { namespace, name: 'prom' }, { metadata: { labels: { touched: 'yes' } } });
    await eventually('it is ready', async () => (await readiness())?.status === 'True');
    const { status } = await admin.get<AlertSource>(ALERT_SOURCES, { namespace, name: 'prom' });
    expect(status?.path).toBe(`/alerts/${namespace}/prom`);
  });
});

describe('a source that many teams share', () => {
  it('says which namespaces have not opted in, and the one that accepts says who routes to it', async () => {
    const namespace = await anOperatedNamespace();
    const make = (name: string, spec: object) =>
      admin.create(ALERT_SOURCES, {
        apiVersion: API_VERSION,
        kind: 'AlertSource',
        metadata: { name, namespace },
        spec: { format: 'Alertmanager', ...spec },
      } as KubeObject);
    const said = async (name: string, type: string) => {
      const { status } = await admin.get<AlertSource>(ALERT_SOURCES, { namespace, name });
      return status?.conditions?.find((condition) => condition.type === type);
    };
    await make('shared', { auth: { none: {} }, routes: [{ match: ['team="pay"'], namespace }] });
    await eventually('nobody accepts', async () => (await said('shared', 'Routed'))?.reason === 'NotAccepted');
    expect(await said('shared', 'Unauthenticated')).toMatchObject({ status: 'True' });
    await make('pay', { acceptFrom: { namespace, name: 'shared' } });
    await eventually('it is routed', async () => (await said('shared', 'Routed'))?.status === 'True');
    await eventually('the other is ready', async () => (await said('pay', 'Ready'))?.status === 'True');
    expect((await admin.get<AlertSource>(ALERT_SOURCES, { namespace, name: 'pay' })).status).not.toHaveProperty('path');
    const spec = {
      routes: [{ match: ['team=~"("'], namespace }],
      auth: { none: null, basic: { secretRef: { name: 's' } } },
    };
    await admin.mergePatch(ALERT_SOURCES, { namespace, name: 'shared' }, { spec });
    await eventually(
      'the matcher is named',
      async () => (await said('shared', 'Stalled'))?.reason === 'InvalidMatcher',
    );
    expect(await said('shared', 'Unauthenticated')).toBeUndefined();
    expect((await said('shared', 'Ready'))?.message).toContain('keys username and password');
    await admin.delete(ALERT_SOURCES, { namespace, name: 'shared' });
    await eventually('the other waits', async () => (await said('pay', 'Ready'))?.reason === 'SourceNotFound');
  });
});

describe('the write budget', () => {
  it('is one answer for each alert, and a create and a status for an incident born', async () => {
    const namespace = await aNamespace();
    const counted = mortal(forOperator, { atWrite: Number.POSITIVE_INFINITY, when: 'before' });
    await operate(namespace, counted.client);
    await anOutage(namespace, 5);
    expect(counted.writes()).toBe(2 + 5);
  });
});

describe('an operator that dies on a real API server', () => {
  it('leaves one incident with every alert in it, over a dozen seeds', { timeout: 120_000 }, async () => {
    const namespace = await aNamespace();
    const groups: string[] = [];
    for (let seed = 0; seed < 12; seed += 1) {
      const of = `group-${seed}`;
      groups.push(of);
      const victim = mortal(forOperator, { atWrite: 1 + (seed % 6), when: seed % 2 === 0 ? 'before' : 'after' });
      const life = runOperator({ client: victim.client, namespace });
      await send(crashingPods(3, { namespace, of }));
      await Promise.race([victim.died, systemClock.sleep(3_000)]);
      await life.stop();
    }
    await operate(namespace, forOperator);
    const incidents = await settled(namespace, groups.length);
    for (const of of groups) {
      const refs = (await alertsIn(namespace))
        .filter((a) => a.spec.labels?.namespace === of)
        .map((a) => a.status?.incidentRef?.name);
      expect(refs).toHaveLength(3);
      expect(new Set(refs).size, of).toBe(1);
    }
    for (const { status } of incidents) {
      const numbers = status?.changes?.map(({ sequence }) => sequence) ?? [];
      expect(numbers).toEqual([1, 2, 3]);
    }
  });
});
