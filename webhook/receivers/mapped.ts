/**
 * Reads the records of a body one by one, by what the format reads by itself and by the source's mapping, which goes before it.
 * Promises that a record that fails spoils no other, and that others are answered in between; what a record is, is the receivers'.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { AlertSource } from '@funnelai/crds/generated/types';
import type { AlertInput } from '@funnelai/domain/alert-input';
import type { CelInput } from '@funnelai/domain/cel';
import { fingerprintOf, fingerprintOfKey } from '@funnelai/domain/fingerprint';
import { labelsFrom, labelValue } from '@funnelai/domain/labels';
import { type CompiledMapping, compileMapping, type MappedAlert } from '@funnelai/domain/mapping';
import type { Oddity } from '@funnelai/domain/possible-times';
import {
  IGNORED_LISTED,
  INTAKE_ALERTS,
  INTAKE_FAULTS_PER_ALERT,
  INTAKE_RECORDS,
  INTAKE_REPEATS,
  MAPPING_BODY_COST,
  MAPPING_SLICE_COST,
  MAPPINGS_REMEMBERED,
  RECORDS_SLICE,
} from '../limits.ts';
import { discreet, MappingBroken, TooManyAlerts } from './problem.ts';
import type { Envelope, Reading } from './receiver.ts';
import type { Fault } from './values.ts';

/** One record as its format reads it, without the mapping. */
export type RecordReading = { input: AlertInput } | { ignored: string } | { faults: Fault[] };

/** How a format's records are read. */
export interface RecordFormat<T> {
  /** What the mapping sees as `item`. */
  item(record: T): CelInput;
  /** What it sees as `body`; the item where it is not given. */
  body?: CelInput;
  /**
   * Are its records moments, of which a repeat says nothing new? Then a few of one fault that follow each other in a body are enough: a
   * program that logs one error ten thousand times has one fault.
   */
  moments?: boolean;
  /** `filtered`: the mapping has said already that it is an alert. */
  read(record: T, filtered: boolean): RecordReading;
}

/** Returns the source's mapping, compiled once for each generation; undefined where it has none. Throws `MappingBroken`. */
export function mappingOf(source: AlertSource): CompiledMapping | undefined {
  const { mapping } = source.spec;
  if (mapping === undefined) return undefined;
  const key = `${source.metadata.uid}/${source.metadata.generation}/${source.metadata.namespace}/${source.metadata.name}`;
  let known = remembered.get(key);
  if (known === undefined || known.mapping !== JSON.stringify(mapping)) {
    known = { ...compileMapping(mapping), mapping: JSON.stringify(mapping) };
    remembered.delete(key);
    if (remembered.size >= MAPPINGS_REMEMBERED) remembered.delete(remembered.keys().next().value ?? '');
    remembered.set(key, known);
  }
  const fault = known.faults[0];
  if (fault !== undefined) throw new MappingBroken(source.metadata.name, fault.field, fault.message);
  return known.compiled;
}
const remembered = new Map<string, ReturnType<typeof compileMapping> & { mapping: string }>();

/** Headers that carry what lets someone in. */
const CREDENTIAL = /authorization|cookie|token|secret|password|api-?key|routing-?key|signature/;

/** Returns the headers as expressions see them: names in lower case, without credentials. */
export function mappingHeaders(headers: IncomingHttpHeaders): CelInput {
  const shown = Object.entries(headers).filter(([name, value]) => value !== undefined && !CREDENTIAL.test(name));
  return new Map(shown.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]));
}

/** Returns what all records come to. Throws `TooManyAlerts` past the bounds on alerts, and on records, of one body. */
export async function readRecords<T>(
  envelope: Envelope,
  records: Iterable<{ index: number } & ({ record: T } | { fault: Fault })>,
  format: RecordFormat<T>,
): Promise<Reading> {
  const mapping = mappingOf(envelope.source);
  const headers = mapping === undefined ? undefined : mappingHeaders(envelope.headers);
  const budget = { left: MAPPING_BODY_COST };
  const reading: Reading = { received: [], problems: [], truncated: 0, ignored: [] };
  const refuse = (index: number, faults: readonly Fault[]) => {
    for (const fault of faults.slice(0, INTAKE_FAULTS_PER_ALERT)) reading.problems.push({ index, ...fault });
  };
  const isRepeat = repeatsOf(envelope.source);
  let pauseAt = budget.left - MAPPING_SLICE_COST;
  let sincePause = 0;
  let count = 0;
  let ignored = 0;
  const ignore = (index: number, why: string) => {
    ignored += 1;
    if (ignored <= IGNORED_LISTED) reading.ignored.push(`${index}: ${why}`);
  };
  for (const next of records) {
    const { index } = next;
    count += 1;
    if (count > INTAKE_RECORDS) throw new TooManyAlerts(count, INTAKE_RECORDS, 'INTAKE_RECORDS');
    sincePause += 1;
    if (budget.left < pauseAt || sincePause > RECORDS_SLICE) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      pauseAt = budget.left - MAPPING_SLICE_COST;
      sincePause = 0;
    }
    if ('fault' in next) {
      refuse(index, [next.fault]);
      continue;
    }
    const { record } = next;
    let mapped: MappedAlert | undefined;
    let odd: readonly Oddity[] = [];
    if (mapping !== undefined && headers !== undefined) {
      const item = format.item(record);
      const outcome = mapping.apply({ body: format.body ?? item, headers, item, index }, budget);
      if ('skipped' in outcome) {
        ignore(index, 'mapping.when is not true');
        continue;
      }
      if ('faults' in outcome) {
        refuse(index, outcome.faults);
        continue;
      }
      mapped = outcome.alert;
      // Each becomes a note of the alert.
      odd = (outcome.odd ?? []).slice(0, INTAKE_FAULTS_PER_ALERT).map(discreet);
    }
    const own = format.read(record, mapping?.filters ?? false);
    if ('ignored' in own) ignore(index, own.ignored);
    else if ('faults' in own) refuse(index, own.faults);
    else {
      const read = mapped === undefined ? own.input : overlaid(own.input, mapped);
      const input = odd.length === 0 ? read : { ...read, odd: [...(read.odd ?? []), ...odd] };
      const faults = identityFaults(input);
      if (faults.length > 0) {
        refuse(index, faults);
        continue;
      }
      const alert = ending(named(input, envelope.source));
      if (format.moments === true && isRepeat(alert)) continue;
      if (reading.received.length >= INTAKE_ALERTS) throw new TooManyAlerts(count, INTAKE_ALERTS);
      reading.received.push({ index, input: alert });
    }
  }
  if (ignored > IGNORED_LISTED) reading.ignored.push(`and ${ignored - IGNORED_LISTED} more`);
  return budget.left < 0 ? { ...reading, reached: ['MAPPING_BODY_COST'] } : reading;
}

/**
 * Says of each alert in turn whether the last ones of the same fault said the same, often enough. By fingerprint, so that a Resolved in
 * between counts.
 */
function repeatsOf({ spec }: AlertSource): (input: AlertInput) => boolean {
  const last = new Map<string, { said: string; times: number }>();
  return (input) => {
    const { dedupKey, labels, state, severity, startsAt, endsAt } = input;
    const fault = dedupKey ? fingerprintOfKey(dedupKey) : fingerprintOf(labels, spec.dedup).fingerprint;
    const said = JSON.stringify([state, severity ?? '', startsAt?.toString() ?? '', endsAt?.toString() ?? '']);
    const before = last.get(fault);
    const times = before?.said === said ? before.times + 1 : 1;
    last.set(fault, { said, times });
    return state === 'Firing' && times > INTAKE_REPEATS;
  };
}

/** Each field that the mapping speaks of takes the place of the format's own; what it leaves empty stays. */
function overlaid(own: AlertInput, mapped: MappedAlert): AlertInput {
  const { key, labels, startsAt, endsAt, links, ...rest } = mapped;
  const alertname = labelValue(own.labels, 'alertname');
  const identity =
    labels === undefined
      ? {}
      : {
          labels: labelsFrom([
            ...(alertname === '' ? [] : [['alertname', alertname] as const]),
            ...Object.entries(labels),
          ]),
          // The mapping says what tells faults apart; the format's own key would go before it.
          dedupKey: undefined,
        };
  return {
    ...own,
    ...rest,
    ...identity,
    ...(key === undefined ? {} : { dedupKey: key }),
    ...(startsAt === undefined ? {} : { startsAt }),
    ...(endsAt === undefined ? {} : { endsAt }),
    links: [...(links ?? []), ...own.links],
  };
}

/** A Resolved of these formats often says less than what fired: title and severity stay as that said. */
const ending = (input: AlertInput): AlertInput =>
  input.state === 'Resolved' && input.only === undefined ? { ...input, only: 'State' } : input;

function identityFaults(input: AlertInput): Fault[] {
  if (input.dedupKey !== undefined && input.dedupKey !== '') return [];
  const told = Object.entries(input.labels).some(([name, value]) => name !== 'alertname' && value !== '');
  if (told || labelValue(input.labels, 'alertname') !== '') return [];
  return [
    {
      field: 'labels',
      found: 'no label and no key',
      expected: 'something that tells this fault from another, the same whenever it is sent',
    },
  ];
}

/** The built-in rule groups by alertname: without one all sources would share a group. Constant, because labels are the identity. */
function named(input: AlertInput, source: AlertSource): AlertInput {
  if (labelValue(input.labels, 'alertname') !== '') return input;
  return { ...input, labels: labelsFrom([['alertname', source.metadata.name], ...Object.entries(input.labels)]) };
}
