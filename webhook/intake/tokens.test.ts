import { describe, expect, it } from 'vitest';
import { bearerToken, isOneOf, tokenHashes } from './tokens.ts';

describe('tokens of a Secret', () => {
  const hashes = tokenHashes(Buffer.from('new-token\r\n\n  old-token \n'));

  it('are one a line, so that two are valid while one is rotated out', () => {
    expect(hashes).toHaveLength(2);
    expect(isOneOf('new-token', hashes)).toBe(true);
    expect(isOneOf('old-token', hashes)).toBe(true);
  });

  it('are never matched by nothing, a part, or the whole value', () => {
    for (const wrong of ['', 'new', 'new-token\nold-token', ' ', 'NEW-TOKEN'])
      expect(isOneOf(wrong, hashes)).toBe(false);
    expect(isOneOf('', tokenHashes(Buffer.from('\n \n')))).toBe(false);
  });
});

describe('the Authorization header', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer  abc ', 'abc'],
    ['Basic abc', undefined],
    ['Bearer ', undefined],
    ['Bearer a b', undefined],
    [undefined, undefined],
  ])('%j gives %j', (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });
});
