import { readFileSync } from 'node:fs';
import type { AlertSourceSpec } from '@funnelai/crds/generated/types';
import { toAlertSpec } from '@funnelai/domain/alert-input';
import { systemClock } from '@funnelai/kube/clock';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HttpProblem } from '../server/problems.ts';
import { anAlertSource } from '../testing/builders.ts';
import { anEnvelope } from '../testing/envelope.ts';
import { type FakeSns, startSns } from '../testing/sns.ts';
import { createSnsDoor } from './aws-door.ts';
import { awsSns, readSns } from './aws-sns.ts';
import { snsAddress } from './aws-sns-message.ts';
import { BodyProblem } from './problem.ts';
import type { Receiver } from './receiver.ts';

const NOW = Temporal.Instant.from('2026-03-01T14:00:10Z');
const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:alarms';
const recorded = (name: string) =>
  JSON.parse(readFileSync(new URL(`./recorded/AwsSns/${name}.json`, import.meta.url), 'utf8'));
const specOf = (body: unknown) => {
  const input = readSns(body).received[0]?.input;
  return input === undefined ? expect.fail('nothing was read') : toAlertSpec(input, anAlertSource(), NOW).spec;
};

describe('an alarm of CloudWatch', () => {
  it('fires with its dimensions as labels, from the JSON inside of the JSON', () => {
    expect(specOf(recorded('firing'))).toMatchObject({
      state: 'Firing',
      title: 'checkout-5xx',
      description: 'Checkout answers 5xx',
      dedupKey: 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout-5xx',
      startsAt: '2026-03-01T14:00:04.872000Z',
      labels: {
        alertname: 'checkout-5xx',
        account: '123456789012',
        region: 'eu-west-1',
        topic: 'alarms',
        namespace: 'AWS/ApplicationELB',
        LoadBalancer: 'app/checkout/50dc6c495c0c9188',
      },
      annotations: { threshold: '10', summary: 'ALARM: "checkout-5xx" in EU (Ireland)' },
    });
  });

  it('is the same one when it is repeated and when it is OK, also by way of EventBridge', () => {
    for (const [first, ...later] of [
      ['firing', 'repeat', 'resolved'],
      ['firing.eventbridge', 'resolved.eventbridge'],
    ] as const) {
      const specs = [first, ...later].map((name) => specOf(recorded(name)));
      expect(new Set(specs.map(({ fingerprint }) => fingerprint)).size).toBe(1);
      expect(specs.map(({ state }) => state)).toEqual([...later.map(() => 'Firing'), 'Resolved']);
    }
  });

  it('has its metric and dimensions as labels, also by way of EventBridge and where it is reckoned from several', () => {
    const metric = { namespace: 'AWS/SQS', name: 'Age', dimensions: { QueueName: 'orders', Odd: { a: 1 } } };
    const event = recorded('firing.eventbridge');
    const published = JSON.parse(event.Message);
    published.detail.configuration = {
      metrics: [
        { id: 'e', expression: 'm*2' },
        { id: 'm', metricStat: { metric } },
      ],
    };
    expect(specOf({ ...event, Message: JSON.stringify(published) }).labels).toMatchObject({
      namespace: 'AWS/SQS',
      metric: 'Age',
      QueueName: 'orders',
    });
    const alarm = recorded('firing');
    const said = JSON.parse(alarm.Message);
    const Metric = { Namespace: 'AWS/SQS', MetricName: 'Age', Dimensions: [{ name: 'QueueName', value: 'orders' }] };
    said.Trigger = {
      Threshold: 5,
      Metrics: [
        { Id: 'e', Expression: 'm*2' },
        { Id: 'm', MetricStat: { Metric } },
      ],
    };
    expect(specOf({ ...alarm, Message: JSON.stringify(said) }).labels).toMatchObject({
      namespace: 'AWS/SQS',
      metric: 'Age',
      QueueName: 'orders',
    });
  });

  it('without enough data is no news: what is not known neither fires nor resolves', () => {
    expect(readSns(recorded('insufficient-data'))).toMatchObject({ received: [], problems: [] });
    expect(readSns(recorded('insufficient-data')).ignored[0]).toContain('not enough data');
  });

  it('in a state that nobody knows is refused', () => {
    expect(readSns(recorded('malformed')).problems).toMatchObject([
      { field: 'Message.NewStateValue', found: '"BROKEN"' },
    ]);
  });
});

describe('what others publish', () => {
  it('is an alert for each message, titled by its subject, that only a person can resolve', () => {
    const spec = specOf(recorded('firing.plain-text'));
    expect(spec).toMatchObject({ title: 'Backup failed', labels: { alertname: 'alarms', topic: 'alarms' } });
    expect(spec.description).toContain('exit code 3');
    expect(spec.notes?.[0]).toContain('never says that this is over');
    const [one, two] = ['equal-titles', 'equal-titles.2'].map((name) => specOf(recorded(name)));
    expect(one?.fingerprint).not.toBe(two?.fingerprint);
  });

  it('is read or refused, whatever it is', () => {
    const envelope = recorded('firing');
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, text) => {
        for (const body of [
          value,
          { ...envelope, Message: JSON.stringify(value) },
          { ...envelope, Message: `{${text}` },
        ]) {
          try {
            for (const { input } of readSns(body).received) toAlertSpec(input, anAlertSource(), NOW);
          } catch (error) {
            expect(error).toBeInstanceOf(BodyProblem);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is refused for its topic also where nobody asks for its signature, as in a dry run', () => {
    const read = (spec: Partial<AlertSourceSpec>) =>
      awsSns(createSnsDoor({ clock: systemClock })).read(anEnvelope('AwsSns', { body: recorded('firing'), spec }));
    expect(read({ sns: { topicArns: [TOPIC] } })).toMatchObject({ received: [{ index: 0 }] });
    expect(() => read({ sns: { topicArns: [`${TOPIC}-of-others`] } })).toThrow('TopicArn: found');
  });

  it('as a raw message says what to turn off', () => {
    expect(() => readSns({ AlarmName: 'x', NewStateValue: 'ALARM' })).toThrow('raw message delivery');
  });
});

describe('an address', () => {
  it.each([
    ['https://sns.eu-west-1.amazonaws.com/x.pem', true],
    ['https://sns.cn-north-1.amazonaws.com.cn/x.pem', true],
    ['https://sns.us-gov-west-1.amazonaws.com/x.pem', true],
    ['http://sns.eu-west-1.amazonaws.com/x.pem', false],
    ['https://sns.eu-west-1.amazonaws.com.evil.example/x.pem', false],
    ['https://sns.eu-west-1.amazonaws.com:8443/x.pem', false],
    ['https://sns.eu-west-1.amazonaws.com@evil.example/x.pem', false],
    ['https://evil.sns.eu-west-1.amazonaws.com/x.pem', false],
    ['https://s3.eu-west-1.amazonaws.com/sns.pem', false],
    ['https://sns.amazonaws.com/x.pem', false],
    ['file:///etc/passwd', false],
    ['no address', false],
  ])('%s is of SNS: %s', (text, isSns) => {
    expect(snsAddress(text) !== undefined).toBe(isSns);
  });
});

describe('what is let in', () => {
  let sns: FakeSns;
  let receiver: Receiver;
  beforeAll(async () => {
    sns = await startSns();
  });
  beforeEach(() => {
    sns.asked.length = 0;
    sns.answer(200);
    receiver = awsSns(createSnsDoor({ clock: systemClock, connection: sns.connection }));
  });
  afterAll(async () => sns?.stop());

  const source = anAlertSource({ spec: { format: 'AwsSns', sns: { topicArns: [TOPIC] } } });
  /** Undefined when it was let in. */
  async function refusal(envelope: object, now = NOW): Promise<[number, string] | undefined> {
    try {
      const body = Buffer.from(JSON.stringify(envelope));
      await receiver.admit?.({ body, headers: {}, mediaType: '', path: '', query: new URLSearchParams(), source, now });
      return undefined;
    } catch (error) {
      return error instanceof HttpProblem ? [error.status, error.message] : expect.fail(String(error));
    }
  }

  it('is what SNS has signed, in either version, with or without a subject; its certificate is fetched once', async () => {
    expect(await refusal(sns.sign(recorded('firing'), '1'))).toBeUndefined();
    expect(await refusal(sns.sign(recorded('firing'), '2'))).toBeUndefined();
    expect(await refusal(sns.sign(recorded('firing.eventbridge'), '2'))).toBeUndefined();
    expect(sns.asked).toEqual(['/cert-1.pem']);
  });

  it('is nothing that was changed on its way, or signed by another, or in a version that nobody knows', async () => {
    const signed = sns.sign(recorded('firing'));
    for (const change of [
      { Message: '{}' },
      { Subject: 'other' },
      { Timestamp: '2026-03-01T15:00:00Z' },
      { Signature: 'AAAA' },
      { SignatureVersion: '1' },
      { SignatureVersion: '3' },
    ])
      expect(await refusal({ ...signed, ...change }), JSON.stringify(change)).toEqual([
        403,
        expect.stringContaining('Signature'),
      ]);
    const other = await startSns();
    expect((await refusal(other.sign(recorded('firing'))))?.[0]).toBe(403);
    await other.stop();
  });

  it('is no topic that the source does not name, though SNS signs for it; nothing is asked for it', async () => {
    const answer = await refusal(sns.sign({ ...recorded('firing'), TopicArn: `${TOPIC}-of-another` }));
    expect(answer).toEqual([403, expect.stringContaining('spec.sns.topicArns')]);
    expect(sns.asked).toEqual([]);
  });

  it('is no certificate from elsewhere', async () => {
    const signed = sns.sign(recorded('firing'));
    for (const SigningCertURL of ['https://evil.example/cert-1.pem', 'https://sns.eu-west-1.amazonaws.com/cert-1.txt'])
      expect((await refusal({ ...signed, SigningCertURL }))?.[0]).toBe(403);
    expect(sns.asked).toEqual([]);
  });

  it('comes again while the certificate cannot be had', async () => {
    sns.answer(500);
    expect(await refusal(sns.sign(recorded('firing')))).toEqual([503, expect.stringContaining('answered 500')]);
    sns.answer(200);
    expect(await refusal(sns.sign(recorded('firing')))).toBeUndefined();
  });

  it('confirms a subscription to a topic of the source, at the address of SNS alone', async () => {
    expect(await refusal(sns.sign(recorded('subscription')))).toBeUndefined();
    expect(sns.asked.at(-1)).toContain('Action=ConfirmSubscription');
    expect(readSns(recorded('subscription'))).toMatchObject({ received: [], problems: [] });
    const elsewhere = sns.sign({
      ...recorded('subscription'),
      SubscribeURL: 'https://evil.example/?Action=ConfirmSubscription',
    });
    sns.asked.length = 0;
    expect((await refusal(elsewhere))?.[0]).toBe(403);
    expect(sns.asked).toEqual([]);
  });

  it('does not confirm what ends a subscription', async () => {
    expect(await refusal(sns.sign(recorded('unsubscription')))).toBeUndefined();
    expect(sns.asked).toEqual(['/cert-1.pem']);
  });
});
