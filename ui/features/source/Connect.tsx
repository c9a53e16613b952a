/** What to write into the sender's configuration, with the address that this source really has; the token is never shown. */
import type { AlertSourceSpec } from '@funnelai/crds/generated/types';
import type { SourceDetail } from '@funnelai/domain/wire-sources';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Tab from '@mui/material/Tab';
import Tabs from '@mui/material/Tabs';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { type ReactNode, useId, useState } from 'react';
import { Link } from 'react-router';
import { sourcePath } from '../../app/paths.ts';
import { CodeBlock } from '../../components/CodeBlock.tsx';
import { CopyLine } from '../../components/CopyLine.tsx';
import { Section } from '../../components/Section.tsx';
import { type Place, type Proof, proofOf, secretCommand, TOKEN } from './sender.ts';
import { snippetsFor } from './senders.ts';
import { useBase } from './use-base.ts';

export function Connect({ detail }: { detail: SourceDetail }) {
  const { namespace, name, format } = detail.item;
  const base = useBase();
  const [shown, setShown] = useState(0);
  const id = useId();
  const proof = proofOf(detail.source);
  const path = detail.paths[0] ?? `/alerts/${namespace}/${name}`;
  const place: Place = { base: base.base, path, namespace, name, proof };
  if (proof.way === 'elsewhere') return <Elsewhere from={detail.source.spec.acceptFrom} />;
  const snippets = snippetsFor(format, place);
  const snippet = snippets[Math.min(shown, snippets.length - 1)];
  const isOwnOrigin = base.base === window.location.origin;
  return (
    <Section title="Connect a sender">
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 2, alignItems: 'flex-start', mt: 1 }}>
        <TextField
          label="Address at which the sender reaches funnelAI"
          value={base.text}
          onChange={(event) => base.set(event.target.value)}
          error={!base.isUsable}
          helperText={
            base.isUsable
              ? 'As your browser does; inside the cluster it is the webhook’s Service.'
              : 'Expected http:// or https:// with a host, and nothing behind the path.'
          }
          sx={{ flex: '1 1 280px', maxWidth: 480 }}
          slotProps={{ htmlInput: { spellCheck: false, autoComplete: 'off', inputMode: 'url' } }}
        />
        {!isOwnOrigin && (
          <Button onClick={() => base.set(window.location.origin)} sx={{ mt: 1 }}>
            As this browser
          </Button>
        )}
      </Box>
      {detail.paths.map((one) => (
        <CopyLine key={one} command={`${base.base}${one}`} label={`Copy the address ${one}`} />
      ))}
      <ProofLine place={place} format={format} />
      <Box>
        <Tabs
          value={Math.min(shown, snippets.length - 1)}
          onChange={(_, next: number) => setShown(next)}
          variant="scrollable"
          scrollButtons="auto"
          allowScrollButtonsMobile
          aria-label="Senders of this format"
          sx={{
            borderBottom: 1,
            borderColor: 'divider',
            mb: 2,
            // Nothing is to the left yet: the first tab begins where the text does.
            '& .MuiTabs-scrollButtons.Mui-disabled': { display: 'none' },
          }}
        >
          {snippets.map(({ title }, at) => (
            <Tab key={title} label={title} id={`${id}-tab-${at}`} aria-controls={`${id}-panel`} />
          ))}
        </Tabs>
        <Box
          role="tabpanel"
          id={`${id}-panel`}
          aria-labelledby={`${id}-tab-${Math.min(shown, snippets.length - 1)}`}
          sx={{ display: 'grid', gap: 1.5, gridTemplateColumns: 'minmax(0, 1fr)' }}
        >
          {snippet && (
            <>
              <Typography color="textSecondary">Goes into {snippet.where}.</Typography>
              <CodeBlock text={snippet.text} label={`${snippet.title}: what to write`} />
            </>
          )}
        </Box>
      </Box>
    </Section>
  );
}

function Elsewhere({ from }: { from: AlertSourceSpec['acceptFrom'] }) {
  return (
    <Section title="Where its alerts come from">
      <Typography sx={{ overflowWrap: 'anywhere' }}>
        {from === undefined ? (
          'Another source'
        ) : (
          <>
            From <Link to={sourcePath(from.namespace, from.name)}>{`${from.namespace}/${from.name}`}</Link>, which
          </>
        )}{' '}
        routes alerts here. Nobody sends to this one: it has neither address nor token.
      </Typography>
    </Section>
  );
}

const WAYS: Record<Exclude<Proof['way'], 'elsewhere'>, ReactNode> = {
  bearer: (
    <>
      Its senders show a token in the header <code>Authorization: Bearer {TOKEN}</code>. This page never shows it; who
      may read the Secret prints it with:
    </>
  ),
  basic:
    'Its senders show a user and a password (HTTP Basic). This page never shows them; who may read the Secret prints the password with:',
  hmac: 'Its senders sign each body with a key. This page never shows it; who may read the Secret prints it with:',
  none: 'This source asks its senders for nothing: whoever reaches the address can send alerts.',
};

function ProofLine({ place, format }: { place: Place; format: string }) {
  const { way } = place.proof;
  if (way === 'elsewhere') return null;
  // Each message of SNS is signed, whatever else the source asks for.
  if (way === 'none' && format === 'AwsSns')
    return <Typography>SNS signs every message; those of the topics that the source names are taken.</Typography>;
  const command = secretCommand(place);
  return (
    <>
      <Typography>{WAYS[way]}</Typography>
      {command && (
        <>
          <CopyLine command={command} label="Copy the command that prints it" />
          <Typography color="textSecondary">
            To change it without losing an alert, put the new one into the Secret on a line of its own, change the
            senders, then take the old line out: until then both are taken.
          </Typography>
        </>
      )}
    </>
  );
}
