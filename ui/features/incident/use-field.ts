/** Saving one field in place: what the person saw goes along, a refusal stays at the field with what was typed. */
import type { EditableField, FieldEdit, IncidentItem } from '@funnelai/domain/wire';
import { useState } from 'react';
import { type ApiError, asApiError } from '../../api/problem.ts';
import { useEdit } from './use-edit.ts';

type Value = FieldEdit['from'];

export interface FieldSave {
  isBusy: boolean;
  error: ApiError | undefined;
  /** What the person wanted when it was refused. */
  wanted: Value | undefined;
  /** True when it was saved. */
  save(from: Value, to: Value): Promise<boolean>;
  /** After a conflict: the person's value over the one that came first, which they have now seen. */
  insist(): Promise<boolean>;
  dismiss(): void;
}

export function useField(item: IncidentItem, field: EditableField): FieldSave {
  const edit = useEdit();
  const [state, setState] = useState<{ isBusy: boolean; error?: ApiError; wanted?: Value }>({ isBusy: false });
  const save = async (from: Value, to: Value): Promise<boolean> => {
    setState({ isBusy: true, wanted: to });
    try {
      await edit(item, { edits: [{ field, from, to }] });
      setState({ isBusy: false });
      return true;
    } catch (error) {
      setState({ isBusy: false, error: asApiError(error), wanted: to });
      return false;
    }
  };
  return {
    isBusy: state.isBusy,
    error: state.error,
    wanted: state.wanted,
    save,
    insist: () => save(state.error?.problem.conflict?.theirs ?? null, state.wanted ?? null),
    dismiss: () => setState({ isBusy: false }),
  };
}
