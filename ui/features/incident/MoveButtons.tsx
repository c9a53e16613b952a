/** The one big button with the usual next move, and the menu with the others; those that are not possible say why. */
import type { Phase } from '@funnelai/crds/generated/types';
import { shownAs } from '@funnelai/domain/lifecycle';
import type { IncidentDetail } from '@funnelai/domain/wire';
import ArrowDropDown from '@mui/icons-material/ArrowDropDown';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import ButtonGroup from '@mui/material/ButtonGroup';
import Divider from '@mui/material/Divider';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useState } from 'react';
import { type ApiError, asApiError } from '../../api/problem.ts';
import { type Act, useActs } from '../../app/acts.ts';
import { Reasoned } from '../../components/Reasoned.tsx';
import { Refusal } from '../../components/Refusal.tsx';
import { MergeDialog } from './MergeDialog.tsx';
import { MoveDialog } from './MoveDialog.tsx';
import { moveLabel, type OfferedMove, otherMoves, usualMove } from './moves.ts';
import { useMove } from './use-move.ts';

export function MoveButtons({ detail, refusal }: { detail: IncidentDetail; refusal: string | undefined }) {
  const { item } = detail;
  const move = useMove();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [asking, setAsking] = useState<Phase>();
  const [isMerging, setMerging] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const usual = usualMove(item.phase, item.alertsCleared);
  const others = otherMoves(item.phase, usual);
  const usualLabel = moveLabel(item.phase, usual);

  const start = (to: Phase) => {
    setAnchor(null);
    setError(undefined);
    // The acknowledgement needs no reason and can be undone: one key, one click.
    if (item.phase !== 'Detection' || to !== 'Response') return setAsking(to);
    setBusy(true);
    move(item, to)
      .catch((failure: unknown) => setError(asApiError(failure)))
      .finally(() => setBusy(false));
  };
  const act = ({ to, label, reason }: OfferedMove, keys?: string): Act => ({
    id: `move-${to}`,
    title: `${label} (to ${shownAs(to)})`,
    section: 'Act',
    ...(keys ? { keys } : {}),
    ...((refusal ?? reason) ? { disabled: refusal ?? reason ?? '' } : {}),
    run: () => start(to),
  });
  const mergeRefusal = refusal ?? (item.phase === 'Closed' ? 'It is closed already' : undefined);
  useActs([
    act({ to: usual, label: usualLabel }, item.phase === 'Detection' ? 'a' : 'm'),
    ...others.map((other) => act(other, other.to === 'Resolution' && !other.reason ? 'r' : undefined)),
    {
      id: 'merge',
      title: 'Merge into another incident',
      section: 'Act',
      ...(mergeRefusal ? { disabled: mergeRefusal } : {}),
      run: () => setMerging(true),
    },
  ]);
  return (
    <Box sx={{ display: 'grid', gap: 2, justifyItems: { md: 'end' } }}>
      <ButtonGroup variant="contained" disableElevation disabled={isBusy} aria-label="Moves">
        <Reasoned reason={refusal}>
          <Button onClick={() => start(usual)} sx={{ minHeight: 36, px: 4 }}>
            {usualLabel}
          </Button>
        </Reasoned>
        <Reasoned reason={refusal}>
          <Button
            aria-label="Other moves"
            aria-haspopup="menu"
            onClick={(event) => setAnchor(event.currentTarget)}
            sx={{ px: 1 }}
          >
            <ArrowDropDown />
          </Button>
        </Reasoned>
      </ButtonGroup>
      <Menu
        anchorEl={anchor}
        open={anchor !== null}
        onClose={() => setAnchor(null)}
        anchorOrigin={{ vertical: 'bottom', horizontal: 'right' }}
        transformOrigin={{ vertical: 'top', horizontal: 'right' }}
      >
        {others.map((other) => (
          // Not natively disabled: its reason must be reachable and readable.
          <MenuItem
            key={other.to}
            aria-disabled={other.reason !== undefined}
            onClick={() => other.reason === undefined && start(other.to)}
            sx={other.reason ? { color: 'text.secondary', cursor: 'default', display: 'block' } : {}}
          >
            {other.label}
            {other.reason && <Box sx={{ fontSize: '0.75rem' }}>{other.reason}</Box>}
          </MenuItem>
        ))}
        <Divider component="li" />
        <MenuItem
          aria-disabled={item.phase === 'Closed'}
          onClick={() => {
            if (item.phase === 'Closed') return;
            setAnchor(null);
            setMerging(true);
          }}
          sx={item.phase === 'Closed' ? { color: 'text.secondary', cursor: 'default', display: 'block' } : {}}
        >
          Merge into another…
          {item.phase === 'Closed' && <Box sx={{ fontSize: '0.75rem' }}>It is closed already</Box>}
        </MenuItem>
      </Menu>
      {error && (
        <Box sx={{ maxWidth: { md: 480 } }}>
          <Refusal
            error={error}
            word={(value) => shownAs(value as Phase) ?? value}
            onKeepTheirs={() => setError(undefined)}
          />
        </Box>
      )}
      {asking && (
        <MoveDialog
          item={item}
          to={asking}
          resolution={detail.incident.spec.resolution}
          onClose={() => setAsking(undefined)}
        />
      )}
      {isMerging && <MergeDialog item={item} onClose={() => setMerging(false)} />}
    </Box>
  );
}
