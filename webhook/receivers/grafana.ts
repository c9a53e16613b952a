/**
 * Reads what Grafana's webhook contact point sends: unified alerting, which is Alertmanager's body with more in it, and the legacy
 * alerting of Grafana 10 and before, one rule a body.
 */
import type { AlertInput } from '@funnelai/domain/alert-input';
import { senderLinks } from '@funnelai/domain/alert-links';
import type { Temporal } from 'temporal-polyfill';
import { parseJson } from '../intake/json.ts';
import { INTAKE_ALERT_ENTRIES } from '../limits.ts';
import { readAlertmanager } from './alertmanager.ts';
import { type EventOutcome, readEvents } from './events.ts';
import { anyText, inner, scalar, scalarText, textsOf } from './lenient.ts';
import { BodyProblem, describe } from './problem.ts';
import { type Reading, type Receiver, takesJson } from './receiver.ts';
import { type Fault, isRecord, own } from './values.ts';

const EXPECTED = 'what Grafana’s webhook sends: a JSON object with "alerts", or with "ruleId" and "state"';

const TEMPLATED = `${EXPECTED}. Leave the payload template of the contact point empty: a body of your own is for format Generic`;

export const grafana: Receiver = {
  format: 'Grafana',
  paths: [''],
  takes: takesJson,
  expects: 'application/json',
  read: ({ body, now, source }) => readGrafana(parseJson(body), source.spec.dedup === undefined, now),
};

/** `byFingerprint`: Grafana's own fingerprint is the identity; else the labels are, as the source's `dedup` says. */
export function readGrafana(body: unknown, byFingerprint: boolean, now: Temporal.Instant): Reading {
  if (!isRecord(body) || isLegacy(body)) return readEvents(body, EXPECTED, readLegacy);
  if (own(body, 'alerts') === undefined) throw new BodyProblem('', 'an object with neither', TEMPLATED);
  return readUnified(body, byFingerprint, now);
}

const isLegacy = (body: Record<string, unknown>): boolean =>
  own(body, 'alerts') === undefined && ['ruleId', 'ruleName'].some((key) => Object.hasOwn(body, key));

function readUnified(body: Record<string, unknown>, byFingerprint: boolean, now: Temporal.Instant): Reading {
  const reading = readAlertmanager(body, 'Webhook', now);
  const alerts = own(body, 'alerts');
  const received = reading.received.map(({ index, input }) => {
    const raw: unknown = Array.isArray(alerts) ? alerts[index] : undefined;
    return { index, input: isRecord(raw) ? unified(raw, input, body, byFingerprint) : input };
  });
  return { ...reading, received };
}

function unified(
  raw: Record<string, unknown>,
  input: AlertInput,
  body: Record<string, unknown>,
  byFingerprint: boolean,
): AlertInput {
  const values = Object.entries(inner(raw, 'values')).flatMap(([name, value]) => {
    const shown = scalarText(value);
    return shown === undefined ? [] : [`${name}=${shown}`];
  });
  const annotations = textsOf([
    ...Object.entries(input.annotations),
    ['values', values.join(', ')],
    ['valueString', scalar(raw, 'valueString')],
  ]);
  const image = scalar(raw, 'imageURL');
  const fingerprint = byFingerprint ? scalar(raw, 'fingerprint') : undefined;
  return {
    ...input,
    annotations,
    // Two organisations of one Grafana may have rules, and so fingerprints, of one provisioning file.
    dedupKey: fingerprint === undefined ? undefined : `${orgOf(body) ?? orgOf(raw) ?? '1'}/${fingerprint}`,
    links: [
      ...senderLinks({
        dashboardURL: scalar(raw, 'dashboardURL'),
        panelURL: scalar(raw, 'panelURL'),
        silenceURL: scalar(raw, 'silenceURL'),
      }),
      ...input.links,
      ...(image === undefined ? [] : [{ title: 'Image', url: image, kind: 'Graph' as const }]),
    ],
  };
}

const orgOf = (record: Record<string, unknown>): string | undefined => scalar(record, 'orgId');

/** The states of a legacy rule; "pending", "paused" and "unknown" say nothing about the fault. */
const LEGACY_STATES = new Map<string, AlertInput['state'] | 'Ignored'>([
  ['alerting', 'Firing'],
  ['no_data', 'Firing'],
  ['ok', 'Resolved'],
  ['pending', 'Ignored'],
  ['paused', 'Ignored'],
  ['unknown', 'Ignored'],
]);

function readLegacy(event: Record<string, unknown>, faults: Fault[]): EventOutcome {
  const ruleName = scalar(event, 'ruleName');
  const ruleId = scalar(event, 'ruleId');
  const notes: string[] = [];
  const word = scalar(event, 'state')?.toLowerCase() ?? stateInTitle(event, ruleName, notes);
  const state = word === undefined ? undefined : LEGACY_STATES.get(word);
  if (ruleId === undefined)
    faults.push({ field: 'ruleId', found: describe(own(event, 'ruleId')), expected: 'the id of the rule' });
  if (state === undefined) {
    const found = describe(own(event, 'state') ?? own(event, 'title'));
    faults.push({ field: 'state', found, expected: '"alerting", "no_data" or "ok"' });
  }
  if (faults.length > 0 || ruleId === undefined || state === undefined) return undefined;
  if (state === 'Ignored') return { ignored: `rule ${ruleId} is ${word}: that says neither firing nor resolved` };
  if (word === 'no_data') notes.push('Grafana says "no data": whether the fault is there is not known');
  const title = ruleName ?? titleOf(event) ?? `Rule ${ruleId}`;
  const matches = own(event, 'evalMatches');
  const image = scalar(event, 'imageUrl');
  return {
    input: {
      labels: textsOf([
        ['alertname', title],
        ...Object.entries(inner(event, 'tags')).map(([name, value]) => [name, scalarText(value)] as const),
        ['ruleId', ruleId],
        ['dashboardId', scalar(event, 'dashboardId')],
        ['panelId', scalar(event, 'panelId')],
        ['orgId', orgOf(event)],
      ]),
      annotations: textsOf([
        ['message', scalar(event, 'message')],
        [
          'evalMatches',
          Array.isArray(matches) && matches.length > 0
            ? matches.slice(0, INTAKE_ALERT_ENTRIES).map(matchText).join(', ')
            : undefined,
        ],
      ]),
      state,
      title,
      description: scalar(event, 'message'),
      links: [
        ...senderLinks({ generatorURL: scalar(event, 'ruleUrl') }),
        ...(image === undefined ? [] : [{ title: 'Image', url: image, kind: 'Graph' as const }]),
      ],
      // Apart from the keys of unified alerting, whose fingerprints are hexadecimal.
      dedupKey: `${orgOf(event) ?? '1'}/rule/${ruleId}`,
      notes,
    },
  };
}

/** "web-1=93.2" of {metric: "web-1", value: 93.2}. */
function matchText(match: unknown): string {
  if (!isRecord(match)) return anyText(match) ?? '';
  return `${scalar(match, 'metric') ?? 'value'}=${scalar(match, 'value') ?? 'null'}`;
}

/** "[Alerting] Disk full" is how Grafana itself writes state and rule; without that very rule's name after it, "[OK]" may be part of a name. */
function stateInTitle(
  event: Record<string, unknown>,
  ruleName: string | undefined,
  notes: string[],
): string | undefined {
  const [, word, rest] = TITLE.exec(scalar(event, 'title') ?? '') ?? [];
  if (word === undefined) return undefined;
  const state = word.toLowerCase().replace(' ', '_');
  if (state === 'ok' && rest !== ruleName) return undefined;
  notes.push(`no state: taken from the title, which begins with [${word}]`);
  return state;
}

const TITLE = /^\[(Alerting|OK|No Data|Pending|Paused)\] (.*)$/is;

const titleOf = (event: Record<string, unknown>): string | undefined => scalar(event, 'title')?.replace(TITLE, '$2');
