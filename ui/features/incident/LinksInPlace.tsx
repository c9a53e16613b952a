/** The links of an incident with those of its alerts; its own are edited where they stand, all in one guarded write. */
import type { LinkKind } from '@funnelai/crds/generated/types';
import type { IncidentDetail, IncidentLink } from '@funnelai/domain/wire';
import Add from '@mui/icons-material/Add';
import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import Edit from '@mui/icons-material/Edit';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import InputBase from '@mui/material/InputBase';
import MenuItem from '@mui/material/MenuItem';
import Select from '@mui/material/Select';
import { type FormEvent, useRef, useState } from 'react';
import { OutLink } from '../../components/OutLink.tsx';
import { Reasoned } from '../../components/Reasoned.tsx';
import { Refusal } from '../../components/Refusal.tsx';
import { useToast } from '../../components/Toasts.tsx';
import { linksOf } from './links.ts';
import { useField } from './use-field.ts';

/** So many links are shown; the alerts have the rest. */
const MOST_SHOWN = 8;
/** Bound of spec.links. */
const MOST_OWN = 16;
const KINDS: readonly LinkKind[] = ['Runbook', 'Dashboard', 'Ticket', 'Chat', 'Graph', 'Trace', 'Change', 'Other'];

/** A link as it is typed; the number is its identity while rows come and go. */
type Draft = { id: number; title: string; url: string; kind: LinkKind };
let serial = 0;
const draftOf = ({ title, url, kind = 'Other' }: IncidentLink): Draft => ({ id: ++serial, title, url, kind });
const typed = (drafts: readonly Draft[]): IncidentLink[] =>
  drafts
    .map(({ title, url, kind }) => ({ title: title.trim() || url.trim(), url: url.trim(), kind }))
    .filter(({ url }) => url !== '');

const FIELD = {
  border: 1,
  borderColor: 'divider',
  borderRadius: 1,
  px: 1.5,
  height: 28,
  fontSize: '0.8125rem',
  '&.Mui-focused': { borderColor: 'primary.main' },
} as const;

export function LinksInPlace({ detail, refusal }: { detail: IncidentDetail; refusal: string | undefined }) {
  const field = useField(detail.item, 'links');
  const own = detail.incident.spec.links;
  const [drafts, setDrafts] = useState<readonly Draft[]>();
  // What the person saw when they began: the write is tested against it, whatever arrives meanwhile.
  const [seen, setSeen] = useState<IncidentLink[] | undefined>();
  const button = useRef<HTMLButtonElement>(null);
  // Several addresses are too much to lose by one key.
  const kept = useRef<readonly Draft[]>(undefined);
  const toast = useToast();
  const close = () => {
    kept.current = undefined;
    setDrafts(undefined);
    field.dismiss();
    setTimeout(() => button.current?.focus());
  };
  const leave = () => {
    const isWorthKeeping = JSON.stringify(typed(drafts ?? [])) !== JSON.stringify(typed((seen ?? []).map(draftOf)));
    close();
    if (!isWorthKeeping) return;
    kept.current = drafts;
    toast.say('Not saved; your links are kept: Edit shows them again');
  };
  if (drafts === undefined) {
    const links = linksOf(detail);
    return (
      <Box sx={{ display: 'flex', alignItems: 'flex-start', gap: 1, py: 0.5 }}>
        <Box sx={{ minWidth: 0, lineHeight: '22px' }}>
          {links.length === 0 && (
            <Box component="span" sx={{ color: 'text.secondary' }}>
              none
            </Box>
          )}
          {links.slice(0, MOST_SHOWN).map((link) => (
            <OutLink key={link.url} link={link} />
          ))}
        </Box>
        <Reasoned reason={refusal} title="Edit links">
          <IconButton
            ref={button}
            aria-label="Edit links"
            onClick={() => {
              // What was kept answers what was seen then: a change since is still a conflict.
              if (kept.current === undefined) setSeen(own);
              setDrafts(
                kept.current ?? [
                  ...(own ?? []).map(draftOf),
                  ...(own?.length ? [] : [draftOf({ title: '', url: '' })]),
                ],
              );
            }}
            sx={{ p: 0.75 }}
          >
            <Edit sx={{ fontSize: 15 }} />
          </IconButton>
        </Reasoned>
      </Box>
    );
  }
  const save = async (from: IncidentLink[] | undefined) => {
    const to = typed(drafts);
    if (await field.save(from ?? null, to.length === 0 ? null : to)) close();
  };
  const change = (id: number, part: Partial<Draft>) =>
    setDrafts(drafts.map((one) => (one.id === id ? { ...one, ...part } : one)));
  return (
    <Box
      component="form"
      aria-label="Links"
      noValidate
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        void save(seen);
      }}
      onKeyDown={(event) => event.key === 'Escape' && !event.defaultPrevented && leave()}
      sx={{ display: 'grid', gap: 2, py: 1 }}
    >
      {drafts.map((draft, i) => (
        <Box
          key={draft.id}
          role="group"
          aria-label={`Link ${i + 1}`}
          sx={{ display: 'grid', gap: 1, gridTemplateColumns: 'minmax(0, 1fr)' }}
        >
          <InputBase
            autoFocus={i === drafts.length - 1}
            value={draft.title}
            placeholder="What is behind it"
            onChange={(event) => change(draft.id, { title: event.target.value })}
            slotProps={{ input: { 'aria-label': 'Title', maxLength: 256, dir: 'auto' } }}
            sx={FIELD}
          />
          <InputBase
            value={draft.url}
            placeholder="https://…"
            onChange={(event) => change(draft.id, { url: event.target.value })}
            slotProps={{ input: { 'aria-label': 'Address', type: 'url', maxLength: 2_048, spellCheck: false } }}
            sx={FIELD}
          />
          <Box sx={{ display: 'flex', justifyContent: 'space-between' }}>
            <Select
              value={draft.kind}
              onChange={(event) => change(draft.id, { kind: event.target.value })}
              size="small"
              SelectDisplayProps={{ 'aria-label': `Kind: ${draft.kind}` }}
              sx={{ height: 28, minWidth: 112, fontSize: '0.8125rem' }}
            >
              {[...KINDS, ...(KINDS.includes(draft.kind) ? [] : [draft.kind])].map((kind) => (
                <MenuItem key={kind} value={kind}>
                  {kind}
                </MenuItem>
              ))}
            </Select>
            <Button
              onClick={() => setDrafts(drafts.filter((one) => one.id !== draft.id))}
              startIcon={<DeleteOutlined />}
              aria-label={`Remove link ${i + 1}`}
              sx={{ minHeight: 28, py: 0 }}
            >
              Remove
            </Button>
          </Box>
        </Box>
      ))}
      {drafts.length < MOST_OWN && (
        <Button
          startIcon={<Add />}
          onClick={() => setDrafts([...drafts, draftOf({ title: '', url: '' })])}
          sx={{ justifySelf: 'start', minHeight: 28, py: 0 }}
        >
          Add a link
        </Button>
      )}
      {field.error === undefined ? (
        <Box sx={{ display: 'flex', gap: 2, alignItems: 'center' }}>
          <Button type="submit" variant="outlined" loading={field.isBusy}>
            Save
          </Button>
          <Button onClick={close}>Cancel</Button>
        </Box>
      ) : (
        <Refusal
          error={field.error}
          isBusy={field.isBusy}
          onKeepTheirs={field.error.problem.conflict ? close : field.dismiss}
          // After a conflict the incident is read again: what stands there now is what the refusal shows.
          onUseMine={field.error.problem.conflict ? () => void save(own) : undefined}
        />
      )}
    </Box>
  );
}
