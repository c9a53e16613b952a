import { describe, expect, it } from 'vitest';
import { basicPair, bearerToken, isOneOf, tokenHashes } from './tokens.ts';

describe('the credentials of a Secret', () => {
  const hashes = tokenHashes(['new-token', 'old-token']);

  it('are each enough', () => {
    expect(isOneOf('new-token', hashes)).toBe(true);
    expect(isOneOf('old-token', hashes)).toBe(true);
  });

  it('are never matched by nothing, a part, or all together', () => {
    for (const wrong of ['', 'new', 'new-token\nold-token', ' ', 'NEW-TOKEN'])
      expect(isOneOf(wrong, hashes)).toBe(false);
    expect(isOneOf('', tokenHashes([]))).toBe(false);
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
  ])('%j gives the token %j', (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });

  it.each([
    ['Basic YW5hOmE6Yg==', 'ana:a:b'],
    ['basic YW5hOg', 'ana:'],
    [`Basic ${Buffer.from('ana:schlüssel').toString('base64')}`, 'ana:schlüssel'],
    ['Basic YW5h', undefined],
    ['Basic !', undefined],
    ['Bearer YW5hOmE6Yg==', undefined],
    [undefined, undefined],
  ])('%j gives the pair %j', (header, pair) => {
    expect(basicPair(header)).toBe(pair);
  });
});
