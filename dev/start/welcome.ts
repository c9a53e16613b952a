/** The four lines to copy that the terminal and the card in the pages show: made of what really runs. */

export interface WelcomeLine {
  label: string;
  command: string;
}

export interface WelcomeFacts {
  kubeconfig: string;
  /** Context to name when the kubeconfig's current one is not ours. */
  context?: string;
  kubectl: string;
  namespace: string;
  incident?: { name: string; phase: string };
  source?: { url: string; token: string };
}

/** A word as a POSIX shell takes it literally. */
export function shellWord(text: string): string {
  return /^[\w./:@=,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A move that the API server allows from each phase. */
const MOVE: Record<string, string> = {
  Detection: 'Response',
  Response: 'Mitigation',
  Mitigation: 'Resolution',
  Resolution: 'Response',
  Postmortem: 'Response',
  Closed: 'Response',
};

export function welcomeLines({
  kubeconfig,
  context,
  kubectl,
  namespace,
  incident,
  source,
}: WelcomeFacts): WelcomeLine[] {
  const program = `${shellWord(kubectl)}${context ? ` --context ${shellWord(context)}` : ''}`;
  const lines: WelcomeLine[] = [
    { label: 'Use this cluster', command: `export KUBECONFIG=${shellWord(kubeconfig)}` },
    { label: 'Watch the incidents', command: `${program} get incidents.funnelai.dev -n ${namespace} -w` },
  ];
  if (incident) {
    const phase = MOVE[incident.phase] ?? 'Response';
    const patch = JSON.stringify({ spec: { phase, phaseReason: 'from the terminal' } });
    lines.push({
      label: 'Move one: watch this page',
      command: `${program} patch incidents.funnelai.dev ${incident.name} -n ${namespace} --type merge -p ${shellWord(patch)}`,
    });
  }
  if (source) {
    const body = JSON.stringify({
      version: '4',
      alerts: [
        {
          status: 'firing',
          labels: { alertname: 'MyFirstAlert', severity: 'critical', namespace },
          annotations: { summary: 'My first alert, sent by hand' },
        },
      ],
    });
    lines.push({
      label: 'Send an alert: it opens an incident',
      command: `curl -i -H ${shellWord(`Authorization: Bearer ${source.token}`)} -H 'Content-Type: application/json' -d ${shellWord(body)} ${source.url}`,
    });
  }
  return lines;
}
