/** Reads server-sent events from text as it arrives (WHATWG HTML, 9.2.6), as far as our stream uses them: data, comments, blank lines. */

export interface SseParser {
  /** Takes the next piece of text; returns the data of each event completed by it. */
  push(text: string): string[];
}

/** A parser for one connection. Pieces may end anywhere, also inside a line or between CR and LF. */
export function createSseParser(): SseParser {
  let rest = '';
  let data: string[] = [];
  return {
    push(text) {
      const events: string[] = [];
      rest += text;
      // A CR at the very end may be the first half of CR LF: it waits for the next piece.
      const held = rest.endsWith('\r') ? '\r' : '';
      const lines = rest.slice(0, rest.length - held.length).split(/\r\n|\n|\r/);
      rest = (lines.pop() ?? '') + held;
      for (const line of lines) {
        if (line === '') {
          if (data.length > 0) events.push(data.join('\n'));
          data = [];
        } else if (line.startsWith('data:')) {
          data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
        }
      }
      return events;
    },
  };
}
