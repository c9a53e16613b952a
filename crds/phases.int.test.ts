/** The workflow as the API server itself holds it: every pair of phases, births, merges and origins, by patch and by apply. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Phase } from './generated/types.ts';
import { kubectl, mustKubectl } from './testing/api-server.ts';
import {
  anIncident,
  createIncident,
  getIncident,
  INCIDENTS,
  incidentIn,
  makeGuardedNamespace,
  mustPatch,
  patch,
} from './testing/incidents.ts';

const LEGAL: Record<Phase, Phase[]> = {
  Detection: ['Response', 'Resolution'],
  Response: ['Mitigation', 'Resolution', 'Detection'],
  Mitigation: ['Response', 'Resolution'],
  Resolution: ['Detection', 'Response', 'Postmortem', 'Closed'],
  Postmortem: ['Response', 'Closed'],
  Closed: ['Response'],
};
const SENTENCES: Record<Phase, string> = {
  Detection: 'it can go to Response or Resolution, or to Closed together with mergedInto',
  Response: 'it can go to Mitigation, Resolution or Detection, or to Closed together with mergedInto',
  Mitigation: 'it can go to Response or Resolution, or to Closed together with mergedInto',
  Resolution: 'it can go to Detection, Response, Postmortem or Closed',
  Postmortem: 'it can go to Response or Closed',
  Closed: 'it can go to Response',
};
const PHASES = Object.keys(LEGAL) as Phase[];
const PAIRS = PHASES.flatMap((from) =>
  PHASES.map((to) => ({ from, to, legal: from === to || LEGAL[from].includes(to) })),
);
const named = (phase: Phase) => `in-${phase.toLowerCase()}`;

let namespace: string;
beforeAll(async () => {
  namespace = await makeGuardedNamespace('phases', { ana: 'funnelai-responder' });
  for (const phase of PHASES) await incidentIn(phase, 'ana', namespace, named(phase));
}, 60_000);

describe('the 36 pairs of phases', () => {
  // Dry runs go through the same admission and validation, and leave the incident where it is for the next pair.
  it.each(PAIRS)('by merge-patch: $from to $to (legal: $legal)', async ({ from, to, legal }) => {
    const answer = await patch('ana', namespace, named(from), { spec: { phase: to } }, '--dry-run=server');
    expect(answer.ok, answer.stderr).toBe(legal);
    if (!legal)
      expect(answer.stderr).toContain(
        `spec.phase: Invalid value: phase ${from} cannot go to ${to}; ${SENTENCES[from]}`,
      );
  });

  it.each(PAIRS)('by server-side apply: $from to $to (legal: $legal)', async ({ from, to, legal }) => {
    const flags = [
      'apply',
      '--server-side',
      '--force-conflicts',
      '--field-manager=flux',
      '--dry-run=server',
      '-f',
      '-',
    ];
    const answer = await kubectl('ana', flags, anIncident(namespace, named(from), { phase: to }));
    expect(answer.ok, answer.stderr).toBe(legal);
    if (!legal) expect(answer.stderr).toContain(`phase ${from} cannot go to ${to}; ${SENTENCES[from]}`);
  });

  it.each(PHASES)('%s goes to Closed in one write with mergedInto', async (from) => {
    const spec = { phase: 'Closed', mergedInto: { name: 'another' } };
    const answer = await patch('ana', namespace, named(from), { spec }, '--dry-run=server');
    // Who is closed already has had that write.
    expect(answer.ok, answer.stderr).toBe(from !== 'Closed');
  });

  it('an apply without a phase leaves it alone, a replace without one is refused', async () => {
    const manifest = anIncident(namespace, named('Mitigation'), { phase: undefined, title: 'Renamed' });
    const applied = await kubectl(
      'ana',
      ['apply', '--server-side', '--force-conflicts', '--field-manager=flux', '-f', '-'],
      manifest,
    );
    expect(applied.ok, applied.stderr).toBe(true);
    expect((await getIncident(namespace, named('Mitigation'))).spec.phase).toBe('Mitigation');
    const replaced = await kubectl('ana', ['replace', '-f', '-'], manifest);
    expect(replaced.ok).toBe(false);
    expect(replaced.stderr).toContain('spec.phase: Required value');
  });
});

describe('birth', () => {
  it.each(PHASES)('in %s', async (phase) => {
    const answer = await createIncident('ana', anIncident(namespace, 'born', { phase }), '--dry-run=server');
    expect(answer.ok, answer.stderr).toBe(phase === 'Detection' || phase === 'Response');
    if (!answer.ok) {
      expect(answer.stderr).toContain(
        'spec.phase: Invalid value: an incident is born in Detection, or in Response by a person',
      );
      expect(answer.stderr).toContain(`it cannot be born in ${phase}`);
    }
  });

  it('in Closed is refused also with mergedInto', async () => {
    const manifest = anIncident(namespace, 'born', { phase: 'Closed', mergedInto: { name: 'another' } });
    expect((await createIncident('ana', manifest, '--dry-run=server')).ok).toBe(false);
  });

  it('without a phase is Detection, and without a priority follows the severity', async () => {
    const expected = { Critical: 'P1', High: 'P2', Medium: 'P3', Low: 'P4', Info: 'P5' };
    for (const [severity, priority] of Object.entries(expected)) {
      const answer = await createIncident(
        'ana',
        anIncident(namespace, 'born', { severity, phase: undefined }),
        '--dry-run=server',
      );
      expect(JSON.parse(answer.stdout).spec).toMatchObject({ phase: 'Detection', priority });
    }
    const answer = await createIncident('ana', anIncident(namespace, 'born', { priority: 'P5' }), '--dry-run=server');
    expect(JSON.parse(answer.stdout).spec.priority).toBe('P5');
  });

  it('of a name past 63 characters is refused', async () => {
    expect((await createIncident('ana', anIncident(namespace, 'a'.repeat(63)), '--dry-run=server')).ok).toBe(true);
    const answer = await createIncident('ana', anIncident(namespace, 'a'.repeat(64)), '--dry-run=server');
    expect(answer.stderr).toContain('at most 63 characters');
  });

  it.each([
    [{ severity: undefined }, 'spec.severity: Required value'],
    [{ severity: 'critical' }, 'spec.severity: Unsupported value: "critical"'],
    [{ severity: 5, phase: undefined }, 'spec.severity: Invalid value'],
    [{ owner: 'ana' }, 'spec.owner: Invalid value'],
    [
      { owner: { name: ' ana' } },
      'expected a user name without control characters and without white space at its ends',
    ],
    [{ owner: { name: 'a\nb' } }, 'expected a user name without control characters'],
    [{ title: '' }, 'spec.title'],
    [{ title: ' \n ' }, 'spec.title'],
    [{ title: '\u00a0\u200b\u202e' }, 'expected a title that says something, found only what nobody sees'],
    [
      { links: [{ title: 'x', url: 'javascript:alert(1)' }] },
      'expected an address that starts with http:// or https://',
    ],
    [{ phaseReason: 'x'.repeat(257) }, 'spec.phaseReason: Too long'],
  ])('with %j is refused in words that name the field', async (spec, words) => {
    const answer = await createIncident(
      'ana',
      anIncident(namespace, 'born', spec),
      '--dry-run=server',
      '--validate=false',
    );
    expect(answer.ok).toBe(false);
    expect(answer.stderr).toContain(words);
  });
});

describe('merges', () => {
  beforeAll(async () => {
    await incidentIn('Response', 'ana', namespace, 'merged');
    await mustPatch('ana', namespace, 'merged', { phase: 'Closed', mergedInto: { name: 'another' } });
  });

  it.each([
    [
      'mergedInto without Closed',
      'in-response',
      { mergedInto: { name: 'another' } },
      'goes together with phase Closed',
    ],
    [
      'mergedInto with another move',
      'in-response',
      { phase: 'Resolution', mergedInto: { name: 'x' } },
      'goes together with phase Closed',
    ],
    [
      'mergedInto after it was closed',
      'in-closed',
      { mergedInto: { name: 'another' } },
      'is set in the write that closes',
    ],
    [
      'into itself',
      'in-response',
      { phase: 'Closed', mergedInto: { name: 'in-response' } },
      'cannot be merged into itself',
    ],
    ['another target while closed', 'merged', { mergedInto: { name: 'third' } }, 'is set in the write that closes'],
    ['taking it away while closed', 'merged', { mergedInto: null }, 'removed in the write that reopens'],
    ['reopening with it', 'merged', { phase: 'Response' }, 'is removed in the write that reopens'],
  ])('%s is refused', async (_what, name, spec, words) => {
    const answer = await patch('ana', namespace, name, { spec }, '--dry-run=server');
    expect(answer.ok).toBe(false);
    expect(answer.stderr).toContain(words);
  });

  it('reopens in one write that takes mergedInto away', async () => {
    const spec = { phase: 'Response', mergedInto: null };
    const answer = await patch('ana', namespace, 'merged', { spec }, '--dry-run=server');
    expect(answer.ok, answer.stderr).toBe(true);
  });
});

describe('origin', () => {
  const origin = { ruleRef: { name: 'pods' }, groupKey: '[["namespace","pay"]]', opening: 1 };
  beforeAll(async () => {
    await mustKubectl('operator', ['create', '-f', '-'], anIncident(namespace, 'opened', { origin }));
    await mustKubectl('ana', ['create', '-f', '-'], anIncident(namespace, 'declared'));
  });

  it.each([
    ['changed', 'opened', { origin: { opening: 2 } }],
    ['taken away', 'opened', { origin: null }],
    ['given another rule', 'opened', { origin: { ruleRef: null } }],
    ['added later', 'declared', { origin }],
  ])('is never %s', async (_what, name, spec) => {
    const answer = await patch('ana', namespace, name, { spec }, '--dry-run=server');
    expect(answer.stderr).toContain('origin is fixed at birth');
  });

  it('is not for people to claim: it decides which incident takes the alerts of a group', async () => {
    const claim = anIncident(namespace, 'claimed', { origin: { ...origin, opening: 2_000_000_000 } });
    const create = await createIncident('ana', claim);
    expect(create.stderr).toContain('leave it out of one that you declare');
    const apply = await kubectl('ana', ['apply', '--server-side', '-f', '-'], claim);
    expect(apply.stderr).toContain('leave it out of one that you declare');
    await mustKubectl('ana', ['create', '-f', '-'], anIncident(namespace, 'claimed'));
  });

  it('stays through other edits', async () => {
    await mustPatch('ana', namespace, 'opened', { title: 'Renamed' });
    expect((await getIncident(namespace, 'opened')).spec.origin).toEqual(origin);
  });
});

describe('status', () => {
  const status = (body: unknown) =>
    patch('operator', namespace, 'in-response', { status: body }, '--subresource=status');
  const change = (sequence: number) => ({
    sequence,
    kind: 'Phase',
    to: 'Response',
    at: '2026-03-01T14:00:00Z',
    recordedAt: '2026-03-01T14:00:01Z',
    by: 'ana',
  });

  it('starts with observedGeneration -1, and its numbers never go back', async () => {
    expect((await getIncident(namespace, 'in-response')).status).toEqual({ observedGeneration: -1 });
    const written = await status({
      phase: 'Response',
      changeSequence: 2,
      logSequence: 3,
      changes: [change(1), change(2)],
    });
    expect(written.ok, written.stderr).toBe(true);
    expect((await status({ changeSequence: 1, changes: null })).stderr).toContain('changeSequence never goes back');
    expect((await status({ logSequence: null })).stderr).toContain('logSequence never goes back');
    expect((await status({ phase: 'Mitigation' })).stderr).toContain('only in the write that also numbers the change');
    expect((await status({ changeSequence: 4, changes: [change(1), change(2), change(4)] })).stderr).toContain(
      'contiguous',
    );
    expect((await status({ changes: [change(2), change(2)] })).stderr).toContain('Duplicate value');
    const many = Array.from({ length: 129 }, (_, i) => change(i + 1));
    expect((await status({ changeSequence: 129, changes: many })).stderr).toContain('must have at most 128 items');
    expect((await status({ changeSequence: 128, changes: many.slice(0, 128) })).ok).toBe(true);
  });

  it('is kept apart from spec: a write of one never changes the other', async () => {
    await patch('ana', namespace, 'in-response', { status: { phase: 'Closed' } });
    expect((await getIncident(namespace, 'in-response')).status?.phase).toBe('Response');
    const before = await getIncident(namespace, 'in-response');
    await patch('operator', namespace, 'in-response', { spec: { phase: 'Mitigation' } }, '--subresource=status');
    expect((await getIncident(namespace, 'in-response')).spec).toEqual(before.spec);
  });

  it(`may not be written by who runs incidents`, async () => {
    const answer = await patch('ana', namespace, 'in-response', { status: { round: 9 } }, '--subresource=status');
    expect(answer.stderr).toContain(`cannot`);
    expect(answer.stderr).toContain(`${INCIDENTS.split('.')[0]}/status`);
  });
});
