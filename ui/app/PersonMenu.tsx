/** Who is signed in, in Kubernetes' words, and the way out. */
import AccountCircleOutlined from '@mui/icons-material/AccountCircleOutlined';
import Box from '@mui/material/Box';
import Divider from '@mui/material/Divider';
import IconButton from '@mui/material/IconButton';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import Tooltip from '@mui/material/Tooltip';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { asApiError } from '../api/problem.ts';
import { signOut } from '../api/writes.ts';
import { useToast } from '../components/Toasts.tsx';
import { useActs } from './acts.ts';
import { useSession } from './session.tsx';

export function PersonMenu() {
  const { me } = useSession();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const navigate = useNavigate();
  const client = useQueryClient();
  const toast = useToast();
  const leave = () => {
    setAnchor(null);
    signOut().then(
      () => {
        void navigate('/sign-in');
        client.clear();
      },
      (error: unknown) => toast.say(`You are still signed in: ${asApiError(error).message}`),
    );
  };
  useActs([{ id: 'sign-out', title: 'Sign out', section: 'Help', run: leave }]);
  return (
    <>
      <Tooltip title={`Signed in as ${me.user}`}>
        <IconButton
          aria-label={`Signed in as ${me.user}`}
          aria-haspopup="menu"
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <AccountCircleOutlined fontSize="small" />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        <Box component="li" sx={{ px: 4, py: 1, maxWidth: 320, overflowWrap: 'anywhere' }}>
          <strong>{me.user}</strong>
          <Box sx={{ color: 'text.secondary' }}>
            {me.groups.length > 0 ? `Groups: ${me.groups.join(', ')}` : 'In no group'}
          </Box>
        </Box>
        <Divider component="li" />
        <MenuItem onClick={leave}>Sign out</MenuItem>
      </Menu>
    </>
  );
}
