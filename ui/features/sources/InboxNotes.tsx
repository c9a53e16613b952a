/** What the rows of the list cannot say of the inbox: that nobody knows what waits there, and what sources that are gone have left in it. */
import type { InboxState, SourcePage } from '@funnelai/domain/wire-sources';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import { SetAsideHelp } from '../source/SetAside.tsx';
import { InboxWord } from './InboxWord.tsx';

const NOTE = { mx: 4, mt: 2, '& .MuiAlert-message': { flex: 1, minWidth: 0 } } as const;

export function InboxNotes({ page }: { page: Pick<SourcePage, 'inbox' | 'gone'> | undefined }) {
  if (page === undefined) return null;
  return (
    <>
      <InboxUnknown inbox={page.inbox} />
      {page.gone.length > 0 && (
        <Alert severity="warning" role="region" aria-label="Left by sources that are gone" sx={NOTE}>
          Sources that are gone have left alerts in the inbox. They are no Alerts, and open no incident.
          {page.gone.map((one) => (
            <Left key={`${one.namespace}/${one.name}`} left={one} scope={page.inbox.scope ?? ''} />
          ))}
        </Alert>
      )}
    </>
  );
}

function Left({ left: { namespace, name, inbox }, scope }: { left: SourcePage['gone'][number]; scope: string }) {
  const line = (
    <>
      <code>
        {namespace}/{name}
      </code>
      : <InboxWord inbox={inbox} />
    </>
  );
  // What still waits is set aside in a moment; there is nothing to be done about it yet.
  if (inbox.setAside === 0) return <Box sx={{ mt: 1, overflowWrap: 'anywhere' }}>{line}</Box>;
  return (
    <Box component="details" sx={{ mt: 1 }}>
      <Box component="summary" sx={{ cursor: 'pointer', overflowWrap: 'anywhere' }}>
        {line}
      </Box>
      <SetAsideHelp inbox={inbox} of={{ scope, namespace, source: name }} isThere={false} />
    </Box>
  );
}

function InboxUnknown({ inbox }: { inbox: InboxState }) {
  if (inbox.available || inbox.isOff) return null;
  return (
    <Alert severity="warning" sx={NOTE}>
      Whether alerts wait in the inbox is not known. {inbox.reason}
    </Alert>
  );
}
