/** The bar at the foot of the list while incidents are chosen: the acts, to how many each applies, and what was refused. */

import { PHASES } from '@funnelai/domain/lifecycle';
import type { IncidentItem } from '@funnelai/domain/wire';
import Close from '@mui/icons-material/Close';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useActs } from '../../app/acts.ts';
import { useRefusals } from '../../app/session.tsx';
import { Reasoned } from '../../components/Reasoned.tsx';
import { MergeIntoDialog } from '../incident/MergeDialog.tsx';
import { conflictLine } from '../incident/use-move.ts';
import { appliesTo, mayAcknowledge, mayMergeInto, permitted, sentenceOf, targetsOf } from './applies.ts';
import { BulkAssignDialog } from './BulkAssignDialog.tsx';
import { BulkMoveDialog } from './BulkMoveDialog.tsx';
import type { Refused } from './use-bulk.ts';
import type { BulkActs } from './use-bulk-acts.ts';

/** So many refusals are told one by one; the rest are counted. */
const MOST_TOLD = 4;

interface BulkBarProps {
  chosen: readonly IncidentItem[];
  /** The namespace of the list; undefined is all. */
  namespace: string | undefined;
  acts: BulkActs;
  onClear: () => void;
}

type Asking = 'move' | 'assign' | 'merge';

export function BulkBar({ chosen, namespace, acts, onClear }: BulkBarProps) {
  const [asking, setAsking] = useState<Asking>();
  const refusalIn = useRefusals([...new Set(chosen.map((item) => item.namespace))], 'incidents', 'patch');
  const acknowledge = appliesTo(chosen, permitted(refusalIn, mayAcknowledge));
  const permittedOnes = appliesTo(chosen, (item) => refusalIn(item.namespace));
  const noRight = permittedOnes.to.length === 0 ? permittedOnes.not[0]?.reason : undefined;
  const noMove = noRight ?? (targetsOf(permittedOnes.to, PHASES).length === 0 ? 'None of them can move' : undefined);
  const mergeable = appliesTo(chosen, permitted(refusalIn, mayMergeInto(undefined)));
  const noMerge = noRight ?? (mergeable.to.length === 0 ? 'They are all closed' : undefined);
  const noAcknowledge = acknowledge.to.length === 0 ? (acknowledge.not[0]?.reason ?? 'nothing is chosen') : undefined;

  const ask = (what: Asking) => setAsking(what);
  const act = (id: string, title: string, disabled: string | undefined, run: () => void, key?: string) => ({
    id,
    title,
    section: 'Act' as const,
    ...(key ? { keys: key } : {}),
    ...(disabled ? { disabled } : {}),
    run,
  });
  const acknowledgeAll = () => void acts.move(acknowledge.to, 'Response');
  useActs([
    act('bulk-acknowledge', 'Acknowledge the chosen incidents', noAcknowledge, acknowledgeAll, 'a'),
    act('bulk-move', 'Move the chosen incidents', noMove, () => ask('move'), 'm'),
    act('bulk-assign', 'Assign the chosen incidents', noRight, () => ask('assign'), 'o'),
    act('bulk-merge', 'Merge the chosen incidents', noMerge, () => ask('merge')),
    { ...act('clear-chosen', 'Choose none', undefined, onClear, 'Escape'), section: 'This page' },
  ]);

  const bar = useRef<HTMLDivElement>(null);
  // Messages at the foot of the page stand above the bar.
  useEffect(() => {
    const height = bar.current?.offsetHeight ?? 0;
    document.documentElement.style.setProperty('--funnelai-foot', `${height}px`);
    return () => void document.documentElement.style.removeProperty('--funnelai-foot');
  });
  const button = (label: string, disabled: string | undefined, onClick: () => void, isFirst = false) => (
    <Reasoned reason={disabled && `${disabled.charAt(0).toUpperCase()}${disabled.slice(1)}`}>
      <Button variant={isFirst ? 'contained' : 'outlined'} disabled={acts.isBusy} onClick={onClick}>
        {label}
      </Button>
    </Reasoned>
  );
  return (
    <Box
      ref={bar}
      component="section"
      aria-label="Acts on the chosen incidents"
      sx={{
        position: 'sticky',
        bottom: { xs: 45, md: 0 },
        mt: 'auto',
        zIndex: 9,
        px: 4,
        py: 2,
        display: 'grid',
        gap: 1,
        bgcolor: 'background.paper',
        borderTop: 1,
        borderColor: 'divider',
      }}
    >
      {acts.refused.length > 0 && <RefusedList refused={acts.refused} onDismiss={acts.dismiss} />}
      {chosen.length > 0 && (
        <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', columnGap: 2, rowGap: 1 }}>
          <Tooltip title="Choose none (Esc)">
            <IconButton aria-label="Choose none" onClick={onClear} sx={{ ml: -2 }}>
              <Close fontSize="small" />
            </IconButton>
          </Tooltip>
          <Box component="strong" role="status" sx={{ minWidth: 68, fontWeight: 600 }}>
            {acts.isBusy ? 'Writing…' : `${chosen.length} chosen`}
          </Box>
          {button(`Acknowledge ${acknowledge.to.length}`, noAcknowledge, acknowledgeAll, true)}
          {button('Move…', noMove, () => ask('move'))}
          {button('Assign…', noRight, () => ask('assign'))}
          {button('Merge…', noMerge, () => ask('merge'))}
          <Box component="span" sx={{ color: 'text.secondary', ml: { md: 2 } }}>
            {acknowledge.not.length > 0 && acknowledge.to.length > 0
              ? `Acknowledge: ${sentenceOf(acknowledge).replace(/^A/, 'a')}`
              : noRight
                ? `${noRight}.`
                : noAcknowledge
                  ? `Acknowledge does not apply: ${noAcknowledge}.`
                  : ''}
          </Box>
        </Box>
      )}
      {asking === 'move' && (
        <BulkMoveDialog chosen={chosen} refusalIn={refusalIn} acts={acts} onClose={() => setAsking(undefined)} />
      )}
      {asking === 'assign' && (
        <BulkAssignDialog chosen={chosen} refusalIn={refusalIn} acts={acts} onClose={() => setAsking(undefined)} />
      )}
      {asking === 'merge' && (
        <BulkMerge
          chosen={chosen}
          namespace={namespace}
          refusalIn={refusalIn}
          acts={acts}
          onClose={() => setAsking(undefined)}
        />
      )}
    </Box>
  );
}

function BulkMerge({
  chosen,
  namespace,
  refusalIn,
  acts,
  onClose,
}: Pick<BulkBarProps, 'chosen' | 'namespace' | 'acts'> & {
  refusalIn: (namespace: string) => string | undefined;
  onClose: () => void;
}) {
  const [seen] = useState(chosen);
  const namespaces = new Set(seen.map((item) => item.namespace));
  const [only] = namespaces.size === 1 ? namespaces : [namespace];
  const applies = (target: IncidentItem | undefined) => appliesTo(seen, permitted(refusalIn, mayMergeInto(target)));
  return (
    <MergeIntoDialog
      title={`Merge ${seen.length} incidents`}
      namespace={only}
      isOffered={(one) => namespaces.has(one.namespace) && (seen.length > 1 || one.uid !== seen[0]?.uid)}
      about={(target) => {
        const found = applies(target);
        return { count: found.to.length, ...(target ? { sentence: sentenceOf(found) } : {}) };
      }}
      onMerge={(target) => acts.merge(applies(target).to, target)}
      onClose={onClose}
    />
  );
}

function RefusedList({ refused, onDismiss }: { refused: readonly Refused[]; onDismiss: () => void }): ReactNode {
  return (
    <Box role="alert" sx={{ display: 'flex', alignItems: 'flex-start', gap: 2 }}>
      <Box tabIndex={0} sx={{ flex: 1, minWidth: 0, maxHeight: '25vh', overflowY: 'auto', overflowWrap: 'anywhere' }}>
        <Box component="strong" sx={{ color: 'error.main', fontWeight: 600 }}>
          Not done for {refused.length}:
        </Box>
        <Box component="ul" sx={{ m: 0, pl: 4 }}>
          {refused.slice(0, MOST_TOLD).map(({ item, error }) => (
            <li key={item.uid}>
              <code>{item.name}</code>: {conflictLine(error)}
            </li>
          ))}
          {refused.length > MOST_TOLD && <li>and {refused.length - MOST_TOLD} more; they are still chosen</li>}
        </Box>
      </Box>
      <IconButton aria-label="Dismiss what was refused" onClick={onDismiss}>
        <Close fontSize="small" />
      </IconButton>
    </Box>
  );
}
