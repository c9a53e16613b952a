/** Paste a body, see what would become of it. Nothing is stored. */
import type { SourceDetail, SourcePreview } from '@funnelai/domain/wire-sources';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useRef, useState } from 'react';
import { type ApiError, asApiError } from '../../api/problem.ts';
import { previewBody } from '../../api/writes.ts';
import { useActs } from '../../app/acts.ts';
import { Reasoned } from '../../components/Reasoned.tsx';
import { Refusal } from '../../components/Refusal.tsx';
import { Section } from '../../components/Section.tsx';
import { headersOf } from './headers.ts';
import { Preview } from './Preview.tsx';

/** What is being tried; the page holds it, for a refused body can be put here. */
export interface Draft {
  body: string;
  contentType: string;
  path: string;
  headers: string;
}
export const FIELD_ID = 'try-body';
/** Of these formats a part of the meaning stands in headers. */
const HEADER_FORMATS = new Set(['CloudEvents', 'Sentry', 'AwsSns', 'Generic']);

interface TryBodyProps {
  detail: SourceDetail;
  draft: Draft;
  onDraft: (draft: Draft) => void;
}

export function TryBody({ detail, draft, onDraft }: TryBodyProps) {
  const { namespace, name, format } = detail.item;
  const [result, setResult] = useState<SourcePreview>();
  const [failed, setFailed] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const own = detail.paths[0] ?? '';
  // What another source routes here comes by no address of this one.
  const isSentTo = detail.source.spec.acceptFrom === undefined;
  const { headers, problem } = headersOf(draft.headers);
  const idle = draft.body.trim() === '' ? 'Paste a body first' : problem;
  const run = async () => {
    if (idle !== undefined) return;
    setBusy(true);
    setFailed(undefined);
    const { body, contentType, path } = draft;
    try {
      setResult(
        await previewBody(namespace, name, {
          body,
          path,
          ...(contentType === '' ? {} : { contentType }),
          ...(Object.keys(headers).length === 0 ? {} : { headers }),
        }),
      );
    } catch (error) {
      setResult(undefined);
      setFailed(asApiError(error));
    } finally {
      setBusy(false);
    }
  };
  useActs([
    { id: 'try-body', title: 'Try a body', section: 'This page', keys: 't', run: () => field.current?.focus() },
  ]);
  return (
    <Section title="Try a body">
      <Typography color="textSecondary">
        Paste what the sender sends, and see what would become of it if it came now. Nothing is stored, and nothing of a
        limit is used up.
        {isSentTo && (
          <>
            {' '}
            In CI the same is <code>POST {own}/dry-run</code> with the source’s own credentials.
          </>
        )}
      </Typography>
      <TextField
        id={FIELD_ID}
        label="Body"
        multiline
        minRows={5}
        maxRows={18}
        sx={{ mt: 1 }}
        value={draft.body}
        inputRef={field}
        onChange={(event) => onDraft({ ...draft, body: event.target.value })}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void run();
        }}
        slotProps={{
          htmlInput: { spellCheck: false, autoComplete: 'off', sx: { fontFamily: 'monospace', fontSize: '0.75rem' } },
        }}
      />
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 2, alignItems: 'flex-start', mt: 1 }}>
        <TextField
          label="Content type"
          value={draft.contentType}
          onChange={(event) => onDraft({ ...draft, contentType: event.target.value })}
          sx={{ flex: '1 1 200px', maxWidth: 320 }}
          slotProps={{ htmlInput: { spellCheck: false, autoComplete: 'off' } }}
        />
        {isSentTo && detail.paths.length > 1 && (
          <TextField
            select
            label="Sent to"
            value={draft.path}
            onChange={(event) => onDraft({ ...draft, path: event.target.value })}
            sx={{ flex: '1 1 240px', maxWidth: 420 }}
            slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
          >
            {detail.paths.map((path) => (
              <MenuItem key={path} value={path.slice(own.length)}>
                {path}
              </MenuItem>
            ))}
          </TextField>
        )}
        <Reasoned reason={idle}>
          <Button
            variant="contained"
            onClick={() => void run()}
            loading={isBusy}
            sx={{ minHeight: 37, ml: { sm: 'auto' } }}
          >
            Show the alerts
          </Button>
        </Reasoned>
      </Box>
      {HEADER_FORMATS.has(format) && (
        <TextField
          label="Headers, one a line"
          multiline
          minRows={2}
          value={draft.headers}
          onChange={(event) => onDraft({ ...draft, headers: event.target.value })}
          error={problem !== undefined}
          helperText={problem}
          slotProps={{ htmlInput: { spellCheck: false, autoComplete: 'off' } }}
        />
      )}
      {failed && <Refusal error={failed} onKeepTheirs={() => setFailed(undefined)} />}
      <Box role="status">{result && <Preview preview={result} />}</Box>
    </Section>
  );
}
