/** What a text says as a point in time. */
export interface ReadDate {
  /** Milliseconds since 1970, UTC; a time without offset is taken as UTC. */
  readonly ms: number;
  /** `date`: as the draft wants it. The others can be understood, but are not. */
  readonly spelling: "date" | "zero-fraction" | "no-offset" | "loose";
}

const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)([Tt ])(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:([Zz])|([+-])(\d\d):?(\d\d)?)?$/;
const DATE_ONLY = /^(\d{4})-(\d\d)-(\d\d)$/;
const RFC2822 = /^(?:[A-Z][a-z]{2},\s*)?\d{1,2}\s+[A-Z][a-z]{2}\s+\d{4}\s+\d\d:\d\d(?::\d\d)?\s*(?:[+-]\d{4}|GMT|UTC?|Z)?$/;

/** Reads a time written in RFC 3339, in its usual near misses, as a bare date or as in e-mail; `undefined` otherwise. */
export function readDate(text: string): ReadDate | undefined {
  const found = RFC3339.exec(text);
  if (found) return fromRfc3339(found);
  const day = DATE_ONLY.exec(text);
  if (day) {
    const ms = instant([day[1], day[2], day[3], "0", "0", "0"]);
    return ms === undefined ? undefined : { ms, spelling: "no-offset" };
  }
  const ms = RFC2822.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : { ms, spelling: "loose" };
}

/** Whether the text has the shape of a date-time with offset, whatever its numbers say. */
export const hasDateSyntax = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text);

/** The time as the draft wants it written: RFC 3339 in UTC, without a fraction that is zero. */
export const writeDate = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");

/** A Unix time in seconds, or in milliseconds when it is too large for seconds, as milliseconds. */
export const unixTime = (value: number): number => (Math.abs(value) > 2e10 ? value : value * 1000);

function fromRfc3339(found: RegExpExecArray): ReadDate | undefined {
  const [, year, month, day, separator, hour, minute, second, fraction, zulu, sign, offsetHour, offsetMinute] = found;
  const local = instant([year, month, day, hour, minute, second ?? "0"]);
  if (local === undefined || Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) return undefined;
  const offset = (Number(offsetHour ?? 0) * 60 + Number(offsetMinute ?? 0)) * (sign === "-" ? -1 : 1);
  const ms = local + Math.floor(Number(`0.${fraction ?? 0}`) * 1000) - offset * 60_000;
  if (zulu === undefined && sign === undefined) return { ms, spelling: "no-offset" };
  const exact = separator === "T" && second !== undefined && zulu !== "z" && !found[0].includes(",");
  const offsetExact = sign === undefined || found[0].at(-3) === ":";
  if (!exact || !offsetExact) return { ms, spelling: "loose" };
  return { ms, spelling: fraction !== undefined && /^0+$/.test(fraction) ? "zero-fraction" : "date" };
}

/** Milliseconds of the numbers, or `undefined` when there is no such day or time. A leap second counts as the next. */
function instant(parts: readonly (string | undefined)[]): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60) return undefined;
  if (day > new Date(Date.UTC(2000, month, 0)).getUTCDate()) return undefined;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  if (month === 2 && day === 29 && !leap) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second, 0);
}
