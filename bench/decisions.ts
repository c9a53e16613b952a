/** How many decisions a second the rules themselves make, without a cluster: which incident an alert is to have, and an incident's next step. */
import type { Alert, CorrelationRule, Incident } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import { encodeChangesAnnotation } from '@funnelai/domain/admission-log';
import { decideIncident, ruleFor } from '@funnelai/domain/correlate';
import { explain } from '@funnelai/domain/explanation';
import { decideIncidentStep } from '@funnelai/domain/incident-decide';
import { compileRules } from '@funnelai/domain/rules';
import { systemClock } from '@funnelai/kube/clock';
import { answeredStatus, whatIsAsked } from '@funnelai/operator/correlation/decide';
import { anAlert, anIncident, aRule, START } from '@funnelai/operator/testing/builders';
import { median } from './load.ts';
import type { Figure } from './report.ts';

const ASKED = 10_000;
const ROUNDS = 5;
const DECISIONS = 20_000;
/** As a grown installation has them: one takes the alert after half of them did not. */
const RULES = 50;
const GROUPS = 100;
const MEMBERS = 20;
const CHANGES = 20;
const MACHINE = 'system:serviceaccount:funnel-system:funnelai-operator';
const isMachine = (user: string) => user === MACHINE;

/** Decisions a second; the median of some rounds, the first of which only warms up. */
function rate(decide: (i: number) => unknown): number {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const began = performance.now();
    for (let i = 0; i < DECISIONS; i += 1) decide(i);
    if (round > 0) rounds.push(DECISIONS / ((performance.now() - began) / 1_000));
  }
  return Math.round(median(rounds));
}

export async function decisions(): Promise<Figure[]> {
  return [
    figure('decisions on an alert, pure', rate(anAnswer()), `${RULES} rules, ${GROUPS} open incidents`),
    figure('steps of an incident, pure', rate(aStep()), `${MEMBERS} alerts, ${CHANGES} changes, an act of a person`),
  ];
}

const figure = (name: string, perSecond: number, detail: string): Figure => ({
  name,
  value: `${perSecond.toLocaleString('en')}/s`,
  asked: `≥ ${ASKED.toLocaleString('en')}/s`,
  met: perSecond >= ASKED,
  detail,
});

const labels = (i: number) => ({
  alertname: 'KubePodCrashLooping',
  namespace: 'checkout',
  cluster: `c${i % GROUPS}`,
  pod: `checkout-7d9f8c6b5-${i}`,
  severity: 'warning',
});

/** From a firing alert to the whole status that is to be written. */
function anAnswer(): (i: number) => unknown {
  const others: CorrelationRule[] = Array.from({ length: RULES - 1 }, (_, i) =>
    aRule(`team-${i}`, { order: 2 * i, match: [`namespace="team-${i}"`, 'severity=~"critical|warning"'] }),
  );
  const pods = aRule('pods', {
    order: RULES,
    match: ['alertname=~"KubePod.*"', 'namespace="checkout"'],
    groupBy: [{ label: 'cluster' }],
  });
  const { rules } = compileRules([...others, pods]);
  const alerts: Alert[] = Array.from({ length: 1_000 }, (_, i) => anAlert({ labels: labels(i) }));
  const byGroup = new Map<string, Incident[]>();
  for (const { spec, metadata } of alerts.slice(0, GROUPS)) {
    const ruling = ruleFor(spec, metadata.name, rules);
    if (ruling.record) throw new Error('expected a rule that opens');
    const origin = { ruleRef: { name: 'pods' }, groupKey: ruling.groupKey, opening: 1 };
    byGroup.set(ruling.groupKey, [anIncident({ name: `pods-${spec.labels?.cluster}`, origin })]);
  }
  return (i) => {
    const alert = alerts[i % alerts.length] as Alert;
    const asked = whatIsAsked(alert, () => undefined, isMachine);
    const ruling = ruleFor(alert.spec, alert.metadata.name, rules);
    if (asked.kind !== 'correlate' || ruling.record) throw new Error('expected an alert that asks for an incident');
    const { rule, groupKey, explanation } = ruling;
    const now = systemClock.now();
    const verdict = decideIncident(
      { rule, groupKey, ofGroup: () => byGroup.get(groupKey) ?? [], lookup: () => undefined },
      now,
    );
    if (verdict.kind !== 'join') throw new Error('expected an open incident');
    const incident = verdict.join.metadata.name;
    return answeredStatus(
      alert,
      { answer: 'Joined', episode: asked.episode, incident, rule: 'pods', explanation: explain(explanation, incident) },
      now,
    );
  };
}

/** An incident in whose midst a person has acted: the act is numbered, its alerts are counted, its conditions set. */
function aStep(): (i: number) => unknown {
  const { rules } = compileRules([]);
  const name = 'pods-amber-falcon';
  const members = Array.from({ length: MEMBERS }, (_, i) =>
    anAlert({ labels: labels(i), status: { episode: 1, incidentRef: { name } } }),
  );
  const severities = ['High', 'Medium'];
  const changes = Array.from({ length: CHANGES }, (_, i) => ({
    sequence: i + 1,
    kind: i === 0 ? ('Phase' as const) : ('Severity' as const),
    ...(i > 1 && { from: severities[i % 2] ?? '' }),
    to: i === 0 ? 'Detection' : (severities[(i + 1) % 2] ?? ''),
    at: START,
    recordedAt: START,
    by: 'ana@example.org',
    verified: true,
  }));
  const entries = Array.from({ length: 16 }, (_, i) => ({
    number: CHANGES - 14 + i,
    field: 'severity' as const,
    value: severities[i % 2] ?? '',
    user: 'ana@example.org',
    at: START,
    reason: '',
  }));
  const log = encodeChangesAnnotation({ counter: CHANGES + 1, entries });
  const incident = anIncident({
    name,
    severity: entries.at(-1)?.value === 'High' ? 'High' : 'Medium',
    metadata: { annotations: { [CHANGES_ANNOTATION]: log }, creationTimestamp: START },
    status: {
      observedGeneration: 1,
      phase: 'Detection',
      changeSequence: CHANGES,
      logSequence: CHANGES,
      observed: { severity: changes.at(-1)?.to === 'High' ? 'High' : 'Medium' },
      changes,
      alerts: { firing: MEMBERS - 1, resolved: 0, total: MEMBERS - 1, asOf: START },
    },
  });
  return () => {
    const now = systemClock.now();
    const mirror = { mirroredSequence: CHANGES, storedSequence: CHANGES };
    const { status } = decideIncidentStep({ incident, members, rule: rules[0], mirror, isMachine, now });
    if (status.changeSequence !== CHANGES + 1) throw new Error('expected the act to be numbered');
    return status;
  };
}
