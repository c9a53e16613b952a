/** The column beside the story: owner, severity, priority, links, where it came from. */
import type { Priority } from '@funnelai/crds/generated/types';
import { SEVERITIES } from '@funnelai/domain/severity';
import type { IncidentDetail } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { rulePath } from '../../app/paths.ts';
import { countsInWords } from '../../components/alert-counts.ts';
import { Markdown } from '../../components/Markdown.tsx';
import { SeverityMark } from '../../components/SeverityMark.tsx';
import { Dated } from '../../components/Time.tsx';
import { ChoiceInPlace } from './ChoiceInPlace.tsx';
import { LinksInPlace } from './LinksInPlace.tsx';
import { Owner } from './Owner.tsx';
import { endOf } from './spans.ts';
import { TextInPlace } from './TextInPlace.tsx';
import { useField } from './use-field.ts';

/** For who jumps there. */
export const DETAILS_ID = 'details';
const PRIORITIES: readonly Priority[] = ['P1', 'P2', 'P3', 'P4', 'P5'];

function Line({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <Box component="dt" sx={{ color: 'text.secondary', lineHeight: '30px' }}>
        {label}
      </Box>
      <Box component="dd" sx={{ m: 0, minWidth: 0, minHeight: 30, display: 'flex', alignItems: 'center' }}>
        <Box sx={{ minWidth: 0, width: '100%', overflowWrap: 'anywhere' }}>{children}</Box>
      </Box>
    </>
  );
}

export function Details({ detail, refusal }: { detail: IncidentDetail; refusal: string | undefined }) {
  const { item, incident } = detail;
  const summary = useField(item, 'summary');
  const { resolution } = incident.spec;
  const isOver = endOf(item) !== undefined;
  return (
    <Box
      component="aside"
      aria-label="Details"
      id={DETAILS_ID}
      tabIndex={-1}
      sx={{
        outline: 'none',
        minWidth: 0,
        px: 4,
        py: 3,
        borderLeft: { lg: 1 },
        borderTop: { xs: 1, lg: 0 },
        borderColor: { xs: 'divider', lg: 'divider' },
      }}
    >
      <Box
        component="dl"
        sx={{
          m: 0,
          display: 'grid',
          gridTemplateColumns: '84px minmax(0, 1fr)',
          columnGap: 3,
          rowGap: 1,
          alignItems: 'start',
        }}
      >
        <Line label="Owner">
          <Owner item={item} refusal={refusal} />
        </Line>
        <Line label="Severity">
          <ChoiceInPlace
            item={item}
            field="severity"
            label="Severity"
            value={item.severity}
            options={SEVERITIES}
            refusal={refusal}
            show={(one) => <SeverityMark severity={one} />}
          />
        </Line>
        <Line label="Priority">
          <ChoiceInPlace
            item={item}
            field="priority"
            label="Priority"
            value={item.priority}
            options={PRIORITIES}
            refusal={refusal}
            show={(one) => one}
          />
        </Line>
        <Line label="Alerts">{countsInWords(item.alerts)}</Line>
        <Line label="Opened">
          <Dated at={item.createdAt} />
        </Line>
        {item.rule !== undefined && (
          <Line label="Rule">
            <Link to={rulePath(item.namespace, item.rule)}>{item.rule}</Link>
          </Line>
        )}
        {item.rule === undefined && (
          <Line label="Origin">
            {incident.spec.origin
              ? 'the built-in rule'
              : `declared${incident.spec.reportedBy ? ` by ${incident.spec.reportedBy}` : ''}`}
          </Line>
        )}
        {resolution?.reason && (
          <Line label={isOver ? 'Ended' : 'Ended before'}>
            {resolution.reason}
            {resolution.cause && `: ${resolution.cause}`}
          </Line>
        )}
        <Line label="Links">
          <LinksInPlace detail={detail} refusal={refusal} />
        </Line>
        <Line label="Summary">
          <TextInPlace
            label="Summary"
            value={incident.spec.summary}
            field={summary}
            refusal={refusal}
            isMultiline
            isOptional
          >
            {incident.spec.summary ? (
              <Box sx={{ py: 1 }}>
                <Markdown text={incident.spec.summary} />
              </Box>
            ) : (
              <Box component="span" sx={{ color: 'text.secondary', lineHeight: '26px' }}>
                none yet
              </Box>
            )}
          </TextInPlace>
        </Line>
      </Box>
    </Box>
  );
}
