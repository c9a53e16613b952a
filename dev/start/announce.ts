/** What people read once everything runs: where it is, and the lines to copy, in the terminal and on a card in the pages. */
import { join } from 'node:path';
import { type KubectlTarget, kubectl } from '../kubectl.ts';
import { writeAtomically } from '../process/atomic-file.ts';
import { type Say, seconds } from '../process/say.ts';
import type { Cluster } from './cluster.ts';
import type { StartFlags } from './flags.ts';
import type { RunSource } from './run-file.ts';
import { type WelcomeLine, welcomeLines } from './welcome.ts';

interface Incident {
  name: string;
  phase: string;
}

export interface ReadyFacts {
  tookMs: number;
  url: string;
  /** Absent: people sign in with a token of the named cluster. */
  signInUrl?: string;
  kubeconfig: string;
  directory: string;
}

export function sayReady(say: Say, o: ReadyFacts): void {
  const signIn = o.signInUrl
    ? `${o.signInUrl}   (once; another stands in run.json after that)`
    : `${o.url}/sign-in with a token of that cluster`;
  say('');
  say(`ready in ${seconds(o.tookMs)}`);
  say(`  address      ${o.url}`);
  say(`  sign in      ${signIn}`);
  say(`  kubeconfig   ${o.kubeconfig}`);
  say(`  for scripts  ${join(o.directory, 'run.json')}`);
  say(`  logs         ${join(o.directory, 'logs')}`);
  say('');
}

/** Keeps `file` telling the card which lines to show; empty until there are any. */
export function writeCard(file: string, lines: WelcomeLine[]): void {
  writeAtomically(file, `${JSON.stringify({ lines })}\n`);
}

/** `incident` is the demo's; without a demo any that is there. Resolves the lines that were said. */
export async function sayLines(
  say: Say,
  o: { cluster: Cluster; flags: StartFlags; source?: RunSource; incident?: Promise<Incident | undefined> },
): Promise<WelcomeLine[]> {
  const { target, kubeconfig } = o.cluster;
  const namespace = target.namespace ?? 'default';
  const incident = await (o.incident ?? anyIncident(target, namespace));
  const lines = welcomeLines({
    kubeconfig,
    ...(o.flags.cluster ? { context: o.flags.cluster.context } : {}),
    kubectl: target.program,
    namespace,
    ...(incident ? { incident } : {}),
    ...(o.source ? { source: o.source } : {}),
  });
  for (const { label, command } of lines) say(`  ${label}:\n    ${command}`);
  say('\nCtrl-C stops everything.');
  return lines;
}

async function anyIncident(target: KubectlTarget, namespace: string): Promise<Incident | undefined> {
  try {
    const columns = 'jsonpath={range .items[*]}{.metadata.name} {.spec.phase}{"\\n"}{end}';
    const lines = (await kubectl(target, ['get', 'incidents.funnelai.dev', '-n', namespace, '-o', columns]))
      .trim()
      .split('\n');
    const rows = lines.map((line) => line.split(' ')).map(([name = '', phase = '']) => ({ name, phase }));
    return rows.find(({ phase }) => phase === 'Detection') ?? rows.find(({ name }) => name !== '');
  } catch {
    // Only a line to copy is lost.
    return undefined;
  }
}
