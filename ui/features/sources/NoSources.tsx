/** The list without a source: what one is, and the lines that make the first. */
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { useRefusal } from '../../app/session.tsx';
import { CodeBlock } from '../../components/CodeBlock.tsx';
import { StateView } from '../../components/StateView.tsx';
import { FORMATS } from '../source/senders.ts';
import { firstSource } from './first-source.ts';

export function NoSources({ namespace }: { namespace: string | undefined }) {
  const [format, setFormat] = useState('Alertmanager');
  const refusal = useRefusal(namespace, 'alertsources', 'create');
  return (
    <StateView title="No sources yet">
      <Typography>
        A source is an entrance for alerts: an address for one sender, the format that it speaks, and the token that it
        shows. Choose the format, and run these lines where <code>kubectl</code> reaches the cluster:
      </Typography>
      <TextField
        select
        label="What sends"
        value={format}
        onChange={(event) => setFormat(event.target.value)}
        sx={{ maxWidth: 280 }}
      >
        {FORMATS.map((one) => (
          <MenuItem key={one} value={one}>
            {one}
          </MenuItem>
        ))}
      </TextField>
      <CodeBlock text={firstSource(format, namespace ?? 'demo')} label="The lines that make a source" />
      <Typography color="textSecondary">
        It appears here at once, with its address and what to write into the sender’s configuration.
        {refusal !== undefined && ` ${refusal}: ask someone who administers it to run them.`}
      </Typography>
    </StateView>
  );
}
