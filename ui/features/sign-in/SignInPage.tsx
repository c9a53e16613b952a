/** Signing in: with a token of Kubernetes, because every read and write here is made as the person who holds it. */
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { keys } from '../../api/keys.ts';
import { asApiError } from '../../api/problem.ts';
import { signIn } from '../../api/writes.ts';
import { safeReturn } from '../../app/return-path.ts';
import { useTitle } from '../../app/use-title.ts';
import { CopyLine } from '../../components/CopyLine.tsx';

/** What the webhook says about a one-time link that did not sign in. */
const LINK_PROBLEMS: Record<string, string> = {
  used: 'That sign-in link was used already, or is not known any more: each works once. Ask npm start for a new one, or sign in with a token.',
  refused: 'The token behind that link is no longer accepted by Kubernetes. Sign in with another one.',
  limited: 'Too many attempts to sign in. Wait a moment and open the link again.',
  unavailable: 'Kubernetes did not answer, so the link could not be used; it still stands. Open it again in a moment.',
};

export function SignInPage() {
  useTitle('Sign in');
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [token, setToken] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const linkProblem = LINK_PROBLEMS[search.get('problem') ?? ''];
  const wanted = search.get('return');

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const value = token.trim();
    if (value === '') return setRefusal('Paste a token first.');
    setBusy(true);
    setRefusal(undefined);
    try {
      const me = await signIn(value);
      // What the last person had on screen is not for this one.
      client.clear();
      client.setQueryData(keys.me, me);
      await navigate(safeReturn(wanted), { replace: true });
    } catch (error) {
      const { message, problem } = asApiError(error);
      setRefusal(`${message}${problem.requestId ? ` (request ${problem.requestId})` : ''}`);
      setBusy(false);
    }
  };

  return (
    <Box
      component="main"
      sx={{ minHeight: '100dvh', display: 'grid', placeItems: { xs: 'start stretch', sm: 'center' }, p: 4 }}
    >
      <Box component="form" onSubmit={submit} noValidate sx={{ width: '100%', maxWidth: 520, display: 'grid', gap: 4 }}>
        <Box sx={{ display: 'flex', alignItems: 'center', gap: 2 }}>
          <svg width="22" height="22" viewBox="0 0 16 16" aria-hidden="true">
            <path d="M1.5 2h13L9.6 8.4V13l-3.2 1.6V8.4z" fill="var(--mui-palette-primary-main)" />
          </svg>
          <Typography variant="h1">Sign in to funnelAI</Typography>
        </Box>
        {linkProblem && <Typography role="alert">{linkProblem}</Typography>}
        {wanted !== null && (
          <Typography role="status">
            Sign in to go on to <code>{safeReturn(wanted).split('?')[0]}</code>.
          </Typography>
        )}
        <TextField
          label="Kubernetes token"
          value={token}
          onChange={(event) => setToken(event.target.value)}
          type="password"
          autoComplete="current-password"
          autoFocus
          required
          error={refusal !== undefined}
          helperText={refusal ?? 'A bearer token of yours, as kubectl sends it.'}
          slotProps={{
            htmlInput: { spellCheck: false, autoCapitalize: 'none' },
            formHelperText: refusal === undefined ? {} : { role: 'alert' },
          }}
        />
        <Box>
          <Button type="submit" variant="contained" loading={isBusy}>
            Sign in
          </Button>
        </Box>
        <Box sx={{ display: 'grid', gap: 2, borderTop: 1, borderColor: 'divider', pt: 4 }}>
          <Typography variant="h2">What the token is for</Typography>
          <Typography color="textSecondary">
            Every read and every change you make here goes to Kubernetes as you, with your rights and under your name;
            funnelAI has no accounts of its own. The token is kept in a cookie that scripts cannot read, and never in
            the page.
          </Typography>
          <Typography variant="h2">How to get one</Typography>
          <Typography color="textSecondary">For a service account, valid for eight hours:</Typography>
          <CopyLine command="kubectl create token NAME -n NAMESPACE --duration=8h" label="Copy the kubectl command" />
          <Typography color="textSecondary">
            With your own login, use the ID token that kubectl uses. On a machine that runs <code>npm start</code>, the
            link it prints signs you in by itself, once.
          </Typography>
        </Box>
      </Box>
    </Box>
  );
}
