/** Reads for the oracle what one namespace is: its objects as the API server has them, its rows as anybody may ask for them. */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import type { KubeClient } from '@funnelai/kube/client';
import type pg from 'pg';
import { type AlertRow, type ChangeRow, type IncidentRow, type Seen, type Told, violations } from './oracle.ts';
import { until } from './wait.ts';

const ISO = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;

export interface Sources {
  client: KubeClient;
  pool: pg.Pool;
  namespace: string;
}

export async function read({ client, pool, namespace }: Sources): Promise<Seen> {
  const ask = async <T extends pg.QueryResultRow>(sql: string) => (await pool.query<T>(sql, [namespace])).rows;
  const [alerts, incidents, incidentRows, changes, alertRows] = await Promise.all([
    client.list<Alert>(ALERTS, { namespace }),
    client.list<Incident>(INCIDENTS, { namespace }),
    ask<IncidentRow>(
      'select uid, name, phase, owner, severity, change_sequence::int, deleted_at from incidents where namespace = $1',
    ),
    ask<ChangeRow>(
      `select c.incident_uid, c.sequence::int, c.kind, c.from_value, c.to_value, c."by", c.reason,
              to_char(c.at at time zone 'UTC', ${ISO}) as at
       from incident_changes c join incidents i on i.uid = c.incident_uid where i.namespace = $1`,
    ),
    ask<AlertRow>(
      `select uid, name, state, incident_name, deleted_at, object #>> '{spec,labels,fault}' as fault
       from alerts where namespace = $1`,
    ),
  ]);
  return {
    alerts: alerts.items,
    incidents: incidents.items,
    rows: { incidents: incidentRows, changes, alerts: alertRows },
  };
}

/** Resolves what is still broken after `deadlineMs`; empty as soon as nothing is. Cluster and history are read moments apart. */
export const verdict = (sources: Sources, told: Told, deadlineMs: number): Promise<string[]> =>
  judged(sources, deadlineMs, (seen) => violations(told, seen));

/** The same by some of what the oracle knows. */
export async function judged(sources: Sources, deadlineMs: number, judge: (seen: Seen) => string[]): Promise<string[]> {
  let found = ['nothing could be read'];
  const everyMs = 250;
  await until(
    'every promise to be kept',
    deadlineMs,
    async () => {
      found = judge(await read(sources));
      return found.length === 0;
    },
    { everyMs },
  ).catch((error: unknown) => {
    if (found.length === 0 || found[0] === 'nothing could be read') throw error;
  });
  return found;
}
