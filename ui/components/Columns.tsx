import Box from '@mui/material/Box';
import type { ReactNode } from 'react';
import { Section } from './Section.tsx';
import { YamlView } from './YamlView.tsx';

/** The body of a page about one object: what it is, and beside it, or on a narrow screen below, how it does. */
export function Columns({ children, aside, label }: { children: ReactNode; aside: ReactNode; label: string }) {
  return (
    <Box
      sx={{
        display: 'grid',
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 1fr) 372px' },
        borderTop: 1,
        borderColor: 'divider',
      }}
    >
      <Box sx={{ minWidth: 0 }}>{children}</Box>
      <Box
        component="aside"
        aria-label={label}
        sx={{
          minWidth: 0,
          borderLeft: { lg: 1 },
          borderTop: { xs: 1, lg: 0 },
          // Each border that is set anew at a width takes the color away.
          borderColor: { xs: 'divider', lg: 'divider' },
        }}
      >
        {aside}
      </Box>
    </Box>
  );
}

/** The object as kubectl shows it, at the end of its page. */
export function YamlSection(at: { kind: 'rules' | 'sources'; namespace: string; name: string }) {
  return (
    <Box sx={{ borderTop: 1, borderColor: 'divider' }}>
      <Section title="YAML">
        <Box sx={{ mx: -4 }}>
          <YamlView {...at} isEditable />
        </Box>
      </Section>
    </Box>
  );
}
