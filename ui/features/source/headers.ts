/** Header lines as a person types or pastes them. Pure. */

/** `Name: value`, one a line; empty lines count for nothing. The first line that is none is the problem. */
export function headersOf(text: string): { headers: Record<string, string>; problem?: string } {
  const headers: Record<string, string> = {};
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const [, name, value] = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      return { headers, problem: `Expected “Name: value”, found “${line.trim().slice(0, 60)}”` };
    headers[name.toLowerCase()] = value;
  }
  return { headers };
}
