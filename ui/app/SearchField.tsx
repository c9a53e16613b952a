/** The search field: narrows the list that is shown, or leads to the list that a page belongs to. The text is in the URL. */
import Search from '@mui/icons-material/Search';
import Box from '@mui/material/Box';
import InputBase from '@mui/material/InputBase';
import { useEffect, useRef, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { isListPath, listOf } from './paths.ts';
import { useNamespace } from './session.tsx';

export const SEARCH_ID = 'search';
const SEARCHED = {
  incidents: 'Search incidents: name, title, owner…',
  alerts: 'Search alerts: title, source, label=value…',
  sources: 'Search sources: name, format, namespace…',
  rules: 'Search rules: name, label, description…',
} as const;

/** Typing settles for this long before the list is asked. */
const SETTLE_MS = 200;

export function SearchField() {
  const location = useLocation();
  const navigate = useNavigate();
  const { shown } = useNamespace();
  const inUrl = new URLSearchParams(location.search).get('q') ?? '';
  const isList = isListPath(location.pathname);
  const what = listOf(location.pathname);
  const [text, setText] = useState(inUrl);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (document.activeElement !== input.current) setText(inUrl);
  }, [inUrl]);

  const search = (q: string, replace: boolean) => {
    clearTimeout(timer.current);
    const query = new URLSearchParams(isList ? location.search : { namespace: shown });
    if (q === '') query.delete('q');
    else query.set('q', q);
    query.delete('chosen');
    void navigate({ pathname: `/${what}`, search: query.toString() }, { replace });
  };
  return (
    <Box
      role="search"
      sx={{
        display: 'flex',
        alignItems: 'center',
        gap: 1.5,
        px: 2,
        height: 32,
        border: 1,
        borderColor: 'divider',
        borderRadius: 1,
        bgcolor: 'surface.sunken',
        '&:focus-within': { outline: '2px solid', outlineColor: 'primary.main', bgcolor: 'background.default' },
      }}
    >
      <Search aria-hidden sx={{ fontSize: 16, color: 'text.secondary' }} />
      <InputBase
        inputRef={input}
        id={SEARCH_ID}
        value={text}
        fullWidth
        placeholder={SEARCHED[what]}
        sx={{
          fontSize: '0.8125rem',
          '& input::placeholder': { color: 'text.secondary', opacity: 1 },
          '& input:focus-visible': { outline: 'none' },
        }}
        slotProps={{
          input: { 'aria-label': `Search ${what}`, type: 'search', spellCheck: false, autoComplete: 'off' },
        }}
        onChange={(event) => {
          const q = event.target.value;
          setText(q);
          clearTimeout(timer.current);
          if (isList) timer.current = setTimeout(() => search(q.trim(), true), SETTLE_MS);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') search(text.trim(), false);
          if (event.key === 'Escape') input.current?.blur();
        }}
      />
      <Box
        component="kbd"
        aria-hidden
        sx={{
          display: { xs: 'none', sm: 'block' },
          color: 'text.secondary',
          border: 1,
          borderColor: 'divider',
          borderRadius: 0.5,
          px: 1,
          lineHeight: 1.3,
        }}
      >
        /
      </Box>
    </Box>
  );
}
