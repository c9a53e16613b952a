/** Times as people read them: relative for rows, exact for durations, absolute with the zone. Pure: now and the zone are arguments. */

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** Seconds between two instants, never negative: a browser's clock may be behind the server's. */
const secondsBetween = (from: number, to: number): number => Math.max(0, Math.floor((to - from) / 1000));

/** A short age such as `5 s`, `12m`, `3h`, `4d`: one unit, for a column. */
export function age(from: string, now: number): string {
  const s = secondsBetween(Date.parse(from), now);
  if (s < MINUTE) return `${s}s`;
  if (s < HOUR) return `${Math.floor(s / MINUTE)}m`;
  if (s < 2 * DAY) return `${Math.floor(s / HOUR)}h`;
  return `${Math.floor(s / DAY)}d`;
}

/** An exact duration of at most two units: `40s`, `12m 40s`, `3h 05m`, `2d 4h`. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const pad = (n: number): string => String(n).padStart(2, '0');
  if (s < MINUTE) return `${s}s`;
  if (s < HOUR) return `${Math.floor(s / MINUTE)}m ${pad(s % MINUTE)}s`;
  if (s < DAY) return `${Math.floor(s / HOUR)}h ${pad(Math.floor((s % HOUR) / MINUTE))}m`;
  return `${Math.floor(s / DAY)}d ${Math.floor((s % DAY) / HOUR)}h`;
}

/** A sentence such as `3 minutes ago`, for tooltips. */
export function relative(at: string, now: number): string {
  const s = secondsBetween(Date.parse(at), now);
  const say = (n: number, unit: string): string => `${n} ${unit}${n === 1 ? '' : 's'} ago`;
  if (s < MINUTE) return say(s, 'second');
  if (s < HOUR) return say(Math.floor(s / MINUTE), 'minute');
  if (s < 2 * DAY) return say(Math.floor(s / HOUR), 'hour');
  return say(Math.floor(s / DAY), 'day');
}

/** Made once a zone: making one costs more than all else that a row shows. */
const formats = new Map<string, Intl.DateTimeFormat>();
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    year: 'numeric',
    month: 'short',
    day: '2-digit',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  });
  formats.set(timeZone, format);
  return format;
}
const parts = (at: string | number, timeZone: string): Record<string, string> => {
  const format = formatOf(timeZone);
  return Object.fromEntries(format.formatToParts(new Date(at)).map((part) => [part.type, part.value]));
};

/** The viewer's zone by name, as the browser knows it. */
export const viewersZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** `14:02:11` in a zone. */
export function clockTime(at: string | number, timeZone: string): string {
  const { hour, minute, second } = parts(at, timeZone);
  return `${hour}:${minute}:${second}`;
}
/** `Mon 23 Nov 2026` in a zone. */
export function calendarDay(at: string | number, timeZone: string): string {
  const { weekday, day, month, year } = parts(at, timeZone);
  return `${weekday} ${day} ${month} ${year}`;
}
/** `UTC+01:00` in a zone at that time; `UTC` without an offset. */
export function zoneOffset(at: string | number, timeZone: string): string {
  const name = parts(at, timeZone).timeZoneName ?? 'GMT';
  return name.replace('GMT', 'UTC');
}
/** `14:02:11 UTC+01:00` of a time on the day of `now`, with the day in front of any other: what has lasted since yesterday does not look like an hour. */
export const moment = (at: string | number, now: number, timeZone: string): string =>
  calendarDay(at, timeZone) === calendarDay(now, timeZone)
    ? `${clockTime(at, timeZone)} ${zoneOffset(at, timeZone)}`
    : absolute(at, timeZone);
/** `Mon 23 Nov 2026 14:02:11 UTC+01:00`. */
export const absolute = (at: string | number, timeZone: string): string =>
  `${calendarDay(at, timeZone)} ${clockTime(at, timeZone)} ${zoneOffset(at, timeZone)}`;
