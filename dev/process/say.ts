/** What people see in the terminal while something takes long. Promises: nothing over two seconds passes in silence. */

/** Writes one line for people. Everything in dev/ speaks through this type, so that tests can listen. */
export type Say = (line: string) => void;

export const sayToTerminal: Say = (line) => void process.stdout.write(`${line}\n`);

const QUIET_MS = 2_000;
const REPEAT_MS = 10_000;

export function seconds(ms: number): string {
  return ms < 9_950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

/**
 * Runs `work`; when it takes longer than two seconds says what is being done, why and how long it has taken so far, and
 * again every ten seconds. On a terminal the elapsed time is rewritten in place instead.
 */
export async function patiently<T>(say: Say, what: string, why: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  let spoken = false;
  const tick = () => {
    const line = `  … ${what}: ${Math.round((performance.now() - began) / 1000)} s so far (${why})`;
    if (say === sayToTerminal && process.stdout.isTTY) process.stdout.write(`\r\x1b[2K${line}`);
    else say(line);
    spoken = true;
  };
  let repeat: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    tick();
    repeat = setInterval(tick, say === sayToTerminal && process.stdout.isTTY ? 1_000 : REPEAT_MS);
  }, QUIET_MS);
  try {
    return await work();
  } finally {
    clearTimeout(first);
    clearInterval(repeat);
    if (spoken) {
      if (say === sayToTerminal && process.stdout.isTTY) process.stdout.write('\r\x1b[2K');
      say(`  ${what}: ${seconds(performance.now() - began)}`);
    }
  }
}
