/** A command or text to copy: shown whole, copied by one button, with a word that it happened. */
import Check from '@mui/icons-material/Check';
import ContentCopy from '@mui/icons-material/ContentCopy';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import { useState } from 'react';
import { useToast } from './Toasts.tsx';

/** How long the tick stays. */
const SAID_MS = 2_000;

function useCopy(text: () => string): { copied: boolean; copy: () => void } {
  const [copied, setCopied] = useState(false);
  const toast = useToast();
  const copy = () => {
    navigator.clipboard.writeText(text()).then(
      () => {
        setCopied(true);
        toast.say('Copied');
        setTimeout(() => setCopied(false), SAID_MS);
      },
      () => toast.say('The browser did not allow copying. Select the text and copy it by hand.'),
    );
  };
  return { copied, copy };
}

/** `label` names what is copied, for people who do not see the button's place. */
export function CopyIcon({ text, label }: { text: string; label: string }) {
  const { copied, copy } = useCopy(() => text);
  return (
    <Tooltip title={copied ? 'Copied' : label}>
      <IconButton aria-label={label} onClick={copy}>
        {copied ? <Check sx={{ fontSize: 15 }} color="success" /> : <ContentCopy sx={{ fontSize: 15 }} />}
      </IconButton>
    </Tooltip>
  );
}

export function CopyButton({ text, children }: { text: () => string; children: string }) {
  const { copied, copy } = useCopy(text);
  return (
    <Button startIcon={copied ? <Check /> : <ContentCopy />} onClick={copy}>
      {children}
    </Button>
  );
}

/** With `isShortWhenNarrow` a phone shows its beginning only: nobody types it there, and it would fill the screen. */
export function CopyLine({
  command,
  label,
  isShortWhenNarrow = false,
}: {
  command: string;
  label: string;
  isShortWhenNarrow?: boolean;
}) {
  return (
    <Box
      sx={{
        display: 'flex',
        alignItems: 'flex-start',
        gap: 1,
        bgcolor: 'surface.sunken',
        border: 1,
        borderColor: 'divider',
        borderRadius: 1,
        pl: 2,
        pr: 1,
        py: 0.5,
      }}
    >
      <Box
        component="code"
        sx={{
          flex: 1,
          minWidth: 0,
          py: 1,
          overflowWrap: 'anywhere',
          whiteSpace: { xs: isShortWhenNarrow ? 'nowrap' : 'pre-wrap', sm: 'pre-wrap' },
          ...(isShortWhenNarrow ? { overflow: 'hidden', textOverflow: 'ellipsis' } : {}),
        }}
      >
        {command}
      </Box>
      <CopyIcon text={command} label={label} />
    </Box>
  );
}
