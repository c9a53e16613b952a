/** A text in Markdown, built from parts that can hold no HTML. */
import Box from '@mui/material/Box';
import { Fragment, type ReactNode } from 'react';
import { type Part, partsOf } from './markdown-tokens.ts';

/** The parts never change places: they are made anew with each text. */
const all = (parts: readonly Part[]): ReactNode =>
  // biome-ignore lint/suspicious/noArrayIndexKey: a part has nothing but its place
  parts.map((part, i) => <Fragment key={i}>{shown(part)}</Fragment>);

/** Headings of a summary stand below those of the page. */
const HEADINGS = ['h3', 'h4', 'h5', 'h6'] as const;

function shown(part: Part): ReactNode {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'break':
      return <br />;
    case 'rule':
      return <hr />;
    case 'paragraph':
      return <p dir="auto">{all(part.parts)}</p>;
    case 'strong':
      return <strong>{all(part.parts)}</strong>;
    case 'em':
      return <em>{all(part.parts)}</em>;
    case 'del':
      return <del>{all(part.parts)}</del>;
    case 'quote':
      return <blockquote>{all(part.parts)}</blockquote>;
    case 'heading':
      return (
        <Box component={HEADINGS[Math.min(part.depth, HEADINGS.length) - 1] ?? 'h6'} dir="auto">
          {all(part.parts)}
        </Box>
      );
    case 'code':
      return part.isBlock ? (
        <pre>
          <code>{part.text}</code>
        </pre>
      ) : (
        <code>{part.text}</code>
      );
    case 'link':
      return (
        <a href={part.url} target="_blank" rel="noreferrer noopener" title={part.url}>
          {all(part.parts)}
        </a>
      );
    case 'list':
      return <List part={part} />;
    case 'table':
      return (
        <table>
          <thead>
            <tr>
              {part.head.map((cell, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a column is its place
                <th key={i}>{all(cell)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {part.rows.map((row, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place
              <tr key={i}>
                {row.map((cell, j) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its place
                  <td key={j}>{all(cell)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      );
  }
}

function List({ part }: { part: Extract<Part, { kind: 'list' }> }) {
  const items = part.items.map(({ isDone, parts }, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: an item is its place
    <li key={i} dir="auto" className={isDone === undefined ? '' : 'task'}>
      {isDone !== undefined && (isDone ? '☑ ' : '☐ ')}
      {all(parts)}
    </li>
  ));
  return part.start === undefined ? <ul>{items}</ul> : <ol start={part.start}>{items}</ol>;
}

export function Markdown({ text }: { text: string }) {
  return (
    <Box
      dir="auto"
      sx={{
        lineHeight: 1.5,
        overflowWrap: 'anywhere',
        '& > :first-of-type': { mt: 0 },
        '& > :last-child': { mb: 0 },
        '& p, & ul, & ol, & pre, & blockquote, & table': { my: 1.5 },
        '& ul, & ol': { pl: 5 },
        '& li > p': { my: 0 },
        '& .task': { listStyle: 'none', ml: -4 },
        '& h3, & h4, & h5, & h6': { fontSize: 'inherit', fontWeight: 600, mt: 3, mb: 1 },
        '& blockquote': { mx: 0, pl: 3, borderLeft: 2, borderColor: 'divider', color: 'text.secondary' },
        '& pre': { p: 2, bgcolor: 'surface.sunken', borderRadius: 1, overflowX: 'auto', fontSize: '0.75rem' },
        '& :not(pre) > code': { px: 1, bgcolor: 'surface.sunken', borderRadius: 0.5 },
        '& hr': { border: 0, borderTop: 1, borderColor: 'divider', my: 3 },
        '& table': { borderCollapse: 'collapse', display: 'block', overflowX: 'auto' },
        '& th, & td': { border: 1, borderColor: 'divider', px: 2, py: 0.5, textAlign: 'left', verticalAlign: 'top' },
      }}
    >
      {all(partsOf(text))}
    </Box>
  );
}
