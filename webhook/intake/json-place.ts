/** Finds where a text stops being JSON (RFC 8259); V8 names no place for the commonest faults. Runs for refused bodies only. */

const SPACE = new Set([' ', '\t', '\n', '\r']);
const NUMBER = /-?(?:0|[1-9][0-9]{0,400})(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,10})?/y;
const HEX = /^[0-9a-fA-F]{4}$/;

/** Returns the offset of the first character that cannot stand there; the text's length when it ends too early. Iterative: depth does not matter. */
export function faultOffset(text: string): number {
  const open: ('{' | '[')[] = [];
  let at = 0;
  let expect: 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'colon' | 'after' = 'value';
  for (;;) {
    while (SPACE.has(text.charAt(at))) at += 1;
    const char = text.charAt(at);
    if (char === '') return at;
    if (expect === 'colon') {
      if (char !== ':') return at;
      at += 1;
      expect = 'value';
    } else if (expect === 'after') {
      const inside = open.at(-1);
      if (inside === undefined) return at;
      at += 1;
      if (char === (inside === '{' ? '}' : ']')) open.pop();
      else if (char === ',') expect = inside === '{' ? 'key' : 'value';
      else return at - 1;
    } else if (expect === 'key' || expect === 'keyOrEnd') {
      if (char === '}' && expect === 'keyOrEnd') {
        open.pop();
        at += 1;
        expect = 'after';
      } else {
        if (char !== '"') return at;
        const end = scalarEnd(text, at);
        if (end.fault !== undefined) return end.fault;
        at = end.at;
        expect = 'colon';
      }
    } else if (char === ']' && expect === 'valueOrEnd') {
      open.pop();
      at += 1;
      expect = 'after';
    } else if (char === '{' || char === '[') {
      open.push(char);
      at += 1;
      expect = char === '{' ? 'keyOrEnd' : 'valueOrEnd';
    } else {
      const end = scalarEnd(text, at);
      if (end.fault !== undefined) return end.fault;
      at = end.at;
      expect = 'after';
    }
  }
}

function scalarEnd(text: string, start: number): { at: number; fault?: number } {
  if (text.charAt(start) === '"') return stringEnd(text, start);
  for (const word of ['true', 'false', 'null']) {
    if (text.charAt(start) !== word.charAt(0)) continue;
    for (let i = 0; i < word.length; i += 1) {
      if (text.charAt(start + i) !== word.charAt(i)) return { at: start, fault: start + i };
    }
    return { at: start + word.length };
  }
  NUMBER.lastIndex = start;
  const number = NUMBER.exec(text);
  return number === null ? { at: start, fault: start } : { at: start + number[0].length };
}

function stringEnd(text: string, start: number): { at: number; fault?: number } {
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') return { at: at + 1 };
    if (char < ' ') return { at, fault: at };
    if (char === '\\') {
      at += 1;
      const escaped = text.charAt(at);
      if (escaped === 'u') {
        if (!HEX.test(text.slice(at + 1, at + 5))) return { at, fault: Math.min(at + 1, text.length) };
        at += 4;
      } else if (escaped === '' || !'"\\/bfnrt'.includes(escaped)) return { at, fault: at };
    }
  }
  return { at: text.length, fault: text.length };
}
