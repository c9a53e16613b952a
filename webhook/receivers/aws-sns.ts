/**
 * Reads what Amazon SNS delivers over HTTP: alarms of CloudWatch, sent by it or by way of EventBridge, and anything else that is
 * published to a topic. Nothing is taken that SNS has not signed, or of a topic that the source does not name.
 */
import type { AlertSource } from '@funnelai/crds/generated/types';
import type { AlertInput } from '@funnelai/domain/alert-input';
import { parseWithDigits } from '@funnelai/domain/json-digits';
import { messageOf } from '@funnelai/kube/errors';
import { parseJson } from '../intake/json.ts';
import { RETRY_AFTER_MS } from '../limits.ts';
import { HttpProblem, retryAfter } from '../server/problems.ts';
import type { SnsDoor } from './aws-door.ts';
import { isSignedBy, readEnvelope, type SnsMessage, snsAddress } from './aws-sns-message.ts';
import { mapOf, readingOf, recordAt, recordsAt, textAt, textsIn } from './cloud-values.ts';
import { lenientTime } from './lenient.ts';
import { BodyProblem, describe } from './problem.ts';
import { type Envelope, type Reading, type Receiver, takesJson } from './receiver.ts';
import { isRecord, own } from './values.ts';

export function awsSns(door: SnsDoor): Receiver {
  return {
    format: 'AwsSns',
    paths: [''],
    // SNS calls its JSON plain text, unless the subscription's delivery policy says otherwise.
    takes: (mediaType) => mediaType === 'text/plain' || takesJson(mediaType),
    expects: 'text/plain or application/json',
    tokenParameter: 'token',
    // SNS tries again after 429 as after any 5xx.
    holdsAt429: true,
    admit: (envelope) => admit(door, envelope),
    read: ({ body, source }) => {
      const json = parseJson(body);
      // Of what is only looked at nobody asks who signed it; what it would be refused for all the same is said.
      const wrong = source.spec.sns === undefined ? undefined : strangeTopic(readEnvelope(json), source);
      if (wrong !== undefined) throw new BodyProblem('TopicArn', wrong.found, wrong.expected);
      return readSns(json);
    },
  };
}

/** Topic and signature before anything else: the address to confirm at is of no worth without them. */
async function admit(door: SnsDoor, { body, source, now }: Envelope): Promise<void> {
  const message = readEnvelope(parseJson(body));
  const wrong = strangeTopic(message, source);
  if (wrong !== undefined)
    throw new HttpProblem('Forbidden', `TopicArn: found ${wrong.found}, expected ${wrong.expected}.`);
  if (snsAddress(message.signingCertUrl)?.pathname.endsWith('.pem') !== true)
    throw new HttpProblem('Forbidden', 'SigningCertURL: expected https://sns.<region>.amazonaws.com/….pem.');
  const pem = await certainly(
    door.certificate(message.signingCertUrl),
    'The certificate of Amazon SNS cannot be had now',
  );
  if (!isGood(message, pem, now))
    throw new HttpProblem('Forbidden', 'Signature: expected that of Amazon SNS for this message, of version 1 or 2.');
  if (message.type !== 'SubscriptionConfirmation') return;
  const confirmation = snsAddress(message.subscribeUrl);
  if (confirmation === undefined)
    throw new HttpProblem('Forbidden', 'SubscribeURL: expected an address at https://sns.<region>.amazonaws.com.');
  await certainly(door.confirm(confirmation.href), 'The subscription cannot be confirmed now');
}

function strangeTopic(
  { topicArn }: SnsMessage,
  { spec }: AlertSource,
): { found: string; expected: string } | undefined {
  if (spec.sns?.topicArns.includes(topicArn)) return undefined;
  return { found: describe(topicArn), expected: 'one that spec.sns.topicArns of this AlertSource names' };
}

function isGood(message: SnsMessage, pem: string, now: Envelope['now']): boolean {
  try {
    return isSignedBy(message, pem, now);
  } catch {
    return false;
  }
}

/** SNS tries again what was answered 5xx. */
async function certainly<T>(work: Promise<T>, trouble: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new HttpProblem('Unavailable', `${trouble}: ${messageOf(error)}.`, { headers: retryAfter(RETRY_AFTER_MS) });
  }
}

/** Throws BodyProblem for what SNS does not send. */
export function readSns(body: unknown): Reading {
  const message = readEnvelope(body);
  if (message.type === 'SubscriptionConfirmation')
    return readingOf({ ignored: `the subscription to ${message.topicArn} is confirmed; it brings no alert` });
  if (message.type === 'UnsubscribeConfirmation')
    return readingOf({ ignored: `the subscription to ${message.topicArn} has ended; nothing more will come of it` });
  const published = objectIn(message.message);
  if (published !== undefined && textAt(published, 'AlarmName') !== undefined) return readAlarm(published, message);
  if (published !== undefined && textAt(published, 'detail-type') === 'CloudWatch Alarm State Change')
    return readEvent(published, message);
  return readingOf({ input: otherInput(message, published) });
}

/** JSON within the JSON; undefined where it is plain text. */
function objectIn(text: string): Record<string, unknown> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = parseWithDigits(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What an alarm says, however it came. */
interface Alarm {
  name: string;
  arn: string | undefined;
  state: string | undefined;
  stateField: string;
  at: string | undefined;
  reason: string | undefined;
  description: string | undefined;
  account: string | undefined;
  region: string | undefined;
  labels: readonly (readonly [string, string | undefined])[];
  annotations: readonly (readonly [string, string | undefined])[];
}

function readAlarm(alarm: Record<string, unknown>, message: SnsMessage): Reading {
  const trigger = recordAt(alarm, 'Trigger');
  const arn = textAt(alarm, 'AlarmArn');
  return readingOfAlarm(message, {
    name: textAt(alarm, 'AlarmName') ?? '',
    arn,
    state: textAt(alarm, 'NewStateValue'),
    stateField: 'Message.NewStateValue',
    at: textAt(alarm, 'StateChangeTime'),
    reason: textAt(alarm, 'NewStateReason'),
    description: textAt(alarm, 'AlarmDescription'),
    account: textAt(alarm, 'AWSAccountId'),
    // "EU (Ireland)" is a name for people; the ARN has the other.
    region: arn?.split(':')[3] || textAt(alarm, 'Region'),
    labels: [
      // What is reckoned from several metrics is called after the first.
      ...[trigger, ...recordsAt(trigger, 'Metrics').map((one) => recordAt(one, 'MetricStat', 'Metric'))].flatMap(
        (metric) => [
          ['namespace', textAt(metric, 'Namespace')] as const,
          ['metric', textAt(metric, 'MetricName')] as const,
          ...recordsAt(metric, 'Dimensions').map(
            (one) =>
              [textAt(one, 'name') ?? textAt(one, 'Name') ?? '', textAt(one, 'value') ?? textAt(one, 'Value')] as const,
          ),
        ],
      ),
    ],
    annotations: [
      ['threshold', textAt(trigger, 'Threshold')],
      ['comparison', textAt(trigger, 'ComparisonOperator')],
      ['alarm_rule', textAt(alarm, 'AlarmRule')],
      ['old_state', textAt(alarm, 'OldStateValue')],
    ],
  });
}

function readEvent(event: Record<string, unknown>, message: SnsMessage): Reading {
  const detail = recordAt(event, 'detail');
  const name = textAt(detail, 'alarmName');
  if (name === undefined)
    return readingOf({
      faults: [{ field: 'Message.detail.alarmName', found: describe(own(detail, 'alarmName')), expected: 'a name' }],
    });
  const resources = own(event, 'resources');
  const arn = Array.isArray(resources) ? resources.find((one) => typeof one === 'string') : undefined;
  return readingOfAlarm(message, {
    name,
    arn,
    state: textAt(detail, 'state', 'value'),
    stateField: 'Message.detail.state.value',
    at: textAt(detail, 'state', 'timestamp'),
    reason: textAt(detail, 'state', 'reason'),
    description: textAt(detail, 'configuration', 'description'),
    account: textAt(event, 'account'),
    region: textAt(event, 'region'),
    labels: recordsAt(recordAt(detail, 'configuration'), 'metrics').flatMap((one) => {
      const metric = recordAt(one, 'metricStat', 'metric');
      return [
        ['namespace', textAt(metric, 'namespace')] as const,
        ['metric', textAt(metric, 'name')] as const,
        ...textsIn(recordAt(metric, 'dimensions')),
      ];
    }),
    annotations: [['old_state', textAt(detail, 'previousState', 'value')]],
  });
}

function readingOfAlarm(message: SnsMessage, alarm: Alarm): Reading {
  if (alarm.state === 'INSUFFICIENT_DATA')
    return readingOf({
      ignored: `alarm ${alarm.name} has not enough data: what is not known neither fires nor resolves`,
    });
  if (alarm.state !== 'ALARM' && alarm.state !== 'OK')
    return readingOf({
      faults: [{ field: alarm.stateField, found: describe(alarm.state), expected: 'ALARM, OK or INSUFFICIENT_DATA' }],
    });
  const notes: string[] = [];
  const at = lenientTime({ StateChangeTime: alarm.at }, 'StateChangeTime', notes) ?? publishedAt(message, notes);
  const isOver = alarm.state === 'OK';
  const { arn, account, region, name } = alarm;
  const input: AlertInput = {
    state: isOver ? 'Resolved' : 'Firing',
    dedupKey: arn ?? ['alarm', account, region, name].join('/'),
    title: name,
    description: alarm.description,
    labels: mapOf(
      ['alertname', name],
      ['account', account],
      ['region', region],
      ['topic', topicOf(message)],
      ...alarm.labels,
    ),
    annotations: mapOf(
      ['summary', message.subject?.trim()],
      ['reason', alarm.reason],
      ['alarm_arn', arn],
      ...alarm.annotations,
    ),
    ...(isOver ? { endsAt: at } : { startsAt: at }),
    links: linkTo(region, name, arn),
    notes,
  };
  return readingOf({ input });
}

/** Whoever else publishes: each message is a fault of its own, for nothing in it says which is the same one. */
function otherInput(message: SnsMessage, published: Record<string, unknown> | undefined): AlertInput {
  const topic = topicOf(message);
  const notes = ['its publisher never says that this is over: a person resolves it, or expireAfter'];
  const [firstLine = ''] = message.message.trim().split('\n', 1);
  const subject = message.subject?.trim();
  return {
    state: 'Firing',
    dedupKey: message.id,
    title:
      subject || (published === undefined ? firstLine : (textAt(published, 'detail-type') ?? `Message of ${topic}`)),
    description: message.message,
    labels: mapOf(
      ['alertname', (published && textAt(published, 'detail-type')) ?? topic],
      ['topic', topic],
      ['account', message.topicArn.split(':')[4] || undefined],
      ['region', message.topicArn.split(':')[3] || undefined],
      ['source', published && textAt(published, 'source')],
    ),
    annotations: mapOf(['topic_arn', message.topicArn], ['message_id', message.id]),
    startsAt: publishedAt(message, notes),
    links: [],
    notes,
  };
}

const publishedAt = ({ timestamp }: SnsMessage, notes: string[]) =>
  lenientTime({ Timestamp: timestamp }, 'Timestamp', notes);

const topicOf = ({ topicArn }: SnsMessage): string => topicArn.split(':').at(-1) || topicArn;

function linkTo(region: string | undefined, name: string, arn: string | undefined): AlertInput['links'] {
  // Only the public partition has its console there.
  if (region === undefined || !/^[a-z0-9-]+$/.test(region) || arn?.startsWith('arn:aws:') !== true) return [];
  const url = `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#alarmsV2:alarm/${encodeURIComponent(name)}`;
  return [{ url, title: 'Alarm in CloudWatch', kind: 'Source' }];
}
