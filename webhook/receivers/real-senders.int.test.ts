import type { Alert, AlertSourceSpec } from '@funnelai/crds/generated/types';
import type { KubeList } from '@funnelai/crds/meta';
import { systemClock } from '@funnelai/kube/clock';
import { writesIn } from '@funnelai/test/harness/etcd';
import { until } from '@funnelai/test/harness/wait';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { CloudEvent, emitterFor, HTTP, httpTransport, Mode } from 'cloudevents';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { aTeam, type Running, send, startInProcess, type Team } from '../testing/world.ts';

const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
let webhook: Running;
let team: Team;

beforeAll(async () => {
  team = await aTeam(stage);
  webhook = await startInProcess(stage.kubeconfig);
  await source('otlp', { format: 'OpenTelemetryLogs' });
  await source('events', { format: 'CloudEvents' });
  await source('checks', { format: 'Generic', mapping: { key: 'item.id', state: "item.ok ? 'resolved' : 'firing'" } });
});
afterAll(() => webhook?.stop());

/** Writes a source with the team's token, and waits until the webhook goes by it. */
async function source(name: string, spec: Omit<AlertSourceSpec, 'auth'>): Promise<void> {
  const auth = { bearer: { secretRef: { name: 'prom', key: 'token' } } };
  const object = {
    apiVersion: 'funnelai.dev/v1alpha1',
    kind: 'AlertSource',
    metadata: { name, namespace: team.namespace },
    spec: { ...spec, auth },
  };
  await team.kubectl.run(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input: JSON.stringify(object) });
  await until(
    'the source to be known',
    20_000,
    async () => (await send(webhook.url, team, [], { source: name, token: 'none' })).status === 401,
  );
}

async function alertsOf(name: string): Promise<Alert[]> {
  const list: KubeList<Alert> = JSON.parse(
    await team.kubectl.run(['get', 'alerts.funnelai.dev', '-n', team.namespace, '-o', 'json']),
  );
  return list.items.filter(({ spec }) => spec.sourceRef.name === name);
}
const called = async (name: string, alertname: string) =>
  (await alertsOf(name)).filter(({ spec }) => spec.labels?.alertname === alertname);
const writesOf = async ({ metadata }: Alert) =>
  (await writesIn(inject('etcdUrl'), 'alerts', team.namespace)).get(metadata.name);
const post = (name: string, body: unknown, headers: Record<string, string> = {}) =>
  send(webhook.url, team, [], { source: name, body: typeof body === 'string' ? body : JSON.stringify(body), headers });

describe.each([
  ['protobuf', ProtobufExporter],
  ['JSON', JsonExporter],
] as const)('the OpenTelemetry SDK, sending %s', (encoding, Exporter) => {
  const logger = (o: { token?: string; name?: string } = {}) => {
    const exporter = new Exporter({
      url: `${webhook.url}/alerts/${team.namespace}/otlp/v1/logs`,
      headers: { Authorization: `Bearer ${o.token ?? team.token}` },
      compression: 'gzip' as never,
    });
    const provider = new LoggerProvider({
      resource: resourceFromAttributes({ 'service.name': o.name ?? `checkout-${encoding}` }),
      processors: [new BatchLogRecordProcessor({ exporter })],
    });
    return { provider, log: provider.getLogger('checkout.payment') };
  };

  it('has its errors stored, each fault once however often it is logged, with one write', async () => {
    const { provider, log } = logger();
    const declined = (i: number) =>
      log.emit({
        severityNumber: 17,
        severityText: 'ERROR',
        body: `payment ${1000 + i} declined after ${i * 7} ms`,
        attributes: { provider: 'stripe', attempt: i },
      });
    for (let i = 0; i < 50; i += 1) declined(i);
    log.emit({ severityNumber: 9, body: 'all is well' });
    log.emit({ severityNumber: 21, eventName: `${encoding}.disk.full`, body: { free: 0, device: 'sda' } as never });
    log.emit({ severityNumber: 21, eventName: `${encoding}.disk.full`, body: { free: 0, device: 'sdb' } as never });
    await provider.forceFlush();
    declined(77);
    await provider.shutdown();
    const mine = (await alertsOf('otlp')).filter(({ spec }) => spec.labels?.service === `checkout-${encoding}`);
    expect(mine.map(({ spec }) => [spec.labels?.alertname, spec.severity, spec.labels?.device]).sort()).toEqual(
      [
        ['payment # declined after # ms', 'High', undefined],
        [`${encoding}.disk.full`, 'Critical', 'sda'],
        [`${encoding}.disk.full`, 'Critical', 'sdb'],
      ].sort(),
    );
    expect(await Promise.all(mine.map(writesOf))).toEqual([1, 1, 1]);
    expect(mine[0]?.spec.labels).toMatchObject({ logger: 'checkout.payment' });
  });

  it('hears that its token is wrong, and does not send again', async () => {
    const { provider, log } = logger({ token: 'wrong', name: `stranger-${encoding}` });
    log.emit({ severityNumber: 17, body: 'x' });
    const began = systemClock.monotonicMs();
    await provider.shutdown();
    expect(systemClock.monotonicMs() - began).toBeLessThan(5_000);
    expect((await alertsOf('otlp')).filter(({ spec }) => spec.labels?.service === `stranger-${encoding}`)).toEqual([]);
  });
});

it('an OTLP request that is partly bad is a partial success, and one that is none a Status', async () => {
  const good = { severityNumber: 17, body: { stringValue: 'good beside bad' } };
  const mixed = { resourceLogs: [{ scopeLogs: [{ logRecords: [good, 7] }] }] };
  expect(await post('otlp', mixed)).toMatchObject({
    status: 200,
    body: { partialSuccess: { rejectedLogRecords: '1' } },
  });
  expect(await called('otlp', 'good beside bad')).toHaveLength(1);
  expect(await post('otlp', { resourceLogs: [] })).toMatchObject({ status: 200, body: {} });
  expect(await post('otlp', '{')).toMatchObject({
    status: 400,
    body: { code: 3, message: expect.stringContaining('line 1, column 2') },
  });
  expect(await post('otlp', '', { authorization: 'Bearer no' })).toMatchObject({ status: 401, body: { code: 16 } });
  const binary = await post('otlp', '<xml>', { 'content-type': 'application/x-protobuf' });
  expect([binary.status, binary.headers.get('content-type')]).toEqual([400, 'application/x-protobuf']);
});

describe('the CloudEvents client library', () => {
  const emitter = (mode: Mode) => {
    const emit = emitterFor(httpTransport(`${webhook.url}/alerts/${team.namespace}/events`), { binding: HTTP, mode });
    return (event: CloudEvent<unknown>) => emit(event, { headers: { authorization: `Bearer ${team.token}` } });
  };
  const event = (o: object = {}) =>
    new CloudEvent({
      source: '/jobs/backup',
      type: 'backup.failed',
      subject: 'db/orders',
      data: { message: 'Backup failed', severity: 'critical' },
      ...o,
    });

  it('opens an alert in one mode, repeats it in the other without a write, and resolves it', async () => {
    await emitter(Mode.BINARY)(event());
    const [alert] = await called('events', 'backup.failed');
    expect(alert?.spec).toMatchObject({
      state: 'Firing',
      severity: 'Critical',
      title: 'Backup failed',
      labels: { subject: 'db/orders' },
    });
    for (let i = 0; i < 3; i += 1) await emitter(Mode.STRUCTURED)(event());
    expect(alert === undefined ? 0 : await writesOf(alert)).toBe(1);
    await emitter(Mode.STRUCTURED)(event({ type: 'backup.failed.resolved' }));
    expect((await called('events', 'backup.failed')).map(({ spec }) => spec.state)).toEqual(['Resolved']);
  });

  it('keeps faults apart that have one title, and events in order of their own times though they come late', async () => {
    const at = (second: number) => `2026-01-31T12:00:${String(second).padStart(2, '0')}Z`;
    await emitter(Mode.STRUCTURED)(event({ subject: 'db/users', time: at(0) }));
    await emitter(Mode.BINARY)(event({ subject: 'db/carts', time: at(0) }));
    await emitter(Mode.BINARY)(event({ subject: 'db/users', time: at(30), type: 'backup.failed.resolved' }));
    const late = await called('events', 'backup.failed');
    const spec = (subject: string) => late.find((alert) => alert.spec.labels?.subject === subject)?.spec;
    expect(spec('db/users')).toMatchObject({
      state: 'Resolved',
      startsAt: at(0).replace('Z', '.000000Z'),
      endsAt: at(30).replace('Z', '.000000Z'),
    });
    expect(spec('db/carts')).toMatchObject({ state: 'Firing' });
  });

  it('has a batch stored event by event', async () => {
    const batch = ['a', 'b', 'c'].map((subject) => event({ type: 'batched', subject, id: subject }).toJSON());
    expect(
      await post('events', [...batch, { specversion: '1.0' }], {
        'content-type': 'application/cloudevents-batch+json',
      }),
    ).toMatchObject({
      status: 400,
      body: {
        created: 3,
        problems: [
          { index: 3, field: 'source' },
          { index: 3, field: 'type' },
        ],
      },
    });
    expect(await called('events', 'batched')).toHaveLength(3);
  });
});

describe('a mapping', () => {
  it('is refused by the API server where a source could not work with it', async () => {
    const refused = async (spec: object) =>
      team.kubectl
        .run(['apply', '--server-side', '--dry-run=server', '-f', '-'], {
          input: JSON.stringify({
            apiVersion: 'funnelai.dev/v1alpha1',
            kind: 'AlertSource',
            metadata: { name: 'refused', namespace: team.namespace },
            spec: { auth: { bearer: { secretRef: { name: 'prom', key: 'token' } } }, ...spec },
          }),
        })
        .then(() => 'taken', String);
    expect(await refused({ format: 'Generic' })).toContain('needs a mapping');
    expect(await refused({ format: 'Generic', mapping: { title: 'item.a' } })).toContain(
      'names key, labels or labelsFrom',
    );
    expect(await refused({ format: 'Alertmanager', mapping: { key: 'item.a' } })).toContain('are read by a mapping');
    expect(await refused({ format: 'JsonLines', mapping: { items: 'body' } })).toContain('items is for format Generic');
    expect(await refused({ format: 'Generic', mapping: { key: 'x'.repeat(2049) } })).toContain('Too long');
    expect(await refused({ format: 'JsonLines', mapping: { when: 'item.a' } })).toBe('taken');
  });

  it('that does not compile keeps senders waiting, until an edit mends it', async () => {
    expect(await post('checks', { id: 'a', ok: false })).toMatchObject({ status: 200, body: { created: 1 } });
    await source('checks', { format: 'Generic', mapping: { key: 'item.id +' } });
    const refused = await until('the edit to be seen', 20_000, async () => {
      const answer = await post('checks', { id: 'b', ok: false });
      return answer.status === 503 ? answer : undefined;
    });
    expect(refused.body.message).toContain(
      'The mapping of AlertSource checks does not compile: mapping.key: line 1, column 9',
    );
    expect(refused.headers.get('retry-after')).toBe('5');
    await source('checks', {
      format: 'Generic',
      mapping: { key: 'item.id', state: "item.ok ? 'resolved' : 'firing'" },
    });
    await until(
      'the edit to be seen',
      20_000,
      async () => (await post('checks', { id: 'b', ok: false })).status === 200,
    );
    expect(await post('checks', [{ id: 'a', ok: true }, { id: 'b' }])).toMatchObject({
      status: 400,
      body: { updated: 1, problems: [{ index: 1, field: 'mapping.state' }] },
    });
    expect((await alertsOf('checks')).map(({ spec }) => [spec.dedupKey, spec.state]).sort()).toEqual([
      ['a', 'Resolved'],
      ['b', 'Firing'],
    ]);
  });
});
