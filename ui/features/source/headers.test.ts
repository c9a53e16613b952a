import { describe, expect, it } from 'vitest';
import { headersOf } from './headers.ts';

describe('headers as they are pasted', () => {
  it('are read line by line, in lower case, the last of a name winning', () => {
    expect(headersOf('CE-Type: dev.example: x\n\n  ce-id:1 \nce-ID: 2')).toEqual({
      headers: { 'ce-type': 'dev.example: x', 'ce-id': '2' },
    });
  });

  it('name the first line that is none', () => {
    expect(headersOf('a: b\nno header here\nc: d').problem).toBe('Expected “Name: value”, found “no header here”');
  });
});
