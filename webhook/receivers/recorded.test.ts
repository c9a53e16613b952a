import { describe, expect, it } from 'vitest';
import { type RecordedBody, type RecordedFormat, readRecorded, recordedFormats, specsOf } from '../testing/recorded.ts';
import { createReceivers } from './registry.ts';

const formats = recordedFormats();
const specs = async (format: RecordedFormat, body: RecordedBody) => specsOf(format, await readRecorded(format, body));
const fingerprints = async (format: RecordedFormat, bodies: readonly RecordedBody[]) => {
  const all = await Promise.all(bodies.map((body) => specs(format, body)));
  return [...new Set(all.flat().map((spec) => spec.fingerprint))].sort();
};

it('every format of the registry has recorded bodies', () => {
  expect(formats.map(({ receiver }) => receiver.format).sort()).toEqual(Object.keys(createReceivers()).sort());
});

describe.each(formats.map((format) => [format.receiver.format, format] as const))('what %s sends', (_name, format) => {
  const told = (story: string, variant?: string) =>
    format.bodies.filter((body) => body.story === story && (variant === undefined || body.variant === variant));
  /** The firing body that a repeat or a resolve is about: of the same variant, else the plain one. */
  const firingOf = ({ variant }: RecordedBody) => {
    const same = told('firing', variant);
    return same.length > 0 ? same : told('firing', '');
  };

  it('has each of the five stories', () => {
    for (const story of ['firing', 'resolved', 'repeat', 'malformed', 'equal-titles']) {
      expect(told(story).length, story).toBeGreaterThan(0);
    }
  });

  it.each(told('firing').map((body) => [body.name, body] as const))('%s fires', async (_story, body) => {
    const all = await specs(format, body);
    expect(all.length).toBeGreaterThan(0);
    for (const spec of all) expect(spec).toMatchObject({ state: 'Firing', labels: { alertname: expect.any(String) } });
  });

  it.each(told('repeat').map((body) => [body.name, body] as const))('%s is the same alert', async (_story, body) => {
    expect(await fingerprints(format, [body])).toEqual(await fingerprints(format, firingOf(body)));
  });

  it.each(told('resolved').map((body) => [body.name, body] as const))('%s resolves it', async (_story, body) => {
    const over = (await specs(format, body)).filter((spec) => spec.state === 'Resolved');
    expect(over.length).toBeGreaterThan(0);
    const firing = await fingerprints(format, firingOf(body));
    for (const spec of over) expect(firing).toContain(spec.fingerprint);
  });

  it('two faults with equal titles are two alerts', async () => {
    const all = (await Promise.all(told('equal-titles').map((body) => specs(format, body)))).flat();
    const titles = new Set(all.map((spec) => spec.title));
    expect(new Set(all.map((spec) => spec.fingerprint)).size).toBeGreaterThan(titles.size);
  });

  it.each(told('malformed').map((body) => [body.name, body] as const))(
    '%s is named, not swallowed',
    async (_s, body) => {
      const problems = await readRecorded(format, body).then(
        (reading) => reading.problems.map((problem) => `${problem.field}: ${problem.found}, ${problem.expected}`),
        (error: Error) => [error.message],
      );
      expect(problems.join('\n')).not.toBe('');
    },
  );
});
