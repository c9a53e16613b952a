import type { AlertSource } from '@funnelai/crds/generated/types';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { alertmanager } from '../receivers/alertmanager.ts';
import type { Envelope, Receiver } from '../receivers/receiver.ts';
import { HttpProblem } from '../server/problems.ts';
import { anAlertSource } from '../testing/builders.ts';
import { vouchingFor } from './vouch.ts';

const NOW = Temporal.Instant.from('2026-01-01T12:00:00Z');
const secretRef = { name: 's', key: 'k' };
const sourceWith = (auth: NonNullable<AlertSource['spec']['auth']>) => anAlertSource({ spec: { auth } });
const bearer = sourceWith({ bearer: { secretRef } });
const basic = sourceWith({ basic: { secretRef } });
const byAddress: Receiver = { ...alertmanager, tokenParameter: 'token' };
const byBody: Receiver = { ...alertmanager, senderToken: ({ body }) => body.toString() || undefined };

function vouch(source: AlertSource, o: { receiver?: Receiver; authorization?: string; query?: string } = {}) {
  const headers = o.authorization === undefined ? {} : { authorization: o.authorization };
  const arrival = { headers, query: new URLSearchParams(o.query), now: NOW };
  return vouchingFor(source, o.receiver ?? alertmanager, arrival);
}
const problemOf = (work: () => unknown): HttpProblem => {
  try {
    work();
  } catch (error) {
    if (error instanceof HttpProblem) return error;
  }
  return expect.fail('it was let in');
};
const challengeOf = (problem: HttpProblem) => problem.details.headers?.['www-authenticate'];

describe('what vouches for a request', () => {
  it('is a token in the header, or where a sender can set none, in the address', () => {
    expect(vouch(bearer, { authorization: 'Bearer t' })).toMatchObject({ when: 'BeforeBody', proof: { text: 't' } });
    expect(vouch(bearer, { receiver: byAddress, query: 'token=t' })).toMatchObject({ proof: { text: 't' } });
    const both = vouch(bearer, { receiver: byAddress, query: 'token=q', authorization: 'Bearer h' });
    expect(both).toMatchObject({ proof: { text: 'h' } });
    expect(problemOf(() => vouch(bearer, { query: 'token=t' })).status).toBe(401);
  });

  it('is a token in the body, which then is read before anyone has vouched for it', () => {
    const vouching = vouch(bearer, { receiver: byBody });
    if (vouching.when !== 'AfterBody') return expect.fail(vouching.when);
    expect(vouching.proof({ body: Buffer.from('t') } as Envelope)).toEqual({ text: 't' });
    expect(problemOf(() => vouching.proof({ body: Buffer.from('') } as Envelope)).status).toBe(401);
    expect(vouch(bearer, { receiver: byBody, authorization: 'Bearer t' })).toMatchObject({ when: 'BeforeBody' });
    const named: Receiver = { ...byBody, senderTokenField: 'routing_key' };
    const missing = vouch(bearer, { receiver: named });
    if (missing.when !== 'AfterBody') return expect.fail(missing.when);
    expect(problemOf(() => missing.proof({ body: Buffer.from('') } as Envelope)).message).toContain('routing_key');
  });

  it('is a user name and password, for which the sender is asked', () => {
    const authorization = `Basic ${Buffer.from('ana:a').toString('base64')}`;
    expect(vouch(basic, { authorization })).toMatchObject({ when: 'BeforeBody', proof: { text: 'ana:a' } });
    expect(challengeOf(problemOf(() => vouch(basic)))).toBe('Basic realm="funnelAI alerts", charset="UTF-8"');
    expect(challengeOf(problemOf(() => vouch(basic, { authorization: 'Bearer t' })))).toContain('Basic');
    expect(challengeOf(problemOf(() => vouch(bearer, { authorization })))).toContain('Bearer');
  });

  it('is nothing where the source says so, and nobody gets in where another source routes', () => {
    expect(vouch(sourceWith({ none: {} }))).toEqual({ when: 'Never' });
    const accepting = anAlertSource({ spec: { acceptFrom: { namespace: 'infra', name: 'am' } } });
    const problem = problemOf(() => vouch(accepting, { authorization: 'Bearer t' }));
    expect([problem.status, problem.message]).toEqual([404, expect.stringContaining('spec.acceptFrom')]);
    expect(problem.message).not.toContain('infra');
  });

  it('is not looked for in a body whose signature is missing', () => {
    const signed = sourceWith({ hmac: { secretRef, header: 'X-Signature' } });
    expect(problemOf(() => vouch(signed, { receiver: byBody, authorization: 'Bearer t' })).message).toContain(
      'X-Signature',
    );
  });
});
