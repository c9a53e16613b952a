/** Lines to copy: shown as they are, scrolled sideways where they are long, with a button that takes them all. */
import Box from '@mui/material/Box';
import { CopyIcon } from './CopyLine.tsx';

interface CodeBlockProps {
  text: string;
  /** What it is, for people who do not see its place. */
  label: string;
}

export function CodeBlock({ text, label }: CodeBlockProps) {
  return (
    <Box
      sx={{
        display: 'flex',
        alignItems: 'flex-start',
        bgcolor: 'surface.sunken',
        border: 1,
        borderColor: 'divider',
        borderRadius: 1,
        minWidth: 0,
      }}
    >
      <Box
        component="pre"
        tabIndex={0}
        role="region"
        aria-label={label}
        sx={{ m: 0, p: 2, flex: 1, minWidth: 0, overflowX: 'auto', fontSize: '0.75rem', lineHeight: 1.55 }}
      >
        {text}
      </Box>
      <Box sx={{ p: 1 }}>
        <CopyIcon text={text} label={`Copy: ${label}`} />
      </Box>
    </Box>
  );
}
