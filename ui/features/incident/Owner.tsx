/** Who is accountable: shown, taken with one button, or given to someone by name. */
import type { IncidentItem } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { useActs } from '../../app/acts.ts';
import { useSession } from '../../app/session.tsx';
import { Refusal } from '../../components/Refusal.tsx';
import { TextInPlace } from './TextInPlace.tsx';
import { useField } from './use-field.ts';

export function Owner({ item, refusal }: { item: IncidentItem; refusal: string | undefined }) {
  const { me } = useSession();
  const typed = useField(item, 'owner');
  const taken = useField(item, 'owner');
  const isMine = item.owner === me.user;
  const take = () => void taken.save(item.owner ?? null, me.user);
  const disabled = refusal ?? (isMine ? 'It is yours already' : undefined);
  useActs([
    {
      id: 'own',
      title: 'Make me the owner',
      section: 'Act',
      keys: 'o',
      ...(disabled ? { disabled } : {}),
      run: take,
    },
  ]);
  return (
    <Box sx={{ display: 'grid', gap: 1.5, minWidth: 0 }}>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 2, flexWrap: 'wrap' }}>
        <TextInPlace label="Owner" value={item.owner} field={typed} refusal={refusal} isOptional>
          <Box component="span" sx={{ lineHeight: '26px', color: item.owner ? 'text.primary' : 'text.secondary' }}>
            {item.owner ?? 'nobody'}
            {isMine && ' (you)'}
          </Box>
        </TextInPlace>
        {!isMine && refusal === undefined && (
          <Button
            variant="outlined"
            loading={taken.isBusy}
            onClick={take}
            aria-label="Make me the owner"
            sx={{ minHeight: 26, py: 0, px: 2, minWidth: 0 }}
          >
            me
          </Button>
        )}
      </Box>
      {taken.error && (
        <Refusal
          error={taken.error}
          isBusy={taken.isBusy}
          onKeepTheirs={taken.dismiss}
          onUseMine={taken.error.problem.conflict ? () => void taken.insist() : undefined}
        />
      )}
    </Box>
  );
}
