/** A link that leads away from funnelAI: only http(s), in a new tab, telling the other side nothing. */
import type { AlertItem } from '@funnelai/domain/wire';
import OpenInNew from '@mui/icons-material/OpenInNew';
import Box from '@mui/material/Box';
import { isOutwardUrl } from './outward-url.ts';

export function OutLink({ link, inline = false }: { link: AlertItem['links'][number]; inline?: boolean }) {
  const isSafe = isOutwardUrl(link.url);
  const label =
    link.kind === 'Other' || link.title.toLowerCase().includes(link.kind.toLowerCase())
      ? link.title
      : `${link.kind}: ${link.title}`;
  return (
    <Box
      component={inline ? 'span' : 'div'}
      sx={{ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}
    >
      {isSafe ? (
        <a href={link.url} target="_blank" rel="noreferrer noopener" title={link.url}>
          {label}
          <OpenInNew aria-label="opens another site" sx={{ fontSize: 12, ml: 0.5, verticalAlign: '-1px' }} />
        </a>
      ) : (
        <span title="Not a link: only http and https are">{`${label}: ${link.url}`}</span>
      )}
    </Box>
  );
}
