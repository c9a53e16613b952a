/** A text that is edited where it stands: Enter saves (Ctrl Enter when it has lines), Escape leaves it, and it or a refusal keeps what was typed. */
import Edit from '@mui/icons-material/Edit';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import InputBase from '@mui/material/InputBase';
import { type ReactNode, useRef, useState } from 'react';
import { Reasoned } from '../../components/Reasoned.tsx';
import { Refusal } from '../../components/Refusal.tsx';
import { useToast } from '../../components/Toasts.tsx';
import type { FieldSave } from './use-field.ts';

interface TextInPlaceProps {
  label: string;
  value: string | undefined;
  field: FieldSave;
  refusal: string | undefined;
  isMultiline?: boolean;
  /** An empty text removes the field. */
  isOptional?: boolean;
  children: ReactNode;
}

export function TextInPlace({
  label,
  value,
  field,
  refusal,
  isMultiline = false,
  isOptional = false,
  children,
}: TextInPlaceProps) {
  const [draft, setDraft] = useState<string>();
  // What the person saw when they began: the write is tested against it, whatever arrives meanwhile.
  const [seen, setSeen] = useState<string>();
  const button = useRef<HTMLButtonElement>(null);
  // A text of several lines is too long to lose by one key.
  const kept = useRef<string>(undefined);
  const toast = useToast();
  const close = () => {
    kept.current = undefined;
    setDraft(undefined);
    field.dismiss();
    setTimeout(() => button.current?.focus());
  };
  const leave = () => {
    const isWorthKeeping = isMultiline && (draft ?? '').trim() !== (seen ?? '');
    close();
    if (!isWorthKeeping) return;
    kept.current = draft;
    toast.say('Not saved; your text is kept: Edit shows it again');
  };
  const save = async () => {
    const text = draft?.trim() ?? '';
    if (text === (seen ?? '')) return close();
    if (text === '' && !isOptional) return;
    if (await field.save(seen ?? null, text === '' ? null : text)) close();
  };
  if (draft === undefined) {
    return (
      <Box sx={{ display: 'flex', alignItems: isMultiline && value ? 'flex-start' : 'center', gap: 1, minWidth: 0 }}>
        <Box sx={{ minWidth: 0, overflowWrap: 'anywhere' }}>{children}</Box>
        <Reasoned reason={refusal} title={`Edit ${label.toLowerCase()}`}>
          <IconButton
            ref={button}
            aria-label={`Edit ${label.toLowerCase()}`}
            onClick={() => {
              // What was kept answers what was seen then: a change since is still a conflict.
              if (kept.current === undefined) setSeen(value);
              setDraft(kept.current ?? value ?? '');
            }}
            sx={{ p: 0.75 }}
          >
            <Edit sx={{ fontSize: 15 }} />
          </IconButton>
        </Reasoned>
      </Box>
    );
  }
  return (
    <Box sx={{ display: 'grid', gap: 1.5, minWidth: 0, width: '100%' }}>
      <InputBase
        autoFocus
        fullWidth
        multiline={isMultiline}
        {...(isMultiline ? { minRows: 3, maxRows: 14 } : {})}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') leave();
          if (event.key === 'Enter' && (!isMultiline || event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            void save();
          }
        }}
        slotProps={{ input: { dir: 'auto', 'aria-label': label, 'aria-invalid': field.error !== undefined } }}
        sx={{
          border: 1,
          borderColor: field.error ? 'error.main' : 'primary.main',
          borderRadius: 1,
          px: 2,
          py: 1,
          fontSize: 'inherit',
        }}
      />
      {field.error === undefined && (
        <Box sx={{ display: 'flex', gap: 2, alignItems: 'center' }}>
          <Button variant="outlined" loading={field.isBusy} onClick={() => void save()}>
            Save
          </Button>
          <Button onClick={close}>Cancel</Button>
          {isMultiline && <Box sx={{ color: 'text.secondary', fontSize: '0.75rem' }}>Ctrl Enter saves</Box>}
        </Box>
      )}
      {field.error && (
        <Refusal
          error={field.error}
          isBusy={field.isBusy}
          onKeepTheirs={field.error.problem.conflict ? close : field.dismiss}
          onUseMine={
            field.error.problem.conflict ? () => void field.insist().then((saved) => saved && close()) : undefined
          }
        />
      )}
    </Box>
  );
}
