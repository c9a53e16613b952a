/**
 * The envelope that Amazon SNS puts around what others publish, and its signature (versions 1 and 2). Fetching the certificate, and
 * what the message says, are left to others. Pure.
 * Source: "Verifying the signatures of Amazon SNS messages" and "Parsing Amazon SNS message formats" of its developer guide.
 */
import { createVerify, X509Certificate } from 'node:crypto';
import type { Temporal } from 'temporal-polyfill';
import { textAt } from './cloud-values.ts';
import { BodyProblem, describe } from './problem.ts';
import { isRecord, own } from './values.ts';

export type SnsType = 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';

export interface SnsMessage {
  type: SnsType;
  id: string;
  topicArn: string;
  message: string;
  subject: string | undefined;
  timestamp: string;
  subscribeUrl: string | undefined;
  token: string | undefined;
  signatureVersion: string;
  signature: string;
  signingCertUrl: string;
}

const TYPES: readonly string[] = ['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation'];
/** Hash of each version of the signature. */
const HASHES = new Map([
  ['1', 'RSA-SHA1'],
  ['2', 'RSA-SHA256'],
]);

/** Throws BodyProblem for what is no such envelope. */
export function readEnvelope(body: unknown): SnsMessage {
  if (!isRecord(body)) throw new BodyProblem('', describe(body), 'the JSON object that Amazon SNS posts');
  const type = own(body, 'Type');
  if (typeof type !== 'string' || !TYPES.includes(type))
    throw new BodyProblem(
      'Type',
      describe(type),
      `one of ${TYPES.join(', ')}; where raw message delivery is on, turn it off for this subscription`,
    );
  const whole = (field: string): string => {
    const value = own(body, field);
    if (typeof value !== 'string' || value === '') throw new BodyProblem(field, describe(value), 'a text');
    return value;
  };
  const subject = own(body, 'Subject');
  return {
    type: type as SnsType,
    id: whole('MessageId'),
    topicArn: whole('TopicArn'),
    message: whole('Message'),
    // Signed as it stands, white space and all.
    subject: typeof subject === 'string' ? subject : undefined,
    timestamp: whole('Timestamp'),
    subscribeUrl: textAt(body, 'SubscribeURL'),
    token: textAt(body, 'Token'),
    signatureVersion: whole('SignatureVersion'),
    signature: whole('Signature'),
    signingCertUrl: whole('SigningCertURL'),
  };
}

/** Only SNS itself answers there: `sns.<region>.amazonaws.com`, in China with `.cn` behind. */
const SNS_HOST = /^sns\.[a-z0-9]+(?:-[a-z0-9]+){2,4}\.amazonaws\.com(?:\.cn)?$/;

/** Returns the address when it is one of SNS itself, over https, on the usual port; else undefined. */
export function snsAddress(text: string | undefined): URL | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlain = url.protocol === 'https:' && url.port === '' && url.username === '' && url.password === '';
  return isPlain && SNS_HOST.test(url.hostname) ? url : undefined;
}

/** What SNS signed: names and values in the order of their names, each with a line of its own. */
export function signedText(m: SnsMessage): string {
  const fields: [string, string | undefined][] =
    m.type === 'Notification'
      ? [
          ['Message', m.message],
          ['MessageId', m.id],
          ['Subject', m.subject],
          ['Timestamp', m.timestamp],
          ['TopicArn', m.topicArn],
          ['Type', m.type],
        ]
      : [
          ['Message', m.message],
          ['MessageId', m.id],
          ['SubscribeURL', m.subscribeUrl],
          ['Timestamp', m.timestamp],
          ['Token', m.token],
          ['TopicArn', m.topicArn],
          ['Type', m.type],
        ];
  return fields.map(([name, value]) => (value === undefined ? '' : `${name}\n${value}\n`)).join('');
}

/** Did the holder of this certificate sign the message? Throws for a certificate that is none. */
export function isSignedBy(m: SnsMessage, pem: string, now: Temporal.Instant): boolean {
  const hash = HASHES.get(m.signatureVersion);
  if (hash === undefined) return false;
  const certificate = new X509Certificate(pem);
  const at = now.epochMilliseconds;
  if (at < Date.parse(certificate.validFrom) || at > Date.parse(certificate.validTo)) return false;
  return createVerify(hash)
    .update(signedText(m), 'utf8')
    .verify(certificate.publicKey, Buffer.from(m.signature, 'base64'));
}
