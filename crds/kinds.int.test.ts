/** The kinds as people meet them with kubectl: explain, columns, selectors, the samples, and refusals that say what is wrong. */
import { beforeAll, describe, expect, it } from 'vitest';
import { readKind, type Schema } from './generate/schema.ts';
import { kubectl, makeNamespace, mustKubectl } from './testing/api-server.ts';
import { anIncident, INCIDENTS } from './testing/incidents.ts';

const SHORT = { alertsources: 'asrc', alerts: 'fal', correlationrules: 'crule', incidents: 'inc' } as const;
const PLURALS = Object.keys(SHORT) as (keyof typeof SHORT)[];
const HERE = new URL('./', import.meta.url);

let namespace: string;
beforeAll(async () => {
  namespace = await makeNamespace('kinds');
}, 60_000);

function anAlert(name: string, spec: Record<string, unknown> = {}) {
  return {
    apiVersion: 'funnelai.dev/v1alpha1',
    kind: 'Alert',
    metadata: { namespace, name },
    spec: {
      sourceRef: { name: 'prom' },
      fingerprint: 'ab'.repeat(32),
      state: 'Firing',
      severity: 'High',
      title: 'Pod is crash looping',
      startsAt: '2026-03-01T14:02:11.123456789+02:00',
      receivedAt: '2026-03-01T12:02:13.000421Z',
      ...spec,
    },
  };
}
const aRule = (spec: Record<string, unknown>, name = 'rule') => ({
  apiVersion: 'funnelai.dev/v1alpha1',
  kind: 'CorrelationRule',
  metadata: { namespace, name },
  spec,
});
const aSource = (spec: Record<string, unknown> = {}, name = 'prom') => ({
  apiVersion: 'funnelai.dev/v1alpha1',
  kind: 'AlertSource',
  metadata: { namespace, name },
  spec: { format: 'Alertmanager', auth: { bearer: { secretRef: { name: 'prom-token', key: 'token' } } }, ...spec },
});
const dryRun = (manifest: unknown) =>
  kubectl('admin', ['create', '--dry-run=server', '-o', 'json', '-f', '-'], manifest);

/** Paths of all fields of a schema, as kubectl explain takes them. */
function fieldsOf(node: Schema, path: string): string[] {
  const inner = node.items ?? node;
  return Object.entries(inner.properties ?? {}).flatMap(([key, child]) =>
    path === '' && key === 'metadata' ? [] : [`${path}.${key}`, ...fieldsOf(child, `${path}.${key}`)],
  );
}

describe.each(PLURALS)('kubectl explain %s', (plural) => {
  it('teaches every field', async () => {
    const { kind, schema } = readKind(HERE, plural);
    const fields = fieldsOf(schema, '');
    // What explain prints comes from the OpenAPI that the API server publishes: all of it is looked at, and the deepest fields by kubectl.
    const published = JSON.parse(
      await mustKubectl('admin', ['get', '--raw', '/openapi/v3/apis/funnelai.dev/v1alpha1']),
    );
    const served = published.components.schemas[`dev.funnelai.v1alpha1.${kind}`];
    expect(served.description).toMatch(/^.{40,}/);
    for (const field of fields) expect(descriptionAt(served, field), `${plural}${field}`).toMatch(/^.{12,}/);
    const deepest = [...fields].sort((a, b) => b.split('.').length - a.split('.').length).slice(0, 3);
    for (const field of deepest) {
      const text = await mustKubectl('admin', ['explain', `${plural}.funnelai.dev${field}`]);
      const description = /DESCRIPTION:\n([\s\S]+)/.exec(text)?.[1]?.replaceAll(/\s+/g, ' ').trim() ?? '';
      expect(description).toContain((descriptionAt(schema, field) ?? '?').slice(0, 40));
    }
  });

  it('is in category funnel and has its short name', async () => {
    const resources = JSON.parse(await mustKubectl('admin', ['get', '--raw', '/apis/funnelai.dev/v1alpha1'])).resources;
    const resource = resources.find(({ name }: { name: string }) => name === plural);
    expect(resource).toMatchObject({ shortNames: [SHORT[plural]], categories: ['funnel'], namespaced: true });
    expect(resources.some(({ name }: { name: string }) => name === `${plural}/status`)).toBe(true);
  });
});

function descriptionAt(schema: Schema, field: string): string | undefined {
  let node: Schema | undefined = schema;
  for (const key of field.split('.').slice(1)) node = (node?.items ?? node)?.properties?.[key];
  return node?.description;
}

describe('columns and selectors', () => {
  beforeAll(async () => {
    await mustKubectl(
      'admin',
      ['create', '-f', '-'],
      anIncident(namespace, 'one', { severity: 'Critical', owner: { name: 'ana' } }),
    );
    await mustKubectl(
      'admin',
      ['create', '-f', '-'],
      anIncident(namespace, 'two', { phase: 'Response', priority: 'P4' }),
    );
    await mustKubectl('admin', ['create', '-f', '-'], anAlert('prom-1'));
    await mustKubectl(
      'admin',
      ['create', '-f', '-'],
      anAlert('prom-2', { state: 'Resolved', severity: 'Low', endsAt: '2026-03-01T14:02:11Z' }),
    );
    const status = JSON.stringify({ status: { incidentRef: { name: 'one' }, explanation: 'by hand' } });
    await mustKubectl('admin', [
      '-n',
      namespace,
      'patch',
      'alerts.funnelai.dev',
      'prom-1',
      '--subresource=status',
      '--type=merge',
      '-p',
      status,
    ]);
    await mustKubectl('admin', ['create', '-f', '-'], aSource());
    await mustKubectl('admin', ['create', '-f', '-'], aRule({}, 'stored'));
  });
  const header = async (plural: string, ...flags: string[]) =>
    (await mustKubectl('admin', ['-n', namespace, 'get', `${plural}.funnelai.dev`, ...flags]))
      .split('\n')[0]
      ?.trim()
      .split(/\s+/)
      .join(' ');
  const names = async (plural: string, selector: string) =>
    (
      await mustKubectl('admin', [
        '-n',
        namespace,
        'get',
        `${plural}.funnelai.dev`,
        '-o',
        'name',
        '--field-selector',
        selector,
      ])
    )
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('/')[1]);

  it('shows the columns that people need', async () => {
    expect(await header('incidents')).toBe('NAME SEVERITY PRIORITY PHASE OWNER FIRING AGE TITLE');
    expect(await header('incidents', '-o', 'wide')).toBe(
      'NAME SEVERITY PRIORITY PHASE OWNER FIRING AGE TITLE ALERTS SINCE RULE',
    );
    expect(await header('alerts')).toBe('NAME STATE SEVERITY INCIDENT SINCE TITLE');
    expect(await header('alertsources')).toBe('NAME FORMAT READY PATH LAST RECEIVED AGE');
    expect(await header('correlationrules')).toBe('NAME ORDER ACTION READY WARNING SUSPENDED AGE');
  });

  it('shows the phase that was just written, also before the operator has answered', async () => {
    const patch = ['-n', namespace, 'patch', INCIDENTS, 'two', '--type=merge', '-p', '{"spec":{"phase":"Mitigation"}}'];
    await mustKubectl('admin', patch);
    const row = await mustKubectl('admin', ['-n', namespace, 'get', INCIDENTS, 'two', '--no-headers']);
    expect(row).toMatch(/^two\s+High\s+P4\s+Mitigation\s/);
  });

  it.each([
    ['incidents', 'spec.phase=Detection', ['one']],
    ['incidents', 'spec.severity=Critical', ['one']],
    ['incidents', 'spec.priority=P4', ['two']],
    ['incidents', 'spec.owner.name=ana', ['one']],
    ['incidents', 'spec.phase!=Detection,spec.priority=P4', ['two']],
    ['incidents', 'status.phase=Closed', []],
    ['alerts', 'spec.state=Resolved', ['prom-2']],
    ['alerts', 'spec.severity=High', ['prom-1']],
    ['alerts', 'status.incidentRef.name=one', ['prom-1']],
  ])('%s by %s', async (plural, selector, expected) => {
    expect(await names(plural, selector)).toEqual(expected);
  });
});

describe('an Alert', () => {
  it('has one owner for all of its spec: the API server keeps no list of its labels', async () => {
    const alert = anAlert('owned', { labels: { alertname: 'Owned', pod: 'a-1' }, annotations: { summary: 'one' } });
    await mustKubectl('admin', ['create', '-f', '-'], alert);
    await mustKubectl('admin', [
      ...['patch', 'alerts.funnelai.dev', 'owned', '-n', namespace, '--type', 'merge', '-p'],
      '{"spec":{"state":"Resolved"}}',
    ]);
    const get = ['get', 'alerts.funnelai.dev', 'owned', '-n', namespace, '-o', 'json', '--show-managed-fields'];
    const { metadata, spec } = JSON.parse(await mustKubectl('admin', get));
    expect(metadata.managedFields.map(({ fieldsV1 }: { fieldsV1: object }) => fieldsV1)).toEqual([{ 'f:spec': {} }]);
    expect([spec.state, spec.labels]).toEqual(['Resolved', { alertname: 'Owned', pod: 'a-1' }]);
  });

  it('is taken as senders give their times, and has no observedGeneration', async () => {
    const answer = await dryRun(anAlert('prom-3'));
    expect(answer.ok, answer.stderr).toBe(true);
    expect(JSON.parse(answer.stdout).status).toBeUndefined();
  });

  it.each([
    [{ endsAt: '2026-03-01T15:00:00Z' }, 'endsAt goes with state Resolved only'],
    [{ state: 'Expired' }, 'expired goes with state Expired'],
    [{ expired: { at: '2026-03-01T15:00:00Z', reason: 'LeaseRanOut' } }, 'expired goes with state Expired'],
    [{ state: 'Expired', expired: { at: '2026-03-01T15:00:00Z', reason: 'Tired' } }, 'Unsupported value: "Tired"'],
    [
      {
        state: 'Expired',
        endsAt: '2026-03-01T15:00:00Z',
        expired: { at: '2026-03-01T15:00:00Z', reason: 'LeaseRanOut' },
      },
      'endsAt goes with state Resolved only',
    ],
    [{ state: 'Resolved', endsAt: '2026-03-01T12:02:11.1Z' }, 'endsAt is before startsAt'],
    [{ latestStartsAt: '2026-03-01T12:02:11.123456789Z' }, 'only when it is later than startsAt'],
    [{ startsAt: 'yesterday' }, 'spec.startsAt: Invalid value: "yesterday"'],
    [{ fingerprint: 'ABC' }, 'spec.fingerprint'],
    [{ labels: { ['x'.repeat(257)]: '' } }, "a label's name has 1 to 256 characters"],
    [{ annotations: { '': 'x' } }, "an annotation's name has 1 to 256 characters"],
    [{ links: [{ title: 'x', url: 'ftp://x', kind: 'Other' }] }, 'starts with http:// or https://'],
    [{ state: 'Gone' }, 'Unsupported value: "Gone"'],
    [{ sourceRef: { name: 'a'.repeat(41) } }, 'spec.sourceRef.name: Too long'],
  ])('with %j is refused', async (spec, words) => {
    const answer = await dryRun(anAlert('prom-3', spec));
    expect(answer.ok).toBe(false);
    expect(answer.stderr).toContain(words);
  });

  it.each(['Expired', 'Resolved'])('%s may carry the mark of its expiry', async (state) => {
    const expired = { at: '2026-03-01T15:00:00Z', reason: 'LeaseRanOut' };
    const answer = await dryRun(anAlert('prom-3', { state, expired }));
    expect(answer.ok, answer.stderr).toBe(true);
  });

  it.each([
    [{ fingerprint: 'cd'.repeat(32) }, 'fingerprint is immutable'],
    [{ sourceRef: { name: 'other' } }, 'sourceRef is immutable'],
  ])('never gets %j', async (spec, words) => {
    const patch = [
      '-n',
      namespace,
      'patch',
      'alerts.funnelai.dev',
      'prom-1',
      '--dry-run=server',
      '--type=merge',
      '-p',
      JSON.stringify({ spec }),
    ];
    expect((await kubectl('admin', patch)).stderr).toContain(words);
  });
});

describe('a CorrelationRule', () => {
  it('is given its defaults', async () => {
    const { spec, status } = JSON.parse((await dryRun(aRule({ groupBy: [{ label: 'namespace' }] }))).stdout);
    expect(spec).toEqual({
      order: 100,
      action: 'Open',
      groupBy: [{ label: 'namespace', missing: 'Separate' }],
      reopenWithin: '30m',
      resolve: { when: 'Unacknowledged', after: '5m', closeAfter: '24h' },
    });
    expect(status).toEqual({ observedGeneration: -1 });
  });

  it.each(['0s', '90s', '1h30m', '1.5h', '250ms', '8760h'])('takes the duration %s', async (after) => {
    const answer = await dryRun(aRule({ resolve: { after } }));
    expect(answer.ok, answer.stderr).toBe(true);
  });

  it.each(['', '5', '5 m', '-5m', '1d', 'm', '1h30', 'P1D'])('refuses the duration "%s"', async (after) => {
    const answer = await dryRun(aRule({ resolve: { after } }));
    expect(answer.stderr).toContain('spec.resolve.after: Invalid value');
    expect(answer.stderr).toContain('expected a Go-style duration like 90s, 10m or 1h30m');
  });

  it.each([
    [{ reopenWithin: '8761h' }, 'at most 8760h, one year'],
    [{ incident: { severity: {} } }, 'exactly one of fromAlerts: true and fixed is expected'],
    [
      { incident: { severity: { fromAlerts: true, fixed: 'High' } } },
      'exactly one of fromAlerts: true and fixed is expected',
    ],
    [{ incident: { severity: { fromAlerts: false } } }, 'exactly one of fromAlerts: true and fixed is expected'],
    [{ groupBy: [{ label: 'a' }, { label: 'a', missing: 'Empty' }] }, 'a label may be named only once'],
    [{ order: -1 }, 'spec.order'],
    [{ incident: { links: [{ title: 'x', url: 'file:///etc/passwd' }] } }, 'starts with http:// or https://'],
  ])('with %j is refused', async (spec, words) => {
    const answer = await dryRun(aRule(spec));
    expect(answer.ok).toBe(false);
    expect(answer.stderr).toContain(words);
  });

  it('may say fixed, or fromAlerts, or nothing', async () => {
    for (const severity of [{ fixed: 'High' }, { fromAlerts: true }, { fromAlerts: false, fixed: 'Low' }, undefined]) {
      const answer = await dryRun(aRule({ incident: { severity } }));
      expect(answer.ok, answer.stderr).toBe(true);
    }
  });
});

const hmac = (o: object) => ({ hmac: { secretRef: { name: 's', key: 'key' }, header: 'X-Signature', ...o } });

describe('an AlertSource', () => {
  it('is given its defaults where it says part of a thing', async () => {
    const { spec } = JSON.parse((await dryRun(aSource({ severity: {}, dedup: {} }, 'second'))).stdout);
    expect(spec.severity).toEqual({ label: 'severity', default: 'Medium' });
    expect(spec.dedup).toEqual({ ignore: ['prometheus_replica', 'replica'] });
  });

  it.each([
    [{ auth: {} }, 'exactly one of bearer, basic, hmac and none is expected'],
    [{ auth: { none: {}, basic: { secretRef: { name: 's' } } } }, 'exactly one of bearer, basic, hmac and none'],
    [{ auth: { bearer: {} } }, 'spec.auth.bearer.secretRef: Required value'],
    [{ auth: hmac({ algorithm: 'md5' }) }, 'Unsupported value: "md5"'],
    [{ auth: hmac({ tolerance: '90s' }) }, 'tolerance bounds the time that timestampHeader names'],
    [{ auth: hmac({ timestampHeader: 'X-Ts', tolerance: '2h' }) }, 'at most 1h'],
    [{ auth: undefined }, 'expected either auth'],
    [{ acceptFrom: { namespace: 'infra', name: 'prom' } }, 'expected either auth'],
    [
      {
        auth: undefined,
        acceptFrom: { namespace: 'infra', name: 'prom' },
        routes: [{ match: ['a="b"'], namespace: 'pay' }],
      },
      'routes lead one step',
    ],
    [{ routes: [{ match: [], namespace: 'pay' }] }, 'should have at least 1 items'],
    [{ format: 'AwsSns' }, 'goes with format AwsSns, and that format needs it'],
    [{ sns: { topicArns: ['arn:aws:sns:eu-west-1:1:a'] } }, 'goes with format AwsSns, and that format needs it'],
    [{ format: 'AwsSns', sns: { topicArns: ['alarms'] } }, 'spec.sns.topicArns[0]'],
    [{ format: 'Nagios' }, 'Unsupported value: "Nagios"'],
    [{ trustAcknowledge: true }, 'only PagerDutyEvents tells of acknowledgements'],
    [{ severity: { map: { sev0: 'critical' } } }, 'Unsupported value: "critical"'],
    [{ expireAfter: '59s' }, '0s for never, or from 1m to 8760h'],
    [{ expireAfter: '1d' }, 'expected a Go-style duration'],
    [{ heartbeat: {} }, 'spec.heartbeat.every: Required value'],
    [{ heartbeat: { every: '30s' } }, 'from 1m to 8760h'],
    [{ heartbeat: { every: '5m', match: [] } }, 'should have at least 1 items'],
    [{ severity: { map: { ['x'.repeat(257)]: 'High' } } }, 'a word of the map has 1 to 256 characters'],
    [
      { severity: { map: { P1: 'Critical', p2: 'High', 'p1 ': 'Low' } } },
      /spec\.severity\.map: Invalid value: found \["(P1", "p1 |p1 ", "P1)"\], expected each word once, as case and spaces/,
    ],
    [{ dedup: { labels: [] } }, 'should have at least 1 items'],
    [
      { dedup: { labels: ['pod', 'job'], ignore: ['job', 'pod', 'x'] } },
      'spec.dedup.labels: Invalid value: found only labels that ignore names as well (pod, job), expected one that counts',
    ],
    [
      { dedup: { labels: ['replica'] } },
      'write ignore: [], as it is [prometheus_replica, replica] where it is left out',
    ],
    [{ auth: { bearer: { secretRef: { name: 'Prom', key: 'token' } } } }, 'spec.auth.bearer.secretRef.name'],
    [{ limits: { burst: 5 } }, 'it goes with that only'],
    [{ limits: { ratePerSecond: 6, burst: 5 } }, 'burst is at least ratePerSecond'],
    [{ limits: { ratePerSecond: 0 } }, 'greater than or equal to 1'],
    [
      { auth: undefined, acceptFrom: { namespace: 'infra', name: 'prom' }, limits: { ratePerSecond: 5 } },
      'set ratePerSecond there',
    ],
  ])('with %j is refused', async (spec, words) => {
    const answer = await dryRun(aSource(spec, 'second'));
    expect(answer.ok).toBe(false);
    expect(answer.stderr).toMatch(words);
  });

  it.each([
    { auth: { none: {} } },
    { auth: { basic: { secretRef: { name: 'users' } } } },
    { auth: hmac({ prefix: 'sha256=', timestampHeader: 'X-Ts', separator: '.', tolerance: '1h' }) },
    { routes: [{ match: ['team=~"pay|web"', '{"x.y"!="z"}'], namespace: 'pay' }] },
    { auth: undefined, acceptFrom: { namespace: 'infra', name: 'prom' } },
    { limits: { ratePerSecond: 5 } },
    { limits: { ratePerSecond: 5, burst: 5 } },
    { severity: { map: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`Sev${i}`, 'High'])) } },
    { dedup: { labels: ['alertname', 'replica'] } },
    { dedup: { labels: ['replica'], ignore: [] } },
    { format: 'AwsSns', auth: undefined, acceptFrom: { namespace: 'infra', name: 'prom' } },
    { format: 'PagerDutyEvents', trustAcknowledge: true },
    { trustAcknowledge: true, auth: undefined, acceptFrom: { namespace: 'infra', name: 'events' } },
    { format: 'AwsSns', auth: { none: {} }, sns: { topicArns: ['arn:aws-cn:sns:cn-north-1:123456789012:alarms'] } },
  ])('with %j is taken', async (spec) => {
    const answer = await dryRun(aSource(spec, 'second'));
    expect(answer.ok, answer.stderr).toBe(true);
  });

  it('expires nothing and trusts nobody by itself, and may be asked to, and to be watched over', async () => {
    const { spec } = JSON.parse((await dryRun(aSource({}, 'second'))).stdout);
    expect(spec).toMatchObject({ expireAfter: '0s', trustAcknowledge: false });
    const watched = { expireAfter: '6h', heartbeat: { every: '5m', match: ['alertname="Watchdog"'] } };
    const answer = await dryRun(aSource(watched, 'second'));
    expect(answer.ok, answer.stderr).toBe(true);
  });

  it('has a name of at most 40 characters', async () => {
    expect((await dryRun(aSource({}, 'a'.repeat(40)))).ok).toBe(true);
    expect((await dryRun(aSource({}, 'a'.repeat(41)))).stderr).toContain(
      'the name of an AlertSource has at most 40 characters',
    );
  });
});

describe('the samples', () => {
  it('are what the API server takes', async () => {
    const samples = new URL('../config/samples/', HERE).pathname;
    const manifests = (await mustKubectl('admin', ['kustomize', samples])).replaceAll('team-checkout', namespace);
    const applied = await kubectl(
      'admin',
      ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'],
      manifests,
    );
    expect(applied.ok, applied.stderr).toBe(true);
    for (const line of [/alertsource.*prom/, /correlationrule.*pods/, /correlationrule.*watchdog/])
      expect(applied.stdout).toMatch(line);
    const incident = await kubectl('ana', [
      'create',
      '--dry-run=client',
      '-o',
      'json',
      '-f',
      `${samples}incident.yaml`,
    ]);
    const manifest = JSON.parse(incident.stdout);
    const declared = await dryRun({ ...manifest, metadata: { ...manifest.metadata, namespace } });
    expect(declared.ok, declared.stderr).toBe(true);
  });
});

describe('the installation', () => {
  const kindsIn = async (directory: string) => {
    const text = await mustKubectl('admin', ['kustomize', new URL(`../config/${directory}/`, HERE).pathname]);
    return [...text.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind);
  };

  it('is built by plain kubectl, with the policy that writes and without it', async () => {
    const whole = await kindsIn('default');
    expect(whole.filter((kind) => kind === 'CustomResourceDefinition')).toHaveLength(PLURALS.length);
    expect(whole).toContain('MutatingAdmissionPolicyBinding');
    const writing = ['MutatingAdmissionPolicy', 'MutatingAdmissionPolicyBinding'];
    expect(await kindsIn('without-changes-log')).toEqual(whole.filter((kind) => !writing.includes(kind ?? '')));
  });

  it('applies again without a change', async () => {
    const flags = ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '-k'];
    const applied = await kubectl('admin', [...flags, new URL('../config/default/', HERE).pathname]);
    expect(applied.ok, applied.stderr).toBe(true);
  });
});
