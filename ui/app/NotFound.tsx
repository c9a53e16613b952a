/** An address that no page has. */
import Typography from '@mui/material/Typography';
import { Link, useLocation } from 'react-router';
import { StateView } from '../components/StateView.tsx';
import { useTitle } from './use-title.ts';

export function NotFound() {
  const { pathname } = useLocation();
  useTitle('Not found');
  return (
    <StateView title="There is no such page" act={<Link to="/incidents">Go to the incidents</Link>}>
      <Typography sx={{ overflowWrap: 'anywhere' }}>
        Nothing lives at <code>{pathname}</code>. An incident's address is <code>/incidents/namespace/name</code>, an
        alert's <code>/alerts/namespace/name</code>, a source's <code>/sources/namespace/name</code>.
      </Typography>
    </StateView>
  );
}
