/** The generator: what it writes agrees with the YAML and with TypeScript, and it notices when somebody edits the one or the other. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import {
  alertSchema,
  alertSourceSpecSchema,
  alertSpecSchema,
  correlationRuleSpecSchema,
  incidentChangeSchema,
  incidentSchema,
  incidentSpecSchema,
} from '../generated/schemas.ts';
import type { AlertSpec } from '../generated/types.ts';
import { drifted, generate, PLURALS } from './main.ts';
import { keyBoundsOf, parseKind, patternsOf, readKind, type Schema } from './schema.ts';

const CRDS = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const REPOSITORY = join(CRDS, '..');
const yamlOf = (path: string) =>
  parseAllDocuments(readFileSync(join(REPOSITORY, path), 'utf8')).map((document) => document.toJS());

describe('the generated files', () => {
  let copy: string;
  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'funnelai-generate-'));
    cpSync(CRDS, copy, { recursive: true });
  });
  afterEach(() => rmSync(copy, { recursive: true, force: true }));

  it('are what the YAML says', () => {
    expect(drifted(CRDS)).toEqual([]);
  });

  it('have drifted, and are named, when the YAML was edited; and are right again when generated', () => {
    const file = join(copy, 'alerts.yaml');
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace('enum: [Firing, Resolved, Expired]', 'enum: [Firing, Resolved, Expired, Odd]'),
    );
    expect(drifted(copy)).toEqual(['generated/types.ts', 'generated/schemas.ts', 'generated/json-schema/alert.json']);
    expect(generate(copy)).toHaveLength(3);
    expect(drifted(copy)).toEqual([]);
    expect(readFileSync(join(copy, 'generated/types.ts'), 'utf8')).toContain(
      "state: 'Firing' | 'Resolved' | 'Expired' | 'Odd';",
    );
  });

  it('have drifted when one was edited by hand, is missing, or is left over', () => {
    const types = join(copy, 'generated/types.ts');
    writeFileSync(types, `${readFileSync(types, 'utf8')}export type Mine = string;\n`);
    rmSync(join(copy, 'generated/json-schema/incident.json'));
    writeFileSync(join(copy, 'generated/json-schema/silence.json'), '{}');
    expect(drifted(copy).sort()).toEqual([
      'generated/json-schema/incident.json',
      'generated/json-schema/silence.json',
      'generated/types.ts',
    ]);
    generate(copy);
    expect(readdirSync(join(copy, 'generated/json-schema')).sort()).toEqual([
      'alert.json',
      'alertsource.json',
      'correlationrule.json',
      'incident.json',
    ]);
  });
});

describe('the reader', () => {
  it('refuses a keyword that it would not carry over, and says where it stands', () => {
    const text = readFileSync(join(CRDS, 'alerts.yaml'), 'utf8').replace(
      'enum: [Firing, Resolved, Expired]',
      'nullable: true',
    );
    expect(() => parseKind('alerts', text)).toThrow(/alerts\.yaml[\s\S]*nullable[\s\S]*state/);
  });

  it('wants a file to be named after its plural', () => {
    const text = readFileSync(join(CRDS, 'alerts.yaml'), 'utf8');
    expect(() => parseKind('alarms', text)).toThrow('its plural is alerts');
  });

  it('takes patterns and key bounds from rules', () => {
    const duration = {
      type: 'string',
      'x-kubernetes-validations': [{ rule: "self.matches('^\\\\d+$')", message: 'digits' }],
    } as const;
    expect(patternsOf({ ...duration, 'x-kubernetes-validations': [...duration['x-kubernetes-validations']] })).toEqual([
      { pattern: '^\\d+$', message: 'digits' },
    ]);
    const map: Schema = {
      type: 'object',
      'x-kubernetes-validations': [{ rule: 'self.all(k, k.size() >= 1 && k.size() <= 9)' }],
    };
    expect(keyBoundsOf(map)).toEqual({ min: 1, max: 9 });
  });
});

describe('every kind', () => {
  /** All nodes of a schema, with their paths. */
  function walk(node: Schema, path: string): { node: Schema; path: string }[] {
    const children = [
      ...Object.entries(node.properties ?? {}).map(([key, child]): [string, Schema] => [`${path}.${key}`, child]),
      ...(node.items ? [[`${path}[]`, node.items] as [string, Schema]] : []),
      ...(node.additionalProperties ? [[`${path}{}`, node.additionalProperties] as [string, Schema]] : []),
    ];
    return [{ node, path }, ...children.flatMap(([inner, child]) => walk(child, inner))];
  }

  it.each(PLURALS)('%s has a description on every field and a bound on every string, list and map', (plural) => {
    const directory = new URL('../', import.meta.url);
    for (const { node, path } of walk(readKind(directory, plural).schema, plural)) {
      if (path.endsWith('.apiVersion') || path.endsWith('.kind') || path === `${plural}.metadata`) continue;
      expect(node.description, path).toMatch(/\w{2}/);
      if (node.type === 'string' && !node.enum && !node.format) expect(node.maxLength, path).toBeTypeOf('number');
      if (node.type === 'array') expect(node.maxItems, path).toBeTypeOf('number');
      if (node.additionalProperties) {
        expect(node.maxProperties, path).toBeTypeOf('number');
        expect(keyBoundsOf(node), path).toBeDefined();
      }
    }
  });
});

describe('the zod schemas', () => {
  const alert: AlertSpec = {
    sourceRef: { name: 'prom' },
    fingerprint: 'ab'.repeat(32),
    state: 'Firing',
    severity: 'High',
    title: 'Pod is crash looping',
    startsAt: '2026-03-01T14:02:11.123456789+02:00',
    receivedAt: '2026-03-01T12:02:13.000421Z',
  };
  const first = (result: { error?: { issues: { path: PropertyKey[]; message: string }[] } | undefined }) => {
    const issue = result.error?.issues[0];
    return issue && `${issue.path.join('.')}: ${issue.message}`;
  };

  it('keep what they do not know', () => {
    expect(alertSpecSchema.parse({ ...alert, later: 1 })).toEqual({ ...alert, later: 1 });
  });

  it('take whole objects, also before they have a status', () => {
    const metadata = { name: 'x', namespace: 'y', uid: 'z' };
    const object = { apiVersion: 'funnelai.dev/v1alpha1', kind: 'Alert', metadata, spec: alert };
    expect(alertSchema.parse(object)).toEqual(object);
    expect(alertSchema.safeParse({ ...object, apiVersion: 'notification.toolkit.fluxcd.io/v1beta3' }).success).toBe(
      false,
    );
    const incident = { ...object, kind: 'Incident', spec: { title: 't', severity: 'Low', phase: 'Closed' } };
    expect(incidentSchema.safeParse({ ...incident, status: { observedGeneration: -1 } }).success).toBe(true);
    expect(incidentSchema.safeParse({ ...incident, status: {} }).success).toBe(false);
  });

  it('count characters as the API server does', () => {
    expect(alertSpecSchema.safeParse({ ...alert, title: '🔥'.repeat(256) }).success).toBe(true);
    expect(first(alertSpecSchema.safeParse({ ...alert, title: '🔥'.repeat(257) }))).toBe(
      'title: expected at most 256 characters',
    );
  });

  it.each([
    [{ title: '' }, 'title: expected at least 1 characters'],
    [{ labels: { ['x'.repeat(257)]: 'y' } }, /labels/],
    [
      { labels: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`l${i}`, ''])) },
      'labels: expected at most 256 entries',
    ],
    [
      { links: [{ title: 'x', url: 'javascript:alert(1)', kind: 'Other' }] },
      /links\.0\.url: expected an address that starts with http/,
    ],
    [{ startsAt: 'yesterday' }, /startsAt/],
    [{ state: 'Gone' }, /state/],
    [{ fingerprint: 'x' }, /fingerprint/],
    [{ dedupKey: undefined }, /dedupKey/],
  ])('refuse an alert with %j', (spec, words) => {
    expect(first(alertSpecSchema.safeParse({ ...alert, ...spec }))).toMatch(words);
  });

  it('refuse durations, changes and owners as the API server does', () => {
    expect(first(correlationRuleSpecSchema.safeParse({ reopenWithin: '1d' }))).toBe(
      'reopenWithin: expected a Go-style duration like 90s, 10m or 1h30m',
    );
    expect(correlationRuleSpecSchema.safeParse({}).success).toBe(true);
    expect(alertSourceSpecSchema.safeParse({ format: 'Alertmanager', auth: { bearer: {} } }).success).toBe(false);
    const change = { sequence: 1, kind: 'Owner', at: alert.startsAt, recordedAt: alert.receivedAt, by: 'ana' };
    expect(incidentChangeSchema.safeParse(change).success).toBe(true);
    expect(incidentChangeSchema.safeParse({ ...change, sequence: 0 }).success).toBe(false);
    const incident = { title: 't', severity: 'Low', phase: 'Detection' };
    expect(incidentSpecSchema.safeParse({ ...incident, owner: { name: 'Ana López' } }).success).toBe(true);
    expect(first(incidentSpecSchema.safeParse({ ...incident, owner: { name: 'ana ' } }))).toContain(
      'without white space at its ends',
    );
  });
});

describe('the JSON Schemas', () => {
  it('hold what an editor needs: descriptions, defaults, and nothing that only the API server understands', () => {
    const text = readFileSync(join(CRDS, 'generated/json-schema/correlationrule.json'), 'utf8');
    const schema = JSON.parse(text);
    expect(schema).toMatchObject({ title: 'CorrelationRule', required: ['apiVersion', 'kind', 'metadata', 'spec'] });
    expect(schema.properties.spec.properties.reopenWithin).toMatchObject({
      default: '30m',
      pattern: expect.stringContaining('ms|s|m|h'),
    });
    expect(schema.properties.spec.additionalProperties).toBe(false);
    expect(text).not.toContain('x-kubernetes');
  });
});

describe('config', () => {
  it('works out the log in both policies by the same words: the guard lets through exactly what the log writes', () => {
    const [log] = yamlOf('config/admission/changes-log/policy.yaml');
    const [guard] = yamlOf('config/admission/history-guard/policy.yaml');
    expect(log.spec.variables.length).toBeGreaterThan(10);
    expect(guard.spec.variables.slice(0, log.spec.variables.length)).toEqual(log.spec.variables);
    expect(guard.spec.matchConstraints).toEqual(log.spec.matchConstraints);
    for (const policy of [log, guard]) expect(policy.spec.failurePolicy).toBe('Fail');
  });

  it('installs every kind', () => {
    const { resources } = parse(readFileSync(join(CRDS, 'kustomization.yaml'), 'utf8'));
    expect([...resources].sort()).toEqual(PLURALS.map((plural) => `${plural}.yaml`).sort());
  });
});
