/**
 * What vouches for a request: which proof the source asks for, and where in the request it stands. Comparing it with the Secret is
 * left to source-auth. Throws 401 with the words that help the sender's owner, and never repeats what was shown. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { AlertSource } from '@funnelai/crds/generated/types';
import { type SecretWay, wayInto } from '@funnelai/domain/source-credentials';
import type { Temporal } from 'temporal-polyfill';
import type { Envelope, Receiver } from '../receivers/receiver.ts';
import { HttpProblem } from '../server/problems.ts';
import { expectedOf, readSignature, type Signed } from './signature.ts';
import { basicPair, bearerToken } from './tokens.ts';

/** What a sender shows: a text that the Secret holds, too, or a signature. */
export type Proof = { text: string } | { signed: Signed; body: Uint8Array };

export type Vouching =
  /** The source takes alerts from anyone. */
  | { when: 'Never' }
  | { when: 'BeforeBody'; way: SecretWay; proof: Proof }
  /** Who sends it is known only once the body was read. */
  | { when: 'AfterBody'; way: SecretWay; proof(envelope: Envelope): Proof };

/** A request before its body. */
export interface Arrival {
  headers: IncomingHttpHeaders;
  query: URLSearchParams;
  now: Temporal.Instant;
}

/** Throws HttpProblem where nothing is shown that could be a proof. */
export function vouchingFor(source: AlertSource, receiver: Receiver, { headers, query, now }: Arrival): Vouching {
  const way = wayInto(source.spec);
  switch (way.kind) {
    case 'None':
      return { when: 'Never' };
    case 'Accepted':
      throw new HttpProblem(
        'NotFound',
        // Which one it is, is no business of who only guessed a name.
        `Nobody can post to AlertSource ${source.metadata.name}: it takes what another source routes to it (spec.acceptFrom). Post to that one, or give this one auth instead.`,
      );
    case 'Basic': {
      const text = basicPair(headers.authorization);
      if (text === undefined) throw unproven(way);
      return { when: 'BeforeBody', way, proof: { text } };
    }
    case 'Hmac': {
      const signed = readSignature(way.hmac, headers, now);
      if (typeof signed === 'string') throw unproven(way, signed);
      return { when: 'AfterBody', way, proof: ({ body, signed: over = body }) => ({ signed, body: over }) };
    }
    case 'Bearer': {
      const inAddress = receiver.tokenParameter === undefined ? undefined : query.get(receiver.tokenParameter);
      const text = bearerToken(headers.authorization) ?? (headers.authorization === undefined ? inAddress : undefined);
      if (text) return { when: 'BeforeBody', way, proof: { text } };
      if (headers.authorization !== undefined || receiver.senderToken === undefined) throw unproven(way, '', receiver);
      return {
        when: 'AfterBody',
        way,
        proof(envelope) {
          const token = receiver.senderToken?.(envelope);
          if (token === undefined) throw unproven(way, '', receiver);
          return { text: token };
        },
      };
    }
  }
}

/** The answer to who shows nothing, or nothing of the kind. */
function unproven(way: SecretWay, why = '', receiver?: Receiver): HttpProblem {
  if (way.kind === 'Hmac') return new HttpProblem('Unauthenticated', `${why}.`);
  const { tokenParameter, senderTokenField } = receiver ?? {};
  const elsewhere =
    (tokenParameter === undefined ? '' : `, or the parameter ${tokenParameter} in the address`) +
    (senderTokenField === undefined ? '' : `, or that token as ${senderTokenField} in the body`);
  const expected =
    way.kind === 'Basic'
      ? 'Expected the header Authorization: Basic <base64 of user:password>.'
      : `Expected the header Authorization: Bearer <token of the AlertSource>${elsewhere}.`;
  return new HttpProblem('Unauthenticated', expected, { headers: challenge(way) });
}

/** The answer to a proof that is not the source's. */
export function refuted(way: SecretWay): HttpProblem {
  if (way.kind === 'Hmac')
    return new HttpProblem(
      'Unauthenticated',
      `${way.hmac.header}: found a signature that is not one of this AlertSource, expected ${expectedOf(way.hmac)}.`,
    );
  const message =
    way.kind === 'Basic'
      ? 'The user name and password are not those of this AlertSource.'
      : 'The token is not the one of this AlertSource.';
  return new HttpProblem('Unauthenticated', message, { headers: challenge(way, 'invalid_token') });
}

/** RFC 9110, 11.6.1; SNS sends its password only after it was asked for it. */
function challenge(way: SecretWay, error?: string): Record<string, string> {
  const realm = 'realm="funnelAI alerts"';
  return {
    'www-authenticate':
      way.kind === 'Basic'
        ? `Basic ${realm}, charset="UTF-8"`
        : `Bearer ${realm}${error === undefined ? '' : `, error="${error}"`}`,
  };
}
