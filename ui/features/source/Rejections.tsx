/** The last bodies that were refused, why, and what they were, as far as that may be shown. */
import type { Rejection, SourceDetail } from '@funnelai/domain/wire-sources';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { CodeBlock } from '../../components/CodeBlock.tsx';
import { number } from '../../components/number.ts';
import { Section } from '../../components/Section.tsx';
import { Absolute, Age } from '../../components/Time.tsx';
import { reasonWord } from '../sources/words.ts';

interface RejectionsProps {
  detail: SourceDetail;
  onTry: (rejection: Rejection) => void;
}

export function Rejections({ detail, onTry }: RejectionsProps) {
  const { rejections, bodiesHidden } = detail;
  return (
    <Section title="What was refused">
      {rejections.length === 0 ? (
        <Typography color="textSecondary">
          Nothing was refused lately. What is, stands here with the reason and its body, secrets taken out.
        </Typography>
      ) : (
        <Typography color="textSecondary">
          The newest first, for seven days; the same once. Secrets are taken out of bodies before they are kept.
          {bodiesHidden !== undefined && ` ${bodiesHidden}`}
        </Typography>
      )}
      {rejections.map((one) => (
        <Refused key={`${one.reason} ${one.message}`} rejection={one} onTry={onTry} />
      ))}
    </Section>
  );
}

function Refused({ rejection, onTry }: { rejection: Rejection; onTry: RejectionsProps['onTry'] }) {
  const { reason, status, message, count, firstAt, lastAt, path, contentType, userAgent, body, isKnown } = rejection;
  const of = [
    userAgent === undefined ? undefined : `from ${userAgent}`,
    contentType === undefined ? undefined : `as ${contentType}`,
    path === '' ? undefined : `to ${path}`,
    isKnown ? undefined : 'by a sender that had not proven to be its own',
  ].filter((part) => part !== undefined);
  return (
    <Box
      component="article"
      aria-label={`${reasonWord(reason)}: ${message}`}
      sx={{ border: 1, borderColor: 'divider', borderRadius: 1, p: 2, display: 'grid', gap: 1, minWidth: 0 }}
    >
      <Box sx={{ display: 'flex', flexWrap: 'wrap', columnGap: 3, alignItems: 'baseline' }}>
        <strong>
          {reasonWord(reason)}, {status}
        </strong>
        <span>
          {count === 1 ? 'once' : `${number(count)} times`}, <Age at={lastAt} suffix=" ago" />
        </span>
        {count > 1 && (
          <Typography color="textSecondary" component="span">
            first <Absolute at={firstAt} />
          </Typography>
        )}
      </Box>
      <Box sx={{ overflowWrap: 'anywhere' }}>{message}</Box>
      {of.length > 0 && (
        <Typography color="textSecondary" variant="caption" sx={{ overflowWrap: 'anywhere' }}>
          {of.join(', ')}
        </Typography>
      )}
      {body !== undefined && (
        <Box component="details" sx={{ minWidth: 0, '& summary': { cursor: 'pointer', py: 1 } }}>
          <summary>The body, secrets taken out</summary>
          <CodeBlock text={body} label="The refused body" />
          <Button onClick={() => onTry(rejection)}>Try it above</Button>
        </Box>
      )}
    </Box>
  );
}
