import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStable, kindOf, templateOf } from './log-template.ts';

describe('a message that is written again', () => {
  it.each([
    ['payment 83121 declined after 1203 ms', 'payment 9 declined after 12.5 ms'],
    ['[2026-01-31T12:00:00.123Z] retry 1 of 5', '[2026-02-01T08:11:59.000Z] retry 2 of 5'],
    ['request f47ac10b-58cc-4372-a567-0e02b2c3d479 failed', 'request 0e02b2c3-58cc-4372-a567-f47ac10bd479 failed'],
    ['req-8f3a9c21d0 failed at 0x7ffee1', 'req-19c21d08f3 failed at 0x7ffe00'],
    ['pod checkout-7f9c6d5b8-x2x4z restarted', 'pod checkout-6d4f8b7c9-zz9kq restarted'],
    ['order-1009283 is lost', 'order-1009299 is lost'],
    ['no route\tto  host', 'no route to host\n'],
  ])('has one template: %s', (one, other) => {
    expect(templateOf(one)).toBe(templateOf(other));
  });

  it.each([
    ['link eth0 is down', 'link eth1 is down'],
    ['node-3 is not ready', 'node-4 is not ready'],
    ['host 10.0.0.3 unreachable', 'host 10.0.0.4 unreachable'],
    ['upstream answered HTTP 500', 'upstream answered HTTP 404'],
    ['exit code 137', 'exit code 1'],
    ['диск sda полон', 'диск sdb полон'],
    [`${'x'.repeat(500)} a`, `${'x'.repeat(500)} b`],
  ])('has another template where it speaks of something else: %s', (one, other) => {
    expect(templateOf(one)).not.toBe(templateOf(other));
  });

  it('has a kind for people and groups: one line without numbers', () => {
    expect(kindOf('\nlink eth0 is down after 12 s\n  at foo')).toBe('link eth# is down after # s');
    expect(kindOf('host 10.0.0.3:5432 unreachable')).toBe('host # unreachable');
    expect(kindOf('   ')).toBe('');
  });

  it('has the same template whatever its numbers are', () => {
    const piece = fc.oneof(fc.constantFrom('retry', 'of', 'took', 'ms', 'müde', '警報'), fc.constant(0));
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 20 }),
        fc.array(fc.nat(), { minLength: 20, maxLength: 20 }),
        (pieces, numbers) => {
          const fill = (from: number) => pieces.map((p, i) => (p === 0 ? (numbers[i] ?? 0) + from : p)).join(' ');
          expect(templateOf(fill(1))).toBe(templateOf(fill(17)));
        },
      ),
    );
  });

  it('of any text is short, and takes a time that grows no faster than the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 400 }), fc.string({ unit: 'grapheme', maxLength: 100 })), (text) => {
        expect(Buffer.byteLength(templateOf(text))).toBeLessThanOrEqual(256);
      }),
    );
    for (const unit of ['a1', 'a', '0', '-a', 'abcdef', '0x', '1.', ' ', 'a-', '"', 'code '])
      expect(Buffer.byteLength(templateOf(unit.repeat(1_000_000)))).toBeLessThanOrEqual(256);
  });
});

describe('the value of an attribute', () => {
  it.each(['stripe', 'eth0', 'node-3', 'nvme0n1', 'eu-west-1', '10.0.0.3', 'v1.2.3', 'München', true])(
    '%s names something',
    (value) => {
      expect(isStable(value)).toBe(true);
    },
  );
  it.each([
    7,
    12.5,
    '',
    '12',
    '12:00:00',
    '2026-01-31T12:00:00Z',
    'f47ac10b-58cc-4372-a567-0e02b2c3d479',
    '4bf92f3577b34da6a3ce929d0e0e4736',
    'ord-1009283',
    'checkout-7f9c6d5b8-x2x4z',
    'two\nlines',
    'x'.repeat(200),
  ])('%j may be another the next time', (value) => {
    expect(isStable(value)).toBe(false);
  });
});
