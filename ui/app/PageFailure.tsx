/** What is left when a page itself fails: said plainly, with the way out. A new release makes old page files vanish; a reload mends that. */
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useRouteError } from 'react-router';
import { StateView } from '../components/StateView.tsx';

export function PageFailure() {
  const error = useRouteError();
  const message = error instanceof Error ? error.message : String(error);
  return (
    <StateView
      title="This page failed"
      role="alert"
      act={
        <>
          <Button variant="contained" onClick={() => location.reload()}>
            Load it again
          </Button>
          <Button href="/incidents">Go to the incidents</Button>
        </>
      }
    >
      <Typography>
        The fault is in the page, not in your incidents: nothing was changed. If funnelAI was just updated, loading the
        page again is enough.
      </Typography>
      <Typography component="pre" sx={{ whiteSpace: 'pre-wrap', m: 0 }}>
        {message}
      </Typography>
    </StateView>
  );
}
