/** The flags of npm start: what may be said, and a helpful refusal of everything else. Reads nothing but its arguments. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Fault } from '../process/fault.ts';

export interface StartFlags {
  /** No demo. */
  empty: boolean;
  /** Wipe what is stored first. */
  fresh: boolean;
  /** First port to try for the pages and the intake. */
  port: number;
  /** A real cluster instead of the embedded control plane. */
  cluster?: { context: string; kubeconfig: string };
  databaseUrl?: string;
  namespace?: string;
  yes: boolean;
  assetsUrl?: string;
  /** Where everything that is stored lies; absent: .funnelai of the clone. */
  dataDirectory?: string;
}

export const DEFAULT_PORT = 8484;

export const USAGE = `npm start -- [flags]

  --empty               play no demo
  --fresh               wipe what an earlier start stored in .funnelai/ and begin anew
  --port N              first port to try for the pages and the intake (${DEFAULT_PORT}; taken ones are skipped, and said)
  --context NAME        use the cluster of this kubeconfig context instead of an embedded control plane
  --kubeconfig FILE     where --context is looked up (~/.kube/config; the variable KUBECONFIG is ignored)
  --namespace NS        namespace that the printed lines use (demo; with --context that of the context)
  --database-url URL    use this Postgres for history instead of a private one (the variable DATABASE_URL is ignored)
  --yes                 do not ask before touching a named cluster or database
  --assets-url URL      take control-plane binaries from there (.tar.gz or directory, with SHA256SUMS) instead of building them
  --data DIR            where everything is stored (.funnelai in the clone); one npm start runs in each
  --help                this`;

const SWITCHES = ['empty', 'fresh', 'yes', 'help'] as const;
const VALUES = ['port', 'context', 'kubeconfig', 'namespace', 'database-url', 'assets-url', 'data'] as const;

type Switch = (typeof SWITCHES)[number];
type Value = (typeof VALUES)[number];

/** Flags that npm took for its own (`npm start --empty`), of those that touch nothing real; the others have to stand after `--`. */
const HARMLESS = ['empty', 'fresh', 'port', 'assets-url'] as const;
const SERIOUS = ['context', 'kubeconfig', 'namespace', 'database-url'] as const;

/** The arguments that npm swallowed and left in its environment. Throws a Fault for those that must not be guessed. */
export function flagsFromNpm(environment: NodeJS.ProcessEnv): string[] {
  if (environment.npm_lifecycle_event !== 'start') return [];
  const swallowed = (name: string) => environment[`npm_config_${name.replaceAll('-', '_')}`];
  const serious = SERIOUS.find((name) => swallowed(name));
  if (serious)
    throw new Fault(
      `npm took --${serious} for its own: put the flags after --, as in: npm start -- --${serious} ${swallowed(serious)}`,
    );
  return HARMLESS.flatMap((name) => {
    const value = swallowed(name);
    if (!value || value === 'false') return [];
    return value === 'true' ? [`--${name}`] : [`--${name}`, value];
  });
}

/** Parses the arguments after the program. Throws a Fault that says what was expected, or resolves 'help'. */
export function parseFlags(args: string[], calledFrom = process.cwd()): StartFlags | 'help' {
  const on = new Set<Switch>();
  const given = new Map<Value, string>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    const parts = /^--([^=]+)(?:=(.*))?$/s.exec(arg);
    const name = parts?.[1];
    const isSwitch = SWITCHES.find((candidate) => candidate === name);
    const isValue = VALUES.find((candidate) => candidate === name);
    if (isSwitch) {
      if (parts?.[2] !== undefined) throw new Fault(`--${isSwitch} takes no value, found "${arg}"`);
      on.add(isSwitch);
    } else if (isValue) {
      const value = parts?.[2] ?? args[++i];
      if (value === undefined || value === '' || (parts?.[2] === undefined && value.startsWith('--'))) {
        throw new Fault(`--${isValue} needs a value: --${isValue} ${isValue === 'port' ? 'N' : 'VALUE'}`);
      }
      if (given.has(isValue)) throw new Fault(`--${isValue} was given twice: "${given.get(isValue)}" and "${value}"`);
      given.set(isValue, value);
    } else {
      throw new Fault(`${unknown(arg, name)}\n\n${USAGE}`);
    }
  }
  if (on.has('help')) return 'help';
  return checked(on, given, calledFrom);
}

function checked(on: Set<Switch>, given: Map<Value, string>, calledFrom: string): StartFlags {
  const context = given.get('context');
  const kubeconfig = given.get('kubeconfig');
  if (kubeconfig !== undefined && context === undefined) {
    throw new Fault('--kubeconfig needs --context NAME: which of its contexts is meant is never guessed');
  }
  if (context !== undefined && on.has('fresh')) {
    throw new Fault(
      '--fresh wipes the embedded control plane and Postgres; with --context there is none, and a real cluster is never wiped',
    );
  }
  const database = given.get('database-url');
  if (database !== undefined && !/^postgres(ql)?:\/\//.test(database)) {
    throw new Fault('--database-url: expected postgres://user:password@host:port/database');
  }
  const namespace = given.get('namespace');
  if (namespace !== undefined && !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace)) {
    throw new Fault(
      `--namespace: "${namespace}" is no name of a namespace (lower case letters, digits and "-", at most 63)`,
    );
  }
  const assetsUrl = given.get('assets-url');
  const data = given.get('data');
  return {
    empty: on.has('empty'),
    fresh: on.has('fresh'),
    yes: on.has('yes'),
    port: portOf(given.get('port')),
    ...(context === undefined
      ? {}
      : {
          cluster: {
            context,
            kubeconfig: kubeconfig === undefined ? join(homedir(), '.kube', 'config') : resolve(calledFrom, kubeconfig),
          },
        }),
    ...(database === undefined ? {} : { databaseUrl: database }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(assetsUrl === undefined ? {} : { assetsUrl }),
    ...(data === undefined ? {} : { dataDirectory: resolve(calledFrom, data) }),
  };
}

function portOf(value: string | undefined): number {
  if (value === undefined) return DEFAULT_PORT;
  const port = Number(value);
  if (!/^\d+$/.test(value) || port < 1 || port > 65_535)
    throw new Fault(`--port: expected a number from 1 to 65535, found "${value}"`);
  return port;
}

function unknown(arg: string, name: string | undefined): string {
  if (name === undefined) {
    return arg.startsWith('-')
      ? `"${arg}" is no flag of npm start: flags begin with two dashes`
      : `"${arg}" is not understood: npm start takes flags only (did npm swallow one? Put them after --, as in: npm start -- --port 9000)`;
  }
  const near = [...SWITCHES, ...VALUES].find(
    (candidate) => candidate.startsWith(name) || name.startsWith(candidate) || distance(candidate, name) <= 2,
  );
  return `there is no flag --${name}${near ? `; did you mean --${near}?` : ''}`;
}

/** Levenshtein. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
