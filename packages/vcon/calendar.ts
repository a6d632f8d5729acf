const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function isDay(year: number, month: number, day: number): boolean {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day >= 1 && day <= (month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0));
}

/** Tells a time of day. Second 60 is one: there are leap seconds, and some programs round up to it. */
export const isTime = (hour: number, minute: number, second: number): boolean =>
  hour <= 23 && minute <= 59 && second <= 60;

/** Tells an offset from UTC. */
export const isOffset = (hours: number, minutes: number): boolean => isTime(hours, minutes, 0);

export interface DateParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Returns milliseconds since 1970, or `undefined` for no day or time. Second 60 counts as the next minute. */
export function toMilliseconds({ year, month, day, hour, minute, second }: DateParts): number | undefined {
  if (!isDay(year, month, day) || !isTime(hour, minute, second)) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second, 0);
}
