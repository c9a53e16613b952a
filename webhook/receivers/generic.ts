/** Reads any JSON by the source's mapping alone. Promises nothing about what senders mean: the mapping says it. */
import { celInput, INPUT_VALUES_MAX } from '@funnelai/domain/cel-input';
import { parseJson } from '../intake/json.ts';
import { INTAKE_ALERTS } from '../limits.ts';
import { mappingHeaders, mappingOf, readRecords } from './mapped.ts';
import { BodyProblem, TooManyAlerts } from './problem.ts';
import { type Envelope, type Reading, type Receiver, takesJson } from './receiver.ts';

export const generic: Receiver = {
  format: 'Generic',
  paths: [''],
  takes: takesJson,
  expects: 'application/json',
  read: readGeneric,
};

async function readGeneric(envelope: Envelope): Promise<Reading> {
  // Before the body: whoever mends the mapping gets all that its senders held back.
  const mapping = mappingOf(envelope.source);
  const json = parseJson(envelope.body);
  if (Array.isArray(json) && json.length > INTAKE_ALERTS) throw new TooManyAlerts(json.length, INTAKE_ALERTS);
  const { value: body, cut, tooMany } = celInput(json);
  if (tooMany) throw new BodyProblem('', `more than ${INPUT_VALUES_MAX} values`, 'fewer in one body');
  const listed = mapping?.items({ body, headers: mappingHeaders(envelope.headers) });
  if (listed !== undefined && 'fault' in listed)
    throw new BodyProblem(listed.fault.field, listed.fault.found, listed.fault.expected);
  const items = listed?.items ?? (Array.isArray(body) ? body : [body]);
  if (items.length > INTAKE_ALERTS) throw new TooManyAlerts(items.length, INTAKE_ALERTS);
  const notes = cut ? ['the body is nested deeper, or holds longer texts, than is read: the rest is cut'] : [];
  return readRecords(
    envelope,
    items.map((record, index) => ({ index, record })),
    {
      body,
      item: (item) => item,
      read: () => ({ input: { labels: {}, annotations: {}, state: 'Firing', links: [], notes } }),
    },
  );
}
