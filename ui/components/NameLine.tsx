import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { ComponentProps, ReactNode } from 'react';
import { CopyIcon } from './CopyLine.tsx';
import { ReadyMark } from './ReadyMark.tsx';

/** The first line of a page about one object of the configuration: its name, what else tells it apart, and whether it works. */
export function NameLine({
  name,
  namespace,
  ready,
  children,
}: {
  name: string;
  namespace: string;
  ready: ComponentProps<typeof ReadyMark>['ready'];
  children?: ReactNode;
}) {
  return (
    <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', columnGap: 3 }}>
      <Box sx={{ display: 'flex', alignItems: 'center', minWidth: 0 }}>
        <Typography variant="h1" sx={{ overflowWrap: 'anywhere' }}>
          {name}
        </Typography>
        <CopyIcon text={name} label="Copy the name" />
      </Box>
      {children}
      <Box component="code" sx={{ color: 'text.secondary' }}>
        {namespace}
      </Box>
      <ReadyMark ready={ready} />
    </Box>
  );
}
