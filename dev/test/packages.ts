/** The programs that tests need and npm does not carry: a browser, an Alertmanager, a Prometheus. Installed where that is allowed, said first; named otherwise. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Fault } from '../process/fault.ts';
import { patiently, type Say } from '../process/say.ts';

interface Needed {
  /** Any of these on the PATH will do. */
  programs: string[];
  debian: string;
  what: string;
}

const NEEDED: Needed[] = [
  {
    programs: ['chromium', 'chromium-browser', 'google-chrome'],
    debian: 'chromium',
    what: 'a browser, for the tests of the pages',
  },
  {
    programs: ['prometheus-alertmanager', 'alertmanager'],
    debian: 'prometheus-alertmanager',
    what: 'Alertmanager, for the story from alert to incident',
  },
  { programs: ['prometheus'], debian: 'prometheus', what: 'Prometheus, for the story of one that dies' },
];

export function isOnPath(program: string, path = process.env.PATH ?? ''): boolean {
  return [...path.split(delimiter), '/usr/sbin', '/usr/local/bin'].some(
    (directory) => directory !== '' && existsSync(join(directory, program)),
  );
}

/** The command that may install packages: none, itself, or through sudo without a password. */
function installer(): string[] | undefined {
  if (!isOnPath('apt-get')) return undefined;
  if (process.getuid?.() === 0) return ['apt-get'];
  try {
    execFileSync('sudo', ['-n', 'true'], { stdio: 'ignore', timeout: 5_000 });
    return ['sudo', '-n', 'apt-get'];
  } catch {
    return undefined;
  }
}

function run(command: string[], args: string[]): Promise<{ code: number | null; output: string }> {
  const [program = '', ...first] = command;
  const child = spawn(program, [...first, ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-3_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 1, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** Throws a Fault that names what is missing and how to get it. */
export async function ensurePackages(say: Say): Promise<void> {
  const missing = NEEDED.filter(({ programs }) => !programs.some((program) => isOnPath(program)));
  if (missing.length === 0) return;
  const names = missing.map(({ debian }) => debian);
  const list = missing.map(({ debian, what }) => `  - ${debian}: ${what}`).join('\n');
  const apt = installer();
  if (!apt) {
    throw new Fault(
      `npm test needs programs that are not here, and may not install them:\n${list}\n  get them: apt-get install ${names.join(' ')} (as root; elsewhere: put chromium, alertmanager and prometheus on the PATH)`,
    );
  }
  say(
    `npm test needs programs that are not here:\n${list}\n  installing them now: ${[...apt, 'install', ...names].join(' ')}; about a minute`,
  );
  await patiently(say, 'installing packages', names.join(', '), async () => {
    const install = ['install', '-y', '--no-install-recommends', ...names];
    let result = await run(apt, install);
    if (result.code !== 0) {
      // Lists that are missing or old are the usual reason.
      await run(apt, ['update']);
      result = await run(apt, install);
    }
    // The package starts a service that some machines cannot start: what counts is that the program is there.
    const still = missing.filter(({ programs }) => !programs.some((program) => isOnPath(program)));
    if (still.length > 0) {
      throw new Fault(
        `${still.map(({ debian }) => debian).join(', ')} could not be installed (apt-get exited with ${result.code}):\n${result.output.trim()}`,
      );
    }
  });
}
