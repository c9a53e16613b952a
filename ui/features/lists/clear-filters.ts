/** The act that every list has. */
import type { Act } from '../../app/acts.ts';

export const clearFilters = (isNarrowed: boolean, run: () => void): Act => ({
  id: 'clear-filters',
  title: 'Clear filters',
  section: 'This page',
  ...(isNarrowed ? {} : { disabled: 'Nothing is filtered' }),
  run,
});
