/** An object as kubectl would print it, with the command that edits it. */
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { Kind } from '../api/keys.ts';
import { asApiError } from '../api/problem.ts';
import { useYaml } from '../api/queries.ts';
import { CopyButton, CopyLine } from './CopyLine.tsx';
import { Failing, Loading, OldData, StateView } from './StateView.tsx';

/** As kubectl has them. */
const PLURALS: Record<Kind, string> = {
  incidents: 'incidents',
  alerts: 'alerts',
  sources: 'alertsources',
  rules: 'correlationrules',
};

interface YamlViewProps {
  kind: Kind;
  namespace: string;
  name: string;
  /** Offered where people edit such objects. */
  isEditable: boolean;
}

export function YamlView({ kind, namespace, name, isEditable }: YamlViewProps) {
  const yaml = useYaml(kind, namespace, name);
  const error = yaml.error === null ? undefined : asApiError(yaml.error);
  const command = `kubectl ${isEditable ? 'edit' : 'get'} ${PLURALS[kind]}.funnelai.dev ${name} -n ${namespace}${isEditable ? '' : ' -o yaml'}`;
  if (error?.status === 404) {
    return (
      <StateView title="The object is gone">
        <Typography color="textSecondary">
          It was deleted from the cluster, so there is no YAML of it to show.
        </Typography>
      </StateView>
    );
  }
  if (yaml.data === undefined)
    return error ? (
      <Failing error={error} what="The YAML" onRetry={() => void yaml.refetch()} />
    ) : (
      <Loading label="Loading YAML" />
    );
  return (
    <>
      {error && <OldData error={error} readAt={yaml.dataUpdatedAt} onRetry={() => void yaml.refetch()} />}
      <Box sx={{ px: 4, py: 3, display: 'grid', gap: 2, gridTemplateColumns: 'minmax(0, 1fr)' }}>
        <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 2 }}>
          <Box sx={{ flex: '1 1 280px', minWidth: 0 }}>
            <CopyLine command={command} label="Copy the kubectl command" />
          </Box>
          <CopyButton text={() => yaml.data}>Copy YAML</CopyButton>
        </Box>
        <Box
          component="pre"
          tabIndex={0}
          aria-label={`YAML of ${name}`}
          sx={{
            m: 0,
            p: 3,
            bgcolor: 'surface.sunken',
            border: 1,
            borderColor: 'divider',
            borderRadius: 1,
            overflowX: 'auto',
            lineHeight: 1.5,
            fontSize: '0.75rem',
            opacity: error ? 0.6 : 1,
          }}
        >
          {yaml.data}
        </Box>
      </Box>
    </>
  );
}
