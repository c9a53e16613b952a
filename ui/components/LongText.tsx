/** Text that came from outside, of any length: of a long one its beginning, until the reader wants all of it. */
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { useState } from 'react';

const LINES = 8;
/** About what so many lines hold. */
const CHARACTERS = 800;

const isLong = (text: string): boolean => text.length > CHARACTERS || text.split('\n', LINES + 1).length > LINES;

export function LongText({ text }: { text: string }) {
  const [isWhole, setWhole] = useState(false);
  const isCut = isLong(text) && !isWhole;
  return (
    <>
      <Box
        component="span"
        dir="auto"
        sx={{
          display: isCut ? '-webkit-box' : 'block',
          whiteSpace: 'pre-wrap',
          overflowWrap: 'anywhere',
          ...(isCut ? { WebkitLineClamp: LINES, WebkitBoxOrient: 'vertical', overflow: 'hidden' } : {}),
        }}
      >
        {text}
      </Box>
      {isLong(text) && (
        <Button onClick={() => setWhole(!isWhole)} aria-expanded={isWhole} sx={{ justifySelf: 'start', ml: -2 }}>
          {isWhole ? 'Show less' : 'Show all'}
        </Button>
      )}
    </>
  );
}
