/** One of a few values, chosen where it stands and saved at once; a refusal stays beside it. Without the right it is plain text: the buttons beside it say why. */
import type { EditableField, IncidentItem } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import MenuItem from '@mui/material/MenuItem';
import Select from '@mui/material/Select';
import type { ReactNode } from 'react';
import { Refusal } from '../../components/Refusal.tsx';
import { useField } from './use-field.ts';

interface ChoiceInPlaceProps<T extends string> {
  item: IncidentItem;
  field: EditableField;
  label: string;
  value: T | undefined;
  options: readonly T[];
  refusal: string | undefined;
  show: (value: T) => ReactNode;
}

export function ChoiceInPlace<T extends string>({
  item,
  field,
  label,
  value,
  options,
  refusal,
  show,
}: ChoiceInPlaceProps<T>) {
  const saving = useField(item, field);
  if (refusal !== undefined) return <span>{value === undefined ? 'none' : show(value)}</span>;
  return (
    <Box sx={{ display: 'grid', gap: 1.5, minWidth: 0 }}>
      <Select
        value={value ?? ''}
        size="small"
        variant="outlined"
        displayEmpty
        disabled={saving.isBusy}
        onChange={(event) => void saving.save(value ?? null, event.target.value)}
        renderValue={(one) => (one === '' ? 'none' : show(one as T))}
        SelectDisplayProps={{ 'aria-label': `${label}: ${value ?? 'none'}` }}
        sx={{
          fontSize: '0.8125rem',
          height: 30,
          minWidth: 116,
          '& .MuiSelect-select': { display: 'flex', alignItems: 'center', py: 0, pl: 2 },
        }}
      >
        {options.map((one) => (
          <MenuItem key={one} value={one}>
            {show(one)}
          </MenuItem>
        ))}
      </Select>
      {saving.error && (
        <Refusal
          error={saving.error}
          isBusy={saving.isBusy}
          onKeepTheirs={saving.dismiss}
          onUseMine={saving.error.problem.conflict ? () => void saving.insist() : undefined}
        />
      )}
    </Box>
  );
}
