/** Which namespace is looked at: in the URL, and remembered for the next visit. Choosing one leads to its list. */
import MenuItem from '@mui/material/MenuItem';
import Select from '@mui/material/Select';
import { useEffect } from 'react';
import { useLocation, useNavigate, useSearchParams } from 'react-router';
import { ALL } from './choose-namespace.ts';
import { isListPath, listOf } from './paths.ts';
import { rememberNamespace, useNamespace, useSession } from './session.tsx';

export function NamespaceSelect() {
  const { namespaces } = useSession();
  const { shown } = useNamespace();
  const { pathname } = useLocation();
  const [search, setSearch] = useSearchParams();
  const navigate = useNavigate();
  const inUrl = search.get('namespace');
  const isList = isListPath(pathname);
  useEffect(() => {
    if (inUrl !== null && inUrl !== '') rememberNamespace(inUrl);
    // A list's address says what it shows, so that it can be passed on.
    else if (isList) {
      setSearch(
        (now) => {
          const next = new URLSearchParams(now);
          next.set('namespace', shown);
          return next;
        },
        { replace: true },
      );
    }
  }, [inUrl, isList, shown, setSearch]);

  const names =
    namespaces.namespaces.includes(shown) || shown === ALL ? namespaces.namespaces : [shown, ...namespaces.namespaces];
  const choose = (name: string) => {
    rememberNamespace(name);
    const query = new URLSearchParams(isList ? search : {});
    query.set('namespace', name);
    query.delete('limit');
    query.delete('chosen');
    void navigate({ pathname: `/${listOf(pathname)}`, search: query.toString() });
  };
  return (
    <Select
      value={shown}
      onChange={(event) => choose(event.target.value)}
      size="small"
      variant="outlined"
      renderValue={(name) => (
        <>
          <span style={{ color: 'var(--mui-palette-text-secondary)' }}>{'ns:\u00a0'}</span>
          {name === ALL ? 'all' : name}
        </>
      )}
      SelectDisplayProps={{ 'aria-label': `Namespace: ${shown === ALL ? 'all' : shown}` }}
      sx={{ height: 32, maxWidth: { xs: 132, sm: 220 }, fontSize: '0.8125rem' }}
    >
      {(namespaces.all || shown === ALL) && <MenuItem value={ALL}>all namespaces</MenuItem>}
      {names.map((name) => (
        <MenuItem key={name} value={name}>
          {name}
        </MenuItem>
      ))}
    </Select>
  );
}
