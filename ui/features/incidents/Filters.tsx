/** Tabs with their counts, and the facets of the tab. */

import { PHASES } from '@funnelai/domain/lifecycle';
import { SEVERITIES } from '@funnelai/domain/severity';
import type { IncidentPage } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import MuiTab from '@mui/material/Tab';
import Tabs from '@mui/material/Tabs';
import { FacetMenus } from '../lists/FacetMenus.tsx';
import { FACET_LABELS, FACETS, facetWord, type IncidentFilter, TABS } from './url.ts';

const ORDERS: Partial<Record<string, readonly string[]>> = {
  severity: SEVERITIES,
  phase: PHASES,
  priority: ['P1', 'P2', 'P3', 'P4', 'P5'],
};

interface FiltersProps {
  filter: IncidentFilter;
  page: IncidentPage | undefined;
  onChange: (filter: IncidentFilter) => void;
}

export function Filters({ filter, page, onChange }: FiltersProps) {
  // Post-mortems come later: their tab is there only while some incident is in that phase.
  const tabs = TABS.filter(
    (tab) => tab.id !== 'postmortem' || filter.tab === 'postmortem' || (page?.tabs.postmortem ?? 0) > 0,
  );
  return (
    <Box
      sx={{
        display: 'flex',
        flexWrap: 'wrap',
        alignItems: 'center',
        columnGap: 4,
        px: { xs: 0, sm: 2 },
        borderBottom: 1,
        borderColor: 'divider',
      }}
    >
      <Tabs
        value={filter.tab}
        onChange={(_, tab) => onChange({ ...filter, tab, facets: { ...filter.facets, phase: [] }, limit: 200 })}
        variant="scrollable"
        scrollButtons={false}
        aria-label="Which incidents"
        sx={{ maxWidth: '100%' }}
      >
        {tabs.map((tab) => (
          <MuiTab
            key={tab.id}
            value={tab.id}
            label={
              <span>
                {tab.label}{' '}
                <Box component="span" sx={{ color: 'text.secondary', fontWeight: 400 }}>
                  {page?.tabs[tab.id] ?? ''}
                </Box>
              </span>
            }
          />
        ))}
      </Tabs>
      <Box
        role="group"
        aria-label="Filters"
        sx={{ display: 'flex', flexWrap: 'wrap', ml: { md: 'auto' }, px: { xs: 2, sm: 0 } }}
      >
        <FacetMenus
          facets={FACETS}
          labels={FACET_LABELS}
          counts={page?.facets}
          chosen={filter.facets}
          orders={ORDERS}
          word={facetWord}
          onChange={(facets) => onChange({ ...filter, facets })}
        />
      </Box>
    </Box>
  );
}
