/** A time on the page: an age with the absolute time in its tooltip, or the absolute time with the age in it. */
import Tooltip from '@mui/material/Tooltip';
import { absolute, age, clockTime, moment, relative, viewersZone } from './instant-words.ts';
import { useNow } from './use-now.ts';

const zone = viewersZone();

/** `12m`; the tooltip has the date, the second and the zone. */
export function Age({ at, suffix = '' }: { at: string; suffix?: string }) {
  const now = useNow();
  return (
    <Tooltip title={absolute(at, zone)}>
      <time dateTime={at}>
        {age(at, now)}
        {suffix}
      </time>
    </Tooltip>
  );
}

/** `14:02:11`; the tooltip has the age, the date and the zone. */
export function Clock({ at }: { at: string }) {
  const now = useNow();
  return (
    <Tooltip title={`${relative(at, now)} · ${absolute(at, zone)}`}>
      <time dateTime={at}>{clockTime(at, zone)}</time>
    </Tooltip>
  );
}

/** `14:02:11 UTC+01:00`, with the day where it is not today: for what stands alone, and on screens without tooltips. */
export function Moment({ at }: { at: string }) {
  const now = useNow();
  return (
    <Tooltip title={`${relative(at, now)} · ${absolute(at, zone)}`}>
      <time dateTime={at}>{moment(at, now, zone)}</time>
    </Tooltip>
  );
}

/** `Mon 23 Nov 2026 14:02:11 UTC+01:00`; the tooltip has the age. */
export function Absolute({ at }: { at: string }) {
  const now = useNow();
  return (
    <Tooltip title={relative(at, now)}>
      <time dateTime={at}>{absolute(at, zone)}</time>
    </Tooltip>
  );
}
