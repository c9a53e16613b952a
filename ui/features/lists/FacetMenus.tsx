/** The filters of a list, one menu for each facet; what is chosen is the page's, and stands in its URL. */
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { FacetMenu } from '../../components/FacetMenu.tsx';

export interface FacetMenusProps<F extends string> {
  facets: readonly F[];
  labels: Readonly<Record<F, string>>;
  counts: Partial<Record<F, Readonly<Record<string, number>>>> | undefined;
  chosen: Readonly<Record<F, readonly string[]>>;
  orders: Partial<Record<F, readonly string[]>>;
  word(facet: F, value: string): string;
  onChange(chosen: Record<F, readonly string[]>): void;
}

export function FacetMenus<F extends string>({
  facets,
  labels,
  counts,
  chosen,
  orders,
  word,
  onChange,
}: FacetMenusProps<F>) {
  return facets.map((facet) => (
    <FacetMenu
      key={facet}
      label={labels[facet]}
      counts={counts?.[facet] ?? {}}
      chosen={chosen[facet]}
      order={orders[facet] ?? []}
      word={(value) => word(facet, value)}
      onChange={(values) => onChange({ ...chosen, [facet]: values })}
    />
  ));
}

/** The heading of a list, with its filters beside it. */
export function FilterHead<F extends string>({ title, ...menus }: FacetMenusProps<F> & { title: string }) {
  return (
    <Box
      sx={{
        display: 'flex',
        flexWrap: 'wrap',
        alignItems: 'center',
        columnGap: 3,
        px: 4,
        pt: 3,
        pb: 1,
        borderBottom: 1,
        borderColor: 'divider',
      }}
    >
      <Typography variant="h1">{title}</Typography>
      <Box role="group" aria-label="Filters" sx={{ display: 'flex', flexWrap: 'wrap', ml: { xs: -2, sm: 'auto' } }}>
        <FacetMenus {...menus} />
      </Box>
    </Box>
  );
}
