import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IntakeAnswer } from '../intake/answer.ts';
import { anEnvelope, read, recorded, specsFrom } from '../testing/envelope.ts';
import {
  type JsonAttribute,
  type JsonLogRecord,
  type JsonLogs,
  type JsonValue,
  otlpProtobuf,
} from '../testing/otlp-encode.ts';
import { openTelemetryLogs } from './opentelemetry-logs.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const from = (file: string) => specsFrom('OpenTelemetryLogs', recorded('OpenTelemetryLogs', file));
const text = (key: string, stringValue: string): JsonAttribute => ({ key, value: { stringValue } });
const logs = (records: JsonLogRecord[], resource = [text('service.name', 'checkout')]): JsonLogs => ({
  resourceLogs: [{ resource: { attributes: resource }, scopeLogs: [{ logRecords: records }] }],
});
const record = (o: JsonLogRecord = {}): JsonLogRecord => ({
  severityNumber: 17,
  body: { stringValue: 'it broke' },
  ...o,
});
const specs = (body: unknown) => specsFrom('OpenTelemetryLogs', { body, headers: JSON_TYPE });

describe('a log record', () => {
  it('is the same alert as JSON and as protobuf, and when it comes again with other numbers, ids and times', async () => {
    const files = ['firing.json', 'firing.protobuf.bin', 'repeat.json', 'repeat.protobuf.bin'];
    const all = (await Promise.all(files.map(from))).flat();
    expect(new Set(all.map((spec) => spec.fingerprint)).size).toBe(1);
    expect(all[0]).toEqual(all[1]);
    expect(all[0]).toMatchObject({
      severity: 'High',
      startsAt: '2026-01-31T12:00:00.123456Z',
      title: 'payment 83121 declined by provider after 1203 ms',
      labels: {
        service: 'checkout',
        namespace: 'shop-prod',
        cluster: 'eu-1',
        environment: 'production',
        provider: 'stripe',
      },
      annotations: {
        trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
        span_id: '00f067aa0ba902b7',
        pod: 'checkout-7f9c6d5b8-x2x4z',
      },
    });
  });

  it('is another alert where service, attribute or exception differ, though titles are equal', async () => {
    const all = [
      ...(await specs(
        logs([
          record(),
          record({ attributes: [text('disk', 'sda')] }),
          record({ attributes: [text('disk', 'sdb')] }),
          record({ eventName: 'a.b' }),
        ]),
      )),
      ...(await specs(logs([record()], [text('service.name', 'cart')]))),
      ...(await specs(logs([record()], [text('host.name', 'web-1')]))),
      ...(await specs(logs([record()], [text('host.name', 'web-2')]))),
    ];
    expect(new Set(all.map((spec) => spec.fingerprint)).size).toBe(7);
    expect(new Set(all.map((spec) => spec.title)).size).toBe(1);
  });

  it('is one from WARN on, by number or by word; without either it is none', async () => {
    const by = [12, 13, 24, 0].map((severityNumber) => record({ severityNumber }));
    const words = ['Info', 'Warning', 'FATAL', 'audit'].map((severityText) =>
      record({ severityNumber: 0, severityText }),
    );
    const { received, ignored } = await read('OpenTelemetryLogs', {
      body: logs([...by, ...words]),
      headers: JSON_TYPE,
    });
    expect(received.map(({ index }) => index)).toEqual([1, 2, 5, 6]);
    expect(ignored).toHaveLength(4);
  });

  it('of an exception is called after its type, and keeps its stack', async () => {
    expect(await from('firing.exception.json')).toMatchObject([
      {
        severity: 'Critical',
        title: 'Read timed out after 30000 ms',
        labels: { alertname: 'java.net.SocketTimeoutException', message: 'Read timed out after # ms' },
        description: expect.stringContaining('Pay.java:12'),
      },
    ]);
  });

  it('that carries an alertname is that alert: it may say another thing each time, and that it is over', async () => {
    const all = (await Promise.all(['firing.full.json', 'repeat.full.json', 'resolved.full.json'].map(from))).flat();
    expect(new Set(all.map((spec) => spec.fingerprint)).size).toBe(1);
    expect(all.map((spec) => spec.state)).toEqual(['Firing', 'Firing', 'Resolved']);
    expect(all[2]?.endsAt).toBe('2026-01-31T12:30:00.000000Z');
  });

  it('that carries an alertname and a host is about that host, and not about the pod that looked', async () => {
    const about = (host: string) =>
      record({ attributes: [text('alertname', 'CertificateExpiry'), text('host', host)] });
    const resource = [text('k8s.pod.name', 'checker-7f9c6d5b8-x2x4z')];
    const two = await specs(logs([about('shop.example.com'), about('blog.example.com')], resource));
    expect(two.map((spec) => spec.labels?.host)).toEqual(['shop.example.com', 'blog.example.com']);
    expect(new Set(two.map((spec) => spec.fingerprint)).size).toBe(2);
  });

  it('without that never resolves by itself', async () => {
    expect(await specs(logs([record({ attributes: [text('alert.state', 'resolved')] })]))).toMatchObject([
      { state: 'Firing' },
    ]);
  });

  it('is read by the source’s mapping before all else', async () => {
    const mapping = {
      when: "item.eventName.startsWith('provider.')",
      key: "item.resource['service.name'] + '/' + item.attributes.provider",
      state: "item.eventName.endsWith('.up') ? 'resolved' : 'firing'",
      endsAt: 'item.time',
    };
    const up = record({
      eventName: 'provider.up',
      severityNumber: 9,
      timeUnixNano: '1769862600000000000',
      attributes: [text('provider', 'stripe')],
    });
    const body = otlpProtobuf(logs([record(), up]));
    expect(await specsFrom('OpenTelemetryLogs', { body, headers: PROTOBUF, spec: { mapping } })).toMatchObject([
      { dedupKey: 'checkout/stripe', state: 'Resolved', endsAt: '2026-01-31T12:30:00.000000Z' },
    ]);
  });

  it('whose body is bytes says what they say where they are text, in both encodings', async () => {
    const body = (bytes: Buffer) => logs([record({ body: { bytesValue: bytes.toString('base64') } })]);
    for (const [bytes, title] of [
      [Buffer.from('disk sda ist voll: 93 %, größer'), 'disk sda ist voll: 93 %, größer'],
      [Buffer.from([0, 255, 1]), 'AP8B'],
    ] as const) {
      const encoded = { body: otlpProtobuf(body(bytes)), headers: PROTOBUF };
      expect([await specs(body(bytes)), await specsFrom('OpenTelemetryLogs', encoded)]).toMatchObject([
        [{ title }],
        [{ title }],
      ]);
    }
  });

  it('with a time that cannot be read keeps all else, and says so', async () => {
    expect(await specs(logs([record({ timeUnixNano: 'soon' })]))).toMatchObject([
      { notes: ['a time that cannot be read: "soon"'] },
    ]);
    expect(
      await specs(logs([record({ timeUnixNano: '0', observedTimeUnixNano: '1769860800123456789' })])),
    ).toMatchObject([{ startsAt: '2026-01-31T12:00:00.123456Z' }]);
  });
});

describe('a body that is partly wrong', () => {
  it('keeps the good records of it, in both encodings', async () => {
    const json = await read('OpenTelemetryLogs', recorded('OpenTelemetryLogs', 'malformed.json'));
    expect(json.received.map(({ index }) => index)).toEqual([0, 2]);
    expect(json.problems.map((p) => p.field)).toEqual([
      'resourceLogs[0].scopeLogs[0].logRecords[1]',
      'resourceLogs[1]',
    ]);
    const protobuf = await read('OpenTelemetryLogs', recorded('OpenTelemetryLogs', 'malformed.protobuf.bin'));
    expect(protobuf.received.map(({ input }) => input.title)).toEqual(['the good neighbour']);
    expect(protobuf.problems).toMatchObject([{ index: 0, expected: 'a LogRecord of opentelemetry-proto' }]);
  });

  it('is refused as a whole when it is no such thing', async () => {
    const refused = (body: unknown, headers: object) =>
      expect(read('OpenTelemetryLogs', { body, headers: { ...headers } })).rejects.toThrow;
    await refused({ resourceSpans: [] }, JSON_TYPE)('resourceLogs: found nothing');
    await refused('<xml>', PROTOBUF)('no protobuf of OTLP logs');
    await refused('{', JSON_TYPE)('found its end');
    expect(await read('OpenTelemetryLogs', { body: {}, headers: JSON_TYPE })).toMatchObject({ received: [] });
    expect(await read('OpenTelemetryLogs', { body: Buffer.alloc(0), headers: PROTOBUF })).toMatchObject({
      received: [],
    });
  });

  const nested = (depth: number): Buffer => {
    const writer = new BinaryWriter();
    for (let i = 0; i < depth; i += 1)
      writer.tag(5, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).fork();
    for (let i = 0; i < depth; i += 1) writer.join().join();
    return Buffer.from(writer.finish());
  };
  const inRecord = (body: Uint8Array): Buffer => {
    const writer = new BinaryWriter();
    for (const field of [1, 2, 2]) writer.tag(field, WireType.LengthDelimited).fork();
    writer.tag(2, WireType.Varint).int32(17).tag(5, WireType.LengthDelimited).bytes(body);
    return Buffer.from(writer.join().join().join().finish());
  };

  it.each([
    ['a length of two gigabytes', 'no protobuf', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x07])],
    ['a varint without end', 'no protobuf', Buffer.alloc(1_000, 0xff)],
    ['groups in groups', 'no protobuf', Buffer.alloc(100_000, 0x0b)],
    ['groups in a record', '0 received, 1 named', inRecord(Buffer.alloc(100_000, 0x0b))],
    ['a list in a list', '1 received, 0 named', inRecord(nested(20_000))],
    ['millions of empty resources', '0 received, 0 named', Buffer.alloc(2_000_000, Buffer.from([0x0a, 0x00]))],
    ['millions of empty records', 'at most 100000', inScopes(Buffer.alloc(2_000_000, Buffer.from([0x12, 0x00])))],
    [
      'records whose texts claim all that is left',
      'at most 100000',
      inScopes(Buffer.alloc(3_000_000, Buffer.from([0x12, 0x04, 0x2a, 0xff, 0xff, 0x7f]))),
    ],
    ['nothing but ones', 'no protobuf', Buffer.alloc(1_000_000, 0x01)],
  ])(
    'ends soon with %s: %s',
    async (_, said, body) => {
      const outcome = await read('OpenTelemetryLogs', { body, headers: PROTOBUF }).then(
        ({ received, problems }) => `${received.length} received, ${problems.length} named`,
        (error: Error) => error.message,
      );
      expect(outcome).toContain(said);
    },
    20_000,
  );

  function inScopes(records: Buffer): Buffer {
    const writer = new BinaryWriter();
    writer.tag(1, WireType.LengthDelimited).fork().tag(2, WireType.LengthDelimited).bytes(records);
    return Buffer.from(writer.join().finish());
  }

  it('whatever its bytes are, is read or refused', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.nat(), fc.boolean(), async (noise, at, isNoise) => {
        const { body } = recorded('OpenTelemetryLogs', 'firing.protobuf.bin');
        const place = at % body.length;
        const broken = isNoise
          ? Buffer.from(noise)
          : Buffer.concat([body.subarray(0, place), noise.subarray(0, 8), body.subarray(place + 8)]);
        await read('OpenTelemetryLogs', { body: broken, headers: PROTOBUF }).catch((error: Error) =>
          expect(error.name).toMatch(/BodyProblem|TooManyAlerts/),
        );
      }),
      { numRuns: 2_000 },
    ));
});

it('reads the same from both encodings, whatever is in them', async () => {
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: 'grapheme' }).map((stringValue) => ({ stringValue })),
      fc.boolean().map((boolValue) => ({ boolValue })),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => ({ intValue: String(n) })),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((doubleValue) => ({ doubleValue })),
      fc.uint8Array({ maxLength: 8 }).map((bytes) => ({ bytesValue: Buffer.from(bytes).toString('base64') })),
      fc.array(tie('value'), { maxLength: 3 }).map((values) => ({ arrayValue: { values } })),
      fc
        .array(fc.record({ key: fc.string(), value: tie('value') }), { maxLength: 3 })
        .map((values) => ({ kvlistValue: { values } })),
    ),
  }));
  const attribute = fc.record({ key: fc.string({ minLength: 1 }), value });
  const any = fc.record(
    {
      severityNumber: fc.integer({ min: 13, max: 24 }),
      severityText: fc.string(),
      eventName: fc.string(),
      body: value,
      attributes: fc.array(attribute, { maxLength: 4 }),
      timeUnixNano: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
    },
    { requiredKeys: ['severityNumber'] },
  );
  const large = { doubleValue: 2 ** 53 };
  await fc.assert(
    fc.asyncProperty(any, fc.array(attribute, { maxLength: 3 }), async (one, resource) => {
      const sent = logs([one], resource);
      const asJson = await read('OpenTelemetryLogs', { body: sent, headers: JSON_TYPE });
      const asBytes = await read('OpenTelemetryLogs', { body: otlpProtobuf(sent), headers: PROTOBUF });
      expect(asBytes).toEqual(asJson);
      expect(asJson.received).toHaveLength(1);
    }),
    // JSON's whole numbers keep their digits as text from here on; a double has none to keep.
    { numRuns: 500, examples: [[{ severityNumber: 13 }, [{ key: 'a', value: { arrayValue: { values: [large] } } }]]] },
  );
});

describe('the answer', () => {
  const answer = (o: Partial<IntakeAnswer['body']> = {}, status: IntakeAnswer['status'] = 200): IntakeAnswer => ({
    status,
    headers: status === 503 ? { 'retry-after': '5' } : {},
    body: {
      code: 'Stored',
      message: 'said',
      requestId: 'r',
      created: 0,
      updated: 0,
      unchanged: 0,
      notStored: 0,
      problems: [],
      ...o,
    },
  });
  const told = async (body: unknown, headers: Record<string, string>, receipt: IntakeAnswer) => {
    const envelope = anEnvelope('OpenTelemetryLogs', { body, headers });
    const reply = openTelemetryLogs.reply?.(receipt, await read('OpenTelemetryLogs', { body, headers }), envelope);
    return {
      status: reply?.status,
      type: reply?.headers['content-type'],
      bytes: Buffer.from(reply?.body as Uint8Array),
      headers: reply?.headers,
    };
  };

  it('to a body of which all is stored is an empty response, in the encoding of the request', async () => {
    const body = logs([record(), record({ severityNumber: 5 })]);
    const asJson = await told(body, JSON_TYPE, answer({ created: 1 }));
    expect([asJson.status, asJson.type, asJson.bytes.toString()]).toEqual([200, 'application/json', '{}']);
    const asBytes = await told(otlpProtobuf(body), PROTOBUF, answer({ created: 1 }));
    expect([asBytes.status, asBytes.type, asBytes.bytes.length]).toEqual([200, 'application/x-protobuf', 0]);
  });

  it('says a warning as OTLP does: by a message, with nothing rejected', async () => {
    const warning = { index: 0, field: 'labels["pod"]', found: 'nothing', expected: 'a value', done: 'left out' };
    const receipt = answer({ created: 1, warnings: [warning], message: '1 of 1 is stored; 1 with a warning' });
    const asJson = await told(logs([record()]), JSON_TYPE, receipt);
    expect(JSON.parse(asJson.bytes.toString())).toEqual({
      partialSuccess: { rejectedLogRecords: '0', errorMessage: receipt.body.message },
    });
    const { bytes } = await told(otlpProtobuf(logs([record()])), PROTOBUF, receipt);
    const reader = new BinaryReader(bytes);
    expect([...reader.tag(), reader.uint32(), ...reader.tag(), Number(reader.int64())]).toEqual([
      1,
      2,
      bytes.length - 2,
      1,
      0,
      0,
    ]);
  });

  it('counts nothing as rejected that is in the inbox', async () => {
    const kept = await told(
      logs([record()]),
      JSON_TYPE,
      answer({ inbox: 1, message: '1 of 1 is stored, in the inbox' }),
    );
    expect(kept.bytes.toString()).toBe('{}');
  });

  it('counts what was rejected as a partial success, which is not sent again', async () => {
    const body = { resourceLogs: [{ scopeLogs: [{ logRecords: [record(), 'none', 7] }] }] };
    const { status, bytes } = await told(body, JSON_TYPE, answer({ created: 1, message: '2 are not' }, 400));
    expect(status).toBe(200);
    expect(JSON.parse(bytes.toString())).toEqual({
      partialSuccess: { rejectedLogRecords: '2', errorMessage: '2 are not' },
    });
    const binary = await told(
      recorded('OpenTelemetryLogs', 'malformed.protobuf.bin').body,
      PROTOBUF,
      answer({ created: 1, message: 'one is not' }, 400),
    );
    const reader = new BinaryReader(binary.bytes);
    expect([
      ...reader.tag(),
      reader.uint32(),
      ...reader.tag(),
      Number(reader.int64()),
      ...reader.tag(),
      reader.string(),
    ]).toEqual([1, 2, binary.bytes.length - 2, 1, 0, 1, 2, 2, 'one is not']);
  });

  it('to what could not be stored is a Status that is sent again', async () => {
    const { status, bytes, headers } = await told(
      logs([record()]),
      JSON_TYPE,
      answer({ notStored: 1, message: 'the API server is away' }, 503),
    );
    expect([status, headers?.['retry-after'], JSON.parse(bytes.toString())]).toEqual([
      503,
      '5',
      { code: 14, message: 'the API server is away' },
    ]);
  });

  it('to what is refused as a whole is a Status too', () => {
    const refusal = { status: 401, message: 'no' };
    expect(openTelemetryLogs.refuse?.(refusal, JSON_TYPE)).toEqual({
      headers: JSON_TYPE,
      body: Buffer.from('{"code":16,"message":"no"}'),
    });
    const reader = new BinaryReader(
      Buffer.from(openTelemetryLogs.refuse?.({ status: 413, message: 'much' }, PROTOBUF).body as Uint8Array),
    );
    expect([...reader.tag(), reader.int32(), ...reader.tag(), reader.string()]).toEqual([1, 0, 8, 2, 2, 'much']);
  });
});
