/** What people see in the terminal while something takes long. Promises: nothing over two seconds passes in silence. */

/** Writes one line for people. Everything in dev/ speaks through this type, so that tests can listen. */
export type Say = (line: string) => void;

/** Where a terminal's words go; a pipe has no status line. */
export interface Screen {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

const QUIET_MS = 2_000;
const REPEAT_MS = 10_000;
const REDRAW_MS = 1_000;
const CLEAR = '\r\x1b[2K';

export interface Narrator {
  say: Say;
  /** Has `write` write whole lines by another way, such as the error output. */
  above(write: () => void): void;
  /** Shows `text` below everything that was said, until it is withdrawn; false where there is no such place. */
  status(key: symbol, text: string | undefined): boolean;
  /** Withdraws all of it: the program ends. */
  end(): void;
}

/** Lines scroll by; what is going on just now stands below them, one line whatever goes on side by side. */
export function createNarrator(screen: Screen): Narrator {
  const going = new Map<symbol, string>();
  let shown = '';
  const draw = () => {
    // What began last is what was asked for last: a Ctrl-C is answered, whatever else is still going on.
    const last = [...going.values()].at(-1);
    const more = going.size > 1 ? ` (and ${going.size - 1} more)` : '';
    // A line that wraps could not be taken back.
    const next = last === undefined ? '' : `${last}${more}`.slice(0, screen.columns - 1);
    if (next === shown) return;
    screen.write(`${CLEAR}${next}`);
    shown = next;
  };
  const above = (write: () => void) => {
    if (shown) screen.write(CLEAR);
    write();
    if (shown) screen.write(shown);
  };
  return {
    say: (line) => above(() => screen.write(`${line}\n`)),
    above,
    status(key, text) {
      if (!screen.isTTY) return false;
      if (text === undefined) going.delete(key);
      else going.set(key, text);
      draw();
      return true;
    },
    end() {
      going.clear();
      draw();
    },
  };
}

const DEFAULT_COLUMNS = 80;
const terminal = createNarrator({
  get isTTY() {
    return process.stdout.isTTY === true;
  },
  get columns() {
    return process.stdout.columns || DEFAULT_COLUMNS;
  },
  write: (text) => void process.stdout.write(text),
});

export const sayToTerminal: Say = terminal.say;

/** For what went wrong: a line on the error output. */
export const complain = (problem: unknown): void => terminal.above(() => console.error(problem));

/** Leaves the terminal to whoever comes next. */
export const endOfTalk = (): void => terminal.end();

export function seconds(ms: number): string {
  return ms < 9_950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

/**
 * Runs `work`; when it takes longer than two seconds says what is being done, why and how long it has taken so far, and
 * again every ten seconds. On a terminal the elapsed time is rewritten in place instead.
 */
export async function patiently<T>(say: Say, what: string, why: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const key = Symbol(what);
  const inPlace = say === sayToTerminal && process.stdout.isTTY === true;
  let spoken = false;
  const tick = () => {
    const line = `  … ${what}: ${Math.round((performance.now() - began) / 1000)} s so far (${why})`;
    if (!inPlace || !terminal.status(key, line)) say(line);
    spoken = true;
  };
  let repeat: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    tick();
    repeat = setInterval(tick, inPlace ? REDRAW_MS : REPEAT_MS);
  }, QUIET_MS);
  try {
    return await work();
  } finally {
    clearTimeout(first);
    clearInterval(repeat);
    terminal.status(key, undefined);
    if (spoken) say(`  ${what}: ${seconds(performance.now() - began)}`);
  }
}
