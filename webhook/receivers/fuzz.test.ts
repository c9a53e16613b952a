import { alertSpecSchema } from '@funnelai/crds/generated/schemas';
import type { AlertSpec } from '@funnelai/crds/generated/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchesIn, brokenBytes, damaged, withNeighbour, wound } from '../testing/damage.ts';
import { type RecordedBody, type RecordedFormat, readRecorded, recordedFormats, specsOf } from '../testing/recorded.ts';
import * as problems from './problem.ts';
import type { Reading } from './receiver.ts';

const SEED = 20_260_301;
const BODIES = 10_000;
const NEIGHBOURS = 2_000;
const TIMEOUT_MS = 180_000;
/** What the intake answers 4xx for. */
const REFUSALS = Object.values(problems).filter(isErrorClass);

function isErrorClass(value: unknown): value is new (...given: never[]) => Error {
  return typeof value === 'function' && value.prototype instanceof Error;
}

/** Undefined when the body was refused as a whole; any other error fails the test. */
async function read(format: RecordedFormat, recorded: RecordedBody, body: Buffer): Promise<Reading | undefined> {
  try {
    return await readRecorded(format, recorded, body);
  } catch (error) {
    if (REFUSALS.some((refusal) => error instanceof refusal)) return undefined;
    throw error;
  }
}

async function specs(format: RecordedFormat, recorded: RecordedBody, body: Buffer): Promise<AlertSpec[]> {
  const reading = await read(format, recorded, body);
  return reading === undefined ? [] : specsOf(format, reading);
}

const formats = recordedFormats();
/** Firing bodies to which an alert can be added, and where; some formats know one alert a body only. */
const batches = await Promise.all(
  formats.map(async (format) => {
    const firing = format.bodies.filter(({ story }) => story === 'firing');
    const places = await Promise.all(
      firing.map(async (recorded) => {
        const found = await batchesIn(recorded.body, async (body) => (await specs(format, recorded, body)).length);
        return found.map((place) => ({ recorded, place }));
      }),
    );
    return { format, places: places.flat() };
  }),
);
const named = <T extends { format: RecordedFormat }>(list: T[]) =>
  list.map((one) => [one.format.receiver.format, one] as const);
const wounds = fc.array(wound, { minLength: 1, maxLength: 6 });

describe.each(named(formats.map((format) => ({ format }))))('%s', (_name, { format }) => {
  it('reads or refuses each damaged body, and what it reads can be stored', { timeout: TIMEOUT_MS }, async () => {
    const came = { alerts: 0, faults: 0 };
    await fc.assert(
      fc.asyncProperty(
        // By name: what failed is then read in a line.
        fc.constantFrom(...format.bodies.map(({ name }) => name)),
        wounds,
        fc.option(brokenBytes, { freq: 6 }),
        async (name, hurts, bytes) => {
          const recorded = format.bodies.find((body) => body.name === name) ?? expect.fail();
          const reading = await read(format, recorded, damaged(recorded.body, hurts, bytes));
          for (const spec of reading === undefined ? [] : specsOf(format, reading)) {
            alertSpecSchema.parse(spec);
            expect(spec.endsAt === undefined || spec.endsAt >= spec.startsAt).toBe(true);
          }
          came.alerts += reading?.received.length ?? 0;
          came.faults += reading === undefined ? 1 : reading.problems.length;
        },
      ),
      { numRuns: BODIES, seed: SEED },
    );
    // Damage that nothing survives, or that everything does, would test nothing.
    expect(came.alerts).toBeGreaterThan(0);
    expect(came.faults).toBeGreaterThan(0);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe.each(named(batches.filter(({ places }) => places.length > 0)))('%s', (_name, { format, places }) => {
  it('loses no good alert to a bad neighbour', { timeout: TIMEOUT_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...places.map((_, which) => which)),
        wounds,
        fc.boolean(),
        async (which, hurts, isFirst) => {
          const { recorded, place } = places[which] ?? expect.fail();
          const [good] = await specs(format, recorded, recorded.body);
          const both = await specs(format, recorded, withNeighbour(recorded.body, place, hurts, isFirst));
          // Whole, and not its identity alone: a neighbour that kept the labels would stand for one that was lost.
          expect(both).toContainEqual(good);
        },
      ),
      { numRuns: NEIGHBOURS, seed: SEED },
    );
  });
});
