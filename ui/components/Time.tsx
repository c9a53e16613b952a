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

/** A browser's clock may be behind the server's by so much. */
const SKEW_MS = 60_000;

/** How long ago, beside the time itself. Nothing while the time is yet to come. */
function Ago({ at, now, ...props }: { at: string; now: number; 'aria-hidden'?: true }) {
  return Date.parse(at) > now + SKEW_MS ? null : <span {...props}>{` (${age(at, now)} ago)`}</span>;
}

/** `14:02:11 UTC+01:00 (3m ago)`, with the day where it is not today: for what stands alone, and on screens without tooltips. */
export function Moment({ at }: { at: string }) {
  const now = useNow();
  return (
    <span>
      <Tooltip title={absolute(at, zone)}>
        <time dateTime={at}>{moment(at, now, zone)}</time>
      </Tooltip>
      {/* It stands in banners that are read out whenever they change. */}
      <Ago at={at} now={now} aria-hidden />
    </span>
  );
}

/** `Mon 23 Nov 2026 14:02:11 UTC+01:00 (3m ago)`: where the age matters as much as the time. */
export function Dated({ at }: { at: string }) {
  const now = useNow();
  return (
    <span>
      <time dateTime={at}>{absolute(at, zone)}</time>
      <Ago at={at} now={now} />
    </span>
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
