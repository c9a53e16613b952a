import { describe, expect, it } from 'vitest';
import { defaultPriority, SEVERITIES, severityFrom, worst } from './severity.ts';

describe('severityFrom', () => {
  it.each([
    ['critical', 'Critical'],
    ['PAGE', 'Critical'],
    ['P1', 'Critical'],
    ['emergency', 'Critical'],
    ['fatal', 'Critical'],
    ['P5', 'Info'],
    ['error', 'High'],
    ['High', 'High'],
    ['p2', 'High'],
    ['warning', 'Medium'],
    ['medium', 'Medium'],
    ['p3', 'Medium'],
    ['low', 'Low'],
    ['ticket', 'Low'],
    ['p4', 'Low'],
    ['info', 'Info'],
    ['none', 'Info'],
    ['debug', 'Info'],
    ['emerg', 'Critical'],
    ['Alert', 'Critical'],
    ['crit', 'Critical'],
    ['err', 'High'],
    ['Notice', 'Info'],
    ['informational', 'Info'],
    ['information', 'Info'],
    ['warn?', 'Medium'],
    ['', 'Medium'],
    [undefined, 'Medium'],
    [' critical ', 'Critical'],
    ['__proto__', 'Medium'],
    ['constructor', 'Medium'],
  ])('%j is %s', (word, severity) => expect(severityFrom(word)).toBe(severity));

  it("asks the source's map first, as written before whatever the case, and its default last", () => {
    const config = { map: { warning: 'Low', SEV1: 'Critical', sev1: 'High' }, default: 'Info' } as const;
    expect(
      ['warning', 'Sev1', 'sev1', 'SEV1', 'critical', 'what', undefined].map((w) => severityFrom(w, config)),
    ).toEqual(['Low', 'Critical', 'High', 'Critical', 'Critical', 'Info', 'Info']);
    expect(severityFrom('warn', { default: 'Info' })).toBe('Medium');
    expect(severityFrom('toString', { map: {} })).toBe('Medium');
  });
});

it('orders worst first and gives each its priority', () => {
  expect(worst('Low', 'High')).toBe('High');
  expect(worst('Critical', 'Info')).toBe('Critical');
  expect(SEVERITIES.map(defaultPriority)).toEqual(['P1', 'P2', 'P3', 'P4', 'P5']);
});
